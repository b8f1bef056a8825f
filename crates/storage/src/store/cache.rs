//! Blocks that were read lately: looking something up, and checking that it is what was looked for, reads the
//! same few blocks again and again.

use std::collections::VecDeque;
use std::sync::Arc;

use types::number::Height;
use types::proof::ProvedBlock;

/// Most stored bytes of the blocks kept. In memory they take about twice that.
const BYTES_MAX: usize = 16 << 20;

/// Most blocks kept.
const BLOCKS_MAX: usize = 64;

/// The blocks, the least recently used first.
#[derive(Debug, Default)]
pub(super) struct Cache {
    blocks: VecDeque<(Height, Arc<ProvedBlock>, usize)>,
    bytes: usize,
}

impl Cache {
    /// The block of a height, if it is here.
    pub(super) fn get(&mut self, height: Height) -> Option<Arc<ProvedBlock>> {
        let place = self.blocks.iter().position(|(kept, ..)| *kept == height)?;
        let kept = self.blocks.remove(place)?;
        let block = Arc::clone(&kept.1);
        self.blocks.push_back(kept);
        Some(block)
    }

    /// Keeps a block of so many stored bytes.
    pub(super) fn put(&mut self, height: Height, block: &Arc<ProvedBlock>, bytes: usize) {
        if self.blocks.iter().any(|(kept, ..)| *kept == height) {
            return;
        }
        self.blocks.push_back((height, Arc::clone(block), bytes));
        self.bytes = self.bytes.saturating_add(bytes);
        while self.bytes > BYTES_MAX || self.blocks.len() > BLOCKS_MAX {
            let Some((_, _, bytes)) = self.blocks.pop_front() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }
}
