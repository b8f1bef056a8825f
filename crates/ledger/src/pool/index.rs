//! Accounts of the pool in the orders in which they are asked for.

use std::collections::{BTreeMap, BTreeSet};

use crate::pool::queue::Queue;
use crate::pool::ticket::Ticket;

/// Which accounts have something to execute, which wait behind a gap, which have more than their
/// share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Index {
    /// Accounts with a run, by what its first entry is ordered by.
    pub(super) ready: BTreeMap<Ticket, u64>,
    /// Accounts with something behind a gap, the longest-waiting first.
    pub(super) gapped: BTreeSet<(Ticket, u64)>,
    /// Accounts with more entries than their share, by how many.
    pub(super) heavy: BTreeSet<(u64, u64)>,
    /// Entries in all runs.
    pub(super) ready_transactions: u64,
    /// Encoded bytes of the entries in all runs.
    pub(super) ready_bytes: u64,
    /// Entries behind gaps.
    pub(super) gapped_transactions: u64,
}

/// What the index knows of a queue, taken before the queue changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Indexed {
    head: Option<Ticket>,
    gapped_since: Option<Ticket>,
    run: u64,
    run_bytes: u64,
    gapped: u64,
    transactions: u64,
}

impl Indexed {
    pub(super) const fn of(queue: &Queue) -> Self {
        Self {
            head: queue.head,
            gapped_since: queue.gapped_since,
            run: queue.run(),
            run_bytes: queue.run_bytes,
            gapped: queue.gapped(),
            transactions: queue.transactions,
        }
    }
}

impl Index {
    /// Follows a change of the queue of `account` that happened at `now`.
    pub(super) fn follow(
        &mut self,
        account: u64,
        before: Indexed,
        queue: &mut Queue,
        share: u64,
        now: Ticket,
    ) {
        queue.gapped_since = match (queue.gapped(), queue.gapped_since) {
            (0, _) => None,
            (_, Some(since)) => Some(since),
            (_, None) => Some(now),
        };
        let after = Indexed::of(queue);
        if before.head != after.head {
            if let Some(head) = before.head {
                self.ready.remove(&head);
            }
            if let Some(head) = after.head {
                self.ready.insert(head, account);
            }
        }
        if before.gapped_since != after.gapped_since {
            if let Some(since) = before.gapped_since {
                self.gapped.remove(&(since, account));
            }
            if let Some(since) = after.gapped_since {
                self.gapped.insert((since, account));
            }
        }
        if before.transactions != after.transactions {
            if before.transactions > share {
                self.heavy.remove(&(before.transactions, account));
            }
            if after.transactions > share {
                self.heavy.insert((after.transactions, account));
            }
        }
        let moved = |total: u64, before: u64, after: u64| {
            total.saturating_sub(before).saturating_add(after)
        };
        self.ready_transactions = moved(self.ready_transactions, before.run, after.run);
        self.ready_bytes = moved(self.ready_bytes, before.run_bytes, after.run_bytes);
        self.gapped_transactions = moved(self.gapped_transactions, before.gapped, after.gapped);
    }
}
