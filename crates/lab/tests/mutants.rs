//! Every mutant of the core is caught within some seeds, on which the core itself holds. More of them:
//! `logothete-lab mutants`.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use lab::Property;
use lab::explore::{Scope, explore};
use lab::mutants::{Hunt, hunt};
use pbft::mutant::{self, Mutant};

/// The most seeds that a mutant may survive.
const SEEDS: u64 = 1_000;

/// Hunts on all processors, each the next one that nobody has taken.
fn hunts() -> Vec<Hunt> {
    let (next, hunts) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(mutant) = Mutant::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let hunt = hunt(Some(*mutant), 0, SEEDS);
                    hunts.lock().unwrap().push(hunt);
                }
            });
        }
    });
    hunts.into_inner().unwrap()
}

/// T95.
#[test]
fn every_mutant_is_caught_on_seeds_on_which_the_core_holds() {
    // An assertion that fails inside a run is a result of the run.
    std::panic::set_hook(Box::new(|_| {}));
    let hunts = hunts();
    drop(std::panic::take_hook());

    let survivors: Vec<_> = hunts.iter().filter(|hunt| hunt.caught.is_none()).collect();
    assert!(survivors.is_empty(), "{survivors:#?}");
    let catches: Vec<_> = hunts.iter().filter_map(|hunt| hunt.caught.as_ref()).collect();
    for (seed, _) in &catches {
        let sound = lab::cases::run_case(*seed);
        assert_eq!(sound.verdict, lab::Verdict::Held, "the core as it is, seed {seed}");
    }
    let mut properties: BTreeMap<Property, usize> = BTreeMap::new();
    for (_, violation) in catches {
        *properties.entry(violation.property).or_default() += 1;
    }
    assert!(properties.len() > 6, "{properties:?}");
}

/// The search of all orders of delivery finds what comes of a broken rule, with one liar of four.
#[test]
fn broken_rules_are_found_within_one_height_and_two_views() {
    let rules = [
        (Mutant::QuorumMinusOne, 0),
        (Mutant::PrimaryCountedTwice, 0),
        (Mutant::VotersCountedTwice, 0),
        (Mutant::OtherBlocksCounted, 1),
        (Mutant::CommitsLastHeard, 1),
        (Mutant::SecondProposalTaken, 1),
        (Mutant::CertificateUnchecked, 0),
        (Mutant::VotesInAbandonedView, 1),
        (Mutant::BareViewChange, 0),
        (Mutant::NewViewOfFew, 1),
    ];
    for (rule, liar) in rules {
        let scope = Scope { faulty: vec![liar], last_view: 1, ..Scope::default() };
        let search = mutant::with(Some(rule), || explore(&scope, &mut |_| {}));
        let broken = search.broken.map(|broken| broken.sentence);
        println!("{}: {broken:?}", rule.name());
        assert!(broken.is_some(), "{} is not found", rule.name());
    }
}
