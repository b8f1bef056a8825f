//! When a run is over, and what is then said about it.
//!
//! After the healing the replicas that do not stay broken must commit everything that clients
//! wanted, be at one height, and all vote again, within a stated bound ([`World::bound_ms`]).

use super::World;
use super::fetch::BLOCKS_MAX;
use crate::check::{Property, Violation};
use crate::plan::CLOCK_SHIFT_MAX_MS;
use crate::report::Verdict;
use crate::time::Time;

/// How often it is looked whether a run is over, in milliseconds.
const LOOK_MS: u64 = 25;

/// Where a run stands on its way to its end.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ending {
    /// Nothing is left to be waited for.
    settled: bool,
    /// The bound has passed.
    late: bool,
}

impl World {
    /// Looks whether everything is done; asks who votes when nothing else is left.
    pub(super) fn look(&mut self) {
        let deadline = Time::from_ms(self.plan.heal_ms).after_ms(self.bound_ms());
        let done = self.clients.iter().all(super::client::Client::is_done);
        let level = done && self.core().iter().all(|replica| self.is_level(*replica));
        if level && self.silent().is_empty() {
            self.ending.settled = true;
        } else if level {
            self.roll_call();
        }
        self.ending.late = self.now >= deadline;
        if !self.is_over() {
            self.queue.push(self.now.after_ms(LOOK_MS), super::Event::Look);
        }
    }

    pub(super) const fn is_over(&self) -> bool {
        self.ending.settled || self.ending.late
    }

    /// Whether a replica has stored everything that is committed anywhere.
    fn is_level(&self, replica: u16) -> bool {
        let top = self.check.top();
        let host = self.hosts.get(usize::from(replica));
        host.is_some_and(|host| host.process.is_some() && host.store.durable() == top)
    }

    /// Replicas of the core that have not voted for anything that was committed since the healing.
    /// Those that asked for another view alone vote again in the next one, which need not come: so
    /// long as they are no more than may be faulty, they are left out.
    fn silent(&self) -> Vec<u16> {
        let t = usize::from(self.plan.replicas.saturating_sub(1) / 3);
        let silent = |replica: &u16| !self.check.has_voted_since_healing(*replica);
        let (alone, silent): (Vec<u16>, Vec<u16>) =
            self.core().into_iter().filter(silent).partition(|it| self.waits_for_a_view(*it));
        if alone.len() <= t { silent } else { [alone, silent].concat() }
    }

    fn waits_for_a_view(&self, replica: u16) -> bool {
        let host = self.hosts.get(usize::from(replica));
        let process = host.and_then(|host| host.process.as_ref());
        process.is_some_and(|process| !process.protocol.status().entered)
    }

    /// How long after the healing everything must be done, in milliseconds: the longest that each
    /// of these takes, one after the other. Periods: a lost word is said again after two half
    /// seconds, a peer that does not answer costs one second, a client sends again after one and
    /// thinks every half.
    fn bound_ms(&self) -> u64 {
        let (plan, n) = (&self.plan, u64::from(self.plan.replicas));
        let delay_ms = u64::from(plan.links.delay_max_us).saturating_mul(10) / 1_000;
        let sync_ms = u64::from(plan.disks.sync_max_us) / 1_000;
        let store_ms = u64::from(plan.disks.store_us).saturating_mul(2) / 1_000;
        let step_ms = delay_ms.saturating_add(sync_ms).saturating_add(2);
        let height_ms = step_ms
            .saturating_mul(4)
            .saturating_add(store_ms)
            .saturating_add(u64::from(plan.rules.batch_delay_ms));
        let clients = u64::from(plan.load.clients);
        let transfers = clients.saturating_mul(u64::from(plan.load.transfers)).saturating_add(10);
        let answers = transfers.div_ceil(u64::try_from(BLOCKS_MAX).unwrap_or(1));
        let fetch_ms = answers.saturating_mul(step_ms.saturating_mul(2).saturating_add(30));
        let periods_ms = n.saturating_mul(1_000).saturating_mul(2).saturating_add(6_000);
        transfers
            .saturating_mul(height_ms)
            .saturating_add(self.views_ms())
            .saturating_add(fetch_ms)
            .saturating_add(periods_ms)
            .saturating_add(CLOCK_SHIFT_MAX_MS)
    }

    /// How long it takes at most until a primary of the core leads a view, in milliseconds: the
    /// replicas may stand in different views, with timeouts doubled as often as there was time for
    /// before the healing.
    fn views_ms(&self) -> u64 {
        let base_ms = u64::from(self.plan.rules.view_timeout_ms);
        let longest_ms = base_ms.saturating_add(self.plan.heal_ms.saturating_mul(2));
        let failing = u64::try_from(self.plan.broken.len()).unwrap_or(u64::MAX).saturating_add(2);
        let doubled = 1_u64.checked_shl(u32::try_from(failing).unwrap_or(63)).unwrap_or(u64::MAX);
        longest_ms.saturating_mul(doubled)
    }

    /// The last word on a run.
    pub(super) fn judge(&mut self) -> Verdict {
        let chains: Vec<_> = self.hosts.iter().map(|host| host.store.chain()).collect();
        for (replica, chain) in self.replicas().zip(chains) {
            self.check.finish(self.now, &self.genesis, replica, &chain);
        }
        if !self.check.violations().is_empty() {
            return Verdict::Violated(self.check.violations().to_vec());
        }
        if self.ending.settled || !self.is_liveness_promised() {
            return Verdict::Held;
        }
        Verdict::Violated(vec![self.stuck()])
    }

    /// Nothing is promised when more than t stay broken or lie.
    fn is_liveness_promised(&self) -> bool {
        let t = usize::from(self.plan.replicas.saturating_sub(1) / 3);
        let gone = usize::from(self.plan.replicas).saturating_sub(self.core().len());
        gone <= t
    }

    /// What is not done although the bound has passed.
    fn stuck(&self) -> Violation {
        let waiting: usize = self.clients.iter().map(|client| client.wishes.len()).sum();
        let behind: Vec<u16> =
            self.core().into_iter().filter(|replica| !self.is_level(*replica)).collect();
        let (property, sentence) = if waiting > 0 {
            (Property::L1, format!("{waiting} valid requests were not committed within the bound"))
        } else if behind.is_empty() {
            (Property::L3, format!("replicas {:?} do not vote again", self.silent()))
        } else {
            (Property::L3, format!("replicas {behind:?} did not catch up within the bound"))
        };
        Violation {
            property,
            sentence,
            at: self.now,
            replica: behind.first().or(self.silent().first()).copied(),
            height: Some(self.check.top().get()),
        }
    }
}
