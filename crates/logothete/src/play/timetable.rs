//! What happens to processes and links, and when.

use std::collections::BTreeSet;
use std::time::Duration;

use rustix::process::Signal;
use scenario::{Fails, Kind, Scenario, Situation, Window};

use crate::failure::Failure;
use crate::play::{Play, lock};
use crate::testnet::node::Node;
use crate::testnet::process::Condition;
use crate::testnet::relays::faults::{Effect, LinkFault};
use crate::testnet::stop::{self, cannot_signal};

/// How long a signal may take to show its effect.
const SIGNAL_PATIENCE: Duration = Duration::from_secs(10);

/// Something that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Act {
    /// When, in milliseconds.
    at_ms: u64,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// A process is killed, and started when this comes: one after the other, so that none is started that still runs.
    Crash(u16, Option<u64>),
    /// A process is halted.
    Halt(u16),
    /// A process goes on.
    GoOn(u16),
    /// From now on all links together suffer this. Changes of links are made one after the other.
    Links(Vec<(u64, Vec<LinkFault>)>),
}

/// Everything that happens in a situation. What lasts until the end of the run ends with the processes.
pub(super) fn acts(scenario: &Scenario, one_more: bool) -> Vec<Act> {
    let situation = scenario.situation(one_more);
    let mut acts = vec![Act { at_ms: 0, what: What::Links(links(scenario, situation)) }];
    for fault in &situation.faults {
        let Window { at_ms, end_ms } = fault.when;
        let end_ms = (end_ms < scenario.run_ms).then_some(end_ms);
        match fault.kind {
            Kind::Crash { validator } => {
                acts.push(Act { at_ms, what: What::Crash(validator, end_ms) });
            }
            Kind::Pause { validator } => {
                acts.push(Act { at_ms, what: What::Halt(validator) });
                acts.extend(end_ms.map(|at_ms| Act { at_ms, what: What::GoOn(validator) }));
            }
            Kind::OmitSend { .. }
            | Kind::OmitReceive { .. }
            | Kind::Cut { .. }
            | Kind::Partition { .. }
            | Kind::Delay { .. }
            | Kind::DelayLink { .. }
            | Kind::SlowDisk { .. }
            | Kind::Clock { .. } => {}
        }
    }
    acts
}

/// The crashes of a situation that nobody has seen yet: who, and when.
#[derive(Debug)]
pub(super) struct Crashes(Vec<(u16, u64)>);

impl Crashes {
    /// All of them.
    pub(super) fn of(situation: &Situation) -> Self {
        let crashes = situation.faults.iter().filter_map(|fault| match fault.kind {
            Kind::Crash { validator } => Some((validator, fault.when.at_ms)),
            Kind::Pause { .. }
            | Kind::OmitSend { .. }
            | Kind::OmitReceive { .. }
            | Kind::Cut { .. }
            | Kind::Partition { .. }
            | Kind::Delay { .. }
            | Kind::DelayLink { .. }
            | Kind::SlowDisk { .. }
            | Kind::Clock { .. } => None,
        });
        Self(crashes.collect())
    }

    /// Whether a validator that is found dead at this moment was let crash. Each crash explains one death.
    pub(super) fn explain(&mut self, validator: u16, now_ms: u64) -> bool {
        let told = self.0.iter().position(|(who, at_ms)| *who == validator && *at_ms <= now_ms);
        told.map(|place| self.0.swap_remove(place)).is_some()
    }
}

/// What the links suffer from which moment on, after the first.
fn links(scenario: &Scenario, situation: &Situation) -> Vec<(u64, Vec<LinkFault>)> {
    let n = scenario.network.validators;
    let of_links = |kind: &Kind| !kind.cut_ways(n).is_empty() || kind.slow_ways(n).1 > 0;
    let faults = situation.faults.iter().filter(|fault| of_links(&fault.kind));
    let edges = faults.flat_map(|fault| [fault.when.at_ms, fault.when.end_ms]);
    let within = |at_ms: &u64| (1..scenario.run_ms).contains(at_ms);
    let edges: BTreeSet<u64> = edges.filter(within).collect();
    edges.into_iter().map(|at_ms| (at_ms, links_at(scenario, situation, at_ms))).collect()
}

/// What the links suffer at a moment: the network's own delay, at its greatest, and the faults. A liar sits wherever it
/// suits him, so his links have no delay of their own. Agreement depends on nobody's speed, so where it is to fail the
/// honest hear one another late, and too late to warn one another.
pub(super) fn links_at(scenario: &Scenario, situation: &Situation, at_ms: u64) -> Vec<LinkFault> {
    let n = scenario.network.validators;
    let liars = situation.liars();
    let honest = || (0..n).filter(|it| !liars.contains(it));
    let ways = honest().flat_map(|from| honest().map(move |to| (from, to)));
    let ways = ways.filter(|(from, to)| from != to);
    let network = &scenario.network;
    let own_delay_ms = match situation.expect.fails {
        Some(Fails::Agreement) => network.delay_max_ms.max(network.view_timeout_ms / 4),
        Some(Fails::Progress) | None => network.delay_max_ms,
    };
    let mut on: Vec<LinkFault> = ways.filter_map(|way| slow(way, own_delay_ms)).collect();
    for fault in situation.faults.iter().filter(|fault| fault.when.covers(at_ms)) {
        for (from, to) in fault.kind.cut_ways(n) {
            let cut = LinkFault { node: from.into(), effect: Effect::Cut(to.into()) };
            if !on.contains(&cut) {
                on.push(cut);
            }
        }
        let (ways, delay_ms) = fault.kind.slow_ways(n);
        on.extend(ways.into_iter().filter_map(|way| slow(way, delay_ms)));
    }
    on
}

fn slow((from, to): (u16, u16), delay_ms: u32) -> Option<LinkFault> {
    let delay = Duration::from_millis(delay_ms.into());
    let effect = Effect::DelayTo(delay, to.into());
    (delay_ms > 0).then_some(LinkFault { node: from.into(), effect })
}

impl Act {
    /// Waits for its moment and lets it happen. What fails ends the run.
    pub(super) fn perform(self, play: &Play<'_>) {
        if !play.wait_until(self.at_ms) {
            return;
        }
        if let Err(failure) = self.what.happen(play) {
            play.give_up(failure);
        }
    }
}

impl What {
    fn happen(self, play: &Play<'_>) -> Result<(), Failure> {
        let node = |validator: u16| play.stage.testnet.node(validator.into());
        match self {
            Self::Crash(validator, start_ms) => {
                let node = node(validator)?;
                if let Some(process) = node.process()? {
                    stop::kill(&node, &process)?;
                }
                if start_ms.is_some_and(|at_ms| play.wait_until(at_ms)) {
                    let started = play.stage.start_again(&node)?;
                    lock(&play.restarted).push(started);
                }
                Ok(())
            }
            Self::Halt(validator) => signal(&node(validator)?, Signal::STOP, Condition::Halted),
            Self::GoOn(validator) => signal(&node(validator)?, Signal::CONT, Condition::Running),
            Self::Links(changes) => {
                for (at_ms, on) in changes {
                    if !play.wait_until(at_ms) {
                        return Ok(());
                    }
                    play.stage.testnet.relays().change(|faults| faults.on = on)?;
                }
                Ok(())
            }
        }
    }
}

/// Sends a signal to a validator that runs, and waits for what it does.
fn signal(node: &Node, signal: Signal, condition: Condition) -> Result<(), Failure> {
    let Some(process) = node.process()? else { return Ok(()) };
    process.signal(signal).map_err(|cause| cannot_signal(node, &cause))?;
    stop::await_condition(node, &process, condition, SIGNAL_PATIENCE)
}

#[cfg(test)]
mod tests;
