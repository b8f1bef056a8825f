//! How many traitors a network bears: n replicas of whom t lie, under two rules of what a quorum is.
//!
//! With the quorum of the protocol page a network bears t traitors exactly when n > 3t. Below that it depends on the
//! numbers what goes wrong: where two halves, each with the traitors' help, make a quorum, it **forks**; where the
//! honest ones alone make none, silence **halts** it. The naive majority, "more than half", bears less: two majorities
//! share a member, and that one may lie.
//!
//! A [`Cell`] is one such network, tried with every [`Strategy`] on many seeds, on the production core. What must come of
//! it is said by [`expected`], from the numbers alone.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::rc::Rc;

use byzantine::conspiracy::{Conspiracy, Conspirator, Rival};
use byzantine::liar::Liar;
use byzantine::{Random, Traitor};
use ledger::Ledger;
use pbft::{Protocol, Replica};
use serde::Serialize;
use types::replica::ReplicaId;

use crate::check::{Property, Violation};
use crate::keys::{Owner, SignerKind};
use crate::plan::{Disks, Links, Load, Plan, Rules};
use crate::record::{Lies, Recorder};
use crate::report::{Report, Verdict, run};
use crate::world::{Options, QuorumRule, Wrap, genesis};

mod tables;

/// What all traitors of a network do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// They show each half of the others another network.
    Split,
    /// They hear everything and say nothing.
    Silent,
    /// Each by itself proposes two blocks, and votes for both.
    Equivocate,
    /// Each by itself tells lies that are drawn from the seed.
    Liar,
}

impl Strategy {
    /// All of them, the most dangerous first.
    pub const ALL: [Self; 4] = [Self::Split, Self::Silent, Self::Equivocate, Self::Liar];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::Silent => "silent",
            Self::Equivocate => "equivocate",
            Self::Liar => "liar",
        }
    }

    /// What they do, in words.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Split => "all of them show each half of the others another network",
            Self::Silent => "they hear everything and say nothing",
            Self::Equivocate => "each by itself proposes two blocks, and votes for both",
            Self::Liar => "each by itself tells lies that are drawn from the seed",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What became of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    /// Every property held.
    Holds,
    /// Two honest replicas committed different blocks at one height.
    Forks,
    /// What clients asked for was not done in time.
    Halts,
    /// Another property was broken, or the run came to no end.
    Breaks,
}

impl Found {
    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Forks => "forks",
            Self::Halts => "halts",
            Self::Breaks => "breaks",
        }
    }

    fn of(verdict: &Verdict) -> Self {
        let is_fork =
            |violation: &Violation| matches!(violation.property, Property::S1 | Property::S2);
        match verdict {
            Verdict::Held => Self::Holds,
            Verdict::Violated(broken) if broken.iter().any(is_fork) => Self::Forks,
            Verdict::Violated(broken) if broken.iter().all(|it| it.property == Property::L1) => {
                Self::Halts
            }
            Verdict::Violated(_) | Verdict::Inconclusive(_) => Self::Breaks,
        }
    }
}

/// What must come of n replicas of whom t lie, with a quorum of q, from the numbers alone.
pub fn expected(n: u16, t: u16, q: u16) -> Found {
    let honest = n.saturating_sub(t);
    let smaller_half = honest / 2;
    if honest >= 2 && smaller_half.saturating_add(t) >= q {
        Found::Forks
    } else if honest < q {
        Found::Halts
    } else {
        Found::Holds
    }
}

/// One network on one seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// Replicas, 1 to 16.
    pub n: u16,
    /// How many of them lie. The first primary is one of them; the others are drawn from the seed.
    pub t: u16,
    /// What a quorum is.
    pub quorum: QuorumRule,
    /// What the traitors do.
    pub strategy: Strategy,
    /// The seed.
    pub seed: u64,
}

impl Trial {
    /// Who lies.
    pub fn traitors(&self) -> BTreeSet<u16> {
        let order = drawn((1..self.n).collect(), self.seed, "traitors");
        [0].into_iter().chain(order).take(self.t.into()).collect()
    }

    /// Runs it. With a reader, tells everything that happens.
    pub fn run(&self, reader: Option<crate::Reader>) -> Report {
        self.run_recorded(reader, None)
    }

    /// The same, and the recorder keeps what happens.
    pub fn run_recorded(
        &self,
        reader: Option<crate::Reader>,
        recorder: Option<Recorder>,
    ) -> Report {
        let plan = self.plan();
        let options = traitors(&plan, self, self.traitors(), Conspiracy::later());
        run(&plan, self.seed, Options { reader, recorder, ..options })
    }

    /// The network.
    pub fn plan(&self) -> Plan {
        plan(self.n, SignerKind::Fast)
    }
}

/// The numbers in another order.
fn drawn(mut numbers: Vec<u16>, seed: u64, name: &str) -> Vec<u16> {
    let mut random = Random::stream(seed, name, &[]);
    let mut order = Vec::with_capacity(numbers.len());
    while !numbers.is_empty() {
        order.push(numbers.swap_remove(random.index(numbers.len())));
    }
    order
}

/// A small network on which nothing breaks by itself.
pub(crate) fn plan(n: u16, signer: SignerKind) -> Plan {
    Plan {
        replicas: n,
        signer,
        rules: Rules {
            window_heights: 2,
            block_transactions_max: 8,
            batch_delay_ms: 0,
            view_timeout_ms: 300,
            snapshot_interval_blocks: 1_000,
            clock_drift_max_ms: 2_000,
        },
        load: Load {
            clients: 1,
            transfers: 3,
            every_ms: 20,
            outstanding_max: 4,
            double_spenders: 0,
            burst: 1,
        },
        links: Links {
            delay_min_us: 100,
            delay_max_us: 4_000,
            slow_per_mille: 0,
            loss_per_mille: 0,
            twice_per_mille: 0,
        },
        disks: Disks {
            sync_min_us: 20,
            sync_max_us: 200,
            store_us: 500,
            prune_bytes: 1 << 20,
            sync_lies: false,
        },
        heal_ms: 1,
        broken: Vec::new(),
        faults: Vec::new(),
    }
}

/// What a run of the plan is made with when these replicas lie. Progress is asked for, however many they are.
pub(crate) fn traitors(
    plan: &Plan,
    trial: &Trial,
    traitors: BTreeSet<u16>,
    rival: Rival,
) -> Options {
    let honest = (0..plan.replicas).filter(|replica| !traitors.contains(replica)).collect();
    let honest = drawn(honest, trial.seed, "halves");
    let (one, other) = honest.split_at(honest.len() / 2);
    let halves = [one, other].map(|half| half.iter().copied().map(ReplicaId::new).collect());
    let conspiracy = Conspiracy::new(halves, rival);
    let lies = Lies::default();
    Options {
        wrap: Some(wrap(plan, *trial, traitors.clone(), conspiracy, lies.clone())),
        faulty: traitors,
        lies,
        quorum: trial.quorum,
        demands_progress: true,
        ..Options::default()
    }
}

fn wrap(
    plan: &Plan,
    trial: Trial,
    traitors: BTreeSet<u16>,
    conspiracy: Rc<RefCell<Conspiracy>>,
    lies: Lies,
) -> Wrap {
    let validators = trial.quorum.of(&genesis(plan)).validators().clone();
    let kind = plan.signer;
    Box::new(move |own: ReplicaId, inner: Replica<Ledger>| {
        if !traitors.contains(&own.get()) {
            return Box::new(inner);
        }
        let (signer, validators) = (Owner::Replica(own.get()).signer(kind), validators.clone());
        let witness = lies.witness(own.get());
        let traitor: Box<dyn Protocol<Application = Ledger>> = match trial.strategy {
            Strategy::Split => {
                let conspiracy = conspiracy.clone();
                let conspirator = Conspirator::new(own, inner, validators, signer, conspiracy);
                Box::new(conspirator.witnessed(witness))
            }
            Strategy::Silent | Strategy::Equivocate => {
                let attacks = trial.strategy.name().parse().into_iter().collect();
                Box::new(Traitor::new(own, inner, validators, signer, attacks, trial.seed, witness))
            }
            Strategy::Liar => {
                let liar = Liar::new(own, inner, validators, signer, trial.seed);
                Box::new(liar.witnessed(witness))
            }
        };
        traitor
    })
}

/// What became of n replicas of whom t lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Replicas.
    pub n: u16,
    /// Those that lie.
    pub t: u16,
    /// What a quorum is.
    pub quorum: QuorumRule,
    /// How many votes that are.
    pub q: u16,
    /// What must become of it.
    pub expected: Found,
    /// What became of it: a fork, if there was one, else a halt, if there was one.
    pub found: Found,
    /// How many runs were made.
    pub runs: u64,
    /// The run in which it broke.
    pub broken: Option<Trial>,
    /// What happened in that run.
    pub sentence: Option<String>,
    /// The command that repeats it.
    pub repeat: Option<String>,
}

impl Cell {
    /// Tries a network on these seeds, with every strategy; with one that breaks it, until it has forked.
    pub fn of(n: u16, t: u16, quorum: QuorumRule, seeds: &Range<u64>) -> Self {
        let q = quorum.of(&genesis(&plan(n, SignerKind::Fast))).validators().quorum().q();
        let q = u16::try_from(q).unwrap_or(u16::MAX);
        let mut cell = Self {
            n,
            t,
            quorum,
            q,
            expected: expected(n, t, q),
            found: Found::Holds,
            runs: 0,
            broken: None,
            sentence: None,
            repeat: None,
        };
        // Nobody lies in any way but one.
        let strategies = if t == 0 { 1 } else { Strategy::ALL.len() };
        for strategy in Strategy::ALL.into_iter().take(strategies) {
            for seed in seeds.clone() {
                cell.note(Trial { n, t, quorum, strategy, seed });
                if cell.found == Found::Forks {
                    return cell;
                }
            }
            if cell.found != Found::Holds {
                return cell;
            }
        }
        cell
    }

    fn note(&mut self, trial: Trial) {
        let report = trial.run(None);
        self.runs = self.runs.saturating_add(1);
        let found = Found::of(&report.verdict);
        let first = self.found == Found::Holds && found != Found::Holds;
        if first || found == Found::Forks {
            self.found = found;
            self.broken = Some(trial);
            self.sentence = Some(sentence(&report.verdict));
            self.repeat = Some(trial.to_string());
        }
    }

    /// Whether what became of it is what must become of it.
    pub fn is_as_expected(&self) -> bool {
        self.found == self.expected
    }
}

/// What happened, in a sentence.
fn sentence(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Held => "every property held".to_owned(),
        Verdict::Violated(broken) => broken.first().map_or_else(String::new, Violation::to_string),
        Verdict::Inconclusive(reason) => format!("inconclusive: {reason}"),
    }
}

/// The command that repeats it.
impl fmt::Display for Trial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n, t, quorum, strategy, seed } = self;
        write!(
            formatter,
            "logothete-lab matrix --cell {n},{t} --quorum {} --strategy {strategy} --seed {seed}",
            quorum.name()
        )
    }
}

/// The matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resilience {
    /// By quorum rule, then n, then t.
    pub cells: Vec<Cell>,
}

/// The numbers of replicas of the matrix.
pub const REPLICAS: std::ops::RangeInclusive<u16> = 3..=10;

/// The numbers of traitors of the matrix.
pub const TRAITORS: std::ops::RangeInclusive<u16> = 0..=3;

#[cfg(test)]
mod tests;
