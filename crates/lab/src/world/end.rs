//! When a run is over, and what is then said about it.
//!
//! After the healing the replicas that do not stay broken must commit everything that clients
//! wanted, be at one height, and all vote again, within a stated bound ([`World::bound_ms`]).

use std::collections::BTreeMap;

use pbft::Overview;
use types::number::View;

use super::World;
use super::fetch::BLOCKS_MAX;
use super::load::AGAIN_MS;
use crate::check::{Property, Violation};
use crate::plan::CLOCK_SHIFT_MAX_MS;
use crate::report::Verdict;
use crate::time::Time;

/// How often it is looked whether a run is over, in milliseconds.
const LOOK_MS: u64 = 25;

/// A status of who waits, and one of who is idle and has answered something else since its last one, in milliseconds.
const STATUSES_MS: u64 = 250 + 1_000;

/// Where a run stands on its way to its end.
#[derive(Debug, Clone, Default)]
pub(super) struct Ending {
    /// Nothing is left to be waited for.
    settled: bool,
    /// The bound has passed.
    late: bool,
    /// Since when, in milliseconds, each replica waits for the new view of a view that others have entered.
    outside: BTreeMap<u16, (View, u64)>,
    /// What took too long, before the bound for everything has passed.
    slow: Option<Violation>,
}

impl World {
    /// Looks whether everything is done; asks who votes when nothing else is left.
    pub(super) fn look(&mut self) {
        if self.ends_ms.is_some() {
            // Nothing heals, and nothing is asked for: what was seen is for others to judge.
            self.ending.late = true;
            return;
        }
        let deadline = Time::from_ms(self.plan.heal_ms).after_ms(self.bound_ms());
        let done = self.clients.iter().all(super::client::Client::is_done);
        let level = done && self.core().iter().all(|replica| self.is_level(*replica));
        if level && self.silent().is_empty() {
            self.ending.settled = true;
        } else if level {
            self.roll_call();
        }
        self.ending.late = self.now >= deadline;
        self.ending.slow = self.starving().or_else(|| self.left_outside());
        if !self.is_over() {
            self.queue.push(self.now.after_ms(LOOK_MS), super::Event::Look);
        }
    }

    pub(super) const fn is_over(&self) -> bool {
        self.ending.settled || self.ending.late || self.ending.slow.is_some()
    }

    /// Whether a replica has stored everything that is committed anywhere.
    fn is_level(&self, replica: u16) -> bool {
        let top = self.check.top();
        let host = self.hosts.get(usize::from(replica));
        host.is_some_and(|host| host.process.is_some() && host.store.durable() == top)
    }

    /// Replicas of the core that have not voted for anything that was committed since the healing.
    /// Those that asked for another view alone vote again in the next one, which need not come, and
    /// neither need whoever is shown no block by a primary that lies: so long as they are no more
    /// than may be faulty, they are left out.
    fn silent(&self) -> Vec<u16> {
        let t = usize::from(self.plan.replicas.saturating_sub(1) / 3);
        let silent = |replica: &u16| !self.check.has_voted_since_healing(*replica);
        let (alone, silent): (Vec<u16>, Vec<u16>) = self
            .core()
            .into_iter()
            .filter(silent)
            .partition(|it| self.waits_for_a_view(*it) || self.is_led_by_a_liar());
        if alone.len() <= t { silent } else { [alone, silent].concat() }
    }

    /// Whether the primary of the latest view of the core lies.
    fn is_led_by_a_liar(&self) -> bool {
        let core = self.core().into_iter().filter_map(|it| self.overview(it));
        let latest = core.max_by_key(|status| status.view);
        latest.is_some_and(|status| self.check.is_faulty(status.primary.get()))
    }

    /// Whether a replica has asked for a view that nobody of the core has come to: into any other it is brought.
    fn waits_for_a_view(&self, replica: u16) -> bool {
        let Some(waits) = self.overview(replica).filter(|status| !status.entered) else {
            return false;
        };
        let core = self.core().into_iter().filter_map(|other| self.overview(other));
        let mut entered = core.filter(|status| status.entered);
        entered.all(|status| status.view < waits.view)
    }

    /// The latest view that a replica of the core is in, or asks for.
    pub(crate) fn latest_view(&self) -> u64 {
        let core = self.core().into_iter().filter_map(|it| self.overview(it));
        core.map(|status| status.view.get()).max().unwrap_or_default()
    }

    /// The latest view that a replica of the core has entered, as far as their standing shows it: when all ask for
    /// another, the one before the first that they ask for.
    pub(super) fn latest_entered(&self) -> u64 {
        let core: Vec<Overview> =
            self.core().into_iter().filter_map(|it| self.overview(it)).collect();
        let entered = core.iter().filter(|status| status.entered).map(|it| it.view.get()).max();
        let asked = core.iter().map(|status| status.view.get().saturating_sub(1)).min();
        entered.or(asked).unwrap_or_default()
    }

    fn overview(&self, replica: u16) -> Option<Overview> {
        let host = self.hosts.get(usize::from(replica))?;
        host.process.as_ref().map(|process| process.protocol.status())
    }

    /// L5: whether the requests of a client that a replica starves wait for too long in a network on which nothing else
    /// happens.
    ///
    /// The client sends again to all; it takes the limit until it counts as starved, and statuses until that is seen,
    /// for each primary that may starve, of whom there are as many as may be faulty.
    fn starving(&self) -> Option<Violation> {
        let (replica, client) = self.starves?;
        let wishes = &self.clients.get(usize::from(client))?.wishes;
        let oldest_ms = wishes.values().map(|wish| wish.made_ms).min()?;
        let waits_ms = self.now.ms().saturating_sub(oldest_ms);
        let t = u64::from(self.plan.replicas.saturating_sub(1) / 3);
        let limit_ms = u64::from(self.plan.rules.view_timeout_ms).saturating_mul(2);
        let view_ms = limit_ms.saturating_mul(2).saturating_add(1_000);
        let bound_ms = AGAIN_MS.saturating_mul(2).saturating_add(view_ms.saturating_mul(t));
        (waits_ms > bound_ms).then(|| Violation {
            property: Property::L5,
            sentence: format!("requests of client {client} have waited for {waits_ms} ms"),
            at: self.now,
            replica: Some(replica),
            height: Some(self.check.top().get()),
        })
    }

    /// L3: whether a replica waits for too long for the new view of a view that others have entered: it says so with
    /// every status, and whoever has it hands it over, if not at once then with the next status of its own.
    fn left_outside(&mut self) -> Option<Violation> {
        let now_ms = self.now.ms();
        let core = self.core();
        let stands = core.iter().filter_map(|it| Some((*it, self.overview(*it)?)));
        let stands: Vec<(u16, Overview)> = stands.collect();
        let inside = stands.iter().filter(|(_, status)| status.entered);
        let inside = inside.map(|(_, status)| status.view).max()?;
        let before = std::mem::take(&mut self.ending.outside);
        for (replica, status) in stands {
            if !status.entered && status.view <= inside {
                let since = before.get(&replica).filter(|(view, _)| *view == status.view);
                let since = since.copied().unwrap_or((status.view, now_ms));
                self.ending.outside.insert(replica, since);
            }
        }
        let bound_ms = STATUSES_MS.saturating_add(self.step_ms().saturating_mul(2));
        let mut outside = self.ending.outside.iter();
        let late = |since_ms: u64| now_ms.saturating_sub(since_ms) > bound_ms;
        let (replica, (view, _)) = outside.find(|(_, (_, since_ms))| late(*since_ms))?;
        Some(Violation {
            property: Property::L3,
            sentence: format!("it was not shown the new view of view {view} within {bound_ms} ms"),
            at: self.now,
            replica: Some(*replica),
            height: Some(self.check.top().get()),
        })
    }

    /// The longest that one step of the protocol takes after the healing, in milliseconds.
    fn step_ms(&self) -> u64 {
        let delay_ms = u64::from(self.plan.links.delay_max_us).saturating_mul(10) / 1_000;
        let sync_ms = u64::from(self.plan.disks.sync_max_us) / 1_000;
        delay_ms.saturating_add(sync_ms).saturating_add(2)
    }

    /// How long after the healing everything must be done, in milliseconds: the longest that each
    /// of these takes, one after the other. Periods: a lost word is said again after two half
    /// seconds, a peer that does not answer costs one second, a client sends again after one and
    /// thinks every half.
    fn bound_ms(&self) -> u64 {
        let (plan, n) = (&self.plan, u64::from(self.plan.replicas));
        let store_ms = u64::from(plan.disks.store_us).saturating_mul(2) / 1_000;
        let step_ms = self.step_ms();
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
        let good = u64::try_from(self.core().len()).unwrap_or(u64::MAX);
        let failing = u64::from(self.plan.replicas).saturating_sub(good).saturating_add(2);
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
            return Verdict::Violated(self.broken());
        }
        if let Some(slow) = self.ending.slow.take() {
            return Verdict::Violated(vec![slow]);
        }
        if self.ends_ms.is_some() {
            return Verdict::Held;
        }
        if !self.ending.settled && self.is_liveness_promised() {
            return Verdict::Violated(vec![self.stuck()]);
        }
        match self.slow_for_good() {
            Some(slow) if self.ending.settled => Verdict::Violated(vec![slow]),
            Some(_) | None => Verdict::Held,
        }
    }

    /// L4: whoever has committed since everything healed waits as long as at first. (Twice as long,
    /// where commits were slow; and some may have given up a view since.)
    fn slow_for_good(&self) -> Option<Violation> {
        let base_ms = u64::from(self.plan.rules.view_timeout_ms).saturating_mul(2);
        let core = self.core().into_iter().filter_map(|it| self.hosts.get(usize::from(it)));
        let processes = core.filter_map(|host| host.process.as_ref());
        let shortest_ms = processes.map(|process| process.protocol.status().timeout_ms).min()?;
        (shortest_ms > base_ms).then(|| Violation {
            property: Property::L4,
            sentence: format!("after progress every timeout is still {shortest_ms} ms or more"),
            at: self.now,
            replica: None,
            height: Some(self.check.top().get()),
        })
    }

    /// Nothing is promised when more than t stay broken or lie; but it can be asked for all the same.
    fn is_liveness_promised(&self) -> bool {
        if self.demands_progress {
            return true;
        }
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
