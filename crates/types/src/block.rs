//! Blocks: a header, which is what is agreed on, and a body, which the header commits to.

use crypto::digest::{Digest, Domain, digest_of};
use crypto::encoding::{Decode, Encode, encoded_bytes};
use crypto::merkle::{self, Path, Tree};

use crate::evidence::{Evidence, EvidenceId};
pub use crate::header::{BlockId, Header};
use crate::transaction::SignedTransaction;

/// The transactions of a block, in the order in which they apply, and beside them at most one piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Body {
    transactions: Vec<SignedTransaction>,
    evidence: Option<Box<Evidence>>,
}

impl Body {
    /// A body of these transactions.
    pub const fn new(transactions: Vec<SignedTransaction>) -> Self {
        Self { transactions, evidence: None }
    }

    /// The same body with a piece of evidence.
    #[must_use]
    pub fn with_evidence(self, evidence: Option<Evidence>) -> Self {
        Self { evidence: evidence.map(Box::new), ..self }
    }

    /// The transactions in order.
    pub fn transactions(&self) -> &[SignedTransaction] {
        &self.transactions
    }

    /// The transactions, taken out.
    pub fn into_transactions(self) -> Vec<SignedTransaction> {
        self.transactions
    }

    /// The piece of evidence.
    pub fn evidence(&self) -> Option<&Evidence> {
        self.evidence.as_deref()
    }

    /// How many transactions there are.
    pub const fn len(&self) -> usize {
        self.transactions.len()
    }

    /// Whether there is neither a transaction nor a piece of evidence.
    pub const fn is_empty(&self) -> bool {
        self.transactions.is_empty() && self.evidence.is_none()
    }

    /// Canonical bytes of the body, computed without encoding its transactions.
    pub fn encoded_bytes(&self) -> usize {
        let evidence = self.evidence().map_or(0, evidence_bytes);
        self.transactions
            .iter()
            .fold(Self::EMPTY_BYTES, |bytes, transaction| {
                bytes.saturating_add(transaction.encoded_bytes())
            })
            .saturating_add(evidence)
    }

    /// Canonical bytes of a body without anything in it.
    pub const EMPTY_BYTES: usize = 9;

    /// What the header commits to: the number of transactions, the root of the tree over their
    /// [leaves](SignedTransaction::leaf), and the id of the evidence. Hashes all of them.
    pub fn root(&self) -> Digest {
        let leaves: Vec<Digest> = self.transactions.iter().map(SignedTransaction::leaf).collect();
        let count = u64::try_from(leaves.len()).unwrap_or(u64::MAX);
        let tree_root = merkle::root(Domain::TransactionNode, &leaves);
        body_root(count, tree_root, self.evidence().map(Evidence::id))
    }

    /// The tree over the leaves, to take many paths from.
    pub fn tree(&self) -> Tree {
        let leaves = self.transactions.iter().map(SignedTransaction::leaf).collect();
        Tree::from_leaves(Domain::TransactionNode, leaves)
    }

    /// The path of one transaction. Hashes all of them: for many, make the [tree](Body::tree) once.
    pub fn path(&self, index: u32) -> Option<Path> {
        self.tree().path(u64::from(index))
    }
}

/// Canonical bytes that a piece of evidence takes in a body. Encodes it.
pub fn evidence_bytes(evidence: &Evidence) -> usize {
    encoded_bytes(evidence)
}

/// The digest of a body from the number of its transactions, the root of their tree, which alone
/// does not fix the number, and the id of its evidence.
pub fn body_root(transactions: u64, tree_root: Digest, evidence: Option<EvidenceId>) -> Digest {
    digest_of(Domain::BodyRoot, &(transactions, tree_root, evidence))
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
