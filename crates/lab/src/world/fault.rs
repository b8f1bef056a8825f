//! What the plan does to the network, and the healing.

use std::collections::BTreeMap;

use super::{Event, Inside, World};
use crate::plan::{Death, Fate, Moment, What};
use crate::record::{Happened, fault as fault_in_words};
use crate::time::Time;

impl World {
    /// A fault of the plan begins.
    pub(super) fn fault(&mut self, index: usize) {
        let Some(fault) = self.plan.faults.get(index).cloned() else {
            return;
        };
        if self.healed {
            return;
        }
        let now = self.now;
        let name = fault.what.name();
        let count = self.counts.faults.entry(name).or_default();
        *count = count.saturating_add(1);
        self.trace.add(now, 20, 0, name.as_bytes());
        let words = || fault_in_words(&fault.what);
        self.trace.tell(now, || Happened::Fault { name: name.to_owned(), words: words() });
        match fault.what {
            What::Crash { replica, death, moment, down_ms } => {
                self.crash(replica, death, moment, down_ms);
            }
            What::Blackout { down_ms, apart_ms } => {
                let mut down_ms = down_ms;
                for replica in self.replicas() {
                    self.crash(replica, Death::PowerCut, Moment::Any, down_ms);
                    down_ms = down_ms.saturating_add(apart_ms);
                }
            }
            What::Pause { replica, for_ms } => {
                let host = self.host(replica);
                host.paused = host.paused.max(now.after_ms(for_ms));
                self.later(replica, for_ms.saturating_mul(1_000), Inside::Turn);
            }
            What::Weather { loss_per_mille, twice_per_mille, delay_ms, for_ms } => {
                let until = now.after_ms(for_ms);
                self.links.worsen(until, loss_per_mille, twice_per_mille, delay_ms);
            }
            What::SlowDisk { replica, sync_ms, for_ms } => {
                self.host(replica).slow = (sync_ms, now.after_ms(for_ms));
            }
            What::DiskError { replica, operation, down_ms } => {
                let host = self.host(replica);
                host.journal.fail(Some(operation));
                host.down_ms = down_ms;
            }
            What::Clock { replica, shift_ms } => self.host(replica).shift_ms = shift_ms,
            What::Delay { replica, delay_ms, for_ms } => {
                for other in self.replicas().filter(|other| *other != replica) {
                    self.links.slow(now.after_ms(for_ms), (replica, other), delay_ms);
                    self.links.slow(now.after_ms(for_ms), (other, replica), delay_ms);
                }
            }
            What::DelayLink { from, to, delay_ms, for_ms } => {
                self.links.slow(now.after_ms(for_ms), (from, to), delay_ms);
            }
            What::Cut { for_ms, .. }
            | What::Partition { for_ms, .. }
            | What::OmitSend { for_ms, .. }
            | What::OmitReceive { for_ms, .. } => {
                for (from, to) in self.pairs(index) {
                    self.links.cut(from, to);
                }
                self.queue.push(now.after_ms(for_ms), Event::FaultEnds(index));
            }
        }
    }

    fn crash(&mut self, replica: u16, death: Death, moment: Moment, down_ms: u64) {
        let host = self.host(replica);
        let runs = host.process.is_some();
        if runs && moment == Moment::Any {
            self.die(replica, death, down_ms);
        } else if runs {
            host.doom = Some(super::host::Doom { moment, death, down_ms });
        } else {
            // There is no process to kill, but the power may fail while it is down.
            host.journal.die(death, &mut host.random);
        }
    }

    /// The ways that a fault cuts.
    fn pairs(&self, index: usize) -> Vec<(u16, u16)> {
        match self.plan.faults.get(index).map(|fault| &fault.what) {
            Some(What::Cut { from, to, .. }) if from != to => vec![(*from, *to)],
            Some(What::OmitSend { replica, .. }) => {
                let others = self.replicas().filter(|other| other != replica);
                others.map(|to| (*replica, to)).collect()
            }
            Some(What::OmitReceive { replica, .. }) => {
                let others = self.replicas().filter(|other| other != replica);
                others.map(|from| (from, *replica)).collect()
            }
            Some(What::Partition { side, .. }) => {
                let all = self.replicas();
                let (here, there): (Vec<u16>, Vec<u16>) = all.partition(|it| side.contains(it));
                let one_way = here.iter().flat_map(|from| there.iter().map(|to| (*from, *to)));
                one_way.flat_map(|(from, to)| [(from, to), (to, from)]).collect()
            }
            Some(
                What::Cut { .. }
                | What::Crash { .. }
                | What::Blackout { .. }
                | What::Pause { .. }
                | What::Delay { .. }
                | What::DelayLink { .. }
                | What::Weather { .. }
                | What::SlowDisk { .. }
                | What::DiskError { .. }
                | What::Clock { .. },
            )
            | None => Vec::new(),
        }
    }

    /// A cut or partition ends: where things get through again, both ends notice.
    pub(super) fn fault_ends(&mut self, index: usize) {
        if self.healed {
            return;
        }
        self.trace.add(self.now, 21, 0, &[]);
        if let Some(what) = self.plan.faults.get(index).map(|fault| &fault.what) {
            self.trace.tell(self.now, || Happened::FaultEnded {
                name: what.name().to_owned(),
                words: fault_in_words(what),
            });
        }
        for (from, to) in self.pairs(index) {
            if self.links.mend(from, to) {
                self.connect(to, from);
                self.connect(from, to);
            }
        }
    }

    /// Everything heals but what stays broken.
    pub(super) fn heal(&mut self) {
        self.healed = true;
        self.trace.add(self.now, 22, 0, &[]);
        let now = self.now;
        self.trace.tell(now, || Happened::Healed);
        let fates: BTreeMap<u16, Fate> =
            self.plan.broken.iter().map(|broken| (broken.replica, broken.fate)).collect();
        self.links.heal(fates.clone());
        self.check.healed(now);
        for replica in self.replicas() {
            let dead = fates.get(&replica) == Some(&Fate::Dead);
            let host = self.host(replica);
            host.doom = None;
            host.journal.fail(None);
            host.shift_ms = 0;
            host.slow = (0, Time::default());
            host.paused = now;
            host.dead = dead;
            let life = host.life;
            if dead {
                self.die(replica, Death::PowerCut, 0);
            } else {
                self.queue.push(now, Event::Start { replica, life });
                self.later(replica, 0, Inside::Turn);
            }
        }
        for to in self.replicas() {
            for peer in self.replicas().filter(|peer| *peer != to) {
                self.connect(to, peer);
            }
        }
        self.queue.push(now, Event::Look);
    }
}
