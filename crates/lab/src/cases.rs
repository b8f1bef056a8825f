//! Networks that are hard on the core: what the mutants are hunted on, and what the core must hold on.
//!
//! One seed gives one network of one kind: the plain ones of a soak, networks that change views again and again,
//! disks that are slow to store and rewrite their journals all the time, a primary that starves a client, and, for
//! half of the seeds, as many liars as a network must bear.

use std::collections::BTreeSet;

use byzantine::Random;

use crate::liars;
use crate::plan::{Death, Fault, Limits, Moment, Plan, What};
use crate::report::{Report, run};
use crate::world::Options;

/// What is hard about a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Whatever a soak does.
    Plain,
    /// Views are given up as soon as anything is late.
    Hasty,
    /// Blocks are long not durable, and journals always too long.
    SlowStores,
    /// The first primary never hears one of the clients.
    Starved,
    /// A plain one, with liars.
    Lies,
    /// A hasty one, with liars.
    HastyLies,
    /// Liars, and a few requests at the beginning: nothing comes later that would repair what they did.
    LastWords,
}

const KINDS: [Kind; 10] = [
    Kind::Plain,
    Kind::Hasty,
    Kind::Hasty,
    Kind::SlowStores,
    Kind::Starved,
    Kind::Lies,
    Kind::HastyLies,
    Kind::HastyLies,
    Kind::HastyLies,
    Kind::LastWords,
];

/// One seed's network, and what it is run with.
pub fn case(seed: u64) -> (Plan, Options) {
    let mut random = Random::stream(seed, "case", &[]);
    let limits = Limits { ed25519_every: 0, transfers_max: 32, ..Limits::default() };
    let mut plan = Plan::random(seed, &limits);
    let kind = random.pick(&KINDS).copied().unwrap_or(Kind::Plain);
    match kind {
        Kind::Plain | Kind::Lies => {}
        Kind::Hasty | Kind::HastyLies => hasty(&mut plan, &mut random),
        Kind::SlowStores => slow_stores(&mut plan, &mut random),
        Kind::Starved => starved(&mut plan, &mut random),
        Kind::LastWords => {
            hasty(&mut plan, &mut random);
            last_words(&mut plan, &mut random);
        }
    }
    let options = match kind {
        Kind::Plain | Kind::Hasty | Kind::SlowStores => Options::default(),
        Kind::Starved => {
            let faulty = BTreeSet::from([0]);
            Options { starves: Some((0, 0)), faulty, ..Options::default() }
        }
        Kind::Lies | Kind::HastyLies | Kind::LastWords => {
            plan.broken.clear();
            let first = u16::try_from(random.below(u64::from(plan.replicas))).unwrap_or_default();
            let t = plan.replicas.saturating_sub(1) / 3;
            let number = |more: u16| first.saturating_add(more).checked_rem(plan.replicas);
            let lying = (0..t).filter_map(number).collect();
            liars::options(&plan, seed, lying)
        }
    };
    (plan, options)
}

/// Runs the network of a seed.
pub fn run_case(seed: u64) -> Report {
    let (plan, options) = case(seed);
    run(&plan, seed, options)
}

/// Views that are given up as soon as anything is late, and much in flight.
fn hasty(plan: &mut Plan, random: &mut Random) {
    plan.rules.view_timeout_ms = u32::try_from(random.between(100, 400)).unwrap_or(100);
    plan.rules.window_heights = u16::try_from(random.between(2, 8)).unwrap_or(2);
    plan.rules.block_transactions_max = 1;
    plan.links.loss_per_mille = u32::try_from(random.between(0, 300)).unwrap_or_default();
}

/// Power that fails while blocks are committed and not durable, and journals that are rewritten all the time.
fn slow_stores(plan: &mut Plan, random: &mut Random) {
    plan.rules.block_transactions_max = 1;
    plan.rules.window_heights = u16::try_from(random.between(2, 8)).unwrap_or(2);
    plan.disks.prune_bytes = 256;
    plan.disks.store_us = u32::try_from(random.between(60_000, 600_000)).unwrap_or_default();
    for _ in 0..6 {
        let replica = u16::try_from(random.below(u64::from(plan.replicas))).unwrap_or_default();
        let (death, moment) = (Death::PowerCut, Moment::Committed);
        let what = What::Crash { replica, death, moment, down_ms: random.between(1, 500) };
        plan.faults.push(Fault { at_ms: random.below(plan.heal_ms), what });
    }
    plan.faults.sort_by_key(|fault| fault.at_ms);
}

/// A network on which nothing happens but load, for long enough that who is starved must be served meanwhile.
fn starved(plan: &mut Plan, random: &mut Random) {
    plan.faults.clear();
    plan.broken.clear();
    plan.rules.view_timeout_ms = u32::try_from(random.between(200, 400)).unwrap_or(200);
    plan.rules.block_transactions_max = 8;
    plan.links.loss_per_mille = 0;
    plan.heal_ms = 100;
    plan.load.clients = 3;
    plan.load.transfers = 80;
    plan.load.every_ms = 100;
    plan.load.outstanding_max = 16;
}

/// All requests come at the beginning, and things go on breaking for long after.
fn last_words(plan: &mut Plan, random: &mut Random) {
    plan.load.transfers = u32::try_from(random.between(1, 4)).unwrap_or(1);
    plan.load.every_ms = 10;
    plan.load.outstanding_max = 4;
    plan.links.loss_per_mille = u32::try_from(random.between(100, 400)).unwrap_or_default();
}
