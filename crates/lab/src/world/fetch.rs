//! Catch-up as the shell does it: blocks that others committed are asked of one peer at a time,
//! with their proofs, and checked like any other. A peer that does not answer costs one bounded
//! question; the next one is asked instead.

use std::sync::Arc;

use crypto::signed::Signed;
use types::mutant;
use types::number::Height;
use types::proof::ProvedBlock;

use super::host::Inbound;
use super::{Event, Inside, World};
use crate::letter::is_proved;
use crate::links::Party;
use crate::record::Happened;

/// How often a peer is asked without a reason, in microseconds.
const PERIOD_US: u64 = 1_000_000;

/// How long an answer is waited for, in microseconds.
const PATIENCE_US: u64 = 1_000_000;

/// The most blocks of an answer.
pub(super) const BLOCKS_MAX: usize = 8;

/// How long after an answer the same peer is asked for more, in microseconds.
const AGAIN_US: u64 = 20_000;

impl World {
    /// Peers seem to have a height: they are asked when it is higher than any known before.
    pub(super) fn behind(&mut self, replica: u16, height: Height) {
        let Some(process) = &mut self.host(replica).process else {
            return;
        };
        if height > process.asking.behind {
            process.asking.behind = height;
            self.ask_next(replica);
        }
    }

    /// The next peer is asked without a reason.
    pub(super) fn fetch_period(&mut self, replica: u16) {
        self.later(replica, PERIOD_US, Inside::Fetch);
        self.ask_next(replica);
    }

    /// More may be had of the peer that was asked last.
    pub(super) fn fetch_more(&mut self, replica: u16) {
        if let Some(process) = &self.host(replica).process {
            let peer = process.asking.peer;
            self.ask(replica, peer);
        }
    }

    fn ask_next(&mut self, replica: u16) {
        let n = self.plan.replicas;
        let Some(process) = &self.host(replica).process else {
            return;
        };
        let next = process.asking.peer.saturating_add(1);
        let next = if next >= n { 0 } else { next };
        let after = if next.saturating_add(1) >= n { 0 } else { next.saturating_add(1) };
        let peer = if next == replica { after } else { next };
        if peer != replica {
            self.ask(replica, peer);
        }
    }

    /// Asks a peer, unless an answer is awaited already.
    pub(super) fn ask(&mut self, replica: u16, peer: u16) {
        let Some(process) = &mut self.host(replica).process else {
            return;
        };
        if process.asking.awaited {
            return;
        }
        let asking = &mut process.asking;
        asking.number = asking.number.saturating_add(1);
        asking.awaited = true;
        asking.peer = peer;
        let (number, height) = (asking.number, process.protocol.status().committed.next());
        self.later(replica, PATIENCE_US, Inside::NoAnswer(number));
        let [at, _] = self.links.send(self.now, Party::Replica(replica), Party::Replica(peer));
        if let Some(at) = at {
            self.queue.push(at, Event::Question { to: peer, from: replica, number, height });
        }
    }

    pub(super) fn question(&mut self, to: u16, from: u16, number: u64, height: Height) {
        let now = self.now;
        let life = self.host(from).life;
        let host = self.host(to);
        if host.process.is_none() || host.paused > now {
            return;
        }
        let blocks = host.store.blocks(height, BLOCKS_MAX);
        self.trace.add(now, 12, to, &height.get().to_le_bytes());
        let [at, _] = self.links.send(now, Party::Replica(to), Party::Replica(from));
        if let Some(at) = at {
            self.queue.push(at, Event::Answer { to: from, life, number, blocks });
        }
    }

    pub(super) fn answer(&mut self, to: u16, life: u64, number: u64, blocks: &[Arc<ProvedBlock>]) {
        let count = u64::try_from(blocks.len()).unwrap_or(u64::MAX);
        self.trace.add(self.now, 13, to, &count.to_le_bytes());
        let host = self.host(to);
        if host.life != life {
            return;
        }
        let Some(process) = host
            .process
            .as_mut()
            .filter(|process| process.asking.awaited && process.asking.number == number)
        else {
            return;
        };
        process.asking.awaited = false;
        let peer = process.asking.peer;
        let refused = |proved: &ProvedBlock| Happened::FetchRefused {
            replica: to,
            from: peer,
            height: proved.block.header.height.get(),
        };
        let proved: Vec<Signed<ProvedBlock>> = blocks
            .iter()
            .take_while(|proved| {
                mutant!(ProofUnchecked) || is_proved(proved, &self.door, &self.verifier)
            })
            .map(|proved| Signed::vouched(ProvedBlock::clone(proved)))
            .collect();
        if let Some(first) = blocks.get(proved.len()) {
            self.trace.tell(self.now, || refused(first));
        }
        if !proved.is_empty() {
            self.counts.fetched = self.counts.fetched.saturating_add(count);
            let fetched = Happened::Fetched { replica: to, from: peer, blocks: count };
            self.trace.tell(self.now, || fetched);
            self.later(to, AGAIN_US, Inside::FetchMore);
            self.arrive(to, Inbound::Blocks(proved));
        }
    }

    /// No answer has come: the next peer is asked, if this replica knows that it lacks something.
    pub(super) fn no_answer(&mut self, replica: u16, number: u64) {
        let Some(process) = &mut self.host(replica).process else {
            return;
        };
        if !process.asking.awaited || process.asking.number != number {
            return;
        }
        process.asking.awaited = false;
        if process.asking.behind > process.protocol.status().committed {
            self.ask_next(replica);
        }
    }
}
