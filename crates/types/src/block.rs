//! Blocks: a header, which is what is agreed on, and a body, which the header commits to.

use crypto::digest::{Digest, Domain, digest_of};
use crypto::encoding::{Decode, Encode};
use crypto::merkle::{self, Path, Tree};
use crypto::signed::ChainId;

use crate::macros::digest_name;
use crate::number::{Height, View};
use crate::replica::ReplicaId;
use crate::transaction::SignedTransaction;

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
    /// What the body must give: see [`Body::root`].
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

/// The transactions of a block, in the order in which they apply.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Body(Vec<SignedTransaction>);

impl Body {
    /// A body of these transactions.
    pub const fn new(transactions: Vec<SignedTransaction>) -> Self {
        Self(transactions)
    }

    /// The transactions in order.
    pub fn transactions(&self) -> &[SignedTransaction] {
        &self.0
    }

    /// The transactions, taken out.
    pub fn into_transactions(self) -> Vec<SignedTransaction> {
        self.0
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Canonical bytes of the body, computed without encoding it.
    pub fn encoded_bytes(&self) -> usize {
        self.0
            .iter()
            .fold(8, |bytes: usize, transaction| bytes.saturating_add(transaction.encoded_bytes()))
    }

    /// What the header commits to: the number of transactions and the root of the tree over their
    /// [leaves](SignedTransaction::leaf). Hashes all of them.
    pub fn root(&self) -> Digest {
        let leaves: Vec<Digest> = self.0.iter().map(SignedTransaction::leaf).collect();
        let count = u64::try_from(leaves.len()).unwrap_or(u64::MAX);
        body_root(count, merkle::root(Domain::TransactionNode, &leaves))
    }

    /// The tree over the leaves, to take many paths from.
    pub fn tree(&self) -> Tree {
        let leaves = self.0.iter().map(SignedTransaction::leaf).collect();
        Tree::from_leaves(Domain::TransactionNode, leaves)
    }

    /// The path of one transaction. Hashes all of them: for many, make the [tree](Body::tree) once.
    pub fn path(&self, index: u32) -> Option<Path> {
        self.tree().path(u64::from(index))
    }
}

/// The digest of a body from the number of its transactions and the root of their tree, which alone
/// does not fix the number.
pub fn body_root(transactions: u64, tree_root: Digest) -> Digest {
    digest_of(Domain::BodyRoot, &(transactions, tree_root))
}

/// A header and the body it is said to have.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Block {
    /// The header.
    pub header: Header,
    /// The body.
    pub body: Body,
}

impl Block {
    /// The id of the header. It names this block only when the body [fits](Block::fits).
    pub fn id(&self) -> BlockId {
        self.header.id()
    }

    /// Whether the body is the one the header commits to. Hashes the body.
    pub fn fits(&self) -> bool {
        u32::try_from(self.body.len()) == Ok(self.header.transactions)
            && self.body.root() == self.header.body_root
    }
}

#[cfg(test)]
mod tests;
