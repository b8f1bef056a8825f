//! What a transaction makes of the state: the one function that says whether it is valid, and the
//! run of many of them on top of a branch.
//!
//! [`validate`] has three callers: admission to the pool, proposal of a block, execution of a
//! block. There is no second opinion anywhere, so what one replica proposes the others execute (a
//! block that its own proposer would refuse stops a chain).
//!
//! Signatures and the soundness of the sender's key are not here: they were checked at the door,
//! once, and everything that comes here has passed it.

use std::collections::BTreeMap;

use crypto::digest::Digest;
use crypto::signed::ChainId;
use types::account::{Account, state_root};
use types::address::Address;
use types::amount::Amount;
use types::block::BlockId;
use types::number::{Height, Nonce};
use types::rejection::Rejection;
use types::transaction::{Action, Transaction};

use crate::layers::{Branch, Layer, Strangers};
use crate::pool::Place;

/// What a transaction makes of the two accounts it touches.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    /// The sender's account after it.
    pub(crate) sender: Account,
    /// The recipient's account after it; `None` when that is the sender itself.
    pub(crate) recipient: Option<Account>,
}

/// Says whether a transaction is valid in a block at `height` of `chain`, and what it does to the
/// accounts of its sender and its recipient as they are before it.
///
/// A transfer to oneself changes the nonce and nothing else, but needs the balance like any other.
/// A recipient that has no account gets one.
///
/// # Errors
///
/// The first that applies in the order of [`Rejection`].
pub(crate) fn validate(
    transaction: &Transaction,
    chain: &ChainId,
    height: Height,
    sender: Option<&Account>,
    recipient: Option<&Account>,
) -> Result<Effect, Rejection> {
    let Action::Transfer(transfer) = &transaction.action;
    if transaction.chain != *chain {
        return Err(Rejection::ForeignChain);
    }
    if !transfer.memo.fits() {
        return Err(Rejection::MemoTooLong {
            bytes: u64::try_from(transfer.memo.len()).unwrap_or(u64::MAX),
        });
    }
    if transfer.amount.is_zero() {
        return Err(Rejection::ZeroAmount);
    }
    if height > transaction.valid_until {
        return Err(Rejection::Expired { valid_until: transaction.valid_until, height });
    }
    let sender = sender.ok_or(Rejection::UnknownSender)?;
    let (expected, found) = (sender.nonce, transaction.nonce);
    if found < expected {
        return Err(Rejection::NonceTooLow { expected, found });
    }
    if found > expected {
        return Err(Rejection::NonceTooHigh { expected, found });
    }
    let left = sender
        .balance
        .checked_sub(transfer.amount)
        .ok_or(Rejection::Overdraft { balance: sender.balance, amount: transfer.amount })?;
    let nonce = expected.checked_next().ok_or(Rejection::Overflow)?;
    let account =
        |address: Address, balance: Amount, nonce: Nonce| Account { address, balance, nonce };
    if transfer.recipient == transaction.sender {
        return Ok(Effect {
            sender: account(sender.address, sender.balance, nonce),
            recipient: None,
        });
    }
    let (held, recipient_nonce) = recipient
        .map_or((Amount::ZERO, Nonce::FIRST), |recipient| (recipient.balance, recipient.nonce));
    let received = held.checked_add(transfer.amount).ok_or(Rejection::Overflow)?;
    Ok(Effect {
        sender: account(sender.address, left, nonce),
        recipient: Some(account(transfer.recipient, received, recipient_nonce)),
    })
}

/// Transactions applied one after the other on top of a branch, as those of one block.
pub(crate) struct Execution<'a> {
    branch: Branch<'a>,
    chain: ChainId,
    height: Height,
    accounts: u64,
    changed: BTreeMap<u64, Account>,
    created: BTreeMap<Address, u64>,
    places: Vec<Place>,
}

/// What a block's transactions did.
#[derive(Debug, Clone)]
pub(crate) struct Executed {
    /// What they change. Which of them are strangers is for the caller to say.
    pub(crate) layer: Layer,
    /// The sender's number and the nonce of each, in order.
    pub(crate) places: Vec<Place>,
}

impl<'a> Execution<'a> {
    /// Nothing applied yet, for a block at `height` on `branch`.
    pub(crate) fn new(branch: Branch<'a>, chain: ChainId, height: Height) -> Self {
        let accounts = branch.accounts();
        Self {
            branch,
            chain,
            height,
            accounts,
            changed: BTreeMap::new(),
            created: BTreeMap::new(),
            places: Vec::new(),
        }
    }

    /// Applies one more transaction.
    ///
    /// # Errors
    ///
    /// Why it is not valid here; then nothing has changed.
    pub(crate) fn apply(&mut self, transaction: &Transaction) -> Result<(), Rejection> {
        let Action::Transfer(transfer) = &transaction.action;
        let sender = self.number(&transaction.sender);
        let recipient = if transfer.recipient == transaction.sender {
            sender
        } else {
            self.number(&transfer.recipient)
        };
        let effect = validate(
            transaction,
            &self.chain,
            self.height,
            sender.and_then(|number| self.account(number)),
            recipient.and_then(|number| self.account(number)),
        )?;
        let sender = sender.expect("a transaction whose sender has no account is not valid");
        self.changed.insert(sender, effect.sender);
        if let Some(account) = effect.recipient {
            let number = recipient.unwrap_or_else(|| self.create(account.address));
            self.changed.insert(number, account);
        }
        self.places.push(Place::new(sender, transaction.nonce));
        Ok(())
    }

    /// What was applied, as the layer of a block on `parent`.
    pub(crate) fn finish(self, parent: BlockId) -> Executed {
        let leaves: BTreeMap<u64, Digest> =
            self.changed.iter().map(|(number, account)| (*number, account.leaf(*number))).collect();
        let overlay = self.branch.overlay(&leaves);
        let mut senders: Vec<(u64, Nonce)> =
            self.places.iter().map(|place| (place.account, place.nonce.next())).collect();
        senders.sort_unstable();
        senders.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 = later.1;
            }
            same
        });
        Executed {
            layer: Layer {
                parent,
                height: self.height,
                accounts: self.accounts,
                changed: self.changed.into_iter().collect(),
                created: self.created,
                senders,
                state_root: state_root(self.accounts, overlay.root()),
                overlay,
                strangers: Strangers::new(),
                convicts: None,
            },
            places: self.places,
        }
    }

    fn number(&self, address: &Address) -> Option<u64> {
        self.branch.number(address).or_else(|| self.created.get(address).copied())
    }

    fn account(&self, number: u64) -> Option<&Account> {
        self.changed.get(&number).or_else(|| self.branch.account(number))
    }

    fn create(&mut self, address: Address) -> u64 {
        let number = self.accounts;
        self.created.insert(address, number);
        self.accounts = number
            .checked_add(1)
            .expect("accounts are far fewer than 2^64: each was paid one base unit");
        number
    }
}

#[cfg(test)]
mod tests;
