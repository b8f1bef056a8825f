//! The transactions of the pool, by place, by id and by the height at which they expire.

use std::collections::{BTreeMap, BTreeSet};

use types::amount::Amount;
use types::number::{Height, Nonce};
use types::transaction::{SignedTransaction, TransactionId};

use crate::pool::ticket::Ticket;

/// What a transaction competes for: one account's nonce. The account is named by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The number of the sending account.
    pub(crate) account: u64,
    /// The nonce of the transaction.
    pub(crate) nonce: Nonce,
}

impl Place {
    /// The place of this nonce of this account.
    pub(crate) const fn new(account: u64, nonce: Nonce) -> Self {
        Self { account, nonce }
    }
}

/// A transaction that waits.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The transaction, admitted.
    pub(crate) transaction: SignedTransaction,
    /// Its id.
    pub(crate) id: TransactionId,
    /// When it arrived.
    pub(crate) arrived: Ticket,
    /// When it and all that go before it had arrived: what it is ordered by.
    pub(crate) ready: Ticket,
    /// Its encoded bytes.
    pub(crate) bytes: u64,
    /// What it takes from its sender.
    pub(crate) spend: Amount,
}

/// All entries.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entries {
    places: BTreeMap<Place, Box<Entry>>,
    ids: BTreeMap<TransactionId, Place>,
    expiry: BTreeSet<(Height, Place)>,
    bytes: u64,
}

impl Entries {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Encoded bytes of all.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The entry at a place.
    pub(crate) fn get(&self, place: Place) -> Option<&Entry> {
        self.places.get(&place).map(Box::as_ref)
    }

    /// The place of a transaction.
    pub(crate) fn find(&self, id: &TransactionId) -> Option<Place> {
        self.ids.get(id).copied()
    }

    /// The entries of an account from `nonce` on, by ascending nonce.
    pub(crate) fn following(
        &self,
        account: u64,
        nonce: Nonce,
    ) -> impl Iterator<Item = (Nonce, &Entry)> {
        self.places
            .range(Place::new(account, nonce)..)
            .take_while(move |(place, _)| place.account == account)
            .map(|(place, entry)| (place.nonce, entry.as_ref()))
    }

    /// As [`Entries::following`], to be changed.
    pub(crate) fn following_mut(
        &mut self,
        account: u64,
        nonce: Nonce,
    ) -> impl Iterator<Item = (Nonce, &mut Entry)> {
        self.places
            .range_mut(Place::new(account, nonce)..)
            .take_while(move |(place, _)| place.account == account)
            .map(|(place, entry)| (place.nonce, entry.as_mut()))
    }

    /// The entry of an account with the lowest nonce.
    pub(crate) fn first(&self, account: u64) -> Option<Place> {
        self.following(account, Nonce::FIRST).next().map(|(nonce, _)| Place::new(account, nonce))
    }

    /// The entry of an account with the highest nonce.
    pub(crate) fn last(&self, account: u64) -> Option<Place> {
        self.places
            .range(Place::new(account, Nonce::FIRST)..=Place::new(account, Nonce::new(u64::MAX)))
            .next_back()
            .map(|(place, _)| *place)
    }

    /// The first entry that is not valid at `height` any more.
    pub(crate) fn expired(&self, height: Height) -> Option<Place> {
        let (valid_until, place) = self.expiry.first()?;
        (*valid_until < height).then_some(*place)
    }

    /// Adds an entry at a free place.
    pub(crate) fn insert(&mut self, place: Place, entry: Entry) {
        self.bytes = self.bytes.saturating_add(entry.bytes);
        self.ids.insert(entry.id, place);
        self.expiry.insert((entry.transaction.transaction.valid_until, place));
        let before = self.places.insert(place, Box::new(entry));
        assert!(before.is_none(), "two transactions at one place of the pool");
    }

    /// Takes the entry at a place.
    pub(crate) fn remove(&mut self, place: Place) -> Option<Entry> {
        let entry = *self.places.remove(&place)?;
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        self.ids.remove(&entry.id);
        self.expiry.remove(&(entry.transaction.transaction.valid_until, place));
        Some(entry)
    }
}

#[cfg(test)]
mod tests;
