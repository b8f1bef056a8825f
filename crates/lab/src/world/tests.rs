//! Runs repeat themselves, reach what they are for, and end as they should.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::keys::SignerKind;
use crate::plan::{Broken, Fate, Fault, Limits, Plan, What};
use crate::{Options, Property, Report, Verdict, run};

fn plan(seed: u64) -> Plan {
    Plan::random(seed, &Limits::default())
}

fn held(plan: &Plan, seed: u64) -> Report {
    let report = run(plan, seed, Options::default());
    assert_eq!(report.verdict, Verdict::Held, "logothete-lab replay {seed}");
    report
}

#[test]
fn one_seed_is_one_run_and_another_is_another() {
    for seed in 0..6 {
        let (one, again) = (held(&plan(seed), seed), held(&plan(seed), seed));
        assert_eq!(one, again);
        let other = held(&plan(seed), seed + 1_000);
        assert_ne!(one.trace, other.trace, "the same plan under another seed");
    }
}

#[test]
fn who_reads_along_changes_nothing() {
    let lines = Rc::new(RefCell::new(0));
    let count = Rc::clone(&lines);
    let reader: crate::Reader = Box::new(move |_| *count.borrow_mut() += 1);

    let read = run(&plan(3), 3, Options { reader: Some(reader), ..Options::default() });

    assert_eq!(read, held(&plan(3), 3));
    assert!(*lines.borrow() > 100);
}

/// T96: what is never reached is not tested.
#[test]
fn runs_reach_what_they_are_for() {
    let reports: Vec<Report> = (0..60).map(|seed| held(&plan(seed), seed)).collect();

    let sum = |what: fn(&Report) -> u64| reports.iter().map(what).sum::<u64>();
    assert!(sum(|report| report.heights) > 60 * 20, "heights");
    assert!(sum(|report| report.starts) > 60 * 6, "restarts");
    assert!(sum(|report| report.fetched) > 100, "catch-up");
    assert!(sum(|report| report.pruned) > 20, "rewritten journals");
    assert!(reports.iter().any(|report| report.signer == SignerKind::Ed25519));
    let mut faults: BTreeMap<&str, u64> = BTreeMap::new();
    for (kind, count) in reports.iter().flat_map(|report| &report.faults) {
        *faults.entry(kind).or_default() += count;
    }
    assert_eq!(faults.len(), 10, "{faults:?}");
}

/// T58, T95: a disk that only says that it flushed is found out.
#[test]
fn a_flush_that_lies_is_noticed() {
    let broken: Vec<Property> = (0..30)
        .filter_map(|seed| {
            let mut plan = plan(seed);
            plan.disks.sync_lies = true;
            run(&plan, seed, Options::default()).broken()
        })
        .collect();

    assert!(broken.len() >= 10, "{broken:?}");
    assert!(broken.iter().all(|it| [Property::S6, Property::Recovery].contains(it)), "{broken:?}");
}

#[test]
fn a_network_without_a_quorum_is_found_to_stand_still() {
    let mut plan = plan(1);
    plan.replicas = 4;
    plan.faults.clear();
    plan.broken = Vec::new();
    plan.faults.push(Fault { at_ms: 0, what: What::Partition { side: vec![0, 1], for_ms: 10 } });
    held(&plan, 1);

    plan.broken = vec![Broken { replica: 2, fate: Fate::Dead }];
    held(&plan, 1);

    plan.broken.push(Broken { replica: 3, fate: Fate::Mute });
    // Nothing is promised when more than t stay broken, so that alone is no violation.
    held(&plan, 1);
}

#[test]
fn a_replica_left_out_by_everybody_is_named() {
    let mut plan = plan(1);
    plan.faults.clear();
    plan.broken.clear();
    plan.links.loss_per_mille = 0;
    let wrap: super::Wrap =
        Box::new(
            |replica, core| {
                if replica.get() == 1 { Box::new(silent::Silent(core)) } else { Box::new(core) }
            },
        );

    let report = run(&plan, 1, Options { wrap: Some(wrap), ..Options::default() });

    assert_eq!(report.broken(), Some(Property::L3), "{:?}", report.verdict);
}

#[test]
fn a_replica_that_forgets_its_records_is_named_unless_it_is_known_to_lie() {
    let forget = || -> super::Wrap {
        Box::new(|replica, core| {
            if replica.get() == 1 { Box::new(silent::Forgetful(core)) } else { Box::new(core) }
        })
    };
    let plan = plan(2);

    let found = run(&plan, 2, Options { wrap: Some(forget()), ..Options::default() });
    let faulty = BTreeSet::from([1]);
    let known = run(&plan, 2, Options { wrap: Some(forget()), faulty, ..Options::default() });

    assert_eq!(found.broken(), Some(Property::S6), "{:?}", found.verdict);
    assert_ne!(known.broken(), Some(Property::S6), "{:?}", known.verdict);
}

/// Replicas that are not what they should be.
mod silent {
    use ledger::Ledger;
    use pbft::{Input, Output, Overview, Protocol, Replica};

    /// Never says anything.
    pub(super) struct Silent(pub(super) Replica<Ledger>);

    /// Says everything and records nothing.
    pub(super) struct Forgetful(pub(super) Replica<Ledger>);

    impl Protocol for Silent {
        type Application = Ledger;

        fn step(&mut self, input: Input) -> Output {
            let mut output = self.0.step(input);
            output.messages.clear();
            output.records.clear();
            output
        }

        fn application(&self) -> &Ledger {
            self.0.application()
        }

        fn application_mut(&mut self) -> &mut Ledger {
            self.0.application_mut()
        }

        fn status(&self) -> Overview {
            self.0.status()
        }
    }

    impl Protocol for Forgetful {
        type Application = Ledger;

        fn step(&mut self, input: Input) -> Output {
            let mut output = self.0.step(input);
            output.records.clear();
            output
        }

        fn application(&self) -> &Ledger {
            self.0.application()
        }

        fn application_mut(&mut self) -> &mut Ledger {
            self.0.application_mut()
        }

        fn status(&self) -> Overview {
            self.0.status()
        }
    }
}
