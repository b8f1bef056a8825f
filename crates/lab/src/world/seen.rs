//! What a scenario is judged by: figures of a run that anybody could take who watches a network from outside.

use std::collections::BTreeSet;

use scenario::{Fork, Seen};
use types::block::Block;

use super::World;
use crate::check::{Property, Violation};

impl World {
    /// A replica commits a block. Of those that lie nothing is noted.
    pub(super) fn note_commit(&mut self, replica: u16, block: &Block) {
        if self.check.is_faulty(replica) {
            return;
        }
        let height = block.header.height.get();
        if !self.counts.commits.contains_key(&height) {
            self.counts.last_commit_ms = self.now.ms();
        }
        let blocks = self.counts.commits.entry(height).or_default();
        blocks.entry(block.id()).or_insert(replica);
        if let Some(evidence) = block.body.evidence() {
            let culprit = evidence.accused(self.genesis.validators()).get();
            self.counts.convicted.insert(culprit);
        }
    }

    /// Whether a scenario goes on although a property was broken: more lie than the protocol bears, and no chain has
    /// forked.
    pub(super) fn bears_it(&self) -> bool {
        let t = usize::from(self.plan.replicas.saturating_sub(1) / 3);
        let liars = self.replicas().filter(|replica| self.check.is_faulty(*replica)).count();
        self.ends_ms.is_some() && liars > t && !self.check.violations().iter().any(is_fork)
    }

    /// What was broken, each property once.
    pub(super) fn broken(&self) -> Vec<Violation> {
        let mut known = BTreeSet::new();
        let first = |it: &&Violation| known.insert(it.property);
        self.check.violations().iter().filter(first).cloned().collect()
    }

    /// What there is to be seen at the end.
    pub(crate) fn seen(&self) -> Seen {
        let processes = self.replicas().zip(&self.hosts).filter_map(|(replica, host)| {
            let status = host.process.as_ref()?.protocol.status();
            Some((replica, status.committed.get()))
        });
        let (forked, broken): (Vec<Violation>, Vec<Violation>) =
            self.broken().into_iter().partition(is_fork);
        let wishes = self.clients.iter().flat_map(|client| client.wishes.values());
        let waits = wishes.map(|wish| self.now.ms().saturating_sub(wish.made_ms));
        let waits: Vec<u64> = waits.collect();
        let committed = self.counts.commits.values().flat_map(|blocks| blocks.keys());
        let committed = committed.filter(|id| self.counts.proposed.contains(*id)).count();
        let longest_wait_ms = self.counts.longest_wait_ms;
        Seen {
            end_ms: self.now.ms(),
            heights: processes.collect(),
            fork: self.fork(forked.first()),
            broken: broken.iter().map(ToString::to_string).collect(),
            sent: self.clients.iter().map(|client| client.made).sum(),
            waiting: u64::try_from(waits.len()).unwrap_or(u64::MAX),
            longest_wait_ms: waits.into_iter().max().unwrap_or_default().max(longest_wait_ms),
            last_commit_ms: self.counts.last_commit_ms,
            culprits: self.counts.culprits.keys().copied().collect(),
            convicted: self.counts.convicted.clone(),
            forks: u64::try_from(self.counts.proposed.len().saturating_sub(committed))
                .unwrap_or(u64::MAX),
            view: self.latest_entered(),
        }
    }

    /// The two blocks of the lowest height at which there are two. Where chains part below what is compared, what the
    /// checker says of it stands in their place.
    fn fork(&self, violation: Option<&Violation>) -> Option<Fork> {
        let two = self.counts.commits.iter().find(|(_, blocks)| blocks.len() > 1);
        let fork = two.map(|(height, blocks)| {
            let blocks = blocks.iter().map(|(id, first)| (*first, id.short().to_string()));
            Fork { height: *height, blocks: blocks.collect() }
        });
        fork.or_else(|| {
            let violation = violation?;
            let block = (violation.replica.unwrap_or_default(), violation.sentence.clone());
            Some(Fork { height: violation.height.unwrap_or_default(), blocks: vec![block] })
        })
    }
}

fn is_fork(violation: &Violation) -> bool {
    matches!(violation.property, Property::S1 | Property::S2)
}
