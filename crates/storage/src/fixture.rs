//! Blocks, records and a genesis to store in tests and benchmarks. Nothing here is valid beyond its links: what
//! is stored is not judged by the store.

use crypto::digest::{Digest, Domain, digest_of};
use crypto::keys::{PublicKey, SecretKey, Signature};
use types::account::{Account, Snapshot};
use types::address::Address;
use types::amount::Amount;
use types::block::{Block, Body, Header};
use types::certificate::Certificate;
use types::genesis::{Genesis, GenesisBuilder};
use types::memo::Memo;
use types::number::{Height, Nonce, View};
use types::proof::{Proof, ProvedBlock};
use types::replica::ReplicaId;
use types::transaction::{Action, SignedTransaction, Transaction, Transfer};
use types::validators::Validator;
use types::vote::{Phase, Statement, Vote};

/// Any valid peer id.
const PEER_ID: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

/// The genesis of a network with this name.
pub(crate) fn genesis(name: &str) -> Genesis {
    let mut builder = GenesisBuilder::local(name);
    builder.validators.push(Validator {
        name: "one".to_owned(),
        key: key(1),
        peer_id: PEER_ID.to_owned(),
    });
    let holder = Address::Key(SecretKey::from_seed([9; 32]).public_key());
    builder.accounts.push((holder, Amount::new(1_000_000)));
    builder.build().expect("the fixture's genesis is valid")
}

/// A validator's key.
pub(crate) fn key(seed: u8) -> PublicKey {
    SecretKey::from_seed([seed; 32]).public_key()
}

/// The address of account `number`.
pub(crate) fn address(number: u64) -> Address {
    let digest = digest_of(Domain::SeedDerivation, &number);
    Address::Key(PublicKey::from_bytes(*digest.as_bytes()))
}

/// A chain that grows block by block; block after block is the same in every run.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    parent: Header,
    transactions: u64,
    /// How many accounts take part.
    pub(crate) accounts: u64,
}

impl Chain {
    /// The chain that begins at this genesis.
    pub(crate) fn new(genesis: &Genesis) -> Self {
        Self { parent: genesis.block().header, transactions: 0, accounts: 7 }
    }

    /// The next block, with so many transactions and memos of so many bytes.
    pub(crate) fn block(&mut self, transactions: usize, memo_bytes: usize) -> ProvedBlock {
        let body = Body::new((0..transactions).map(|_| self.transaction(memo_bytes)).collect());
        let header = Header {
            chain: self.parent.chain,
            height: self.parent.height.next(),
            parent: self.parent.id(),
            view: View::FIRST,
            proposer: ReplicaId::new(0),
            timestamp_ms: self.parent.timestamp_ms.saturating_add(1),
            body_root: Digest::ZERO,
            transactions: u32::try_from(transactions).unwrap_or(u32::MAX),
            state_root: Digest::ZERO,
        };
        self.parent = header.clone();
        let certificate = certificate(&header);
        ProvedBlock {
            block: Block { header, body },
            proof: Proof { descendants: Vec::new(), certificate },
        }
    }

    /// So many blocks with so many transactions each.
    pub(crate) fn blocks(&mut self, blocks: usize, transactions: usize) -> Vec<ProvedBlock> {
        (0..blocks).map(|_| self.block(transactions, 3)).collect()
    }

    fn transaction(&mut self, memo_bytes: usize) -> SignedTransaction {
        let number = self.transactions;
        self.transactions = number.saturating_add(1);
        let accounts = self.accounts;
        SignedTransaction {
            transaction: Transaction {
                chain: self.parent.chain,
                sender: address(number % accounts),
                nonce: Nonce::new(number),
                valid_until: Height::new(u64::MAX),
                action: Action::Transfer(Transfer {
                    recipient: address((number / 2) % accounts),
                    amount: Amount::new(1),
                    memo: Memo::new("m".repeat(memo_bytes)),
                }),
            },
            signature: Signature::from_bytes([7; 64]),
        }
    }
}

fn statement(header: &Header, phase: Phase) -> Statement {
    Statement { phase, view: header.view, height: header.height, block: header.id() }
}

fn certificate(header: &Header) -> Certificate {
    Certificate {
        statement: statement(header, Phase::Commit),
        signatures: (0..3)
            .map(|replica| (ReplicaId::new(replica), Signature::from_bytes([8; 64])))
            .collect(),
    }
}

/// A vote for a block, signed by nobody.
pub(crate) fn vote(block: &Block, phase: Phase) -> Vote {
    Vote {
        statement: statement(&block.header, phase),
        replica: ReplicaId::new(0),
        signature: Signature::from_bytes([5; 64]),
    }
}

/// A snapshot with so many accounts, as if taken after this block.
pub(crate) fn snapshot(block: &Block, accounts: u64) -> Snapshot {
    Snapshot {
        height: block.header.height,
        block: block.id(),
        accounts: (0..accounts)
            .map(|number| Account {
                address: address(number),
                balance: Amount::new(number),
                nonce: Nonce::new(block.header.height.get()),
            })
            .collect(),
        convicted: [ReplicaId::new(3)].into(),
    }
}
