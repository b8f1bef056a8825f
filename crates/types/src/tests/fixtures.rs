//! A small network with everything that can be said in it.

use crypto::digest::Digest;
use crypto::keys::SecretKey;

use crate::account::{Account, AccountProof, ProvedAccount, root_of};
use crate::address::Address;
use crate::amount::Amount;
use crate::block::{Block, BlockId, Body, Header};
use crate::certificate::Certificate;
use crate::evidence::Evidence;
use crate::lost::LostProposal;
use crate::memo::Memo;
use crate::number::{Height, Nonce, View};
use crate::proof::{Proof, ProvedBlock};
use crate::receipt::Receipt;
use crate::replica::ReplicaId;
use crate::reply::{BlockReply, CommittedStatement};
use crate::transaction::{Action, SignedTransaction, Transaction, Transfer};
use crate::validators::{Validator, ValidatorSet};
use crate::view_change::{NewView, ViewChange};
use crate::vote::{Phase, Statement, Vote};
use crate::{ChainId, peer_id};
use crypto::digest::Domain;
use crypto::merkle;

/// The public keys of two accounts whose words are known everywhere, and their addresses, made with
/// independent software.
pub(crate) const VECTORS: [(&str, &str); 2] = [
    (
        "1bf802a110a26faf784a4bd51d867baac24bf832ebd724bf40cc129fd848018c",
        "rlgt1qqdlsq4pzz3xltmcff9a28vx0w4vyjlcxt4awf9lgrxp987cfqqccrpz9ch",
    ),
    (
        "4523bc9a386c6d4050931de06651f316370ebbfbd1bed3b579473c7cefbadabf",
        "rlgt1qpzj80y68pkx6szsjvw7qej37vtrwr4ml0gma5a409rncl80htdt7qj2ssa",
    ),
];

/// A key that small-order attacks use: the neutral point.
pub(crate) const WEAK_KEY: [u8; 32] = {
    let mut bytes = [0; 32];
    bytes[0] = 1;
    bytes
};

pub(crate) fn chain() -> ChainId {
    ChainId::new(Digest::from_bytes([7; 32]))
}

pub(crate) fn other_chain() -> ChainId {
    ChainId::new(Digest::from_bytes([8; 32]))
}

pub(crate) fn secret(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

pub(crate) fn address(number: u8) -> Address {
    Address::Key(secret(number).public_key())
}

pub(crate) fn validator(number: u8) -> Validator {
    Validator {
        name: format!("node{number}"),
        key: secret(number).public_key(),
        peer_id: peer_id::of_key(&secret(number + 128).public_key()),
    }
}

/// Validators 0..n, whose secrets are `secret(0)` and so on.
pub(crate) fn validators(n: u8) -> ValidatorSet {
    ValidatorSet::new(chain(), (0..n).map(validator).collect()).unwrap()
}

pub(crate) fn transaction(sender: u8, nonce: u64) -> Transaction {
    Transaction {
        chain: chain(),
        sender: address(sender),
        nonce: Nonce::new(nonce),
        valid_until: Height::new(100),
        action: Action::Transfer(Transfer {
            recipient: address(201),
            amount: Amount::new(1_250),
            memo: Memo::new("for lunch".to_owned()),
        }),
    }
}

pub(crate) fn signed(sender: u8, nonce: u64) -> SignedTransaction {
    SignedTransaction::sign(transaction(sender, nonce), &secret(sender))
}

pub(crate) fn accounts() -> Vec<Account> {
    (0..5)
        .map(|number| Account {
            address: address(200 + number),
            balance: Amount::new(1_000_000 + u64::from(number)),
            nonce: Nonce::new(u64::from(number)),
        })
        .collect()
}

/// A block of three transfers, after which the state is [`accounts`].
pub(crate) fn block(height: u64, parent: BlockId) -> Block {
    let body = Body::new(vec![signed(200, 0), signed(200, 1), signed(202, 7)]);
    Block {
        header: Header {
            chain: chain(),
            height: Height::new(height),
            parent,
            view: View::new(1),
            proposer: ReplicaId::new(1),
            timestamp_ms: 1_700_000_000_000_u64.saturating_add(height),
            body_root: body.root(),
            transactions: 3,
            state_root: root_of(&accounts()),
        },
        body,
    }
}

/// Blocks at heights 1, 2, 3, …, each the child of the one before.
pub(crate) fn blocks(count: u64) -> Vec<Block> {
    let mut parent = BlockId::new(Digest::from_bytes([3; 32]));
    (1..=count)
        .map(|height| {
            let block = block(height, parent);
            parent = block.id();
            block
        })
        .collect()
}

pub(crate) fn statement(phase: Phase, header: &Header) -> Statement {
    Statement { phase, view: View::new(2), height: header.height, block: header.id() }
}

pub(crate) fn vote(statement: Statement, replica: u8) -> Vote {
    let number = ReplicaId::new(u16::from(replica));
    Vote::sign(statement, number, &chain(), &secret(replica))
}

/// A certificate by these replicas, in the order given and unchecked.
pub(crate) fn certificate(statement: Statement, replicas: &[u8]) -> Certificate {
    Certificate {
        statement,
        signatures: replicas
            .iter()
            .map(|replica| {
                let vote = vote(statement, *replica);
                (vote.replica, vote.signature)
            })
            .collect(),
    }
}

/// A proof of the first of these blocks by a certificate for the last one.
pub(crate) fn proof(blocks: &[Block], replicas: &[u8]) -> Proof {
    let last = &blocks.last().unwrap().header;
    Proof {
        descendants: blocks[1..].iter().map(|block| block.header.clone()).collect(),
        certificate: certificate(statement(Phase::Commit, last), replicas),
    }
}

pub(crate) fn proved_block() -> ProvedBlock {
    let blocks = blocks(2);
    ProvedBlock { proof: proof(&blocks, &[0, 2, 3]), block: blocks[0].clone() }
}

pub(crate) fn account_proof(index: u64) -> AccountProof {
    let accounts = accounts();
    let leaves: Vec<Digest> =
        (0..).zip(&accounts).map(|(index, account)| account.leaf(index)).collect();
    AccountProof {
        index,
        accounts: 5,
        account: accounts[usize::try_from(index).unwrap()],
        path: merkle::path(Domain::AccountNode, &leaves, index).unwrap(),
    }
}

pub(crate) fn proved_account() -> ProvedAccount {
    let proved = proved_block();
    ProvedAccount { header: proved.block.header, account: account_proof(3), proof: proved.proof }
}

pub(crate) fn reply(header: &Header, replica: u8) -> BlockReply {
    let statement = CommittedStatement { height: header.height, block: header.id() };
    let number = ReplicaId::new(u16::from(replica));
    BlockReply::sign(statement, number, &chain(), &secret(replica))
}

pub(crate) fn receipt(index: u32) -> Receipt {
    let block = block(9, BlockId::NONE);
    let place = usize::try_from(index).unwrap();
    Receipt {
        transaction: block.body.transactions()[place].clone(),
        index,
        path: block.body.path(index).unwrap(),
        evidence: None,
        reply: reply(&block.header, 2),
        header: block.header,
    }
}

/// A prepared certificate of this view for the block at this height of [`blocks`].
pub(crate) fn prepared(view: u64, height: u64) -> Certificate {
    certified(Phase::Prepare, view, height)
}

/// A certificate of this phase and view, by replicas 0, 1 and 3, for the block at this height of
/// [`blocks`].
pub(crate) fn certified(phase: Phase, view: u64, height: u64) -> Certificate {
    let header = &blocks(height).last().unwrap().header.clone();
    let statement = Statement { view: View::new(view), ..statement(phase, header) };
    certificate(statement, &[0, 1, 3])
}

/// What a replica says when it asks for a view.
pub(crate) fn view_change(view: u64, certificate: Option<Certificate>, replica: u8) -> ViewChange {
    let number = ReplicaId::new(u16::from(replica));
    ViewChange::sign(View::new(view), certificate, number, &chain(), &secret(replica))
}

/// What the primary of a view among four says when these ask for it.
pub(crate) fn new_view(view: u64, view_changes: Vec<ViewChange>) -> NewView {
    let primary = u8::try_from(view % 4).unwrap();
    NewView::sign(View::new(view), view_changes, &chain(), &secret(primary))
}

/// Replicas 0, 1 and 3 ask for view 5: with nothing, with a prepared certificate, and with a commit
/// certificate.
pub(crate) fn view_changes() -> Vec<ViewChange> {
    vec![
        view_change(5, None, 0),
        view_change(5, Some(prepared(2, 2)), 1),
        view_change(5, Some(certified(Phase::Commit, 4, 1)), 3),
    ]
}

/// Evidence of every kind, against replica 2, but for the new views, which are those of replica 1.
pub(crate) fn evidence() -> [Evidence; 5] {
    let fork = blocks(4);
    let mut rival = block(3, fork[1].id());
    rival.header.timestamp_ms += 1;
    let said = |phase, header: &Header| vote(statement(phase, header), 2);
    let mut other = view_changes();
    other[2] = view_change(5, None, 2);
    [
        Evidence::Votes {
            first: said(Phase::Prepare, &fork[2].header),
            second: said(Phase::Prepare, &rival.header),
        },
        Evidence::Branches {
            higher: said(Phase::Prepare, &fork[3].header),
            lower: said(Phase::Commit, &rival.header),
            headers: vec![fork[3].header.clone()],
        },
        Evidence::ViewChanges {
            first: (&view_change(5, Some(prepared(2, 2)), 2)).into(),
            second: (&view_change(5, None, 2)).into(),
        },
        Evidence::Forgotten {
            commit: vote(certified(Phase::Commit, 2, 2).statement, 2),
            view_change: (&view_change(5, Some(prepared(2, 1)), 2)).into(),
        },
        Evidence::NewViews {
            first: (&new_view(5, view_changes())).into(),
            second: (&new_view(5, other)).into(),
        },
    ]
}

/// What the primary of view 1 of four signed, and another after it.
pub(crate) fn lost_proposal() -> LostProposal {
    let header = block(5, BlockId::NONE).header;
    let said = Statement { view: View::new(1), ..statement(Phase::Prepare, &header) };
    LostProposal {
        proposed: vote(said, 1),
        header: Some(header),
        votes: vec![vote(said, 2), vote(Statement { phase: Phase::Commit, ..said }, 2)],
        refused: None,
        rival: Some(vote(Statement { block: BlockId::NONE, ..said }, 1)),
        left: Some(View::new(2)),
        winner: None,
    }
}
