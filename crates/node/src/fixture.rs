//! What the tests share: a genesis, signed votes and proved blocks, and an allowance to look at.

use std::sync::{Arc, Mutex};

use crypto::keys::SecretKey;
use crypto::signed::Signed;
use ledger::{Ledger, Origin, PoolLimits};
use network::Payload;
use pbft::PrePrepare;
use tokio::sync::Semaphore;
use types::account::Snapshot;
use types::address::Address;
use types::amount::Amount;
use types::application::Application;
use types::block::{Block, Body, Header};
use types::certificate::Certificate;
use types::genesis::{Genesis, GenesisBuilder};
use types::memo::Memo;
use types::number::{Height, Nonce, View};
use types::parameters::Parameters;
use types::peer_id;
use types::proof::{Proof, ProvedBlock};
use types::replica::ReplicaId;
use types::transaction::{Action, SignedTransaction, Transaction, Transfer};
use types::validators::Validator;
use types::vote::{Phase, Statement, Vote};

use crate::core;
use crate::door::CutOff;

/// The key of a replica.
pub(crate) fn key(replica: u16) -> SecretKey {
    SecretKey::from_seed([u8::try_from(replica).unwrap() + 1; 32])
}

/// A network of `n` validators.
pub(crate) fn genesis(n: u16) -> Genesis {
    genesis_with(n, |_| {})
}

/// The same with other parameters.
pub(crate) fn genesis_with(n: u16, change: impl FnOnce(&mut Parameters)) -> Genesis {
    let mut builder = GenesisBuilder::local("node-test");
    change(&mut builder.parameters);
    let validator = |replica| Validator {
        name: format!("v{replica}"),
        key: key(replica).public_key(),
        peer_id: peer_id::of_key(&key(100 + replica).public_key()),
    };
    builder.validators = (0..n).map(validator).collect();
    let holder = Address::Key(key(200).public_key());
    builder.accounts.push((holder, Amount::new(1_000_000)));
    builder.build().unwrap()
}

/// A vote of a replica for the block of this header.
pub(crate) fn vote(genesis: &Genesis, replica: u16, phase: Phase, header: &Header) -> Vote {
    let statement =
        Statement { phase, view: View::FIRST, height: header.height, block: header.id() };
    Vote::sign(statement, ReplicaId::new(replica), genesis.chain(), &key(replica))
}

/// So many empty blocks on the genesis, each proved by a quorum.
pub(crate) fn proved(genesis: &Genesis, count: usize) -> Vec<ProvedBlock> {
    chain(genesis, count, 1)
}

/// As many others, each proved by the same quorum.
pub(crate) fn rivals(genesis: &Genesis, count: usize) -> Vec<ProvedBlock> {
    chain(genesis, count, 2)
}

fn chain(genesis: &Genesis, count: usize, apart_ms: u64) -> Vec<ProvedBlock> {
    let mut parent = genesis.header().clone();
    let mut blocks = Vec::new();
    for _ in 0..count {
        let body = Body::default();
        let header = Header {
            chain: *genesis.chain(),
            height: parent.height.next(),
            parent: parent.id(),
            view: View::FIRST,
            proposer: ReplicaId::new(0),
            timestamp_ms: parent.timestamp_ms + apart_ms,
            body_root: body.root(),
            transactions: 0,
            state_root: parent.state_root,
        };
        parent = header.clone();
        blocks.push(proved_by_quorum(genesis, Block { header, body }));
    }
    blocks
}

/// A transfer of the one who has money.
pub(crate) fn transfer(genesis: &Genesis) -> SignedTransaction {
    transfer_at(genesis, 0)
}

/// The same with another nonce.
pub(crate) fn transfer_at(genesis: &Genesis, nonce: u64) -> SignedTransaction {
    let transaction = Transaction {
        chain: *genesis.chain(),
        sender: Address::Key(key(200).public_key()),
        nonce: Nonce::new(nonce),
        valid_until: Height::new(u64::MAX),
        action: Action::Transfer(Transfer {
            recipient: Address::Key(key(201).public_key()),
            amount: Amount::new(1),
            memo: Memo::default(),
        }),
    };
    SignedTransaction::sign(transaction, &key(200))
}

/// What a core shows that has committed so much in this view.
pub(crate) fn standing(genesis: &Genesis, view: View, committed: Height) -> core::View {
    core::View {
        protocol: pbft::Overview {
            view,
            primary: genesis.validators().primary(view),
            committed,
            in_flight: 0,
            entered: true,
            voting: true,
            retired: false,
            timeout_ms: 1_000,
        },
        accounts: 1,
        supply: genesis.supply(),
        pending: 0,
        convicted: Vec::new(),
    }
}

/// So many blocks with a transfer each, executed and proved by a quorum, and the state after each.
pub(crate) fn executed(genesis: &Genesis, count: u64) -> (Vec<ProvedBlock>, Vec<Snapshot>) {
    let mut ledger = Ledger::new(genesis, PoolLimits::default());
    let mut parent = genesis.header().clone();
    let (mut blocks, mut snapshots) = (Vec::new(), Vec::new());
    for nonce in 0..count {
        let transfer = Signed::vouched(transfer_at(genesis, nonce));
        ledger.admit(transfer, Origin::Client).unwrap();
        let height = parent.height.next();
        let proposal = ledger.propose(&parent.id(), height, &[]).unwrap();
        let header = Header {
            height,
            parent: parent.id(),
            timestamp_ms: parent.timestamp_ms + 1,
            body_root: proposal.body.root(),
            transactions: 1,
            state_root: proposal.state_root,
            ..parent
        };
        parent = header.clone();
        let block = Block { header, body: proposal.body };
        ledger.execute(&block).unwrap();
        ledger.commit(&block.id());
        blocks.push(proved_by_quorum(genesis, block));
        snapshots.push(ledger.snapshot());
    }
    (blocks, snapshots)
}

/// The block with the certificate of a quorum in the first view, by the lowest replicas.
pub(crate) fn proved_by_quorum(genesis: &Genesis, block: Block) -> ProvedBlock {
    let certificate = certificate(genesis, Phase::Commit, &block.header);
    ProvedBlock { block, proof: Proof { descendants: Vec::new(), certificate } }
}

/// What a quorum says of the block of this header in the first view, the lowest replicas.
pub(crate) fn certificate(genesis: &Genesis, phase: Phase, header: &Header) -> Certificate {
    let quorum = u16::try_from(genesis.validators().quorum().q()).unwrap();
    let votes: Vec<_> = (0..quorum).map(|replica| vote(genesis, replica, phase, header)).collect();
    Certificate::from_votes(votes[0].statement, &votes, genesis.validators()).unwrap()
}

/// The primary's proposal of these transactions.
pub(crate) fn pre_prepare(
    genesis: &Genesis,
    (view, height): (View, Height),
    transactions: Vec<SignedTransaction>,
) -> PrePrepare {
    let primary = genesis.validators().primary(view);
    let body = Body::new(transactions);
    let header = Header {
        chain: *genesis.chain(),
        height,
        parent: genesis.header().id(),
        view,
        proposer: primary,
        timestamp_ms: genesis.header().timestamp_ms + 1,
        body_root: body.root(),
        transactions: u32::try_from(body.len()).unwrap(),
        state_root: genesis.header().state_root,
    };
    let statement = Statement { phase: Phase::Prepare, view, height, block: header.id() };
    let vote = Vote::sign(statement, primary, genesis.chain(), &key(primary.get()));
    PrePrepare { block: Block { header, body }, vote }
}

/// Whom a door has cut off.
#[derive(Clone, Default)]
pub(crate) struct Cut(Arc<Mutex<Vec<ReplicaId>>>);

impl Cut {
    /// What a door is given.
    pub(crate) fn off(&self) -> CutOff {
        let cut = self.clone();
        Arc::new(move |replica| cut.0.lock().unwrap().push(replica))
    }

    /// Everybody who was cut off, in order.
    pub(crate) fn all(&self) -> Vec<ReplicaId> {
        self.0.lock().unwrap().clone()
    }
}

/// What one peer may have undelivered.
pub(crate) struct Allowance(Arc<Semaphore>);

impl Allowance {
    /// An allowance of so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes)))
    }

    /// Bytes received under it.
    pub(crate) fn receive(&self, bytes: Vec<u8>) -> Payload {
        let cost = u32::try_from(bytes.len()).unwrap();
        let permit = Arc::clone(&self.0).try_acquire_many_owned(cost).unwrap();
        Payload::new(bytes, Some(permit))
    }

    /// How many bytes of it are left.
    pub(crate) fn left(&self) -> usize {
        self.0.available_permits()
    }
}

/// What a core shows that has committed this height.
pub(crate) fn shows(committed: Height) -> core::View {
    core::View {
        protocol: pbft::Overview {
            view: View::FIRST,
            primary: ReplicaId::new(0),
            committed,
            in_flight: 0,
            entered: true,
            voting: true,
            retired: false,
            timeout_ms: 2_000,
        },
        accounts: 0,
        supply: Amount::ZERO,
        pending: 0,
        convicted: Vec::new(),
    }
}
