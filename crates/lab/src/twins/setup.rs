//! Who takes part: the replicas, and which of them run twice.

use std::collections::BTreeSet;
use std::sync::Arc;

use ledger::{Ledger, PoolLimits};
use pbft::{Config, Door, Output, Replica};
use types::amount::Amount;
use types::genesis::Genesis;
use types::memo::Memo;
use types::number::{Height, Nonce};
use types::replica::ReplicaId;
use types::transaction::{Action, SignedTransaction, Transaction, Transfer};

use super::network::Shared;
use crate::keys::{CLIENTS_MAX, Owner, REPLICAS_MAX, SignerKind, Verifier};
use crate::plan::Rules;
use crate::world::{address, genesis_of};

/// Who takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// How many replicas there are.
    pub replicas: u16,
    /// Which of them run twice.
    pub twinned: BTreeSet<u16>,
    /// Whether a twin hears nothing that was said under its own key. Else it retires when they meet.
    pub hush: bool,
}

/// Small enough for a round to be cheap. The timeout is the shortest that a genesis may have, so that a
/// replica is soon impatient but has always heard from the others a moment ago, and nobody holds his patience.
const RULES: Rules = Rules {
    window_heights: 2,
    block_transactions_max: 64,
    batch_delay_ms: 0,
    view_timeout_ms: 100,
    snapshot_interval_blocks: 1_000,
    clock_drift_max_ms: 2_000,
};

impl Setup {
    /// A network in which these replicas run twice and do not hear themselves.
    pub fn new(replicas: u16, twinned: impl IntoIterator<Item = u16>) -> Self {
        Self { replicas, twinned: twinned.into_iter().collect(), hush: true }
    }

    /// How many may run twice if anything is to hold: fewer than a third.
    pub const fn twinned_max(replicas: u16) -> u16 {
        replicas.saturating_sub(1) / 3
    }

    /// The replica of every instance: each once, and then the twins.
    pub(super) fn instances(&self) -> Vec<ReplicaId> {
        (0..self.replicas).chain(self.twinned.iter().copied()).map(ReplicaId::new).collect()
    }

    /// How many instances there are.
    pub fn count(&self) -> usize {
        usize::from(self.replicas).saturating_add(self.twinned.len())
    }

    /// What the instances are called: a twin has a stroke.
    pub(super) fn names(&self) -> Vec<String> {
        let twins = self.twinned.iter().map(|replica| format!("{replica}'"));
        (0..self.replicas).map(|replica| replica.to_string()).chain(twins).collect()
    }

    /// What is the same all the time, with so many transfers for each instance.
    pub(super) fn share(&self, transfers: usize) -> Result<Shared, String> {
        let clients = u16::try_from(self.count()).unwrap_or(u16::MAX);
        if self.replicas == 0 || self.replicas > REPLICAS_MAX || clients > CLIENTS_MAX {
            return Err(format!("no keys for {clients} instances of {} replicas", self.replicas));
        }
        if self.twinned.iter().any(|twinned| *twinned >= self.replicas) {
            return Err(format!("there are {} replicas, numbered from 0", self.replicas));
        }
        let genesis = genesis_of(self.replicas, &RULES, clients);
        let of_one = |client| (0..transfers).map(move |nonce| (client, nonce));
        let transfers = (0..clients).map(|client| {
            of_one(client).map(|(client, nonce)| transfer(&genesis, client, nonce)).collect()
        });
        Ok(Shared {
            setup: self.clone(),
            door: Door::strict(genesis.validators().clone()),
            verifier: Verifier::new(SignerKind::Fast),
            transfers: transfers.collect(),
            genesis,
        })
    }

    /// The first start of an instance.
    pub(super) fn start(
        &self,
        replica: ReplicaId,
        genesis: &Genesis,
    ) -> Result<(Replica<Ledger>, Output), String> {
        let config = Config {
            replica,
            validators: genesis.validators().clone(),
            parameters: *genesis.parameters(),
        };
        let signer = Owner::Replica(replica.get()).signer(SignerKind::Fast);
        let ledger = Ledger::new(genesis, PoolLimits::default());
        let tip = genesis.header().clone();
        Replica::recover(config, Arc::clone(&signer), ledger, tip, Vec::new())
            .map_err(|error| format!("replica {replica} does not start: {error}"))
    }
}

/// A transfer of a client to the first one.
fn transfer(genesis: &Genesis, client: u16, nonce: usize) -> SignedTransaction {
    let nonce = u64::try_from(nonce).unwrap_or(u64::MAX);
    let transaction = Transaction {
        chain: *genesis.chain(),
        sender: address(client),
        nonce: Nonce::new(nonce),
        valid_until: Height::new(u64::MAX),
        action: Action::Transfer(Transfer {
            recipient: address(0),
            amount: Amount::new(nonce.saturating_add(1)),
            memo: Memo::empty(),
        }),
    };
    SignedTransaction::sign(transaction, Owner::Client(client).signer(SignerKind::Fast).as_ref())
}
