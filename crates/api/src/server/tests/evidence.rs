//! Evidence is listed by id, and shown with both statements and all that a checker needs.

use crypto::signed::Unverified;
use serde_json::{Value, json};
use types::evidence::EvidenceId;

use crate::client::Client;
use crate::hex;
use crate::tests::backend::{FakeValidator, Served};
use crate::tests::http::get;
use crate::tests::network;

/// A validator that keeps a piece of each kind, and knows of two when it stored them.
fn served() -> Served {
    let served = Served::new(FakeValidator::new(2));
    let times = [Some(1_790_000_000_000), None, None, Some(7), None];
    *served.validator.evidence.lock().unwrap() =
        network::evidence().into_iter().zip(times).collect();
    served
}

fn ids(client: &Client, limit: u32) -> Vec<EvidenceId> {
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = client.evidence(after, limit).unwrap();
        seen.extend(page.evidence.iter().map(|piece| piece.id));
        after = page.next;
        if after.is_none() {
            return seen;
        }
    }
}

#[test]
fn evidence_is_paged_by_id_without_gap_or_repetition() {
    let served = served();
    let mut all = network::evidence().map(|piece| piece.id());
    all.sort_unstable();

    for limit in [1, 2, 5, 100] {
        assert_eq!(ids(&served.client(), limit), all, "{limit} in a page");
    }
    assert_eq!(ids(&Served::new(FakeValidator::new(0)).client(), 50), []);
}

#[test]
fn the_list_names_kind_liar_view_heights_and_when_it_was_stored() {
    let served = served();

    let value: Value = get(&served, "/v1/evidence").json();

    let of_kind = |kind: &str| {
        let list = value["evidence"].as_array().unwrap();
        list.iter().find(|piece| piece["kind"] == kind).unwrap().clone()
    };
    let key = network::validator_key(1).public_key().to_string();
    assert_eq!(
        of_kind("votes"),
        json!({
            "id": network::evidence()[0].id().to_string(),
            "kind": "votes",
            "accused": { "replica": 1, "name": "validator-1", "key": key },
            "view": 0,
            "heights": [1],
            "stored_ms": 1_790_000_000_000_u64,
        })
    );
    assert_eq!(of_kind("branches")["heights"], json!([1, 2]));
    assert_eq!(of_kind("branches").get("stored_ms"), None);
    assert_eq!(of_kind("new-views")["view"], 1);
    assert!(value.get("next").is_none());
}

#[test]
fn each_piece_comes_with_both_statements_and_verifies_against_the_genesis() {
    let served = served();
    let validators = served.validator.genesis.validators();

    for piece in network::evidence() {
        let answer = served.client().evidence_piece(&piece.id()).unwrap().unwrap();

        assert_eq!(answer.statements.len(), 2);
        assert_ne!(answer.statements[0], answer.statements[1]);
        assert_eq!(answer.summary.kind, piece.name());
        assert_eq!(answer.wrong, piece.wrong());
        assert_eq!(answer.evidence, piece);
        Unverified::new(answer.evidence).verify(validators).unwrap();
    }
}

#[test]
fn the_statements_say_who_signed_what_where() {
    let served = served();
    let pieces = network::evidence();
    let shown = |index: usize| -> Value {
        get(&served, &format!("/v1/evidence/{}", pieces[index].id())).json()
    };

    let votes = shown(0);
    assert_eq!(votes["evidence"], hex::to_hex_wire(&pieces[0]));
    for statement in votes["statements"].as_array().unwrap() {
        assert_eq!(statement["phase"], "prepare");
        assert_eq!((&statement["view"], &statement["height"]), (&json!(0), &json!(1)));
        assert_eq!(statement["signature"].as_str().unwrap().len(), 128);
        assert_eq!(statement["block"].as_str().unwrap().len(), 64);
    }
    let branches = shown(1);
    assert_eq!(branches["statements"][0]["block"], branches["headers"][0]["block"]);
    assert_ne!(branches["statements"][1]["block"], branches["headers"][0]["parent"]);
    let forgotten = shown(3);
    assert_eq!(forgotten["statements"][0]["phase"], "commit");
    assert_eq!(forgotten["statements"][1]["phase"], "view-change");
    assert_eq!(forgotten["statements"][1].get("certified"), None);
    let new_views = shown(4);
    let asked = |statement: usize| new_views["statements"][statement]["asked"].clone();
    assert_eq!(asked(0)[1]["certified"]["height"], 1);
    assert_eq!(asked(1), json!([{ "replica": 0 }, { "replica": 1 }, { "replica": 2 }]));
}

#[test]
fn evidence_that_nobody_keeps_is_not_found() {
    let nobody = network::evidence()[0].id();

    let client = Served::new(FakeValidator::new(0));

    assert_eq!(client.client().evidence_piece(&nobody).unwrap(), None);
}
