//! Transactions of peers that the state refuses now and may allow later.
//!
//! A peer may be a few blocks ahead, so what it admitted can be refused here for the state alone.
//! Such a transaction is parked, and tried again when a commit changes its sender. It is not
//! pending: it takes no place in the pool and is never proposed from here.

use std::collections::{BTreeMap, BTreeSet};

use types::address::Address;
use types::number::{Height, Nonce};
use types::rejection::Rejection;
use types::transaction::{SignedTransaction, TransactionId};

use crate::pool::limits::PoolLimits;
use crate::pool::ticket::Ticket;

/// A parked transaction.
#[derive(Debug, Clone)]
pub(crate) struct ParkedTransaction {
    /// When it arrived.
    pub(crate) arrived: Ticket,
    /// The transaction, its signature checked at the door.
    pub(crate) transaction: SignedTransaction,
    /// Why it was refused when it was last tried.
    pub(crate) rejection: Rejection,
}

type Key = (Address, Nonce);

/// All parked transactions, at most one for each sender and nonce.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parked {
    transactions: BTreeMap<Key, ParkedTransaction>,
    arrivals: BTreeMap<Ticket, Key>,
    expiry: BTreeSet<(Height, Key)>,
}

impl Parked {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.transactions.len()
    }

    /// Parks a transaction.
    ///
    /// The oldest one makes room when all places are taken, and is given back.
    ///
    /// # Errors
    ///
    /// [`Rejection::ConflictingNonce`] when another one with this sender and nonce is parked, and
    /// the reason it was refused for when its sender has too many.
    pub(crate) fn park(
        &mut self,
        transaction: SignedTransaction,
        arrived: Ticket,
        rejection: Rejection,
        limits: &PoolLimits,
    ) -> Result<Option<ParkedTransaction>, Rejection> {
        let sender = transaction.transaction.sender;
        let key = (sender, transaction.transaction.nonce);
        if let Some(parked) = self.transactions.get_mut(&key) {
            if parked.transaction.transaction != transaction.transaction {
                return Err(Rejection::ConflictingNonce { nonce: key.1 });
            }
            parked.rejection = rejection;
            return Ok(None);
        }
        if self.of(&sender).count() >= limits.parked_account_transactions_max {
            return Err(rejection);
        }
        self.expiry.insert((transaction.transaction.valid_until, key));
        self.arrivals.insert(arrived, key);
        self.transactions.insert(key, ParkedTransaction { arrived, transaction, rejection });
        if self.transactions.len() <= limits.parked_transactions_max {
            return Ok(None);
        }
        let oldest = self.arrivals.first_key_value().map(|(_, key)| *key);
        Ok(oldest.and_then(|key| self.remove(&key)))
    }

    /// The lowest nonce of the parked transactions of `sender`.
    pub(crate) fn first_nonce(&self, sender: &Address) -> Option<Nonce> {
        self.of(sender).next().map(|parked| parked.transaction.transaction.nonce)
    }

    /// Takes the parked transaction with this sender and nonce.
    pub(crate) fn take(&mut self, sender: Address, nonce: Nonce) -> Option<ParkedTransaction> {
        self.remove(&(sender, nonce))
    }

    /// Takes the parked transaction of this sender and nonce if it is the one with this id.
    pub(crate) fn unpark_same(&mut self, sender: Address, nonce: Nonce, id: &TransactionId) {
        let key = (sender, nonce);
        if self.transactions.get(&key).is_some_and(|parked| parked.transaction.id() == *id) {
            self.remove(&key);
        }
    }

    /// Takes one that is not valid at `height` any more.
    pub(crate) fn take_expired(&mut self, height: Height) -> Option<ParkedTransaction> {
        let (valid_until, key) = self.expiry.first()?;
        if *valid_until >= height {
            return None;
        }
        let key = *key;
        self.remove(&key)
    }

    fn of(&self, sender: &Address) -> impl Iterator<Item = &ParkedTransaction> {
        let lowest = (*sender, Nonce::FIRST);
        let highest = (*sender, Nonce::new(u64::MAX));
        self.transactions.range(lowest..=highest).map(|(_, parked)| parked)
    }

    fn remove(&mut self, key: &Key) -> Option<ParkedTransaction> {
        let parked = self.transactions.remove(key)?;
        self.arrivals.remove(&parked.arrived);
        self.expiry.remove(&(parked.transaction.transaction.valid_until, *key));
        Some(parked)
    }
}

#[cfg(test)]
mod tests;
