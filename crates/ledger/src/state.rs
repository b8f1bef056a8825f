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
    /// The sum of all balances.
    held: u128,
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
        let (held, tree) = (sum(&accounts), Tree::from_leaves(Domain::AccountNode, leaves));
        Ok(Self { accounts, numbers, tree, held })
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

    /// The sum of all balances, counted once and then from block to block; `None` when it does not fit an amount.
    pub(crate) fn supply(&self) -> Option<Amount> {
        u64::try_from(self.held).ok().map(Amount::new)
    }

    /// Folds a layer that stands directly on this state into it.
    ///
    /// Asserts S8 for the accounts that change: what they hold together stays the same.
    pub(crate) fn fold_in(&mut self, layer: Layer) {
        let after = sum(layer.changed.iter().map(|(_, account)| account));
        let before = sum(layer.changed.iter().filter_map(|(number, _)| self.account(*number)));
        self.held = self.held.saturating_sub(before).saturating_add(after);
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

/// What these accounts hold together.
fn sum<'a>(accounts: impl IntoIterator<Item = &'a Account>) -> u128 {
    let balances = accounts.into_iter().map(|account| u128::from(account.balance.get()));
    balances.fold(0, u128::saturating_add)
}

#[cfg(test)]
mod tests;
