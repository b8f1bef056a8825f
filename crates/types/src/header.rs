//! Headers: what validators vote for, without what it commits to.

use crypto::digest::{Digest, Domain, digest_of};
use crypto::encoding::{Decode, Encode};
use crypto::signed::ChainId;

use crate::macros::digest_name;
use crate::number::{Height, View};
use crate::replica::ReplicaId;

/// Most headers between a block and what is said of another on its branch; far more than any window.
pub const DESCENDANTS_MAX: usize = 256;

/// Canonical bytes of a header.
pub(crate) const HEADER_BYTES: usize = 158;

digest_name! {
    /// The name of a block: the digest of its header.
    BlockId
}

impl BlockId {
    /// The parent that the genesis names; no block has this id.
    pub const NONE: Self = Self::new(Digest::ZERO);
}

/// Everything about a block but its transactions. Its digest is the block's id.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Header {
    /// The network.
    pub chain: ChainId,
    /// One more than the parent's.
    pub height: Height,
    /// The block below.
    pub parent: BlockId,
    /// The view in which it was first proposed. A later view may take it over unchanged.
    pub view: View,
    /// The primary that first proposed it.
    pub proposer: ReplicaId,
    /// When it was first proposed, by the proposer's clock: milliseconds since 1970 without leap
    /// seconds.
    pub timestamp_ms: u64,
    /// What the body must give: see [`Body::root`](crate::block::Body::root).
    pub body_root: Digest,
    /// How many transactions the body has.
    pub transactions: u32,
    /// The state after executing the body: see [`state_root`](crate::account::state_root).
    pub state_root: Digest,
}

impl Header {
    /// The id of the block. Computed from the header every time, never read from a message.
    pub fn id(&self) -> BlockId {
        BlockId::new(digest_of(Domain::BlockId, self))
    }

    /// Whether this header is a child of `parent`: its chain, its id, and one height above it.
    pub fn follows(&self, parent: &Self) -> bool {
        self.chain == parent.chain
            && Some(self.height) == parent.height.checked_next()
            && self.parent == parent.id()
    }
}
