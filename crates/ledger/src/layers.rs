//! Layers: what executed and not yet committed blocks change, and how a branch of them is read.
//!
//! A layer is named by its block and stands on the layer of the block's parent, or on the committed
//! state. Several branches may stand on one state at the same time (a new view may abandon blocks
//! of the old one); committing a block keeps its descendants and drops every other branch.

use std::collections::BTreeMap;

use crypto::digest::Digest;
use crypto::merkle::Overlay;
use types::account::Account;
use types::address::Address;
use types::block::BlockId;
use types::number::{Height, Nonce};
use types::replica::ReplicaId;
use types::transaction::SignedTransaction;

use crate::pool::ticket::Ticket;
use crate::state::State;

/// Windows' worth of layers that may exist at once.
const LAYERS_WINDOWS_MAX: usize = 4;

/// How many layers may exist at once for a window of `window_heights`: a block beyond them is
/// refused.
///
/// Consensus executes at most one window per view and forgets the branches of the views it leaves,
/// so it stays far below.
pub fn layers_max(window_heights: u16) -> usize {
    usize::from(window_heights).saturating_mul(LAYERS_WINDOWS_MAX)
}

/// What one block changes on top of its parent.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    /// The block it stands on.
    pub(crate) parent: BlockId,
    /// The height of its own block.
    pub(crate) height: Height,
    /// How many accounts there are with it.
    pub(crate) accounts: u64,
    /// Every account that it changes or creates, by ascending number.
    pub(crate) changed: Vec<(u64, Account)>,
    /// The accounts that it creates.
    pub(crate) created: BTreeMap<Address, u64>,
    /// The accounts that send in it, by ascending number, with their next nonce after it.
    pub(crate) senders: Vec<(u64, Nonce)>,
    /// What it changes in the accounts' tree.
    pub(crate) overlay: Overlay,
    /// The state root after it.
    pub(crate) state_root: Digest,
    /// Its transactions that were not in the pool when it was executed.
    pub(crate) strangers: Strangers,
    /// Against whom it has evidence.
    pub(crate) convicts: Option<ReplicaId>,
}

/// Transactions first seen inside a block, with the moment of their arrival.
pub(crate) type Strangers = BTreeMap<(Address, Nonce), (Ticket, SignedTransaction)>;

impl Layer {
    fn account(&self, number: u64) -> Option<&Account> {
        let place = self.changed.binary_search_by_key(&number, |(changed, _)| *changed).ok()?;
        self.changed.get(place).map(|(_, account)| account)
    }

    fn next_nonce(&self, number: u64) -> Option<Nonce> {
        let place = self.senders.binary_search_by_key(&number, |(sender, _)| *sender).ok()?;
        self.senders.get(place).map(|(_, nonce)| *nonce)
    }
}

/// All layers, and the name of the committed state below them.
#[derive(Debug, Clone)]
pub(crate) struct Layers {
    committed: BlockId,
    height: Height,
    layers: BTreeMap<BlockId, Layer>,
    touched: Touched,
}

/// How many layers change each account, by number: most change none, and are found without a
/// search.
#[derive(Debug, Clone, Default)]
struct Touched(Vec<u16>);

impl Touched {
    fn is_touched(&self, number: u64) -> bool {
        usize::try_from(number)
            .ok()
            .and_then(|number| self.0.get(number))
            .is_some_and(|layers| *layers > 0)
    }

    fn add(&mut self, layer: &Layer) {
        let accounts = usize::try_from(layer.accounts).unwrap_or(usize::MAX);
        if self.0.len() < accounts {
            self.0.resize(accounts, 0);
        }
        self.each(layer, |layers| layers.saturating_add(1));
    }

    fn remove(&mut self, layer: &Layer) {
        self.each(layer, |layers| layers.saturating_sub(1));
    }

    fn each(&mut self, layer: &Layer, change: impl Fn(u16) -> u16) {
        for (number, _) in &layer.changed {
            let layers = usize::try_from(*number).ok().and_then(|number| self.0.get_mut(number));
            if let Some(layers) = layers {
                *layers = change(*layers);
            }
        }
    }
}

impl Layers {
    /// No layers above the state after block `committed`.
    pub(crate) const fn new(committed: BlockId, height: Height) -> Self {
        Self { committed, height, layers: BTreeMap::new(), touched: Touched(Vec::new()) }
    }

    /// The last committed block.
    pub(crate) const fn committed(&self) -> (Height, BlockId) {
        (self.height, self.committed)
    }

    /// How many layers there are.
    pub(crate) fn len(&self) -> usize {
        self.layers.len()
    }

    /// Whether `block` is executed and not committed.
    pub(crate) fn contains(&self, block: &BlockId) -> bool {
        self.layers.contains_key(block)
    }

    /// The height of `block` when something can be executed on it.
    pub(crate) fn height_of(&self, block: &BlockId) -> Option<Height> {
        if *block == self.committed {
            return Some(self.height);
        }
        self.layers.get(block).map(|layer| layer.height)
    }

    /// The state after `block`, read through the layers below it.
    pub(crate) fn branch<'a>(&'a self, state: &'a State, block: &BlockId) -> Option<Branch<'a>> {
        let mut layers = Vec::new();
        let mut at = *block;
        while at != self.committed {
            let layer = self.layers.get(&at)?;
            at = layer.parent;
            layers.push(layer);
        }
        Some(Branch { state, layers, touched: &self.touched })
    }

    /// Whether a layer up to that of `block` has evidence against this replica.
    pub(crate) fn is_convicted(&self, replica: ReplicaId, block: &BlockId) -> bool {
        let mut at = block;
        while let Some(layer) = self.layers.get(at) {
            if layer.convicts == Some(replica) {
                return true;
            }
            at = &layer.parent;
        }
        false
    }

    /// Adds the layer of `block`.
    pub(crate) fn insert(&mut self, block: BlockId, layer: Layer) {
        self.touched.add(&layer);
        self.layers.insert(block, layer);
    }

    /// Makes `block` the committed one and takes its layer and those of all branches without it.
    ///
    /// Asserts that it is an executed child of the committed block: consensus decides nothing else.
    pub(crate) fn commit(&mut self, block: &BlockId) -> (Layer, Vec<Layer>) {
        let layer =
            self.layers.remove(block).expect("only a block that was executed here is committed");
        assert!(layer.parent == self.committed, "block {block} is committed before its parent");
        self.touched.remove(&layer);
        self.committed = *block;
        self.height = layer.height;
        let rivals: Vec<BlockId> =
            self.layers.keys().filter(|rival| !self.descends(rival, block)).copied().collect();
        (layer, self.take(&rivals))
    }

    /// Takes the layer of `block` and those above it.
    pub(crate) fn forget(&mut self, block: &BlockId) -> Vec<Layer> {
        if !self.contains(block) {
            return Vec::new();
        }
        let gone: Vec<BlockId> =
            self.layers.keys().filter(|id| self.descends(id, block)).copied().collect();
        self.take(&gone)
    }

    /// The next nonce of account `number` after the block, of all executed ones, in which it sent
    /// most.
    pub(crate) fn next_nonce(&self, number: u64) -> Option<Nonce> {
        if !self.touched.is_touched(number) {
            return None;
        }
        self.layers.values().filter_map(|layer| layer.next_nonce(number)).max()
    }

    /// Whether `block` is `ancestor` or stands on it.
    fn descends(&self, block: &BlockId, ancestor: &BlockId) -> bool {
        let mut at = block;
        while at != ancestor {
            match self.layers.get(at) {
                Some(layer) => at = &layer.parent,
                None => return false,
            }
        }
        true
    }

    fn take(&mut self, blocks: &[BlockId]) -> Vec<Layer> {
        let taken: Vec<Layer> =
            blocks.iter().filter_map(|block| self.layers.remove(block)).collect();
        for layer in &taken {
            self.touched.remove(layer);
        }
        taken
    }
}

/// The state after one block: the committed one, seen through the layers of a branch.
#[derive(Debug)]
pub(crate) struct Branch<'a> {
    state: &'a State,
    /// The highest first.
    layers: Vec<&'a Layer>,
    touched: &'a Touched,
}

impl Branch<'_> {
    /// How many accounts there are.
    pub(crate) fn accounts(&self) -> u64 {
        self.layers.first().map_or_else(|| self.state.len(), |layer| layer.accounts)
    }

    /// The number of the account at `address`.
    pub(crate) fn number(&self, address: &Address) -> Option<u64> {
        self.state
            .number(address)
            .or_else(|| self.layers.iter().find_map(|layer| layer.created.get(address).copied()))
    }

    /// Account number `number`.
    pub(crate) fn account(&self, number: u64) -> Option<&Account> {
        if !self.touched.is_touched(number) {
            return self.state.account(number);
        }
        self.layers
            .iter()
            .find_map(|layer| layer.account(number))
            .or_else(|| self.state.account(number))
    }

    /// What changing these leaves makes of the tree.
    pub(crate) fn overlay(&self, leaves: &BTreeMap<u64, Digest>) -> Overlay {
        let below: Vec<&Overlay> = self.layers.iter().rev().map(|layer| &layer.overlay).collect();
        self.state.tree().overlay(&below, leaves)
    }
}

#[cfg(test)]
mod tests;
