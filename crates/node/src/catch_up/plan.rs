//! Which heights peers are asked for, which have come, and which the core was given.
//!
//! Knows heights only: no peer's standing, no clock, no block. Ranges come in any order and are
//! handed over in ascending order without gap. There are never more than [`RANGES_MAX`] of them,
//! and the lowest gap is always asked for first. So whatever is kept above a gap waits for
//! something that has been asked for, and there is always room to ask for it again.

use std::collections::{BTreeMap, VecDeque};

use types::number::Height;
use types::replica::ReplicaId;

/// The most ranges that peers are asked for at once, each another peer.
pub(super) const ASKED_MAX: usize = 4;

/// The most ranges from the moment they are asked for until their blocks are durable.
pub(super) const RANGES_MAX: usize = 8;

/// Heights without gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    /// The first.
    pub(super) from: Height,
    /// How many, at least one.
    pub(super) count: u32,
}

impl Range {
    /// The last height.
    pub(super) fn last(self) -> Height {
        self.from.saturating_add(u64::from(self.count.saturating_sub(1)))
    }
}

/// Why a peer is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// Something is missed: nobody else is asked for the same heights.
    Missed,
    /// Whether it has anything: somebody else may be asked for the same heights.
    Greeting,
    /// Whether one of its blocks is the same as here: a network that stands still is looked through for forks.
    Comparison,
}

/// What is asked for, has come and was handed over; `B` is what comes.
#[derive(Debug)]
pub(super) struct Plan<B> {
    /// The lowest height that the core was not given.
    next: Height,
    /// The highest height worth asking for, as somebody said.
    target: Height,
    /// Whether blocks that were asked for have become durable since the last time that peers had
    /// nothing: only then several ranges are asked for at once.
    flowing: bool,
    asked: BTreeMap<ReplicaId, (Range, Reason)>,
    /// What has come, by its first height, with its last one.
    ready: BTreeMap<Height, (Height, B)>,
    /// The last heights of what the core was given and what is not durable yet.
    handed: VecDeque<Height>,
}

impl<B> Plan<B> {
    /// Nothing is asked for above the committed height.
    pub(super) fn new(committed: Height) -> Self {
        Self {
            next: committed.next(),
            target: committed,
            flowing: false,
            asked: BTreeMap::new(),
            ready: BTreeMap::new(),
            handed: VecDeque::new(),
        }
    }

    /// Takes over what is committed, by whatever way, and durable.
    pub(super) fn see(&mut self, committed: Height, durable: Height) {
        self.next = self.next.max(committed.next());
        let before = self.handed.len();
        self.handed.retain(|last| *last > durable);
        self.flowing |= self.handed.len() < before;
    }

    /// Somebody says that this height is committed. The newest word counts, not the highest.
    pub(super) fn hint(&mut self, height: Height) {
        self.target = height;
    }

    /// As many peers as may lie and one more had nothing: whatever was said is not pursued.
    pub(super) fn give_up(&mut self) {
        self.target = Height::GENESIS;
        self.flowing = false;
    }

    /// The core did not commit what it was given: it is forgotten, and asked for again once there
    /// is a new reason.
    pub(super) fn begin_again(&mut self, committed: Height) {
        self.give_up();
        self.next = committed.next();
        self.ready.clear();
        self.handed.retain(|last| *last <= committed);
    }

    /// The lowest height that the core was not given.
    pub(super) const fn next(&self) -> Height {
        self.next
    }

    /// Whether this peer is being asked.
    pub(super) fn is_asked(&self, peer: ReplicaId) -> bool {
        self.asked.contains_key(&peer)
    }

    /// Whether the core was given blocks above this height.
    pub(super) fn waits_above(&self, committed: Height) -> bool {
        self.handed.iter().any(|last| *last > committed)
    }

    /// Whether the core was given blocks that are not durable.
    pub(super) fn waits(&self) -> bool {
        !self.handed.is_empty()
    }

    /// Whether nothing is asked for because it is missed, and nothing is kept.
    pub(super) fn is_idle(&self) -> bool {
        let missed = self.asked.values().any(|(_, reason)| *reason == Reason::Missed);
        !missed && self.ready.is_empty() && self.handed.is_empty()
    }

    /// Whether one range more may be asked for.
    pub(super) fn has_room(&self) -> bool {
        let kept = self.ready.len().saturating_add(self.handed.len());
        self.asked.len() < ASKED_MAX && self.asked.len().saturating_add(kept) < RANGES_MAX
    }

    /// The lowest heights that are missed and not asked for, at most `count_max`.
    pub(super) fn missed(&self, count_max: u32) -> Option<Range> {
        let (from, end) = self.gap();
        // What is kept waits for the gap below it, whatever anybody has said since.
        let waited_for = self.ready.keys().next_back().is_some_and(|kept| *kept > from);
        if !waited_for && !self.flowing && !self.is_idle() {
            return None;
        }
        let count = end.map_or(count_max, |end| {
            u32::try_from(end.above(from)).unwrap_or(u32::MAX).min(count_max)
        });
        (waited_for || from <= self.target).then_some(Range { from, count })
    }

    /// The lowest gap: its first height, and the first one behind it that is not missed.
    fn gap(&self) -> (Height, Option<Height>) {
        let asked = self.asked.values().filter(|(_, reason)| *reason == Reason::Missed);
        let asked = asked.map(|(range, _)| (range.from, range.last()));
        let ready = self.ready.iter().map(|(from, (last, _))| (*from, *last));
        let mut covered: Vec<_> = asked.chain(ready).collect();
        covered.sort_unstable();
        let mut gap = self.next;
        for (from, last) in covered {
            if from > gap {
                return (gap, Some(from));
            }
            gap = gap.max(last.next());
        }
        (gap, None)
    }

    /// A peer is being asked.
    pub(super) fn ask(&mut self, peer: ReplicaId, range: Range, reason: Reason) {
        self.asked.insert(peer, (range, reason));
    }

    /// A peer is no longer being asked, whatever it answered.
    pub(super) fn answered(&mut self, peer: ReplicaId) {
        self.asked.remove(&peer);
    }

    /// Blocks have come, up to the height `last`. All that were asked for are a sign of more.
    pub(super) fn arrived(&mut self, asked: Range, last: Height, blocks: B) {
        if last >= asked.last() {
            let more = u64::from(asked.count).saturating_mul(4);
            self.target = self.target.max(last.saturating_add(more));
        }
        let known = self.ready.get(&asked.from).is_some_and(|(known, _)| *known >= last);
        if last >= self.next && !known {
            self.ready.insert(asked.from, (last, blocks));
        }
    }

    /// The next blocks for the core, if they are here.
    pub(super) fn hand_over(&mut self) -> Option<B> {
        loop {
            let first = self.ready.first_entry()?;
            if *first.key() > self.next {
                return None;
            }
            let (last, blocks) = first.remove();
            // What the core has got by other means meanwhile is dropped.
            if last >= self.next {
                self.next = last.next();
                self.handed.push_back(last);
                return Some(blocks);
            }
        }
    }
}

#[cfg(test)]
mod tests;
