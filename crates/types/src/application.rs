//! The one door between consensus and money.
//!
//! `pbft` orders blocks and does not know what is in them; `ledger` knows what is in them and not
//! what is voted on. Calls are plain and synchronous, inside one step of the protocol; signatures
//! were checked before. The application keeps the committed state and speculative layers above it,
//! one per executed block.

use crypto::digest::Digest;
use thiserror::Error;

use crate::block::{Block, BlockId, Body};
use crate::evidence::Evidence;
use crate::number::Height;
use crate::rejection::Rejection;
use crate::replica::ReplicaId;

/// Work that waits to be proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pending {
    /// Transactions executable now and in no block in flight.
    pub transactions: u64,
    /// Their canonical bytes.
    pub bytes: u64,
}

/// Who has waited since when, without a clock: requests are numbered as they arrive, from 1.
///
/// A request first seen inside a block arrives when that block is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arrivals {
    /// The number of the last arrival; 0 before the first.
    pub last: u64,
    /// The number of the arrival that made the longest-waiting executable request executable, of those in no block
    /// in flight.
    pub oldest_executable: Option<u64>,
    /// The greatest number of a request that was committed; 0 before the first.
    pub latest_committed: u64,
}

/// A body that applies to its parent, and the state that follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The transactions, at most what the genesis allows; at least one, unless there is evidence.
    pub body: Body,
    /// The root of the state after them.
    pub state_root: Digest,
}

/// What consensus asks of the application.
pub trait Application {
    /// What could be proposed.
    fn pending(&self) -> Pending;

    /// Who has waited since when.
    fn arrivals(&self) -> Arrivals;

    /// A body for a block of this height on `parent`, which is the committed tip or an executed
    /// block. `None` when there is nothing valid to propose. Proposing does not execute: the block,
    /// once it has its header, is executed like any other.
    ///
    /// Of `evidence`, which holds, the first piece goes into the body that accuses a replica not convicted on
    /// this branch, if it fits.
    fn propose(
        &mut self,
        parent: &BlockId,
        height: Height,
        evidence: &[&Evidence],
    ) -> Option<Proposal>;

    /// Whether evidence against this replica is in a block up to this one, which is the committed tip or an
    /// executed block.
    fn is_convicted(&self, replica: ReplicaId, block: &BlockId) -> bool;

    /// Executes a block on its parent's state, which is that of the committed tip or of an executed
    /// block, and keeps the result as a layer named by the block's id. Executing a block again is
    /// harmless.
    ///
    /// # Errors
    ///
    /// The first reason to refuse the block, in the order of [`BlockRefusal`]; then nothing has
    /// changed.
    fn execute(&mut self, block: &Block) -> Result<(), BlockRefusal>;

    /// Makes an executed child of the committed tip the new tip. Layers that do not stand on it are
    /// dropped, and their requests return to those that wait.
    fn commit(&mut self, block: &BlockId);

    /// Drops the layer of a block and those above it; their requests return to those that wait.
    /// Unknown blocks are ignored.
    fn forget(&mut self, block: &BlockId);
}

/// Why a block is refused, declared in the order in which reasons apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BlockRefusal {
    /// Its parent is neither the committed tip nor an executed block.
    #[error("the parent {parent} is not known")]
    UnknownParent {
        /// The parent it names.
        parent: BlockId,
    },
    /// Its height is not its parent's plus one.
    #[error("the height is {found}, the parent's child has {expected}")]
    WrongHeight {
        /// The height that follows the parent's.
        expected: Height,
        /// The height in the header.
        found: Height,
    },
    /// As many executed blocks wait for their commit as are kept; says nothing about the block
    /// itself.
    #[error("{layers_max} executed blocks are not committed yet, which is the most kept")]
    TooManyLayers {
        /// The limit.
        layers_max: u32,
    },
    /// It has neither a transaction nor evidence.
    #[error("the block is empty")]
    Empty,
    /// It has more transactions than the genesis allows.
    #[error("{found} transactions, at most {transactions_max} are allowed")]
    TooManyTransactions {
        /// Transactions found.
        found: u64,
        /// The limit.
        transactions_max: u32,
    },
    /// Its body has more bytes than the genesis allows.
    #[error("{found} bytes, at most {bytes_max} are allowed")]
    TooManyBytes {
        /// Canonical bytes of the body.
        found: u64,
        /// The limit.
        bytes_max: u32,
    },
    /// The body is not the one the header commits to.
    #[error("the body is not the one of the header")]
    BodyRoot,
    /// Its evidence accuses a replica that an earlier block has evidence against.
    #[error("replica {replica} is convicted already")]
    Convicted {
        /// Who is accused again.
        replica: ReplicaId,
    },
    /// A transaction does not apply.
    #[error("transaction {index}: {rejection}")]
    Transaction {
        /// Its place in the body, from 0.
        index: u32,
        /// Why not.
        rejection: Rejection,
    },
    /// The state after it is not the one the header promises.
    #[error("the state root is {found}, the header says {promised}")]
    StateRoot {
        /// What the header says.
        promised: Digest,
        /// What execution gave.
        found: Digest,
    },
}
