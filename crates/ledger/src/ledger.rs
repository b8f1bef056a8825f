//! The ledger as a whole, and what others read of it. Reads see committed state only.

use std::collections::BTreeSet;

use crypto::digest::Digest;
use crypto::signed::ChainId;
use thiserror::Error;
use types::account::{Account, AccountProof, Snapshot};
use types::address::Address;
use types::amount::Amount;
use types::block::BlockId;
use types::genesis::Genesis;
use types::number::{Height, Nonce};
use types::parameters::Parameters;
use types::rejection::Rejection;
use types::replica::ReplicaId;
use types::transaction::{SignedTransaction, TransactionId};
use types::validators::ValidatorSet;

use crate::application::Draft;
use crate::layers::{Layers, layers_max};
use crate::pool::Pool;
use crate::pool::limits::PoolLimits;
use crate::pool::ticket::Ticket;
use crate::state::State;

/// The money of one network as one validator knows it. See the [crate]. A copy goes its own way from
/// where it was made.
#[derive(Debug, Clone)]
pub struct Ledger {
    pub(crate) chain: ChainId,
    pub(crate) bounds: Bounds,
    pub(crate) state: State,
    pub(crate) layers: Layers,
    pub(crate) pool: Pool,
    pub(crate) draft: Option<Draft>,
    pub(crate) validators: ValidatorSet,
    /// Against whom a committed block has evidence.
    pub(crate) convicted: BTreeSet<ReplicaId>,
}

/// What the genesis says about the size of blocks, and what follows for layers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) block_transactions_max: u32,
    pub(crate) block_bytes_max: u32,
    pub(crate) layers_max: usize,
}

impl Bounds {
    fn of(parameters: &Parameters) -> Self {
        Self {
            block_transactions_max: parameters.block_transactions_max,
            block_bytes_max: parameters.block_bytes_max,
            layers_max: layers_max(parameters.window_heights),
        }
    }
}

/// Why a snapshot is not a state of this network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RestoreError {
    /// Two accounts have one address.
    #[error("the snapshot holds account {} twice", .address.to_text(.prefix))]
    DuplicateAccount {
        /// The address.
        address: Address,
        /// The network's prefix, to write it with.
        prefix: String,
    },
    /// The balances do not add up to the genesis supply; `found` is `None` when they exceed any
    /// amount.
    #[error("the snapshot's balances add up to {}, the supply is {supply}",
        .found.map_or_else(|| "more than any amount".to_owned(), |found| found.to_string()))]
    Supply {
        /// The sum of the balances, base units.
        found: Option<Amount>,
        /// What the genesis says, base units.
        supply: Amount,
    },
}

/// How much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolStatus {
    /// Transactions admitted and in no committed block.
    pub pending: u64,
    /// Their encoded bytes.
    pub bytes: u64,
    /// Transactions of peers that the state refuses as it is now.
    pub parked: u64,
}

impl Ledger {
    /// The ledger of a network in which nothing has happened yet.
    ///
    /// # Panics
    ///
    /// When the genesis' accounts are not what its check lets pass: distinct, with a supply that
    /// fits.
    pub fn new(genesis: &Genesis, limits: PoolLimits) -> Self {
        let snapshot = Snapshot {
            height: Height::GENESIS,
            block: genesis.header().id(),
            accounts: genesis.accounts().to_vec(),
            convicted: BTreeSet::new(),
        };
        Self::restore(genesis, snapshot, limits)
            .expect("a checked genesis has distinct accounts that hold its supply")
    }

    /// The ledger after the block that `snapshot` names.
    ///
    /// Whether this is the state of that block says its header: compare [`Ledger::state_root`].
    ///
    /// # Errors
    ///
    /// When an account occurs twice or the balances are not the genesis supply (S8, in full).
    pub fn restore(
        genesis: &Genesis,
        snapshot: Snapshot,
        limits: PoolLimits,
    ) -> Result<Self, RestoreError> {
        let supply = genesis.supply();
        let state = State::new(snapshot.accounts).map_err(|address| {
            RestoreError::DuplicateAccount { address, prefix: genesis.prefix().to_owned() }
        })?;
        let found = state.supply();
        if found != Some(supply) {
            return Err(RestoreError::Supply { found, supply });
        }
        Ok(Self {
            chain: *genesis.chain(),
            bounds: Bounds::of(genesis.parameters()),
            state,
            layers: Layers::new(snapshot.block, snapshot.height),
            pool: Pool::new(limits),
            draft: None,
            validators: genesis.validators().clone(),
            convicted: snapshot.convicted,
        })
    }

    /// The last committed block.
    pub const fn committed(&self) -> (Height, BlockId) {
        self.layers.committed()
    }

    /// The state root after the last committed block.
    pub fn state_root(&self) -> Digest {
        self.state.root()
    }

    /// How many accounts there are.
    pub fn accounts(&self) -> u64 {
        self.state.len()
    }

    /// The sum of all balances in base units, as the accounts hold it. No block changes it (S8).
    ///
    /// # Panics
    ///
    /// When it does not fit an amount, which a checked genesis and S8 exclude.
    pub fn supply(&self) -> Amount {
        self.state.supply().expect("the balances of a checked genesis fit an amount")
    }

    /// The account at `address`.
    pub fn account(&self, address: &Address) -> Option<Account> {
        self.state.account(self.state.number(address)?).copied()
    }

    /// The account at `address` with the proof that [`Ledger::state_root`] covers it.
    pub fn prove(&self, address: &Address) -> Option<AccountProof> {
        let index = self.state.number(address)?;
        Some(AccountProof {
            index,
            accounts: self.state.len(),
            account: *self.state.account(index)?,
            path: self.state.path(index)?,
        })
    }

    /// Everything that [`Ledger::restore`] needs. Copies all accounts.
    pub fn snapshot(&self) -> Snapshot {
        let (height, block) = self.committed();
        let (accounts, convicted) = (self.state.accounts().to_vec(), self.convicted.clone());
        Snapshot { height, block, accounts, convicted }
    }

    /// The replicas against whom a committed block has evidence.
    pub const fn convicted(&self) -> &BTreeSet<ReplicaId> {
        &self.convicted
    }

    /// How much waits.
    pub fn pool(&self) -> PoolStatus {
        PoolStatus {
            pending: self.pool.len(),
            bytes: self.pool.bytes(),
            parked: u64::try_from(self.pool.parked.len()).unwrap_or(u64::MAX),
        }
    }

    /// Whether this transaction is pending; parked ones are not.
    pub fn contains(&self, id: &TransactionId) -> bool {
        self.transaction(id).is_some()
    }

    /// The pending transaction with this id.
    pub fn transaction(&self, id: &TransactionId) -> Option<&SignedTransaction> {
        self.pool.find(id).map(|entry| &entry.transaction)
    }

    /// The nonce that the next transaction of `address` should have: after its committed ones,
    /// those in blocks in flight, and those that wait without a gap.
    pub fn next_nonce(&self, address: &Address) -> Nonce {
        self.state.number(address).map_or(Nonce::FIRST, |number| self.free_nonce(number))
    }

    /// The ticket of the last arrival: whatever arrives from now on has a later one.
    pub const fn ticket(&self) -> Ticket {
        self.pool.now()
    }

    /// Up to `transactions_max` transactions that had arrived by `ticket`, can be executed and are
    /// in no block in flight, the longest-waiting first: what is worth sending to the peers once
    /// more.
    pub fn pending_since(
        &self,
        ticket: Ticket,
        transactions_max: usize,
    ) -> Vec<&SignedTransaction> {
        let mut walk = self.pool.walk();
        let mut waiting = Vec::new();
        while waiting.len() < transactions_max {
            let Some((place, entry)) = walk.next().filter(|(_, entry)| entry.ready <= ticket)
            else {
                break;
            };
            waiting.push(&entry.transaction);
            walk.took(place);
        }
        waiting
    }

    /// What left the pool without being committed since the last call, and why. Bounded by
    /// [`PoolLimits::dropped_max`]: a caller who never asks loses the oldest reports.
    pub fn take_dropped(&mut self) -> Vec<(TransactionId, Rejection)> {
        self.pool.take_dropped()
    }

    /// The first nonce of account `number` that is not committed, in flight or waiting without a
    /// gap.
    pub(crate) fn free_nonce(&self, number: u64) -> Nonce {
        self.pool.run_end(number).unwrap_or_else(|| next_of(&self.state, &self.layers, number))
    }
}

/// The first nonce of account `number` that is neither committed nor in a block in flight.
pub(crate) fn next_of(state: &State, layers: &Layers, number: u64) -> Nonce {
    let committed = state.account(number).map_or(Nonce::FIRST, |account| account.nonce);
    layers.next_nonce(number).map_or(committed, |in_flight| in_flight.max(committed))
}

#[cfg(test)]
mod tests;
