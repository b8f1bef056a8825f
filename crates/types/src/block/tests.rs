use std::collections::BTreeSet;

use crypto::digest::{Digest, Domain};
use crypto::encoding::encode;
use crypto::merkle;

use super::{Body, Header, body_root};
use crate::tests::fixtures;
use crate::{BlockId, Height, ReplicaId, View};

#[test]
fn every_field_of_the_header_is_in_the_id() {
    let header = fixtures::block(5, BlockId::NONE).header;
    let changes: [fn(&mut Header); 9] = [
        |header| header.chain = fixtures::other_chain(),
        |header| header.height = Height::new(6),
        |header| header.parent = BlockId::new(Digest::from_bytes([1; 32])),
        |header| header.view = View::new(0),
        |header| header.proposer = ReplicaId::new(0),
        |header| header.timestamp_ms = 0,
        |header| header.body_root = Digest::ZERO,
        |header| header.transactions = 4,
        |header| header.state_root = Digest::ZERO,
    ];
    for change in changes {
        let mut changed = header.clone();
        change(&mut changed);
        assert_ne!(changed.id(), header.id());
    }
}

#[test]
fn a_child_names_its_parent_chain_and_next_height() {
    let blocks = fixtures::blocks(2);
    let (parent, child) = (&blocks[0].header, &blocks[1].header);
    let mut foreign = child.clone();
    foreign.chain = fixtures::other_chain();

    assert!(child.follows(parent));
    assert!(!parent.follows(child));
    assert!(!child.follows(child));
    assert!(!foreign.follows(parent));
}

#[test]
fn a_block_fits_when_root_and_count_are_the_bodys() {
    let block = fixtures::block(5, BlockId::NONE);
    let mut other_count = block.clone();
    other_count.header.transactions = 2;
    let mut other_body = block.clone();
    other_body.body = Body::default();

    assert!(block.fits());
    assert!(!other_count.fits());
    assert!(!other_body.fits());
    assert_eq!(block.id(), block.header.id());
}

#[test]
fn the_root_covers_order_signatures_and_number() {
    let body = fixtures::block(5, BlockId::NONE).body;
    let transactions = body.transactions().to_vec();
    let mut reversed = transactions.clone();
    reversed.reverse();
    let mut doubled = transactions.clone();
    doubled.push(transactions[2].clone());

    for other in [reversed, doubled, transactions[..2].to_vec()] {
        assert_ne!(Body::new(other).root(), body.root());
    }
    assert_ne!(body_root(3, Digest::ZERO, None), body_root(4, Digest::ZERO, None));
    assert_eq!(Body::default().root(), body_root(0, Digest::ZERO, None));
}

#[test]
fn every_transaction_has_a_path_to_the_root() {
    let body = fixtures::block(5, BlockId::NONE).body;
    for (index, transaction) in (0..).zip(body.transactions()) {
        let path = body.path(index).unwrap();
        let leaf = transaction.leaf();
        let root = path.root(Domain::TransactionNode, leaf, u64::from(index), 3);
        assert_eq!(root.map(|root| body_root(3, root, None)), Some(body.root()));
        assert_eq!(body.tree().path(u64::from(index)), Some(path));
    }
    assert_eq!(body.path(3), None);
    assert_eq!(body.tree().root(), merkle::root(Domain::TransactionNode, &body_leaves(&body)));
}

fn body_leaves(body: &Body) -> Vec<Digest> {
    body.transactions().iter().map(crate::SignedTransaction::leaf).collect()
}

#[test]
fn the_root_covers_the_evidence_and_every_piece_has_its_own() {
    let body = fixtures::block(5, BlockId::NONE).body;
    let mut roots = BTreeSet::from([body.root()]);

    for evidence in fixtures::evidence() {
        let with_evidence = body.clone().with_evidence(Some(evidence));

        assert!(roots.insert(with_evidence.root()));
        assert!(!Body::default().with_evidence(with_evidence.evidence().cloned()).is_empty());
        assert_eq!(with_evidence.encoded_bytes(), encode(&with_evidence).len());
    }
    assert_eq!(body.encoded_bytes(), encode(&body).len());
}

#[test]
fn an_empty_body_says_so() {
    let body = Body::new(Vec::new());

    assert!(body.is_empty());
    assert_eq!((body.len(), body.path(0)), (0, None));
    assert_eq!(body.into_transactions(), []);
}
