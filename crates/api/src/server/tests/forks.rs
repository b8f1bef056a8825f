//! Lost proposals are listed from the highest down, with all that a checker needs; and what all said of themselves.

use crypto::signed::Unverified;
use serde_json::json;
use types::evidence::Evidence;
use types::lost::{LostProposal, ProposalPlace, Winner};
use types::number::{Height, View};

use crate::hex;
use crate::problem::Code;
use crate::tests::backend::{FakeValidator, Served};
use crate::tests::http::get;
use crate::tests::network;
use crate::types::{Event, NextHeight, SaidStatus, Waits};

/// What validator 1, primary of view 1, signed for two blocks, and what was committed.
fn lost(height: u64) -> LostProposal {
    let [Evidence::Votes { first, second }, ..] = network::evidence() else { panic!() };
    let key = network::validator_key(1);
    let at = |vote: types::vote::Vote| {
        let mut statement = vote.statement;
        (statement.height, statement.view) = (Height::new(height), View::new(1));
        types::vote::Vote::sign(statement, vote.replica, network::genesis().chain(), &key)
    };
    LostProposal {
        proposed: at(second),
        header: None,
        votes: Vec::new(),
        refused: None,
        rival: Some(at(first)),
        left: Some(View::new(2)),
        winner: Some(Winner { block: first.statement.block, view: View::new(2) }),
    }
}

fn served() -> Served {
    let served = Served::new(FakeValidator::new(2));
    *served.validator.lost.lock().unwrap() = (1..=5).map(lost).collect();
    served
}

#[test]
fn lost_proposals_are_paged_down_without_gap_or_repetition() {
    let served = served();
    for limit in 1..=6 {
        let (mut seen, mut before): (Vec<ProposalPlace>, _) = (Vec::new(), None);
        loop {
            let page = served.client().forks(before, limit).unwrap();
            assert_eq!(page.forgotten, 7);
            seen.extend(page.forks.iter().map(|fork| fork.lost.place()));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        let heights: Vec<u64> = seen.iter().map(|place| place.height.get()).collect();
        assert_eq!(heights, [5, 4, 3, 2, 1], "{limit}");
    }
    for path in ["/v1/forks?before=5", "/v1/forks?limit=0", "/v1/forks?limit=101"] {
        assert_eq!(get(&served, path).code(), Code::InvalidParameter, "{path}");
    }
}

#[test]
fn a_lost_proposal_shows_both_statements_and_what_a_checker_needs() {
    let served = served();

    let value: serde_json::Value = get(&served, "/v1/forks?limit=1").json();

    let (fork, lost) = (&value["forks"][0], lost(5));
    assert_eq!(
        (&fork["height"], &fork["view"], &fork["why"]),
        (&json!(5), &json!(1), &json!("rival"))
    );
    assert_eq!((&fork["prepares"], &fork["left_for"]), (&json!([1]), &json!(2)));
    assert_eq!(fork["proposer"]["replica"], 1);
    assert_eq!(fork["proposed"]["signature"], lost.proposed.signature.to_string());
    assert_eq!(fork["rival"]["block"], lost.rival.unwrap().statement.block.to_string());
    assert_eq!(fork["winner"]["block"], lost.winner.unwrap().block.to_string());
    assert_eq!(fork["lost"], hex::to_hex_wire(&lost));
    let page = served.client().forks(None, 1).unwrap();
    let genesis = network::genesis();
    Unverified::new(page.forks[0].lost.clone()).verify(genesis.validators()).unwrap();
}

#[test]
fn whoever_listens_is_told_of_a_lost_proposal() {
    let served = served();
    let mut events = served.client().events(None);
    assert!(matches!(events.next(), Some(Ok(Event::Status(_)))));

    served.validator.hub.lost(&lost(3));

    let told = events.find_map(|event| match event.unwrap() {
        Event::Lost(lost) => Some(lost),
        Event::Status(_) | Event::Block(_) | Event::Refused(_) => None,
    });
    let told = told.unwrap();
    assert_eq!((told.height, told.proposer, told.why.as_str()), (Height::new(3), 1, "rival"));
    assert_eq!(told.winner.unwrap().view, View::new(2));
}

#[test]
fn what_all_said_of_themselves_comes_with_the_status() {
    let served = served();
    let next = NextHeight {
        height: Height::new(8),
        proposal: true,
        prepares: vec![0, 1],
        commits: vec![],
    };
    let said = SaidStatus {
        replica: 3,
        age_ms: 250,
        view: View::new(4),
        entered: false,
        committed: Height::new(7),
        waits: Some(Waits { view_changes: vec![2], next: Some(next), block: None }),
        status: "00ff".to_owned(),
    };
    *served.validator.said.lock().unwrap() = vec![said.clone()];

    let standing = served.client().standing().unwrap();

    assert_eq!((standing.status.replica, standing.said), (2, vec![said]));
    let value: serde_json::Value = get(&served, "/v1/standing").json();
    assert_eq!((&value["view"], &value["said"][0]["age_ms"]), (&json!(0), &json!(250)));
}
