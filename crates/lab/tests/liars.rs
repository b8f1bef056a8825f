//! Networks in which one to t replicas change what they say, field by field. More of them:
//! `logothete-lab soak --liars`.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use byzantine::mutation::{Mutation, Sent, Signing};
use lab::{Limits, Options, Plan, Verdict};

/// Runs seeds of networks of `n`, `LAB_SEEDS` times as many when it is set, and says what was sent in them.
fn soak(n: u16, seeds: u64) -> Sent {
    let factor = std::env::var("LAB_SEEDS").map_or(1, |text| text.parse().unwrap());
    let limits = Limits { replicas: vec![n], lying_per_mille: 1_000, ..Limits::default() };
    let sent: Rc<RefCell<Sent>> = Rc::default();
    for seed in 0..seeds * factor {
        let options = Options { sent: Rc::clone(&sent), ..Options::default() };
        let report = lab::run(&Plan::random(seed, &limits), seed, options);
        let repeat = format!("logothete-lab replay {seed} --replicas {n} --liars");
        assert_eq!(report.verdict, Verdict::Held, "repeat it with\n    {repeat}\n");
    }
    sent.take()
}

/// What has no signature of its own to be made anew.
const STALE_ONLY: [Mutation; 8] = [
    Mutation::Replay,
    Mutation::Withheld,
    Mutation::Kind,
    Mutation::VoteSignature,
    Mutation::ViewChangeSignature,
    Mutation::NewViewSignature,
    Mutation::StatusSignature,
    Mutation::HandoverSignature,
];

/// Every change of every field is sent, under the old signature and under a new one, and nothing comes of it.
#[test]
fn networks_of_four_bear_every_change_of_every_field() {
    let sent = soak(4, 2_000);

    let mut missing = BTreeSet::new();
    for mutation in Mutation::ALL {
        let stale = (*mutation, Signing::Stale);
        let anew = (*mutation, Signing::Anew);
        let descendants = *mutation == Mutation::ProofDescendants;
        let alone = descendants || STALE_ONLY.contains(mutation);
        let due = if alone { vec![stale] } else { vec![stale, anew] };
        missing.extend(due.into_iter().filter(|due| !sent.contains_key(due)));
    }
    assert!(missing.is_empty(), "never sent: {missing:?}");
    println!("{} kinds, {} sent", sent.len(), sent.values().sum::<u64>());
}

#[test]
fn networks_of_five_and_six_bear_liars() {
    assert!(soak(5, 40).len() > 100);
    assert!(soak(6, 40).len() > 100);
}

#[test]
fn networks_of_seven_bear_two_liars() {
    assert!(soak(7, 60).len() > 100);
}
