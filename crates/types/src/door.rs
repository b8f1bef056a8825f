//! What one must know to check messages that carry transactions: the validators, and which
//! transactions were checked already.
//!
//! A transaction reaches a validator by gossip first and in a block later; its signature is checked
//! once. What is remembered is the pair of id and signature bytes. **The id alone is not enough**:
//! it does not cover the signature, so a liar could put a known transaction with a false signature
//! into a block.

use std::fmt;
use std::sync::Arc;

use crypto::keys::Signature;
use crypto::signed::Authenticated;
use crypto::verify::Claim;
use thiserror::Error;

use crate::block::Body;
use crate::evidence::EvidenceError;
use crate::rejection::Rejection;
use crate::transaction::TransactionId;
use crate::validators::ValidatorSet;

/// Memory of transactions whose form and signature were checked for this network.
pub trait CheckedTransactions: Send + Sync {
    /// Whether the transaction with this id was checked with exactly these signature bytes.
    /// Forgetting is harmless, it only costs another check; a wrong yes is not.
    fn is_checked(&self, id: &TransactionId, signature: &Signature) -> bool;
}

/// Remembers nothing: every signature is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NothingChecked;

impl CheckedTransactions for NothingChecked {
    fn is_checked(&self, _id: &TransactionId, _signature: &Signature) -> bool {
        false
    }
}

impl<T: CheckedTransactions + ?Sized> CheckedTransactions for Arc<T> {
    fn is_checked(&self, id: &TransactionId, signature: &Signature) -> bool {
        T::is_checked(self, id, signature)
    }
}

/// The context in which messages with transactions are checked. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    validators: ValidatorSet,
    checked: Arc<dyn CheckedTransactions>,
}

/// Something in a body that can be valid in no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadBody {
    /// A transaction.
    #[error("transaction {index} of the body: {rejection}")]
    Transaction {
        /// Its place in the body, from 0.
        index: usize,
        /// What is wrong with it.
        rejection: Rejection,
    },
    /// What is said to be evidence is none.
    #[error("the evidence of the body: {0}")]
    Evidence(#[from] EvidenceError),
}

impl Door {
    /// The door of a node that remembers in `checked` what it checked.
    pub fn new(validators: ValidatorSet, checked: Arc<dyn CheckedTransactions>) -> Self {
        Self { validators, checked }
    }

    /// The door of one who checks everything.
    pub fn strict(validators: ValidatorSet) -> Self {
        Self::new(validators, Arc::new(NothingChecked))
    }

    /// The validators.
    pub const fn validators(&self) -> &ValidatorSet {
        &self.validators
    }

    /// Appends the claims of a body's transactions, except of those checked before, and of its evidence.
    ///
    /// # Errors
    ///
    /// The first transaction whose [form](crate::transaction::SignedTransaction::check_form) rules
    /// it out, or evidence that proves nothing; then no claim was appended.
    pub fn body_claims(&self, body: &Body, claims: &mut Vec<Claim>) -> Result<(), BadBody> {
        let before = claims.len();
        let appended = self.append_claims(body, claims);
        if appended.is_err() {
            claims.truncate(before);
        }
        appended
    }

    fn append_claims(&self, body: &Body, claims: &mut Vec<Claim>) -> Result<(), BadBody> {
        let chain = self.validators.chain();
        for (index, transaction) in body.transactions().iter().enumerate() {
            if self.checked.is_checked(&transaction.id(), &transaction.signature) {
                continue;
            }
            transaction
                .check_form(chain)
                .map_err(|rejection| BadBody::Transaction { index, rejection })?;
            claims.push(transaction.claim());
        }
        if let Some(evidence) = body.evidence() {
            evidence.claims(&self.validators, claims)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Door")
            .field("chain", self.validators.chain())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
