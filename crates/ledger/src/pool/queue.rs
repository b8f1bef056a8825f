//! What waits of one account: some in blocks in flight, a run that can be executed, the rest behind
//! a gap.

use types::amount::Amount;
use types::number::Nonce;

use crate::pool::entries::{Entries, Entry, Place};
use crate::pool::ticket::Ticket;

/// The pending transactions of one account, counted. The transactions themselves are in
/// [`Entries`].
///
/// ```text
/// nonces:   committed … next … run_end … gap … last
///           in flight   run            gapped
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Queue {
    /// The nonce after the account's last transaction in any executed block.
    pub(super) next: Nonce,
    /// The first nonce from `next` on that has no entry.
    pub(super) run_end: Nonce,
    /// Encoded bytes of the entries from `next` to `run_end`.
    pub(super) run_bytes: u64,
    /// What the first entry of the run is ordered by; `None` without a run.
    pub(super) head: Option<Ticket>,
    /// Entries below `next`: in blocks in flight, or rivals of some that are.
    pub(super) behind: u64,
    /// All entries.
    pub(super) transactions: u64,
    /// What all entries take from the account.
    pub(super) spend: u128,
    /// Since when something waits behind a gap.
    pub(super) gapped_since: Option<Ticket>,
}

impl Queue {
    /// A queue without entries.
    pub(super) const fn new(next: Nonce) -> Self {
        Self {
            next,
            run_end: next,
            run_bytes: 0,
            head: None,
            behind: 0,
            transactions: 0,
            spend: 0,
            gapped_since: None,
        }
    }

    /// How many entries can be executed one after the other.
    pub(super) const fn run(&self) -> u64 {
        self.run_end.above(self.next)
    }

    /// How many entries wait behind a gap.
    pub(super) const fn gapped(&self) -> u64 {
        self.transactions.saturating_sub(self.behind).saturating_sub(self.run())
    }

    /// Counts an entry that was put at `place`.
    pub(super) fn inserted(&mut self, place: Place, spend: Amount, entries: &mut Entries) {
        self.transactions = self.transactions.saturating_add(1);
        self.spend = self.spend.saturating_add(u128::from(spend.get()));
        if place.nonce < self.next {
            self.behind = self.behind.saturating_add(1);
        } else if place.nonce == self.run_end {
            self.extend(place.account, entries);
        }
    }

    /// Takes the entry at `place` out of the entries and the counts.
    pub(super) fn remove(&mut self, place: Place, entries: &mut Entries) -> Option<Entry> {
        if (self.next..self.run_end).contains(&place.nonce) {
            self.truncate(place, entries);
        }
        let entry = entries.remove(place)?;
        self.transactions = self.transactions.saturating_sub(1);
        self.spend = self.spend.saturating_sub(u128::from(entry.spend.get()));
        if place.nonce < self.next {
            self.behind = self.behind.saturating_sub(1);
        }
        Some(entry)
    }

    /// Moves the nonce from which on transactions are in no block in flight, up or down.
    pub(super) fn set_next(&mut self, account: u64, next: Nonce, entries: &mut Entries) {
        let before = self.next;
        if next == before {
            return;
        }
        let passed = |low: Nonce, high: Nonce| {
            entries.following(account, low).take_while(move |(nonce, _)| *nonce < high).fold(
                (0_u64, 0_u64),
                |(count, bytes), (_, entry)| {
                    (count.saturating_add(1), bytes.saturating_add(entry.bytes))
                },
            )
        };
        if next > before {
            let (count, bytes) = passed(before, next);
            self.behind = self.behind.saturating_add(count);
            self.next = next;
            if next < self.run_end {
                self.run_bytes = self.run_bytes.saturating_sub(bytes);
                self.head = entries.get(Place::new(account, next)).map(|entry| entry.ready);
                return;
            }
        } else {
            let (count, _) = passed(next, before);
            self.behind = self.behind.saturating_sub(count);
            self.next = next;
        }
        self.run_end = next;
        self.run_bytes = 0;
        self.head = None;
        self.extend(account, entries);
    }

    /// Lets the run go on over the entries that follow it without a gap.
    fn extend(&mut self, account: u64, entries: &mut Entries) {
        let mut ready = self
            .run_end
            .get()
            .checked_sub(1)
            .and_then(|before| entries.get(Place::new(account, Nonce::new(before))))
            .map_or(Ticket::FIRST, |entry| entry.ready);
        for (nonce, entry) in entries.following_mut(account, self.run_end) {
            if nonce != self.run_end {
                break;
            }
            ready = ready.max(entry.arrived);
            entry.ready = ready;
            self.head = self.head.or(Some(ready));
            self.run_bytes = self.run_bytes.saturating_add(entry.bytes);
            self.run_end = nonce.next();
        }
    }

    /// Ends the run before `place`.
    fn truncate(&mut self, place: Place, entries: &Entries) {
        let lost = entries
            .following(place.account, place.nonce)
            .take_while(|(nonce, _)| *nonce < self.run_end)
            .fold(0_u64, |bytes, (_, entry)| bytes.saturating_add(entry.bytes));
        self.run_bytes = self.run_bytes.saturating_sub(lost);
        self.run_end = place.nonce;
        if self.run_end == self.next {
            self.head = None;
        }
    }
}
