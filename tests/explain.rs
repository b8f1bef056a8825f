//! Real processes, looked at from outside: why a network is slow or stands still, and which proposals were lost.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::fs;

use api::client::Wait;
use serde_json::{Value, json};
use tests::load::{Load, Wallet};
use tests::money::{signed, transfer};
use tests::programs;
use tests::relay::Relays;
use tests::testnet::Testnet;
use tests::traitors::{deeds, equivocations};
use tests::wait::until;

/// Runs `logothete --json COMMAND` on the whole testnet.
fn ask(testnet: &Testnet, command: &str) -> Value {
    let directory = testnet.directory().to_str().unwrap();
    programs::run("logothete", &["--json", command, "--dir", directory]).with_code(0).json()
}

/// Asks for explanations until this one is given.
fn until_explained(testnet: &Testnet, verdict: &str) -> Value {
    until(&format!("the verdict is {verdict}"), || {
        let found = ask(testnet, "explain");
        (found["verdict"] == verdict).then_some(found)
    })
}

/// A transaction that waits for its commit at a validator, and at those that this one reaches.
fn submit(testnet: &Testnet, node: usize) {
    let transaction = signed(testnet, node, 1);
    drop(testnet.client(node).submit(&transaction, Wait::None).unwrap());
}

#[test]
fn who_is_down_is_named_and_how_many_must_come_back() {
    let testnet = Testnet::up(&["--timeout", "60"]);
    transfer(&testnet, 0, 1);
    let well = until_explained(&testnet, "idle");
    assert_eq!((&well["silent"], &well["missing"]), (&json!([]), &json!(0)));

    drop(testnet.run(&["kill", "2", "3"]).with_code(0));
    // From now on no view is left, because there is nobody to leave it with.
    until_explained(&testnet, "no-quorum");
    submit(&testnet, 0);

    let found = until("two votes are missing", || {
        let found = until_explained(&testnet, "no-quorum");
        (found["not_voted"] == json!(["node2", "node3"])).then_some(found)
    });
    assert_eq!(found["silent"], json!(["node2", "node3"]), "{found}");
    assert_eq!(found["voted"], json!(["node0", "node1"]), "{found}");
    assert_eq!((&found["missing"], &found["pending"]), (&json!(1), &json!(1)), "{found}");
    assert_eq!(found["waits_for"], "1 of node2, node3");
    let directory = testnet.directory().to_str().unwrap();
    let text = programs::run("logothete", &["explain", "--dir", directory]).with_code(0).stdout;
    assert!(text.contains("so 1 more must come back") && text.contains("node3 for"), "{text}");

    drop(testnet.run(&["start", "2"]).with_code(0));
    let mended = until_explained(&testnet, "idle");
    assert_eq!(mended["silent"], json!(["node3"]), "{mended}");
}

#[test]
fn groups_that_do_not_hear_one_another_are_named() {
    let (testnet, relays) = Relays::up(&["--timeout", "60"]);
    until_explained(&testnet, "idle");

    relays.part(&[&[0, 1], &[2, 3]]);

    let found = until_explained(&testnet, "partitioned");
    assert_eq!(found["groups"], json!([["node0", "node1"], ["node2", "node3"]]), "{found}");
    assert_eq!((&found["silent"], &found["missing"]), (&json!([]), &json!(0)), "{found}");
    relays.heal();
    until_explained(&testnet, "idle");
}

#[test]
fn a_validator_that_only_the_others_reach_is_no_loss() {
    let testnet = Testnet::up(&["--timeout", "60"]);
    let genesis = testnet.directory().join("genesis.toml");
    let urls: Vec<String> =
        [0, 1, 3].iter().map(|node| testnet.client(*node).url().to_owned()).collect();
    let mut arguments = vec!["--json", "explain", "--genesis", genesis.to_str().unwrap()];
    urls.iter().for_each(|url| arguments.extend(["--api", url]));

    let found = until("all are heard", || {
        let found = programs::run("logothete", &arguments).with_code(0).json();
        (found["heard_only"] == json!(["node2"])).then_some(found)
    });

    assert_eq!((&found["verdict"], &found["silent"]), (&json!("idle"), &json!([])), "{found}");
    let halted = testnet.run(&["pause", "0"]);
    drop(halted.with_code(0));
    submit(&testnet, 1);
    let replaced = until("node1 leads", || {
        let found = ask(&testnet, "explain");
        let silent = found["silent"] == json!(["node0"]);
        (silent && found["verdict"] == "idle" && found["view"] != 0).then_some(found)
    });
    assert_ne!(replaced["primary"], "node0", "{replaced}");
}

#[test]
fn two_blocks_for_one_place_are_listed_with_both_statements_and_after_a_restart() {
    let testnet = Testnet::up(&["--adversary", "0=equivocate", "--timeout", "60"]);
    let load = Load::start(&testnet, 50, Wallet::GivesUp);
    let rivals = |list: &Value| -> Vec<Value> {
        let forks = list["forks"].as_array().unwrap().iter();
        forks
            .filter(|fork| fork["rival"].is_object() && fork["winner"].is_object())
            .cloned()
            .collect()
    };
    let found = until("a rival is listed with its winner and the evidence", || {
        let found = rivals(&ask(&testnet, "forks"));
        found.into_iter().find(|fork| fork["evidence"].is_string())
    });
    assert!(load.stop() > 0, "payments go on");

    assert_eq!((&found["proposer"], &found["view"]), (&json!("node0"), &json!(0)), "{found}");
    let height = found["height"].as_u64().unwrap();
    assert!(equivocations(&deeds(&testnet, 0)).contains(&height), "{found}");
    let (block, rival) = (&found["block"], &found["rival"]["block"]);
    assert_ne!(block, rival);
    assert_eq!(&found["proposed"]["block"], block);
    assert_ne!(&found["winner"]["block"], block, "what was committed is not lost");
    assert!(!found["seen_by"].as_array().unwrap().is_empty(), "{found}");
    assert_eq!(ask(&testnet, "explain")["liars"], json!(["node0"]));
    let of = |node: usize| rivals_of(&testnet, node, block);
    let seen: Vec<usize> = (1..4).filter(|node| of(*node)).collect();
    let first = *seen.first().unwrap();
    let log = fs::read_to_string(testnet.node(first).join("log")).unwrap();
    assert!(log.lines().any(|line| line.contains("proposal lost")), "{log}");
    drop(testnet.run(&["restart", &first.to_string()]).with_code(0));
    assert!(of(first), "it is kept over a restart");
}

/// Whether a validator tells of a lost block.
fn rivals_of(testnet: &Testnet, node: usize, block: &Value) -> bool {
    let client = testnet.client(node);
    let mut before = None;
    loop {
        let page = client.forks(before, 100).unwrap();
        if page.forks.iter().any(|fork| fork.block.to_string() == block.as_str().unwrap()) {
            return true;
        }
        before = page.next;
        if before.is_none() {
            return false;
        }
    }
}
