//! The blocks that one replica keeps, of which the newest are not durable yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use crypto::encoding::{from_wire, to_wire};
use types::account::Snapshot;
use types::address::Address;
use types::number::{Height, Nonce};
use types::proof::ProvedBlock;

use byzantine::Random;

/// Blocks from height 1, without gap, and the newest snapshot.
#[derive(Debug, Default)]
pub(super) struct Store {
    blocks: Vec<Stored>,
    durable: usize,
    snapshot: Option<Snapshot>,
    next_snapshot: Option<Snapshot>,
    /// Where the durable transactions are.
    index: BTreeMap<(Address, Nonce), Height>,
}

#[derive(Debug)]
struct Stored {
    proved: Arc<ProvedBlock>,
    /// As on the disk, once it is durable.
    bytes: Vec<u8>,
}

impl Store {
    /// Takes the next block, which becomes durable later.
    pub(super) fn push(&mut self, proved: Arc<ProvedBlock>) {
        self.blocks.push(Stored { proved, bytes: Vec::new() });
    }

    /// Takes a snapshot, which becomes durable with the block that it was taken after.
    pub(super) fn snapshot_later(&mut self, snapshot: Snapshot) {
        self.next_snapshot = Some(snapshot);
    }

    /// How many blocks there are, durable or not.
    pub(super) const fn len(&self) -> usize {
        self.blocks.len()
    }

    /// The height up to which everything is durable.
    pub(super) fn durable(&self) -> Height {
        Height::new(u64::try_from(self.durable).unwrap_or(u64::MAX))
    }

    /// Makes the first `count` blocks durable; those that became so just now.
    pub(super) fn flush(&mut self, count: usize) -> Vec<Arc<ProvedBlock>> {
        let begin = self.durable.min(count);
        let mut fresh = Vec::new();
        for stored in self.blocks.iter_mut().take(count).skip(begin) {
            stored.bytes = to_wire(stored.proved.as_ref());
            fresh.push(stored.proved.clone());
        }
        for proved in &fresh {
            for transaction in proved.block.body.transactions() {
                let place = (transaction.transaction.sender, transaction.transaction.nonce);
                self.index.insert(place, proved.block.header.height);
            }
        }
        self.durable = self.durable.max(count);
        let durable = self.durable();
        if let Some(snapshot) = self.next_snapshot.take_if(|next| next.height <= durable) {
            self.snapshot = Some(snapshot);
        }
        fresh
    }

    /// The power fails: what was not durable is there all the same, or none of it.
    pub(super) fn cut_power(&mut self, stored: bool) {
        let kept = if stored { self.blocks.len() } else { self.durable };
        self.flush(kept);
        self.blocks.truncate(self.durable);
        self.next_snapshot = None;
    }

    /// The process dies: of what was not durable, the first few may be.
    pub(super) fn die(&mut self, random: &mut Random) {
        let waiting = self.blocks.len().saturating_sub(self.durable);
        let kept = random.index(waiting.saturating_add(1));
        self.flush(self.durable.saturating_add(kept));
        self.blocks.truncate(self.durable);
        self.next_snapshot = None;
    }

    /// The newest snapshot, and the block that it was taken after.
    pub(super) fn snapshot(&self) -> Option<(Snapshot, Arc<ProvedBlock>)> {
        let snapshot = self.snapshot.clone()?;
        let proved = self.block(snapshot.height)?;
        Some((snapshot, proved))
    }

    /// A durable block.
    pub(super) fn block(&self, height: Height) -> Option<Arc<ProvedBlock>> {
        let index = usize::try_from(height.get().checked_sub(1)?).ok()?;
        self.blocks.get(index).filter(|_| index < self.durable).map(|it| it.proved.clone())
    }

    /// A durable block, read from its bytes.
    pub(super) fn read(&self, height: Height) -> Option<ProvedBlock> {
        let index = usize::try_from(height.get().checked_sub(1)?).ok()?;
        let stored = self.blocks.get(index).filter(|_| index < self.durable)?;
        from_wire(&stored.bytes, stored.bytes.len()).ok()
    }

    /// Durable blocks from a height on, at most so many.
    pub(super) fn blocks(&self, from: Height, count: usize) -> Vec<Arc<ProvedBlock>> {
        let heights = (from.get()..).map(Height::new);
        heights.map_while(|height| self.block(height)).take(count).collect()
    }

    /// Every durable block.
    pub(super) fn chain(&self) -> Vec<Arc<ProvedBlock>> {
        self.blocks.iter().take(self.durable).map(|stored| stored.proved.clone()).collect()
    }

    /// The durable block with the transaction of this sender and nonce.
    pub(super) fn find(&self, sender: &Address, nonce: Nonce) -> Option<Arc<ProvedBlock>> {
        self.block(*self.index.get(&(*sender, nonce))?)
    }
}
