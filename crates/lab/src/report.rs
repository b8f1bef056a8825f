//! What came of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use scenario::Seen;
use serde::Serialize;

use crate::check::{Property, Violation};
use crate::keys::SignerKind;
use crate::plan::Plan;
use crate::time::Time;
use crate::world::{Options, World};

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every property held.
    Held,
    /// At least one did not.
    Violated(Vec<Violation>),
    /// The run did not come to its end, for this reason.
    Inconclusive(String),
}

/// One run in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// How it ended.
    pub verdict: Verdict,
    /// How it signed.
    pub signer: SignerKind,
    /// How many replicas there were.
    pub replicas: u16,
    /// The highest height that anybody committed.
    pub heights: u64,
    /// Events that happened.
    pub events: u64,
    /// Consensus messages that were sent, one for each receiver.
    pub messages: u64,
    /// Processes that were started.
    pub starts: u64,
    /// Blocks that were fetched from peers.
    pub fetched: u64,
    /// Journals that were rewritten.
    pub pruned: u64,
    /// Faults that happened, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// What replicas did not act upon, by reason.
    pub ignored: BTreeMap<&'static str, u64>,
    /// The latest view that a replica without fault was in, or asked for, at the end.
    pub view: u64,
    /// Whom replicas without fault have proved a lie, and of which kinds.
    pub culprits: BTreeMap<u16, BTreeSet<&'static str>>,
    /// What a scenario is judged by.
    pub seen: Seen,
    /// Virtual time, in milliseconds.
    pub virtual_ms: u64,
    /// Digest of everything that happened, in hexadecimal: equal for equal runs.
    pub trace: String,
}

impl Report {
    pub(crate) fn new(plan: &Plan, seed: u64, verdict: Verdict, world: &World) -> Self {
        let counts = world.counts();
        Self {
            seed,
            verdict,
            signer: plan.signer,
            replicas: plan.replicas,
            heights: world.checker().top().get(),
            events: counts.events,
            messages: counts.messages,
            starts: counts.restarts,
            fetched: counts.fetched,
            pruned: counts.pruned,
            faults: counts.faults.clone(),
            ignored: counts.ignored.clone(),
            view: world.latest_view(),
            culprits: counts.culprits.clone(),
            seen: world.seen(),
            virtual_ms: world.now().ms(),
            trace: world.trace_digest().to_string(),
        }
    }

    /// A run that ended in an assertion: of the core, the ledger, or the lab itself.
    fn panicked(plan: &Plan, seed: u64, sentence: String) -> Self {
        let violation = Violation {
            property: Property::Assertion,
            sentence: sentence.clone(),
            at: Time::default(),
            replica: None,
            height: None,
        };
        Self {
            seed,
            verdict: Verdict::Violated(vec![violation]),
            signer: plan.signer,
            replicas: plan.replicas,
            heights: 0,
            events: 0,
            messages: 0,
            starts: 0,
            fetched: 0,
            pruned: 0,
            faults: BTreeMap::new(),
            ignored: BTreeMap::new(),
            view: 0,
            culprits: BTreeMap::new(),
            seen: Seen { broken: vec![sentence], ..Seen::default() },
            virtual_ms: 0,
            trace: String::new(),
        }
    }

    /// The first property that was broken.
    pub fn broken(&self) -> Option<Property> {
        match &self.verdict {
            Verdict::Violated(violations) => violations.first().map(|first| first.property),
            Verdict::Held | Verdict::Inconclusive(_) => None,
        }
    }
}

/// Runs a plan. An assertion that fails inside is a violation like any other.
pub fn run(plan: &Plan, seed: u64, options: Options) -> Report {
    let world = AssertUnwindSafe(|| World::new(plan.clone(), seed, options).run());
    catch_unwind(world).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        Report::panicked(plan, seed, text.unwrap_or("an assertion failed").to_owned())
    })
}

#[cfg(test)]
mod tests;
