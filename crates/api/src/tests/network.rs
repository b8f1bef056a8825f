//! Four validators, five accounts, and blocks with everything that proves them.

use std::sync::OnceLock;

use crypto::digest::{Digest, Domain};
use crypto::keys::SecretKey;
use crypto::merkle;
use types::account::{AccountProof, ProvedAccount, state_root};
use types::address::Address;
use types::amount::Amount;
use types::block::{Block, Body, Header};
use types::certificate::Certificate;
use types::evidence::Evidence;
use types::genesis::{Genesis, GenesisBuilder};
use types::memo::Memo;
use types::number::{Height, Nonce, View};
use types::peer_id;
use types::proof::{Proof, ProvedBlock};
use types::receipt::Receipt;
use types::replica::ReplicaId;
use types::reply::{BlockReply, CommittedStatement};
use types::transaction::{Action, SignedTransaction, Transaction, Transfer};
use types::validators::Validator;
use types::view_change::{NewView, ViewChange};
use types::vote::{Phase, Statement, Vote};

/// Validators of the network: one may be faulty, two equal replies are needed.
pub(crate) const VALIDATORS: u8 = 4;
/// Accounts of the genesis.
pub(crate) const ACCOUNTS: u8 = 5;

pub(crate) fn validator_key(number: u8) -> SecretKey {
    SecretKey::from_seed([100 + number; 32])
}

pub(crate) fn account_key(number: u8) -> SecretKey {
    SecretKey::from_seed([200 + number; 32])
}

pub(crate) fn address(number: u8) -> Address {
    Address::Key(account_key(number).public_key())
}

pub(crate) fn address_text(number: u8) -> String {
    address(number).to_text(genesis().prefix())
}

pub(crate) fn replica(number: u8) -> ReplicaId {
    ReplicaId::new(u16::from(number))
}

pub(crate) fn genesis() -> Genesis {
    static GENESIS: OnceLock<Genesis> = OnceLock::new();
    GENESIS.get_or_init(new_genesis).clone()
}

fn new_genesis() -> Genesis {
    let mut builder = GenesisBuilder::local("api-test");
    builder.validators = (0..VALIDATORS)
        .map(|number| Validator {
            name: format!("validator-{number}"),
            key: validator_key(number).public_key(),
            peer_id: peer_id::of_key(&SecretKey::from_seed([50 + number; 32]).public_key()),
        })
        .collect();
    builder.accounts =
        (0..ACCOUNTS).map(|number| (address(number), Amount::new(1_000_000))).collect();
    builder.build().unwrap()
}

pub(crate) fn transfer(from: u8, to: u8, nonce: u64) -> SignedTransaction {
    transfer_with_memo(from, to, nonce, "")
}

pub(crate) fn transfer_with_memo(from: u8, to: u8, nonce: u64, memo: &str) -> SignedTransaction {
    let transaction = Transaction {
        chain: *genesis().chain(),
        sender: address(from),
        nonce: Nonce::new(nonce),
        valid_until: Height::new(1_000),
        action: Action::Transfer(Transfer {
            recipient: address(to),
            amount: Amount::new(1_250),
            memo: Memo::new(memo.to_owned()),
        }),
    };
    SignedTransaction::sign(transaction, &account_key(from))
}

/// A block on `parent` with these transactions, proved by the first three validators.
pub(crate) fn block(parent: &Header, transactions: Vec<SignedTransaction>) -> ProvedBlock {
    let body = Body::new(transactions);
    let header = Header {
        chain: parent.chain,
        height: parent.height.next(),
        parent: parent.id(),
        view: View::FIRST,
        proposer: replica(0),
        timestamp_ms: 1_790_000_000_000 + parent.height.get(),
        body_root: body.root(),
        transactions: u32::try_from(body.len()).unwrap(),
        // The accounts of these tests never change.
        state_root: genesis().state_root(),
    };
    let proof = Proof { descendants: Vec::new(), certificate: certificate(&header) };
    ProvedBlock { block: Block { header, body }, proof }
}

fn certificate(header: &Header) -> Certificate {
    let statement = Statement {
        phase: Phase::Commit,
        view: View::FIRST,
        height: header.height,
        block: header.id(),
    };
    let votes: Vec<Vote> = (0..3)
        .map(|number| Vote::sign(statement, replica(number), &header.chain, &validator_key(number)))
        .collect();
    Certificate::from_votes(statement, &votes, genesis().validators()).unwrap()
}

/// Validator `number`'s word that the block is committed.
pub(crate) fn reply(number: u8, header: &Header) -> BlockReply {
    let statement = CommittedStatement { height: header.height, block: header.id() };
    BlockReply::sign(statement, replica(number), &header.chain, &validator_key(number))
}

/// Validator `number`'s receipt for a transaction of the block.
pub(crate) fn receipt(number: u8, block: &Block, index: u32) -> Receipt {
    Receipt {
        transaction: block.body.transactions()[usize::try_from(index).unwrap()].clone(),
        index,
        path: block.body.path(index).unwrap(),
        header: block.header.clone(),
        reply: reply(number, &block.header),
        evidence: None,
    }
}

/// Account `number` in the state of the block.
pub(crate) fn proved_account(number: u8, proved: &ProvedBlock) -> ProvedAccount {
    let genesis = genesis();
    let leaves: Vec<Digest> =
        genesis.accounts().iter().zip(0..).map(|(account, index)| account.leaf(index)).collect();
    let index = u64::from(number);
    let account = AccountProof {
        index,
        accounts: u64::from(ACCOUNTS),
        account: genesis.accounts()[usize::from(number)],
        path: merkle::path(Domain::AccountNode, &leaves, index).unwrap(),
    };
    let root = merkle::root(Domain::AccountNode, &leaves);
    assert_eq!(state_root(u64::from(ACCOUNTS), root), proved.block.header.state_root);
    ProvedAccount { header: proved.block.header.clone(), account, proof: proved.proof.clone() }
}

/// A piece of evidence of each kind against validator 1, each with valid signatures.
pub(crate) fn evidence() -> [Evidence; 5] {
    let one = block(genesis().header(), vec![transfer(0, 1, 0)]).block.header;
    let mut other = one.clone();
    other.timestamp_ms += 1;
    let above = block(&other, vec![transfer(0, 1, 1)]).block.header;
    let said = |phase, header: &Header| {
        let (view, height) = (View::FIRST, header.height);
        let statement = Statement { phase, view, height, block: header.id() };
        Vote::sign(statement, replica(1), &header.chain, &validator_key(1))
    };
    let asked = |number, certificate| {
        let key = validator_key(number);
        ViewChange::sign(View::new(1), certificate, replica(number), &one.chain, &key)
    };
    let opened = |certificate| {
        let asked = vec![asked(0, None), asked(1, certificate), asked(2, None)];
        NewView::sign(View::new(1), asked, &one.chain, &validator_key(1))
    };
    let known = certificate(&one);
    [
        Evidence::Votes { first: said(Phase::Prepare, &one), second: said(Phase::Prepare, &other) },
        Evidence::Branches {
            higher: said(Phase::Prepare, &above),
            lower: said(Phase::Commit, &one),
            headers: vec![above],
        },
        Evidence::ViewChanges {
            first: (&asked(1, Some(known.clone()))).into(),
            second: (&asked(1, None)).into(),
        },
        Evidence::Forgotten {
            commit: said(Phase::Commit, &one),
            view_change: (&asked(1, None)).into(),
        },
        Evidence::NewViews { first: (&opened(Some(known))).into(), second: (&opened(None)).into() },
    ]
}
