//! Receipts: one validator's word that a transaction is final, and where.
//!
//! One receipt is the word of one validator, who may lie. A result is accepted when [t +
//! 1](crate::quorum::Quorum::reply) distinct replicas gave receipts with equal statements, or with
//! a [proof](crate::proof::Proof) of the block. Counting them is the wallet's business.

use crypto::digest::Domain;
use crypto::encoding::{Decode, Encode};
use crypto::merkle::Path;
use thiserror::Error;

use crate::block::{Header, body_root};
use crate::evidence::EvidenceId;
use crate::reply::BlockReply;
use crate::transaction::{SignedTransaction, TransactionId};
use crate::validators::ValidatorSet;
use crate::vote::NotAMember;

/// A validator's reply for one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Receipt {
    /// The transaction as it stands in the block.
    pub transaction: SignedTransaction,
    /// Its place in the block, from 0.
    pub index: u32,
    /// Its path in the tree of the body.
    pub path: Path,
    /// The evidence of the block.
    pub evidence: Option<EvidenceId>,
    /// The header of the block.
    pub header: Header,
    /// The validator's word that the block is committed.
    pub reply: BlockReply,
}

/// Why a receipt is not what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReceiptError {
    /// It is for another transaction.
    #[error("the receipt is for transaction {found}")]
    OtherTransaction {
        /// The transaction it is for.
        found: TransactionId,
    },
    /// It is of another network.
    #[error("the receipt is of another network")]
    ForeignChain,
    /// The reply is about another block than the header.
    #[error("the reply is about another block than the header")]
    OtherBlock,
    /// The transaction is not where the receipt says.
    #[error("the transaction is not at that place of the block")]
    Path,
    /// The replica does not exist.
    #[error(transparent)]
    NotAMember(#[from] NotAMember),
    /// The signature is not the replica's.
    #[error("the signature is not the replica's")]
    Signature,
}

impl Receipt {
    /// Whether a validator of this network said that the transaction with this id is committed, in
    /// the block and at the place named.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, in the order of [`ReceiptError`].
    pub fn verify(
        &self,
        validators: &ValidatorSet,
        id: &TransactionId,
    ) -> Result<(), ReceiptError> {
        let found = self.transaction.id();
        if found != *id {
            return Err(ReceiptError::OtherTransaction { found });
        }
        let chain = validators.chain();
        if self.header.chain != *chain || self.transaction.transaction.chain != *chain {
            return Err(ReceiptError::ForeignChain);
        }
        let statement = &self.reply.statement;
        if statement.height != self.header.height || statement.block != self.header.id() {
            return Err(ReceiptError::OtherBlock);
        }
        if !self.stands_in_block() {
            return Err(ReceiptError::Path);
        }
        if self.reply.claim(validators)?.holds() { Ok(()) } else { Err(ReceiptError::Signature) }
    }

    /// Whether the path leads from the transaction to the header's body.
    fn stands_in_block(&self) -> bool {
        let transactions = u64::from(self.header.transactions);
        let index = u64::from(self.index);
        self.path
            .root(Domain::TransactionNode, self.transaction.leaf(), index, transactions)
            .is_some_and(|root| {
                body_root(transactions, root, self.evidence) == self.header.body_root
            })
    }
}

#[cfg(test)]
mod tests;
