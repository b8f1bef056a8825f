//! A second block for every first one.

use std::collections::BTreeMap;

use pbft::PrePrepare;
use types::block::BlockId;

use crate::Desk;

/// As many blocks are remembered with their rivals.
const RIVALS_MAX: usize = 64;

/// The second block of each first one.
#[derive(Debug, Default)]
pub(crate) struct Rivals(BTreeMap<BlockId, PrePrepare>);

impl Rivals {
    /// Any of the second blocks.
    pub(crate) fn any(&self) -> Option<BlockId> {
        self.0.values().next_back().map(|rival| rival.vote.statement.block)
    }

    /// The other block at the same height, on the other block below if there is one.
    pub(crate) fn rival(&mut self, desk: &Desk, first: &PrePrepare) -> PrePrepare {
        let Self(rivals) = self;
        let id = first.block.id();
        if let Some(known) = rivals.get(&id) {
            return known.clone();
        }
        let mut block = first.block.clone();
        block.header.timestamp_ms = block.header.timestamp_ms.saturating_add(1);
        if let Some(below) = rivals.get(&block.header.parent) {
            block.header.parent = below.vote.statement.block;
        }
        let second = desk.propose(block, first.vote.statement.view);
        while rivals.len() >= RIVALS_MAX {
            let lowest = rivals.iter().min_by_key(|(_, rival)| rival.vote.statement.height);
            let Some(lowest) = lowest.map(|(id, _)| *id) else {
                break;
            };
            rivals.remove(&lowest);
        }
        rivals.insert(id, second.clone());
        second
    }
}
