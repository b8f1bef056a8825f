//! One who has money and sends it, and believes what t + 1 replicas signed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crypto::keys::Signer;
use crypto::signed::ChainId;
use types::address::Address;
use types::amount::Amount;
use types::block::BlockId;
use types::memo::Memo;
use types::number::{Height, Nonce};
use types::replica::ReplicaId;
use types::transaction::{Action, SignedTransaction, Transaction, TransactionId, Transfer};

use crate::keys::Owner;
use crate::letter::Parcel;
use crate::plan::Plan;
use byzantine::Random;

/// One client.
pub(super) struct Client {
    pub(super) signer: Arc<dyn Signer>,
    pub(super) random: Random,
    /// How many transfers it has made.
    pub(super) made: u64,
    /// How many it will make.
    pub(super) wanted: u64,
    /// Whether it signs two transfers for every nonce.
    pub(super) spends_twice: bool,
    /// What it waits for, by nonce.
    pub(super) wishes: BTreeMap<Nonce, Wish>,
    /// Whether an event will make it think again.
    pub(super) awake: bool,
    /// What every transfer of it says.
    memo: Memo,
}

/// A transfer that is not accepted yet, or two that exclude one another.
pub(super) struct Wish {
    pub(super) parcels: Vec<Arc<Parcel>>,
    /// Who said that it is committed, and where.
    pub(super) replies: BTreeMap<(TransactionId, Height, BlockId), BTreeSet<ReplicaId>>,
    /// When it was made, in milliseconds of virtual time.
    pub(super) made_ms: u64,
    /// When it was sent last, in milliseconds of virtual time.
    pub(super) sent_ms: u64,
}

impl Client {
    pub(super) fn new(client: u16, plan: &Plan, seed: u64, memo: Memo) -> Self {
        Self {
            signer: Owner::Client(client).signer(plan.signer),
            random: Random::stream(seed, "client", &[u64::from(client)]),
            made: 0,
            wanted: u64::from(plan.load.transfers),
            spends_twice: client < plan.load.double_spenders,
            wishes: BTreeMap::new(),
            awake: true,
            memo,
        }
    }

    /// Whether everything it wanted is accepted.
    pub(super) fn is_done(&self) -> bool {
        self.wishes.is_empty() && self.made == self.wanted
    }

    /// The next transfer: to another client, or to somebody new.
    pub(super) fn transfer(&mut self, chain: ChainId, clients: u16) -> SignedTransaction {
        let nonce = Nonce::new(self.made);
        let recipient = if self.random.chance(900) {
            let number = u16::try_from(self.random.below(u64::from(clients))).unwrap_or_default();
            Owner::Client(number).public_key()
        } else {
            let mut bytes = [7; 32];
            if let Some(first) = bytes.first_mut() {
                *first = u8::try_from(self.random.below(256)).unwrap_or_default();
            }
            crypto::keys::PublicKey::from_bytes(bytes)
        };
        let amount = self.random.between(1, 20);
        self.sign(chain, nonce, recipient, amount)
    }

    /// A transfer of more than there is, or one whose signature is for another.
    pub(super) fn nonsense(&mut self, chain: ChainId) -> SignedTransaction {
        let nonce = Nonce::new(self.made.saturating_add(self.random.below(2)));
        let recipient = self.signer.public_key();
        let much = self.sign(chain, nonce, recipient, u64::from(u32::MAX));
        if self.random.chance(500) {
            return much;
        }
        let little = self.sign(chain, nonce, recipient, 1);
        SignedTransaction { signature: much.signature, ..little }
    }

    fn sign(
        &self,
        chain: ChainId,
        nonce: Nonce,
        recipient: crypto::keys::PublicKey,
        amount: u64,
    ) -> SignedTransaction {
        let transaction = Transaction {
            chain,
            sender: Address::Key(self.signer.public_key()),
            nonce,
            valid_until: Height::new(u64::MAX),
            action: Action::Transfer(Transfer {
                recipient: Address::Key(recipient),
                amount: Amount::new(amount),
                memo: self.memo.clone(),
            }),
        };
        SignedTransaction::sign(transaction, self.signer.as_ref())
    }
}
