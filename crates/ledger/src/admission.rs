//! How a transaction comes into the pool, and how one comes back into it.

use crypto::signed::Signed;
use types::account::Account;
use types::amount::Amount;
use types::number::Nonce;
use types::rejection::Rejection;
use types::transaction::{Action, SignedTransaction};

use crate::execute::validate;
use crate::ledger::{Ledger, next_of};
use crate::pool::ticket::Ticket;
use crate::pool::{Entry, Place};

/// Who a transaction comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Somebody who asked this validator, and wants to know when it is refused.
    Client,
    /// Another validator, which admitted it on a state that may be newer than ours.
    Peer,
}

/// What became of a transaction that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It waits to be executed.
    Pending,
    /// It was waiting before.
    AlreadyPending,
    /// A peer's, which the state refuses now: it is tried again when its sender changes.
    Parked,
}

impl Ledger {
    /// Takes a transaction into the pool.
    ///
    /// It is judged as in a block on the committed state, with two differences: nonces further on
    /// are accepted up to [`PoolLimits::account_transactions_max`](crate::PoolLimits), and the
    /// amounts of the sender's pending transactions up to this nonce, transfers to itself included,
    /// must be covered together. What has a later nonce is parked where it is not covered any more:
    /// which of them came first makes no difference, or a sender could have each validator take
    /// another one for executable.
    ///
    /// # Errors
    ///
    /// The first reason that applies, in the order of [`Rejection`]. A refused transaction changes
    /// nothing.
    pub fn admit(
        &mut self,
        transaction: Signed<SignedTransaction>,
        origin: Origin,
    ) -> Result<Admission, Rejection> {
        let arrived = self.pool.arrival();
        self.admit_as_of(transaction.into_inner(), origin, arrived)
    }

    /// As [`Ledger::admit`], for a transaction that arrived earlier.
    pub(crate) fn admit_as_of(
        &mut self,
        transaction: SignedTransaction,
        origin: Origin,
        arrived: Ticket,
    ) -> Result<Admission, Rejection> {
        match self.judge(&transaction) {
            Ok(place) => self.enter(place, transaction, arrived),
            Err(Rejection::AlreadyPending) => Ok(Admission::AlreadyPending),
            Err(rejection) => match origin {
                Origin::Peer if may_pass(&rejection) => self.park(transaction, arrived, rejection),
                Origin::Peer | Origin::Client => Err(rejection),
            },
        }
    }

    /// Judges a transaction, and says where in the pool it belongs.
    fn judge(&self, signed: &SignedTransaction) -> Result<Place, Rejection> {
        let transaction = &signed.transaction;
        let number = self.state.number(&transaction.sender);
        let place = number.map(|number| Place::new(number, transaction.nonce));
        let rival = place.and_then(|place| self.pool.get(place));
        if rival.is_some_and(|rival| rival.transaction.transaction == *transaction) {
            return Err(Rejection::AlreadyPending);
        }
        let account = number.and_then(|number| self.state.account(number));
        let as_its_turn = number.zip(account).map(|(number, account)| Account {
            address: account.address,
            balance: self.uncommitted_balance(Place::new(number, transaction.nonce), account),
            nonce: self.nearest_nonce(account, transaction.nonce),
        });
        // The recipient matters only to an overflow, which no state allows: what it has and what it
        // gets are both parts of one supply. So it is not looked up.
        validate(transaction, &self.chain, self.committed().0.next(), as_its_turn.as_ref(), None)
            .map_err(|rejection| self.explain(rejection, number.zip(account)))?;
        let place = place.expect("a transaction whose sender has no account is not valid");
        if rival.is_some() {
            return Err(Rejection::ConflictingNonce { nonce: place.nonce });
        }
        Ok(place)
    }

    /// What an account has left when its pending transactions before `place` are executed.
    fn uncommitted_balance(&self, place: Place, account: &Account) -> Amount {
        u64::try_from(self.pool.spend_before(place))
            .ok()
            .and_then(|before| account.balance.checked_sub(Amount::new(before)))
            .unwrap_or(Amount::ZERO)
    }

    /// The nonce closest to `wanted` of those that an account may use now.
    fn nearest_nonce(&self, account: &Account, wanted: Nonce) -> Nonce {
        let reach = self.pool.limits().account_transactions_max.saturating_sub(1);
        wanted.clamp(account.nonce, account.nonce.saturating_add(reach))
    }

    /// Says of a nonce beyond reach whether others must come before it or whether there are too
    /// many already.
    fn explain(&self, rejection: Rejection, sender: Option<(u64, &Account)>) -> Rejection {
        if let (Rejection::NonceTooHigh { found, .. }, Some((number, account))) =
            (&rejection, sender)
        {
            let expected = self.free_nonce(number);
            let pending = expected.above(account.nonce);
            return if pending >= self.pool.limits().account_transactions_max {
                Rejection::AccountFull { pending }
            } else {
                Rejection::NonceTooHigh { expected, found: *found }
            };
        }
        rejection
    }

    /// Puts an admitted transaction at its place.
    fn enter(
        &mut self,
        place: Place,
        transaction: SignedTransaction,
        arrived: Ticket,
    ) -> Result<Admission, Rejection> {
        let Action::Transfer(transfer) = &transaction.transaction.action;
        let sender = transaction.transaction.sender;
        let entry = Entry {
            id: transaction.id(),
            arrived,
            ready: arrived,
            bytes: u64::try_from(transaction.encoded_bytes()).unwrap_or(u64::MAX),
            spend: transfer.amount,
            transaction,
        };
        let id = entry.id;
        let (state, layers) = (&self.state, &self.layers);
        self.pool.insert(place, entry, || next_of(state, layers, place.account))?;
        self.pool.parked.unpark_same(sender, place.nonce, &id);
        self.park_uncovered(place.account);
        Ok(Admission::Pending)
    }

    /// Keeps a peer's transaction that the state refuses as it is now.
    fn park(
        &mut self,
        transaction: SignedTransaction,
        arrived: Ticket,
        rejection: Rejection,
    ) -> Result<Admission, Rejection> {
        self.pool.park(transaction, arrived, rejection)?;
        Ok(Admission::Parked)
    }
}

/// Whether a later state may not refuse for this reason any more.
const fn may_pass(rejection: &Rejection) -> bool {
    match rejection {
        Rejection::UnknownSender
        | Rejection::NonceTooHigh { .. }
        | Rejection::Overdraft { .. }
        | Rejection::AccountFull { .. } => true,
        Rejection::ForeignChain
        | Rejection::WeakKey
        | Rejection::MemoTooLong { .. }
        | Rejection::ZeroAmount
        | Rejection::BadSignature
        | Rejection::Expired { .. }
        | Rejection::NonceTooLow { .. }
        | Rejection::Overflow
        | Rejection::AlreadyPending
        | Rejection::ConflictingNonce { .. }
        | Rejection::PoolFull => false,
    }
}

#[cfg(test)]
mod tests;
