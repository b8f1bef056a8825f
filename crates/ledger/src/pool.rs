//! Transactions that are admitted and in no committed block.
//!
//! Each account has a queue by nonce. Only the entry that an account can execute next stands in the
//! ready order, and this order is that of arrival, so nonces behind a gap cost a proposal nothing
//! and nobody is served before those who came earlier. What is in a block in flight stays here
//! until the block is committed or forgotten; it is told apart by its nonce alone (see
//! `Queue::next`), so it makes no difference whether a block of another replica holds our
//! transaction, a rival for its nonce, or one never seen before.
//!
//! When the pool is full, what waits behind a gap makes room first (it may wait for ever), then the
//! last entries of the accounts that have most; an account with few always finds a place beside one
//! with many.
//!
//! The pool judges nothing: whether a transaction is valid is said by `execute`, and the balances
//! and nonces come from the callers.

mod entries;
mod index;
pub(crate) mod limits;
pub(crate) mod parked;
mod queue;
pub(crate) mod ticket;

use std::collections::{BTreeMap, VecDeque, btree_map};
use std::iter::Peekable;

use types::amount::Amount;
use types::application::{Arrivals, Pending};
use types::number::{Height, Nonce};
use types::rejection::Rejection;
use types::transaction::{SignedTransaction, Transaction, TransactionId};

use crate::pool::entries::Entries;
pub(crate) use crate::pool::entries::{Entry, Place};
use crate::pool::index::{Index, Indexed};
use crate::pool::limits::PoolLimits;
use crate::pool::parked::Parked;
use crate::pool::queue::Queue;
use crate::pool::ticket::Ticket;

/// How many of the accounts with most entries are looked at for one that can give way.
const HEAVY_TRIED_MAX: usize = 8;

/// The transactions that wait, those parked, and the reports of those dropped.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    limits: PoolLimits,
    entries: Entries,
    queues: BTreeMap<u64, Queue>,
    index: Index,
    /// Transactions of peers that may become valid.
    pub(crate) parked: Parked,
    dropped: VecDeque<(TransactionId, Rejection)>,
    now: Ticket,
    /// The latest arrival among the requests that were committed.
    latest_committed: Ticket,
}

impl Pool {
    /// An empty pool.
    pub(crate) fn new(limits: PoolLimits) -> Self {
        Self {
            limits,
            entries: Entries::default(),
            queues: BTreeMap::new(),
            index: Index::default(),
            parked: Parked::default(),
            dropped: VecDeque::new(),
            now: Ticket::FIRST,
            latest_committed: Ticket::FIRST,
        }
    }

    /// Its bounds.
    pub(crate) const fn limits(&self) -> &PoolLimits {
        &self.limits
    }

    /// How many transactions it holds, parked ones not counted.
    pub(crate) fn len(&self) -> u64 {
        u64::try_from(self.entries.len()).unwrap_or(u64::MAX)
    }

    /// Their encoded bytes.
    pub(crate) const fn bytes(&self) -> u64 {
        self.entries.bytes()
    }

    /// What can be executed now and is in no block in flight.
    pub(crate) const fn pending(&self) -> Pending {
        Pending { transactions: self.index.ready_transactions, bytes: self.index.ready_bytes }
    }

    /// Who has waited since when.
    pub(crate) fn arrivals(&self) -> Arrivals {
        let oldest = self.index.ready.first_key_value();
        Arrivals {
            last: self.now.get(),
            oldest_executable: oldest.map(|(ready, _)| ready.get()),
            latest_committed: self.latest_committed.get(),
        }
    }

    /// Notes that a request which arrived then was committed.
    pub(crate) fn committed(&mut self, arrived: Ticket) {
        self.latest_committed = self.latest_committed.max(arrived);
    }

    /// The ticket of the last arrival.
    pub(crate) const fn now(&self) -> Ticket {
        self.now
    }

    /// The ticket of a new arrival.
    pub(crate) fn arrival(&mut self) -> Ticket {
        self.now = self.now.next();
        self.now
    }

    /// The entry at a place.
    pub(crate) fn get(&self, place: Place) -> Option<&Entry> {
        self.entries.get(place)
    }

    /// The entry with this id.
    pub(crate) fn find(&self, id: &TransactionId) -> Option<&Entry> {
        self.entries.get(self.entries.find(id)?)
    }

    /// Whether something of this account waits.
    pub(crate) fn has_queue(&self, account: u64) -> bool {
        self.queues.contains_key(&account)
    }

    /// What the pending transactions of an account before `place` take from it.
    pub(crate) fn spend_before(&self, place: Place) -> u128 {
        let all = self.queues.get(&place.account).map_or(0, |queue| queue.spend);
        let from_here = self.entries.following(place.account, place.nonce);
        let from_here = from_here.map(|(_, entry)| u128::from(entry.spend.get()));
        all.saturating_sub(from_here.fold(0, u128::saturating_add))
    }

    /// The nonce after all that is in flight or can be executed, when anything of this account
    /// waits.
    pub(crate) fn run_end(&self, account: u64) -> Option<Nonce> {
        self.queues.get(&account).map(|queue| queue.run_end)
    }

    /// Adds an admitted transaction at a free place. `next` says which nonce of the account is in
    /// no block in flight yet, and is asked only when nothing of the account waits.
    ///
    /// # Errors
    ///
    /// [`Rejection::PoolFull`] when nothing that deserves it less can make room.
    pub(crate) fn insert(
        &mut self,
        place: Place,
        entry: Entry,
        next: impl FnOnce() -> Nonce,
    ) -> Result<(), Rejection> {
        let run_end = self.run_end(place.account);
        let next = run_end.unwrap_or_else(next);
        self.make_room(place, place.nonce > next, entry.bytes)?;
        let queue = self.queues.entry(place.account).or_insert_with(|| Queue::new(next));
        let before = Indexed::of(queue);
        let spend = entry.spend;
        self.entries.insert(place, entry);
        queue.inserted(place, spend, &mut self.entries);
        self.index.follow(place.account, before, queue, self.limits.account_share, self.now);
        Ok(())
    }

    /// Whether this very transaction, under whatever signature, waits at a place.
    pub(crate) fn holds(&self, place: Place, transaction: &Transaction) -> bool {
        self.get(place).is_some_and(|entry| entry.transaction.transaction == *transaction)
    }

    /// Tells which nonce of an account is the first that is in no block in flight.
    pub(crate) fn set_next(&mut self, account: u64, next: Nonce) {
        self.change(account, |queue, entries| {
            queue.set_next(account, next, entries);
        });
    }

    /// Tells that nonces below `next` of an account are in one more block in flight.
    pub(crate) fn raise_next(&mut self, account: u64, next: Nonce) {
        self.change(account, |queue, entries| {
            queue.set_next(account, next.max(queue.next), entries);
        });
    }

    /// Takes the entry of an account with the lowest nonce, if that is below `committed`.
    pub(crate) fn take_settled(&mut self, account: u64, committed: Nonce) -> Option<Entry> {
        let place = self.entries.first(account)?;
        if place.nonce >= committed {
            return None;
        }
        self.remove(place)
    }

    /// Takes the last entry of an account, if it is in no block in flight and the account's entries
    /// together take more than `balance`.
    pub(crate) fn take_overdrawn(&mut self, account: u64, balance: Amount) -> Option<Entry> {
        let queue = self.queues.get(&account)?;
        if queue.spend <= u128::from(balance.get()) {
            return None;
        }
        let last = self.entries.last(account)?;
        if last.nonce < queue.next {
            return None;
        }
        self.remove(last)
    }

    /// Takes an entry that is not valid at `height` any more.
    pub(crate) fn take_expired(&mut self, height: Height) -> Option<Entry> {
        let place = self.entries.expired(height)?;
        self.remove(place)
    }

    /// What can be executed, in the order of arrival.
    pub(crate) fn walk(&self) -> Walk<'_> {
        Walk { pool: self, heads: self.index.ready.iter().peekable(), followers: BTreeMap::new() }
    }

    /// Parks a transaction; the oldest parked one is dropped when there are too many.
    ///
    /// # Errors
    ///
    /// As [`Parked::park`].
    pub(crate) fn park(
        &mut self,
        transaction: SignedTransaction,
        arrived: Ticket,
        rejection: Rejection,
    ) -> Result<(), Rejection> {
        let gone = self.parked.park(transaction, arrived, rejection, &self.limits)?;
        if let Some(gone) = gone {
            self.report(gone.transaction.id(), gone.rejection);
        }
        Ok(())
    }

    /// Notes that a transaction left without being committed.
    pub(crate) fn report(&mut self, id: TransactionId, rejection: Rejection) {
        if self.dropped.len() >= self.limits.dropped_max {
            self.dropped.pop_front();
        }
        self.dropped.push_back((id, rejection));
    }

    /// Takes the reports since the last call, the oldest first.
    pub(crate) fn take_dropped(&mut self) -> Vec<(TransactionId, Rejection)> {
        std::mem::take(&mut self.dropped).into()
    }

    /// Makes room for one more transaction of so many bytes at `place`.
    fn make_room(&mut self, place: Place, gapped: bool, bytes: u64) -> Result<(), Rejection> {
        if gapped {
            if self.is_full(bytes) {
                return Err(Rejection::PoolFull);
            }
            let full = self.index.gapped_transactions >= self.limits.gapped_transactions_max;
            return if full { self.evict_gapped(Some(place.account)) } else { Ok(()) };
        }
        while self.is_full(bytes) {
            if self.evict_gapped(None).is_err() {
                self.evict_heavy(place.account)?;
            }
        }
        Ok(())
    }

    fn is_full(&self, bytes: u64) -> bool {
        self.len() >= self.limits.transactions_max
            || self.entries.bytes().saturating_add(bytes) > self.limits.bytes_max
    }

    /// Drops the last entry of the account, other than `spared`, that has waited longest behind a
    /// gap.
    fn evict_gapped(&mut self, spared: Option<u64>) -> Result<(), Rejection> {
        let account = self
            .index
            .gapped
            .iter()
            .map(|(_, account)| *account)
            .find(|account| spared != Some(*account))
            .ok_or(Rejection::PoolFull)?;
        self.evict_last(account)
    }

    /// Drops the last entry of an account with more than its share, for one with less.
    fn evict_heavy(&mut self, newcomer: u64) -> Result<(), Rejection> {
        let own = self.queues.get(&newcomer).map_or(0, |queue| queue.transactions);
        if own >= self.limits.account_share {
            return Err(Rejection::PoolFull);
        }
        let account = self
            .index
            .heavy
            .iter()
            .rev()
            .take(HEAVY_TRIED_MAX)
            .map(|(_, account)| *account)
            .find(|account| self.queues.get(account).is_some_and(|queue| queue.run() > 0))
            .ok_or(Rejection::PoolFull)?;
        self.evict_last(account)
    }

    fn evict_last(&mut self, account: u64) -> Result<(), Rejection> {
        let last = self.entries.last(account).ok_or(Rejection::PoolFull)?;
        let evicted = self.remove(last).ok_or(Rejection::PoolFull)?;
        self.report(evicted.id, Rejection::PoolFull);
        Ok(())
    }

    fn remove(&mut self, place: Place) -> Option<Entry> {
        self.change(place.account, |queue, entries| queue.remove(place, entries)).flatten()
    }

    /// Changes a queue and lets the index follow; an empty queue goes away.
    fn change<R>(
        &mut self,
        account: u64,
        change: impl FnOnce(&mut Queue, &mut Entries) -> R,
    ) -> Option<R> {
        let btree_map::Entry::Occupied(mut occupied) = self.queues.entry(account) else {
            return None;
        };
        let queue = occupied.get_mut();
        let before = Indexed::of(queue);
        let result = change(queue, &mut self.entries);
        self.index.follow(account, before, queue, self.limits.account_share, self.now);
        if queue.transactions == 0 {
            occupied.remove();
        }
        Some(result)
    }
}

/// The executable transactions in the order of arrival, an account's next one only after the one
/// before it was [taken](Walk::took).
pub(crate) struct Walk<'a> {
    pool: &'a Pool,
    heads: Peekable<btree_map::Iter<'a, Ticket, u64>>,
    followers: BTreeMap<Ticket, Place>,
}

impl<'a> Walk<'a> {
    /// Lets the transaction that follows `place` in its account take part.
    pub(crate) fn took(&mut self, place: Place) {
        let follower = Place::new(place.account, place.nonce.next());
        if let Some(entry) = self.pool.get(follower) {
            self.followers.insert(entry.ready, follower);
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = (Place, &'a Entry);

    fn next(&mut self) -> Option<Self::Item> {
        let head = self.heads.peek().map(|(ready, _)| **ready);
        let follower = self.followers.first_key_value().map(|(ready, _)| *ready);
        let place = match (head, follower) {
            (None, None) => return None,
            (Some(head), Some(follower)) if follower < head => self.followers.pop_first()?.1,
            (None, Some(_)) => self.followers.pop_first()?.1,
            (Some(_), _) => {
                let (_, account) = self.heads.next()?;
                Place::new(*account, self.pool.queues.get(account)?.next)
            }
        };
        Some((place, self.pool.get(place)?))
    }
}

#[cfg(test)]
mod tests;
