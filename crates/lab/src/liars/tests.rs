//! Liars lie, and the core holds all the same.

use std::collections::BTreeSet;

use super::options;
use crate::plan::{Limits, Plan};
use crate::{Verdict, run};

/// T96: what is never said is not tested against.
#[test]
fn honest_replicas_hold_among_liars_and_notice_them() {
    let limits = Limits { replicas: vec![4], ed25519_every: 0, ..Limits::default() };
    let mut ignored = BTreeSet::new();
    for seed in 0..40 {
        let mut plan = Plan::random(seed, &limits);
        plan.broken.clear();
        let options = options(&plan, seed, BTreeSet::from([u16::try_from(seed % 4).unwrap()]));
        let report = run(&plan, seed, options);
        assert_eq!(report.verdict, Verdict::Held, "seed {seed}");
        ignored.extend(report.ignored.keys().copied());
    }
    for reason in ["rival-proposal", "rival-vote", "refused-execution", "repeated-new-view"] {
        assert!(ignored.contains(reason), "{reason} is not among {ignored:?}");
    }
}

/// Two liars among seven hear one another as well, and come to an end all the same.
#[test]
fn liars_do_not_answer_one_another_for_ever() {
    let limits = Limits { replicas: vec![7], ed25519_every: 0, ..Limits::default() };
    for seed in 0..30 {
        let mut plan = Plan::random(seed, &limits);
        plan.broken.clear();
        let first = u16::try_from(seed % 7).unwrap();
        let honest = run(&plan, seed, crate::Options::default());
        let options = options(&plan, seed, BTreeSet::from([first, (first + 1) % 7]));
        let report = run(&plan, seed, options);
        assert_eq!(report.verdict, Verdict::Held, "seed {seed}");
        let (said, usual) = (report.messages, honest.messages);
        assert!(said < 20 * usual, "seed {seed}: {said} messages, {usual} without liars");
    }
}
