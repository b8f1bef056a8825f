//! Counting replies: a result is final when t + 1 distinct validators signed the same one.
//!
//! Replies are counted by the key that signed them and never by the connection they came over, so
//! one validator answering three times counts once, whoever passes its words on. Pure: no clock, no
//! socket.

use std::collections::{BTreeMap, BTreeSet};

use types::block::BlockId;
use types::number::Height;
use types::receipt::{Receipt, ReceiptError};
use types::replica::ReplicaId;
use types::transaction::TransactionId;
use types::validators::ValidatorSet;

/// Where a transaction is committed, according to a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Height of the block.
    pub height: Height,
    /// Id of the block.
    pub block: BlockId,
    /// The transaction's place in it, counted from 0.
    pub index: u32,
}

/// The replies for one transaction.
#[derive(Debug, Clone)]
pub struct Tally {
    validators: ValidatorSet,
    id: TransactionId,
    said: BTreeMap<Place, BTreeMap<ReplicaId, Receipt>>,
}

impl Tally {
    /// No replies yet for transaction `id`, which validators of the genesis give.
    pub fn new(validators: ValidatorSet, id: TransactionId) -> Self {
        Self { validators, id, said: BTreeMap::new() }
    }

    /// Checks a receipt and counts it under the key that signed it.
    ///
    /// # Errors
    ///
    /// When the receipt proves nothing; it is not counted then.
    pub fn add(&mut self, receipt: Receipt) -> Result<(), ReceiptError> {
        receipt.verify(&self.validators, &self.id)?;
        let statement = receipt.reply.statement;
        let place =
            Place { height: statement.height, block: statement.block, index: receipt.index };
        self.said.entry(place).or_default().insert(receipt.reply.replica, receipt);
        Ok(())
    }

    /// The place that t + 1 distinct validators agree on, with their receipts by validator.
    pub fn decided(&self) -> Option<(Place, &BTreeMap<ReplicaId, Receipt>)> {
        let needed = self.validators.quorum().reply();
        self.said
            .iter()
            .find(|(_, receipts)| receipts.len() >= needed)
            .map(|(place, receipts)| (*place, receipts))
    }

    /// Whether two replies name different places. A transaction is committed once: someone lies.
    pub fn contradicts(&self) -> bool {
        self.said.len() > 1
    }

    /// How many distinct validators replied at all.
    pub fn validators_heard(&self) -> usize {
        self.said.values().flat_map(BTreeMap::keys).collect::<BTreeSet<_>>().len()
    }

    /// Every place named, with those who named it.
    pub fn places(&self) -> Vec<(Place, Vec<ReplicaId>)> {
        self.said
            .iter()
            .map(|(place, receipts)| (*place, receipts.keys().copied().collect()))
            .collect()
    }
}

#[cfg(test)]
mod tests;
