//! S7, S8 and S9: balances and nonces in a map, as a child would keep them.

use std::collections::BTreeMap;

use types::account::Account;
use types::address::Address;
use types::block::Block;
use types::genesis::Genesis;
use types::transaction::{Action, SignedTransaction};

use super::bytes::Members;
use super::{Broken, Property};

/// The checker's own books.
#[derive(Clone)]
pub(super) struct Money {
    accounts: BTreeMap<Address, Purse>,
    supply: u128,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Purse {
    balance: u64,
    /// How many transactions it has sent.
    sent: u64,
}

impl Money {
    pub(super) fn new(genesis: &Genesis) -> Self {
        let purse = |account: &Account| Purse { balance: account.balance.get(), sent: 0 };
        let accounts = genesis.accounts().iter().map(|account| (account.address, purse(account)));
        let mut money = Self { accounts: accounts.collect(), supply: 0 };
        money.supply = money.sum();
        money
    }

    fn sum(&self) -> u128 {
        self.accounts.values().map(|purse| u128::from(purse.balance)).sum()
    }

    /// One unit of the supply is gone, as it would be with a bug in these books.
    #[cfg(test)]
    pub(super) const fn lose_for_tests(&mut self) {
        self.supply = self.supply.saturating_sub(1);
    }

    /// Books a committed block.
    pub(super) fn apply(&mut self, members: &Members, block: &Block) -> Result<(), Broken> {
        let height = block.header.height;
        for signed in block.body.transactions() {
            self.book(members, block, signed)
                .map_err(|(property, sentence)| Broken::new(property, height, sentence))?;
        }
        if self.sum() != self.supply {
            let sentence = format!("the balances add up to {}", self.sum());
            return Err(Broken::new(Property::S8, height, sentence));
        }
        Ok(())
    }

    fn book(
        &mut self,
        members: &Members,
        block: &Block,
        signed: &SignedTransaction,
    ) -> Result<(), (Property, String)> {
        let transaction = &signed.transaction;
        let Action::Transfer(transfer) = &transaction.action;
        let (nonce, amount) = (transaction.nonce.get(), transfer.amount.get());
        let wrong = |sentence: String| Err((Property::S7, sentence));
        if !members.sender_signed(signed) {
            return wrong("a transaction that its sender did not sign".to_owned());
        }
        if transaction.chain.digest().as_bytes() != members.chain() {
            return wrong("a transaction for another network".to_owned());
        }
        if transaction.valid_until < block.header.height {
            return wrong(format!(
                "a transaction that was valid until {}",
                transaction.valid_until
            ));
        }
        let Some(purse) = self.accounts.get_mut(&transaction.sender) else {
            return wrong("a sender without account".to_owned());
        };
        if nonce < purse.sent {
            return Err((
                Property::S9,
                format!("nonce {nonce} of one account for the second time"),
            ));
        }
        if nonce > purse.sent {
            return wrong(format!("nonce {nonce} where {} comes next", purse.sent));
        }
        let Some(left) = purse.balance.checked_sub(amount).filter(|_| amount > 0) else {
            return wrong(format!("{amount} out of a balance of {}", purse.balance));
        };
        *purse = Purse { balance: left, sent: nonce.saturating_add(1) };
        let recipient = self.accounts.entry(transfer.recipient).or_default();
        match recipient.balance.checked_add(amount) {
            Some(balance) => recipient.balance = balance,
            None => return wrong("a balance beyond all bounds".to_owned()),
        }
        Ok(())
    }

    /// How these accounts differ from the books.
    pub(super) fn differs(&self, accounts: &[Account]) -> Option<String> {
        if accounts.len() != self.accounts.len() {
            return Some(format!("{} accounts, not {}", accounts.len(), self.accounts.len()));
        }
        let wrong = accounts.iter().find(|account| {
            let found = Purse { balance: account.balance.get(), sent: account.nonce.get() };
            self.accounts.get(&account.address) != Some(&found)
        });
        wrong.map(|account| format!("the account {:?} is not what it should be", account.address))
    }
}
