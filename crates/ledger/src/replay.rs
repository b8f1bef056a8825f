//! From what a disk kept back to a ledger: the newest snapshot, and the blocks above it executed
//! again.
//!
//! Where snapshots and blocks are kept, and which of them survived, is the caller's business; here
//! is decided whether they are one history. Nothing is believed: the snapshot must give the state
//! root of the block that it was taken after, and every block must be the next one and execute to
//! the root in its header.

use crypto::digest::Digest;
use thiserror::Error;
use types::account::Snapshot;
use types::application::{Application, BlockRefusal};
use types::block::{Block, Header};
use types::genesis::Genesis;
use types::number::Height;

use crate::ledger::{Ledger, RestoreError};
use crate::pool::limits::PoolLimits;

/// A ledger on its way from a snapshot to the last stored block.
#[derive(Debug)]
pub struct Replay {
    ledger: Ledger,
    tip: Header,
}

/// Why what was stored is not one history of this network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// The snapshot is not a state of this network.
    #[error("the snapshot of height {height}: {source}")]
    Snapshot {
        /// The height it was taken after.
        height: Height,
        /// What is wrong with it.
        source: RestoreError,
    },
    /// The snapshot is not the state after the block that was stored with it.
    #[error("the snapshot of height {height} has state root {found}, the block {promised}")]
    OtherState {
        /// The height of the block.
        height: Height,
        /// What the header says.
        promised: Digest,
        /// What the snapshot gives.
        found: Digest,
    },
    /// A stored block is not the child of the one before.
    #[error("the block at height {height} does not follow the one before")]
    NotNext {
        /// The height it names.
        height: Height,
    },
    /// A stored block does not execute to what its header says.
    #[error("the block at height {height} cannot be executed again: {refusal}")]
    Refused {
        /// Its height.
        height: Height,
        /// Why not.
        refusal: BlockRefusal,
    },
}

impl Replay {
    /// Begins at a snapshot, given with the header of the block that it was taken after, or at the
    /// genesis.
    ///
    /// # Errors
    ///
    /// When the snapshot is not the state after that block.
    pub fn begin(
        genesis: &Genesis,
        snapshot: Option<(Snapshot, Header)>,
        limits: PoolLimits,
    ) -> Result<Self, ReplayError> {
        let Some((snapshot, tip)) = snapshot else {
            let ledger = Ledger::new(genesis, limits);
            return Ok(Self { ledger, tip: genesis.header().clone() });
        };
        let height = snapshot.height;
        let ledger = Ledger::restore(genesis, snapshot, limits)
            .map_err(|source| ReplayError::Snapshot { height, source })?;
        if ledger.committed() != (tip.height, tip.id()) || ledger.state_root() != tip.state_root {
            let (promised, found) = (tip.state_root, ledger.state_root());
            return Err(ReplayError::OtherState { height, promised, found });
        }
        Ok(Self { ledger, tip })
    }

    /// Executes and commits the next stored block.
    ///
    /// # Errors
    ///
    /// When it is not the child of the one before, or does not execute to the root in its header.
    pub fn apply(&mut self, block: &Block) -> Result<(), ReplayError> {
        let height = block.header.height;
        if !block.header.follows(&self.tip) {
            return Err(ReplayError::NotNext { height });
        }
        self.ledger.execute(block).map_err(|refusal| ReplayError::Refused { height, refusal })?;
        self.ledger.commit(&block.id());
        self.tip = block.header.clone();
        Ok(())
    }

    /// The header of the block that the ledger is at.
    pub const fn tip(&self) -> &Header {
        &self.tip
    }

    /// The ledger, and the header of its last block.
    pub fn finish(self) -> (Ledger, Header) {
        (self.ledger, self.tip)
    }
}

#[cfg(test)]
mod tests;
