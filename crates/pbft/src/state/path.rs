//! The one chain that a replica stands on in its view: from above the committed block, over the tip of the new view,
//! to the last block it voted for.
//!
//! Ids are known before blocks are: a new view names its tip, a block its parent. So the path grows downwards as
//! blocks arrive, until it reaches the committed one, and upwards with every prepare vote.

use std::collections::BTreeMap;
use std::sync::Arc;

use types::block::{Block, BlockId};
use types::number::Height;

/// The path, and the blocks that this replica must keep, of this view and of those it has left.
#[derive(Debug, Clone, Default)]
pub(crate) struct Path {
    /// Without gap, from the lowest height known to the head.
    ids: BTreeMap<Height, BlockId>,
    /// Every block voted for, in whatever view, and every one fetched, above the committed height: somebody may
    /// hold a certificate for any of them, and then at least t + 1 honest replicas must still have it.
    blocks: BTreeMap<BlockId, Arc<Block>>,
}

impl Path {
    /// The last block, with its height; `None` when the replica stands on the committed block.
    pub(crate) fn head(&self) -> Option<(Height, BlockId)> {
        self.ids.last_key_value().map(|(height, id)| (*height, *id))
    }

    /// The lowest block known, with its height.
    pub(crate) fn lowest(&self) -> Option<(Height, BlockId)> {
        self.ids.first_key_value().map(|(height, id)| (*height, *id))
    }

    /// The block of the path at a height.
    pub(crate) fn at(&self, height: Height) -> Option<BlockId> {
        self.ids.get(&height).copied()
    }

    /// A block that is kept.
    pub(crate) fn block(&self, id: &BlockId) -> Option<&Arc<Block>> {
        self.blocks.get(id)
    }

    /// The lowest block known, when its body is not here: nothing below it is known until it comes.
    pub(crate) fn missing(&self) -> Option<BlockId> {
        let (_, id) = self.lowest()?;
        (!self.blocks.contains_key(&id)).then_some(id)
    }

    /// Every block of the path, the lowest first.
    pub(crate) fn ids(&self) -> impl Iterator<Item = (Height, BlockId)> {
        self.ids.iter().map(|(height, id)| (*height, *id))
    }

    /// Every block that is kept.
    pub(crate) fn kept(&self) -> impl Iterator<Item = BlockId> {
        self.blocks.keys().copied()
    }

    /// Keeps a block.
    pub(crate) fn keep(&mut self, id: BlockId, block: Arc<Block>) {
        self.blocks.entry(id).or_insert(block);
    }

    /// Goes further up to a block. What lies below a gap is found again from above.
    pub(crate) fn push(&mut self, height: Height, id: BlockId) {
        if self.head().is_some_and(|(head, _)| head.next() < height) {
            self.ids.clear();
        }
        self.ids.insert(height, id);
    }

    /// Follows the parents of what is known downwards, as far as blocks are here, not to or below `low`.
    pub(crate) fn reach_down(&mut self, low: Height) {
        while let Some((height, id)) = self.lowest()
            && height > low.next()
            && let Some(block) = self.blocks.get(&id)
        {
            self.ids.insert(height.saturating_sub(1), block.header.parent);
        }
    }

    /// Leaves the path; the blocks stay.
    pub(crate) fn clear(&mut self) {
        self.ids.clear();
    }

    /// Takes a block that is being committed.
    pub(crate) fn take(&mut self, id: &BlockId) -> Option<Arc<Block>> {
        self.blocks.remove(id)
    }

    /// The highest block that is kept, of whatever view.
    #[cfg(feature = "mutants")]
    pub(crate) fn highest(&self) -> Option<(Height, BlockId)> {
        let kept = self.blocks.iter().map(|(id, block)| (block.header.height, *id));
        kept.max_by_key(|(height, _)| *height)
    }

    /// Leaves a height and those above it.
    #[cfg(feature = "mutants")]
    pub(crate) fn cut(&mut self, height: Height) {
        self.ids.split_off(&height);
    }

    /// Forgets everything up to a committed height.
    pub(crate) fn forget(&mut self, committed: Height) {
        self.ids = self.ids.split_off(&committed.next());
        self.blocks.retain(|_, block| block.header.height > committed);
    }
}

#[cfg(test)]
mod tests;
