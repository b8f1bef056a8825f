//! Every attack of the catalogue, on networks of four and of seven.
//!
//! What must hold is what always holds, whatever up to t traitors do, and that requests are committed all the same. The
//! attack must have happened, and where it can be proved, it must have been: to a traitor and to nobody else.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::ops::RangeInclusive;

use byzantine::attack::CATALOGUE;
use byzantine::{Attack, Role};
use lab::attacks::{Outcome, Trial};
use lab::{Property, Verdict};

/// How many seeds of each network, `LAB_SEEDS` times as many when it is set.
const SEEDS: u64 = 5;

fn seeds() -> std::ops::Range<u64> {
    let factor = std::env::var("LAB_SEEDS").map_or(1, |text| text.parse().unwrap());
    0..SEEDS * factor
}

/// Attacks of primaries that need not cost them their view: others help out, or bear it.
const BORNE: [&str; 2] = ["slow-primary", "withhold-body"];

/// The views that a network comes to: a backup moves nobody, and a primary that attacks is replaced.
fn views(trial: &Trial) -> RangeInclusive<u64> {
    let kind = trial.attacks.first().unwrap().kind;
    match kind.role {
        Role::Backup | Role::Serving => 0..=0,
        Role::Primary if BORNE.contains(&kind.name) => 0..=u64::MAX,
        Role::NextPrimary if kind.name == "patient" => 1 + u64::from(trial.traitors)..=u64::MAX,
        Role::Primary | Role::NextPrimary | Role::Asking => 1..=u64::MAX,
    }
}

fn fails(trial: &Trial, outcome: &Outcome) -> Option<String> {
    let name = trial.attacks.first()?.kind.name;
    let deeds = outcome.deeds.get(name).copied().unwrap_or_default();
    let provable = trial.attacks.iter().any(|attack| attack.kind.provable);
    let culprits: Vec<u16> = outcome.report.culprits.keys().copied().collect();
    let what = if outcome.report.verdict != Verdict::Held {
        format!("{:?}", outcome.report.verdict)
    } else if deeds == 0 {
        "the attack did not happen".to_owned()
    } else if provable && culprits.is_empty() {
        format!("{deeds} deeds, and nobody proved it")
    } else if !culprits.iter().all(|culprit| outcome.traitors.contains(culprit)) {
        format!("traitors are {:?}, and accused are {culprits:?}", outcome.traitors)
    } else if !views(trial).contains(&outcome.report.view) {
        format!("the last view is {}, due are {:?}", outcome.report.view, views(trial))
    } else {
        return None;
    };
    Some(format!("{name}: {what}; repeat it with\n    {}\n", trial.repeat()))
}

fn all_bear(replicas: u16, traitors: u16) {
    let mut failures = Vec::new();
    for kind in CATALOGUE {
        let attack: Attack = kind.name.parse().unwrap();
        for seed in seeds() {
            let trial = Trial { attacks: vec![attack.clone()], replicas, traitors, seed };
            failures.extend(fails(&trial, &trial.run(None)));
        }
    }
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join(""));
}

#[test]
fn networks_of_four_bear_every_attack_of_one() {
    all_bear(4, 1);
}

#[test]
fn networks_of_seven_bear_every_attack_of_one() {
    all_bear(7, 1);
}

#[test]
fn networks_of_seven_bear_every_attack_of_two() {
    all_bear(7, 2);
}

fn all_at_once(names: &[&str], replicas: u16, traitors: u16) -> impl Iterator<Item = Trial> {
    let attacks: Vec<Attack> = names.iter().map(|name| name.parse().unwrap()).collect();
    seeds().map(move |seed| Trial { attacks: attacks.clone(), replicas, traitors, seed })
}

const TOGETHER: [&str; 2] = ["equivocate", "accomplice"];

/// A primary with two faces, and traitors who vote for both: within t they come to nothing.
#[test]
fn traitors_who_vote_for_two_blocks_fork_nothing_within_what_can_be_borne() {
    for (replicas, traitors) in [(4, 1), (7, 2)] {
        for trial in all_at_once(&TOGETHER, replicas, traitors) {
            assert_eq!(fails(&trial, &trial.run(None)), None);
        }
    }
}

/// And beyond that they do, or no test here would mean anything.
#[test]
fn traitors_who_vote_for_two_blocks_fork_what_has_too_many_of_them() {
    let forked = all_at_once(&TOGETHER, 4, 2).filter(|trial| {
        let report = trial.run(None).report;
        matches!(report.broken(), Some(Property::S1 | Property::S2))
    });
    assert!(forked.count() > 0, "two traitors of four forked nothing");
}
