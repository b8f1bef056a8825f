//! The numbers of accounts by address: the first thing asked about every transaction, twice.
//!
//! A plain map of addresses costs most of a transfer's time once it holds a million, because each
//! step down goes to memory that is in no cache. So addresses stand in buckets of one cache line,
//! chosen by their first bytes, which are those of public keys and differ. Anybody can make
//! addresses that begin alike, though: what finds its bucket full goes to a plain map, so the worst
//! case is a plain map. The order of nothing depends on it.

use std::collections::BTreeMap;

use types::account::Account;
use types::address::Address;

/// Addresses for each bucket, on average, from which on there are twice as many buckets.
const CROWDED: usize = 4;

/// One cache line of slots, the filled ones first.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Bucket([Slot; 8]);

/// The start of an address and the number of its account plus one; all zero when empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Slot {
    start: u32,
    number_plus_one: u32,
}

/// The numbers of all accounts.
#[derive(Debug, Clone)]
pub(crate) struct Numbers {
    /// A power of two of them.
    buckets: Vec<Bucket>,
    filled: usize,
    others: BTreeMap<Address, u64>,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { buckets: vec![Bucket::default()], filled: 0, others: BTreeMap::new() }
    }
}

impl Numbers {
    /// The number of `address`, which `accounts` confirms.
    pub(crate) fn get(&self, address: &Address, accounts: &[Account]) -> Option<u64> {
        let start = start(address);
        let bucket = self.buckets.get(self.index(start))?;
        for slot in &bucket.0 {
            // Slots fill from the first on: an empty one ends the search.
            let number = slot.number_plus_one.checked_sub(1)?;
            if slot.start == start {
                let found = accounts.get(usize::try_from(number).ok()?);
                if found.is_some_and(|account| account.address == *address) {
                    return Some(u64::from(number));
                }
            }
        }
        self.others.get(address).copied()
    }

    /// Adds an address that is not there yet.
    pub(crate) fn insert(&mut self, address: Address, number: u64) {
        let addresses = self.filled.saturating_add(self.others.len());
        if addresses >= self.buckets.len().saturating_mul(CROWDED) {
            self.grow();
        }
        if !self.put(start(&address), number) {
            self.others.insert(address, number);
        }
    }

    /// Puts a number into its bucket, unless that is full.
    fn put(&mut self, start: u32, number: u64) -> bool {
        let number_plus_one = number.checked_add(1).and_then(|number| u32::try_from(number).ok());
        let index = self.index(start);
        let free = self
            .buckets
            .get_mut(index)
            .and_then(|bucket| bucket.0.iter_mut().find(|slot| **slot == Slot::default()));
        match (free, number_plus_one) {
            (Some(free), Some(number_plus_one)) => {
                *free = Slot { start, number_plus_one };
                self.filled = self.filled.saturating_add(1);
                true
            }
            (None, _) | (_, None) => false,
        }
    }

    /// Doubles the buckets.
    fn grow(&mut self) {
        let doubled = self.buckets.len().saturating_mul(2);
        let before = std::mem::replace(&mut self.buckets, vec![Bucket::default(); doubled]);
        self.filled = 0;
        for slot in before.iter().flat_map(|bucket| &bucket.0) {
            if let Some(number) = slot.number_plus_one.checked_sub(1) {
                let fits = self.put(slot.start, u64::from(number));
                assert!(fits, "half of a bucket fits into a bucket");
            }
        }
        let others = std::mem::take(&mut self.others);
        for (address, number) in others {
            if !self.put(start(&address), number) {
                self.others.insert(address, number);
            }
        }
    }

    /// The bucket of addresses with this start.
    fn index(&self, start: u32) -> usize {
        let last = self.buckets.len().saturating_sub(1);
        usize::try_from(start).unwrap_or(0) & last
    }
}

/// The first four bytes of the key of an address.
fn start(address: &Address) -> u32 {
    let Address::Key(key) = address;
    key.as_bytes().first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests;
