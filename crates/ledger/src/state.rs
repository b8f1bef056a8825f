//! The committed accounts: in creation order, found by address, under their Merkle tree.
//!
//! An account is created once and never removed, so its number stays its own for ever, and the tree
//! grows only at its end. What is not yet committed lives in [`layers`](crate::layers), never here.

use crypto::digest::{Digest, Domain};
use crypto::merkle::{Path, Tree};
use types::account::{Account, state_root};
use types::address::Address;
use types::amount::Amount;

use crate::layers::Layer;
use crate::numbers::Numbers;

/// All accounts as of the last committed block.
#[derive(Debug, Clone)]
pub(crate) struct State {
    accounts: Vec<Account>,
    numbers: Numbers,
    tree: Tree,
}

impl State {
    /// The state that holds exactly `accounts`, in this order; the address that occurs twice, if
    /// one does.
    pub(crate) fn new(accounts: Vec<Account>) -> Result<Self, Address> {
        let mut numbers = Numbers::default();
        let mut leaves = Vec::with_capacity(accounts.len());
        for (number, account) in (0..).zip(&accounts) {
            if numbers.get(&account.address, &accounts).is_some() {
                return Err(account.address);
            }
            numbers.insert(account.address, number);
            leaves.push(account.leaf(number));
        }
        Ok(Self { accounts, numbers, tree: Tree::from_leaves(Domain::AccountNode, leaves) })
    }

    /// How many accounts there are.
    pub(crate) fn len(&self) -> u64 {
        u64::try_from(self.accounts.len()).expect("memory holds fewer than 2^64 accounts")
    }

    /// Account number `number`.
    pub(crate) fn account(&self, number: u64) -> Option<&Account> {
        self.accounts.get(usize::try_from(number).ok()?)
    }

    /// The number of the account at `address`.
    pub(crate) fn number(&self, address: &Address) -> Option<u64> {
        self.numbers.get(address, &self.accounts)
    }

    /// All accounts in creation order.
    pub(crate) fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// The accounts' tree, for layers to stand on.
    pub(crate) const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// What headers call the state root.
    pub(crate) fn root(&self) -> Digest {
        state_root(self.len(), self.tree.root())
    }

    /// The path of account `number` in the tree.
    pub(crate) fn path(&self, number: u64) -> Option<Path> {
        self.tree.path(number)
    }

    /// The sum of all balances; `None` when it does not fit an amount.
    pub(crate) fn supply(&self) -> Option<Amount> {
        self.accounts.iter().try_fold(Amount::ZERO, |sum, account| sum.checked_add(account.balance))
    }

    /// Folds a layer that stands directly on this state into it.
    ///
    /// Asserts S8 for the accounts that change: what they hold together stays the same.
    pub(crate) fn fold_in(&mut self, layer: Layer) {
        let held = |accounts: &mut dyn Iterator<Item = &Account>| {
            accounts
                .fold(0_u128, |sum, account| sum.saturating_add(u128::from(account.balance.get())))
        };
        let after = held(&mut layer.changed.iter().map(|(_, account)| account));
        let before =
            held(&mut layer.changed.iter().filter_map(|(number, _)| self.account(*number)));
        assert!(
            before == after,
            "a block changes the supply: its accounts held {before}, then {after}"
        );
        for (number, account) in layer.changed {
            let known =
                usize::try_from(number).ok().and_then(|number| self.accounts.get_mut(number));
            match known {
                Some(known) => *known = account,
                None => {
                    assert!(
                        self.number(&account.address).is_none() && number == self.len(),
                        "an account is created a second time, or not as the next one"
                    );
                    self.numbers.insert(account.address, number);
                    self.accounts.push(account);
                }
            }
        }
        self.tree.apply(layer.overlay);
    }
}

#[cfg(test)]
mod tests;
