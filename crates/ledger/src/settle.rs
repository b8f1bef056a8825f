//! How the pool follows what consensus decides: commits, forgotten branches, passing heights.

use types::address::Address;
use types::amount::Amount;
use types::number::{Height, Nonce};
use types::rejection::Rejection;
use types::transaction::Action;

use crate::admission::{Admission, Origin};
use crate::layers::{Layer, Strangers};
use crate::ledger::{Ledger, next_of};
use crate::pool::Entry;

impl Ledger {
    /// Takes what a committed block settles out of the pool: its transactions, and their rivals,
    /// which are reported. `strangers` are those of the block that the pool did not hold when it
    /// was executed.
    pub(crate) fn settle_committed(&mut self, senders: &[(u64, Nonce)], strangers: &Strangers) {
        for (account, committed) in senders {
            while let Some(entry) = self.pool.take_settled(*account, *committed) {
                let transaction = &entry.transaction.transaction;
                match strangers.get(&(transaction.sender, transaction.nonce)) {
                    Some((_, stranger)) if stranger.transaction != *transaction => {
                        let (expected, found) = (*committed, transaction.nonce);
                        let rejection = Rejection::NonceTooLow { expected, found };
                        self.pool.report(entry.id, rejection);
                    }
                    // It came again behind its block: it had arrived with that.
                    Some(_) => {}
                    None => self.pool.committed(entry.arrived),
                }
            }
        }
        for (arrived, _) in strangers.values() {
            self.pool.committed(*arrived);
        }
    }

    /// Follows a change of what is in flight or left of these accounts. What they cannot pay for
    /// together any more is parked from the last one on: money may still come.
    pub(crate) fn settle_accounts(&mut self, senders: &[(u64, Nonce)]) {
        for (number, _) in senders {
            if !self.pool.has_queue(*number) {
                continue;
            }
            let next = next_of(&self.state, &self.layers, *number);
            self.pool.set_next(*number, next);
            self.park_uncovered(*number);
        }
    }

    /// Parks what an account cannot pay for together with what comes before, from the last one on.
    pub(crate) fn park_uncovered(&mut self, number: u64) {
        let balance = self.state.account(number).map_or(Amount::ZERO, |account| account.balance);
        while let Some(entry) = self.pool.take_overdrawn(number, balance) {
            self.park_overdrawn(entry, balance);
        }
    }

    /// Lets the pool follow the loss of layers that will never be committed.
    pub(crate) fn settle_lost(&mut self, lost: Vec<Layer>) {
        for layer in &lost {
            self.settle_accounts(&layer.senders);
        }
        let mut strangers: Vec<_> =
            lost.into_iter().flat_map(|layer| layer.strangers.into_values()).collect();
        strangers.sort_unstable_by_key(|(arrived, _)| *arrived);
        for (arrived, transaction) in strangers {
            // Nobody here asked for it, so a refusal is nobody's news: it was valid only on the
            // lost branch.
            let _refused = self.admit_as_of(transaction, Origin::Peer, arrived).is_err();
        }
    }

    /// Drops what can stand in no block from `height` on.
    pub(crate) fn settle_height(&mut self, height: Height) {
        while let Some(entry) = self.pool.take_expired(height) {
            let valid_until = entry.transaction.transaction.valid_until;
            self.pool.report(entry.id, Rejection::Expired { valid_until, height });
        }
        while let Some(parked) = self.pool.parked.take_expired(height) {
            let valid_until = parked.transaction.transaction.valid_until;
            self.pool.report(parked.transaction.id(), Rejection::Expired { valid_until, height });
        }
    }

    /// Tries the parked transactions of accounts that a commit changed, by ascending nonce until
    /// one has to wait on: those after it wait for it. `strangers` are as in
    /// [`Ledger::settle_committed`].
    pub(crate) fn retry_parked(&mut self, senders: &[Address], strangers: &Strangers) {
        for sender in senders {
            while let Some(nonce) = self.pool.parked.first_nonce(sender) {
                let Some(parked) = self.pool.parked.take(*sender, nonce) else {
                    break;
                };
                let committed = strangers.get(&(*sender, nonce)).is_some_and(|(_, stranger)| {
                    stranger.transaction == parked.transaction.transaction
                });
                if committed {
                    continue;
                }
                let id = parked.transaction.id();
                // It could not be executed before, so it has not waited for anybody's proposal before.
                let arrived = self.pool.arrival();
                match self.admit_as_of(parked.transaction, Origin::Peer, arrived) {
                    Ok(Admission::Pending | Admission::AlreadyPending) => {}
                    Ok(Admission::Parked) => break,
                    Err(rejection) => self.pool.report(id, rejection),
                }
            }
        }
    }

    fn park_overdrawn(&mut self, entry: Entry, balance: Amount) {
        let Action::Transfer(transfer) = &entry.transaction.transaction.action;
        let overdraft = Rejection::Overdraft { balance, amount: transfer.amount };
        if let Err(rejection) = self.pool.park(entry.transaction, entry.arrived, overdraft) {
            self.pool.report(entry.id, rejection);
        }
    }
}

#[cfg(test)]
mod tests;
