use anstream::adapter::strip_str;

use api::types::{Live, Status};
use types::number::{Height, View};
use types::replica::ReplicaId;

use crate::output::Report;
use crate::status::report::StatusReport;
use crate::status::{Sight, State};
use crate::testnet::attacks::Attacks;
use crate::testnet::plan::Plan;

fn away(name: &str, state: State) -> Sight {
    Sight {
        name: name.to_owned(),
        state,
        pid: Some(17),
        client: None,
        attacks: Attacks::default(),
        status: None,
    }
}

fn text(report: &StatusReport) -> String {
    let mut out = Vec::new();
    report.text(&mut out).unwrap();
    strip_str(std::str::from_utf8(&out).unwrap()).to_string()
}

#[test]
fn validators_that_do_not_answer_have_a_row_all_the_same() {
    let report =
        StatusReport::of(&[away("node0", State::Paused), away("node1", State::Down)], true);

    let text = text(&report);

    assert_eq!(report.agree, None);
    assert!(text.contains("node0  paused   17       -"), "{text}");
    assert!(text.contains("node1  down"), "{text}");
    assert!(text.contains("no validator answers"), "{text}");
}

/// Of four validators, two of which say that these are convicted.
fn convicting(convicted: &[u16]) -> StatusReport {
    saying(convicted, None)
}

/// The same, of which this one says that it never votes again.
fn saying(convicted: &[u16], retired: Option<u16>) -> StatusReport {
    let genesis = Plan::new(4, 0).unwrap().genesis;
    let sights: Vec<Sight> = (0..4)
        .map(|index| {
            let says = if index < 2 { convicted } else { &[] };
            let live = Live {
                replica: ReplicaId::new(index),
                height: Height::new(3),
                block: genesis.header().id(),
                state_root: genesis.state_root(),
                supply: genesis.supply(),
                accounts: 4,
                view: View::new(1),
                primary: ReplicaId::new(1),
                entered: true,
                voting: true,
                retired: retired == Some(index),
                convicted: says.iter().copied().map(ReplicaId::new).collect(),
                fork: None,
                timeout_ms: 2_000,
                in_flight: 0,
                pending: 0,
                connected: Vec::new(),
                ready: retired != Some(index),
                uptime_seconds: 1,
            };
            let status = Some(Status::new(&genesis, &live));
            Sight { status, ..away(&format!("node{index}"), State::Up) }
        })
        .collect();
    StatusReport::of(&sights, false)
}

#[test]
fn who_is_convicted_is_named_when_more_say_so_than_may_be_faulty() {
    let report = convicting(&[3]);
    let one_says = |report: StatusReport| (report.convicted, report.faults_left);

    let shown = text(&report);

    assert_eq!(one_says(report), (vec!["node3".to_owned()], Some(0)));
    assert!(shown.contains("node3 lied, by evidence in the chain, and leads no view"), "{shown}");
    assert!(shown.contains("0 more may be faulty"), "{shown}");
    assert_eq!(one_says(convicting(&[])), (vec![], Some(1)));
    assert!(!text(&convicting(&[])).contains("lied"));
}

#[test]
fn the_json_form_names_every_field_even_when_unknown() {
    let report = StatusReport::of(&[away("node0", State::Silent)], false);

    let json = serde_json::to_value(&report).unwrap();

    assert_eq!(json["agree"], serde_json::Value::Null);
    assert_eq!(json["validators"][0]["state"], "silent");
    assert!(json["validators"][0].as_object().unwrap().contains_key("state_root"));
}

#[test]
fn who_never_votes_again_is_named_and_counts_as_faulty() {
    let report = saying(&[], Some(2));
    let shown = text(&report);
    let json = serde_json::to_value(&report).unwrap();

    assert_eq!((report.retired, report.faults_left), (vec!["node2".to_owned()], Some(0)));
    assert!(shown.contains("node2  up, retired"), "{shown}");
    assert!(shown.contains("node2 never votes again"), "{shown}");
    assert!(shown.contains("0 more may be faulty"), "{shown}");
    assert_eq!(json["validators"][2]["retired"], true);
    assert_eq!(json["validators"][1]["retired"], false);
    // One that lied, and says so too, is one.
    assert_eq!(saying(&[2], Some(2)).faults_left, Some(0));
    assert!(!text(&saying(&[], None)).contains("never votes"));
}
