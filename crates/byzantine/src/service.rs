//! Attacks by a validator that is asked: by peers for blocks, by wallets for what became of their money; and what it
//! sends peers that no replica says.
//!
//! These are no words of the protocol, so no [`Strategy`] makes them and the lab has none of
//! them: a [`Forger`] makes what is said instead of the truth, and the adversary, who owns the sockets, says it.

use std::sync::Arc;

use crypto::digest::Domain;
use crypto::keys::{Signature, Signer};
use crypto::merkle::Tree;
use types::account::{Account, AccountProof, ProvedAccount, state_root};
use types::address::Address;
use types::amount::Amount;
use types::block::{Block, Body, Header};
use types::certificate::Certificate;
use types::genesis::Genesis;
use types::number::{Height, Nonce, View};
use types::proof::{Proof, ProvedBlock};
use types::receipt::Receipt;
use types::replica::ReplicaId;
use types::reply::{BlockReply, CommittedStatement};
use types::transaction::SignedTransaction;
use types::vote::{Phase, Statement, Vote};

use crate::attack::{Kind, Role, Strategy};

pub mod frames;
pub mod gossip;

/// What an attack of this kind is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Receipts for whatever is asked for.
    FalseReceipts,
    /// Balances that nobody has.
    FalseBalances,
    /// Blocks of a chain of its own, to clients.
    OwnChain,
    /// Nothing is known and everything is refused.
    Deny,
    /// Answers to peers that come late and hold little.
    SlowBlocks,
    /// Answers to peers that hold other blocks than were asked for.
    ForgedBlocks,
    /// Accusations of those who did nothing.
    FalseEvidence,
    /// Bytes that are no message.
    GarbageFrames,
    /// Control messages of gossip without end.
    ControlFlood,
}

/// Every attack of this kind, by name.
pub const CATALOGUE: &[(Service, Kind)] = &[
    (
        Service::ControlFlood,
        kind(
            "control-flood",
            "floods peers with control messages of gossip, by connections beside its own: offers and wishes without end, \
             GRAFT and PRUNE in turn, subscriptions that change all the time, lengths above every limit",
            "each neighbour is read at a bounded pace, an RPC is looked at before memory is taken, nothing of it is kept, \
             and nobody else waits",
        ),
    ),
    (
        Service::Deny,
        kind(
            "deny",
            "answers clients that it knows no transaction and no account, and refuses every submission",
            "a wallet believes no refusal of t or fewer, and goes by what others prove",
        ),
    ),
    (
        Service::FalseBalances,
        kind(
            "false-balances",
            "answers clients with balances of its own making, under certificates of too few, of one signer often, or with \
             signatures that are not their owners'",
            "a balance is shown only with a quorum's signatures over a state that it is part of",
        ),
    ),
    (
        Service::FalseEvidence,
        kind(
            "false-evidence",
            "accuses the others, by statements that do not contradict each other or that they never signed, 20 times a second",
            "evidence is checked against the keys of the genesis; what does not hold is refused, and its bringer cut off",
        ),
    ),
    (
        Service::FalseReceipts,
        kind(
            "false-receipts",
            "signs for every transaction that it is committed, in a block that never was; several of them name the same block",
            "a wallet believes t + 1 equal replies or a quorum's certificate, so t of them convince nobody",
        ),
    ),
    (
        Service::ForgedBlocks,
        kind(
            "forged-blocks",
            "answers peers that catch up with blocks of its own, with too few signatures, another body or other heights",
            "a fetched block is checked like one agreed here, refused, and asked of somebody else",
        ),
    ),
    (
        Service::GarbageFrames,
        kind(
            "garbage-frames",
            "sends peers bytes that are no message: lengths beyond all memory, unknown kinds, noise, by streams and by gossip, \
             100 times a second",
            "lengths are looked at before memory is taken, nothing is passed on, and nobody else waits for it",
        ),
    ),
    (
        Service::OwnChain,
        kind(
            "own-chain",
            "shows clients blocks, headers and histories of a chain of its own, with its own signature under it",
            "a block counts by a quorum's certificate, whoever shows it",
        ),
    ),
    (
        Service::SlowBlocks,
        kind(
            "slow-blocks",
            "answers peers that catch up after `delay` milliseconds, with one block",
            "who is asked and slow is asked less, others are asked meanwhile, and catch-up goes on at their pace",
        ),
    ),
];

const fn kind(name: &'static str, sentence: &'static str, answer: &'static str) -> Kind {
    Kind { name, sentence, answer, role: Role::Backup, provable: false, make: || Box::new(Replica) }
}

/// In consensus such a validator does what the replica inside does.
struct Replica;

impl Strategy for Replica {}

impl Service {
    /// Which attack of this kind has this name.
    pub fn of(name: &str) -> Option<Self> {
        let found = CATALOGUE.iter().find(|(_, kind)| kind.name == name);
        found.map(|(service, _)| *service)
    }
}

/// Makes what never was, under one validator's own key and no other.
pub struct Forger {
    own: ReplicaId,
    genesis: Arc<Genesis>,
    signer: Arc<dyn Signer>,
}

impl Forger {
    /// One with the key of this validator.
    pub fn new(own: ReplicaId, genesis: Arc<Genesis>, signer: Arc<dyn Signer>) -> Self {
        Self { own, genesis, signer }
    }

    /// Its word that the transaction is committed in a block that holds nothing else. All forgers of a network name
    /// the same block: what t of them say, t + 1 of them can make a wallet believe.
    pub fn receipt(&self, transaction: &SignedTransaction) -> Option<Receipt> {
        let body = Body::new(vec![transaction.clone()]);
        let header = self.header(Height::GENESIS.next(), &body);
        Some(Receipt {
            transaction: transaction.clone(),
            index: 0,
            path: body.path(0)?,
            evidence: None,
            reply: self.reply(&header),
            header,
        })
    }

    /// Its word that the block of this header is committed.
    pub fn reply(&self, header: &Header) -> BlockReply {
        let statement = CommittedStatement { height: header.height, block: header.id() };
        BlockReply::sign(statement, self.own, self.genesis.chain(), &*self.signer)
    }

    /// An account with a balance that it does not have, in a state that has no other.
    pub fn account(&self, address: &Address, balance: Amount, turn: u64) -> Option<ProvedAccount> {
        let account = Account { address: *address, balance, nonce: Nonce::FIRST };
        let tree = Tree::from_leaves(Domain::AccountNode, vec![account.leaf(0)]);
        let mut header = self.header(Height::GENESIS.next(), &Body::default());
        header.state_root = state_root(1, tree.root());
        let proof = self.proof(&header, turn);
        let account = AccountProof { index: 0, accounts: 1, account, path: tree.path(0)? };
        Some(ProvedAccount { header, account, proof })
    }

    /// A block of its own chain.
    pub fn block(&self, height: Height, body: Body, turn: u64) -> ProvedBlock {
        let header = self.header(height, &body);
        let proof = self.proof(&header, turn);
        ProvedBlock { block: Block { header, body }, proof }
    }

    /// What it answers instead of these blocks.
    pub fn blocks(&self, mut blocks: Vec<ProvedBlock>, turn: u64) -> Vec<ProvedBlock> {
        match turn % 4 {
            0 => {
                let own = |proved: ProvedBlock| {
                    self.block(proved.block.header.height, proved.block.body, turn)
                };
                blocks.into_iter().map(own).collect()
            }
            1 => {
                for proved in &mut blocks {
                    proved.block.body = Body::default();
                }
                blocks
            }
            2 => {
                for proved in &mut blocks {
                    proved.proof.certificate.signatures.truncate(1);
                }
                blocks
            }
            _ => {
                for proved in &mut blocks {
                    let height = &mut proved.block.header.height;
                    *height = height.saturating_add(1_000);
                }
                blocks
            }
        }
    }

    /// A header that depends on nothing but the network, the height and the body.
    fn header(&self, height: Height, body: &Body) -> Header {
        let genesis = self.genesis.header();
        Header {
            chain: *self.genesis.chain(),
            height,
            parent: genesis.id(),
            view: View::FIRST,
            proposer: ReplicaId::new(0),
            timestamp_ms: genesis.timestamp_ms.saturating_add(height.get()),
            body_root: body.root(),
            transactions: u32::try_from(body.len()).unwrap_or(u32::MAX),
            state_root: self.genesis.state_root(),
        }
    }

    /// A proof with no signature but its own: of too few, of the same signer often, or of a quorum whose signatures are
    /// all its own.
    fn proof(&self, header: &Header, turn: u64) -> Proof {
        let statement = Statement {
            phase: Phase::Commit,
            view: View::FIRST,
            height: header.height,
            block: header.id(),
        };
        let validators = self.genesis.validators();
        let own: Signature =
            Vote::sign(statement, self.own, validators.chain(), &*self.signer).signature;
        let quorum = validators.quorum().q();
        let signatures = match turn % 3 {
            0 => vec![(self.own, own)],
            1 => vec![(self.own, own); quorum],
            _ => validators.iter().take(quorum).map(|(replica, _)| (replica, own)).collect(),
        };
        Proof { descendants: Vec::new(), certificate: Certificate { statement, signatures } }
    }
}

#[cfg(test)]
mod tests;
