//! The lab is itself tested: every mutant of the core must break a property on some seed.
//!
//! All mutants are hunted on the same [`cases`](crate::cases). On the same cases the real core holds, so what a mutant
//! breaks is broken by the mutant. The core's own assertions about itself (its invariants) are off while a mutant runs.

use pbft::mutant::{self, Mutant};
use serde::Serialize;

use crate::cases;
use crate::check::Violation;
use crate::report::{Report, Verdict};

/// What came of a hunt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hunt {
    /// The mutant; `None` for the core as it is.
    pub mutant: Option<&'static str>,
    /// What it does wrong.
    pub sentence: &'static str,
    /// The trap that it falls into, or the section of the protocol page.
    pub rule: &'static str,
    /// How many seeds it took, or were tried in vain.
    pub seeds: u64,
    /// The seed that caught it, and what was broken.
    pub caught: Option<(u64, Violation)>,
    /// Seeds without a conclusion.
    pub inconclusive: Vec<u64>,
}

impl Hunt {
    /// A hunt that has not begun.
    pub fn of(mutant: Option<Mutant>) -> Self {
        Self {
            mutant: mutant.map(Mutant::name),
            sentence: mutant.map_or("the core as it is", Mutant::sentence),
            rule: mutant.map_or("", Mutant::rule),
            seeds: 0,
            caught: None,
            inconclusive: Vec::new(),
        }
    }

    /// Takes down what came of one more seed.
    pub fn note(&mut self, report: Report) {
        self.seeds = self.seeds.saturating_add(1);
        match report.verdict {
            Verdict::Held => {}
            Verdict::Inconclusive(_) => self.inconclusive.push(report.seed),
            Verdict::Violated(violations) => {
                self.caught = violations.into_iter().next().map(|first| (report.seed, first));
            }
        }
    }
}

/// Runs one seed as a mutant, or as the core is.
pub fn run_case(mutant: Option<Mutant>, seed: u64) -> Report {
    mutant::with(mutant, || cases::run_case(seed))
}

/// Runs seeds from `from` on, at most so many, until a property breaks.
pub fn hunt(mutant: Option<Mutant>, from: u64, seeds: u64) -> Hunt {
    let mut hunt = Hunt::of(mutant);
    for seed in from..from.saturating_add(seeds) {
        hunt.note(run_case(mutant, seed));
        if hunt.caught.is_some() {
            break;
        }
    }
    hunt
}
