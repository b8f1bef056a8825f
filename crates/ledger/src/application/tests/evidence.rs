//! Evidence in blocks: each replica is convicted once on a branch.

use crypto::digest::Digest;
use crypto::keys::Signature;
use types::application::Application;
use types::block::{Block, BlockId, Body};
use types::evidence::Evidence;
use types::number::{Height, View};
use types::parameters::Parameters;
use types::replica::ReplicaId;
use types::vote::{Phase, Statement, Vote};

use super::code;
use crate::PoolLimits;
use crate::fixture::Fixture;

/// Two votes of one replica for two blocks. Nobody signs them: that is asked at the door.
fn lie(replica: u16) -> Evidence {
    let vote = |block| Vote {
        statement: Statement {
            phase: Phase::Prepare,
            view: View::FIRST,
            height: Height::new(9),
            block: BlockId::new(Digest::from_bytes([block; 32])),
        },
        replica: ReplicaId::new(replica),
        signature: Signature::from_bytes([0; 64]),
    };
    Evidence::Votes { first: vote(1), second: vote(2) }
}

#[test]
fn one_piece_of_evidence_goes_into_a_block_and_its_owner_into_no_other() {
    let mut fixture = Fixture::new(&[100, 0]);
    let genesis = fixture.ledger.committed().1;
    let [first, second, again] = [lie(2), lie(0), lie(2)];
    let is_convicted = |fixture: &Fixture, replica, block: &Block| {
        fixture.ledger.is_convicted(ReplicaId::new(replica), &block.id())
    };

    let block = fixture.propose_with(genesis, &[&first, &second]).unwrap();
    assert_eq!((block.body.evidence(), block.body.len()), (Some(&first), 0));
    fixture.execute(&block).unwrap();
    assert!(is_convicted(&fixture, 2, &block) && !is_convicted(&fixture, 0, &block));
    assert!(!fixture.ledger.is_convicted(ReplicaId::new(2), &genesis), "not on every branch");

    let next = fixture.propose_with(block.id(), &[&again, &second]).unwrap();
    assert_eq!(next.body.evidence(), Some(&second));
    let twice = Body::default().with_evidence(Some(again.clone()));
    let twice = fixture.block_of(block.id(), twice, 1);
    assert_eq!(code(fixture.execute(&twice)), "convicted");
    fixture.commit(&block);
    assert_eq!(code(fixture.execute(&twice)), "convicted");
    assert_eq!(fixture.ledger.convicted().iter().map(|it| it.get()).collect::<Vec<_>>(), [2]);
    assert!(fixture.propose_with(block.id(), &[&again]).is_none());
    assert_eq!(fixture.ledger.snapshot().convicted, *fixture.ledger.convicted());
}

#[test]
fn evidence_of_an_abandoned_branch_convicts_nobody() {
    let mut fixture = Fixture::new(&[100, 0]);
    let genesis = fixture.ledger.committed().1;
    let block = fixture.propose_with(genesis, &[&lie(1)]).unwrap();
    fixture.execute(&block).unwrap();

    fixture.forget(&block);

    assert!(!fixture.ledger.is_convicted(ReplicaId::new(1), &block.id()));
    assert!(fixture.propose_with(genesis, &[&lie(1)]).is_some());
}

#[test]
fn evidence_leaves_less_room_for_transactions_and_what_does_not_fit_is_left_out() {
    let one = Fixture::new(&[100]).transfer(0, 0, 1, 1).encoded_bytes();
    let evidence = lie(1);
    let room = Body::EMPTY_BYTES + 7 * one;
    let parameters =
        Parameters { block_bytes_max: u32::try_from(room).unwrap(), ..Parameters::default() };
    let mut fixture = Fixture::with(&[100, 0], parameters, PoolLimits::default());
    for nonce in 0..8 {
        fixture.admit(&fixture.transfer(0, nonce, 1, 1)).unwrap();
    }
    let genesis = fixture.ledger.committed().1;
    let header = fixture.propose_on(genesis).unwrap().header;
    let Evidence::Votes { first: higher, second: lower } = lie(2) else { unreachable!() };
    let long = Evidence::Branches { higher, lower, headers: vec![header; 12] };

    let with = fixture.propose_with(genesis, &[&long, &evidence]).unwrap();
    let without = fixture.propose_with(genesis, &[&long]).unwrap();

    assert_eq!((without.body.evidence(), without.body.len()), (None, 7));
    assert_eq!(with.body.evidence(), Some(&evidence));
    assert!((1..7).contains(&with.body.len()) && with.body.encoded_bytes() <= room);
    assert_eq!(fixture.execute(&with), Ok(()));
}
