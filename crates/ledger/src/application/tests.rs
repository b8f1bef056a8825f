//! Propose, execute, commit, forget, and every reason to refuse a block.

use crypto::digest::Digest;
use crypto::keys::Signature;
use crypto::signed::ChainId;
use types::application::{Application, BlockRefusal};
use types::block::{Block, BlockId, Body};
use types::number::{Height, Nonce};
use types::parameters::Parameters;
use types::rejection::Rejection;
use types::transaction::SignedTransaction;

use crate::fixture::{Fixture, address, until};
use crate::{Admission, Origin, PoolLimits, layers_max};

mod evidence;

/// At most three transactions and 1,024 bytes in a block, and a window of two.
fn small() -> Fixture {
    let parameters = Parameters {
        window_heights: 2,
        block_transactions_max: 3,
        block_bytes_max: 1_024,
        ..Parameters::default()
    };
    Fixture::with(&[1_000, 1_000, 1_000], parameters, PoolLimits::default())
}

/// Gives the block another body, with the header that fits it.
fn with_body(mut block: Block, transactions: Vec<SignedTransaction>) -> Block {
    block.body = Body::new(transactions);
    block.header.body_root = block.body.root();
    block.header.transactions = u32::try_from(block.body.len()).unwrap();
    block
}

fn code(result: Result<(), BlockRefusal>) -> &'static str {
    match result.unwrap_err() {
        BlockRefusal::UnknownParent { .. } => "unknown parent",
        BlockRefusal::WrongHeight { .. } => "wrong height",
        BlockRefusal::TooManyLayers { .. } => "too many layers",
        BlockRefusal::Empty => "empty",
        BlockRefusal::TooManyTransactions { .. } => "too many transactions",
        BlockRefusal::TooManyBytes { .. } => "too many bytes",
        BlockRefusal::BodyRoot => "body root",
        BlockRefusal::Transaction { .. } => "transaction",
        BlockRefusal::Convicted { .. } => "convicted",
        BlockRefusal::StateRoot { .. } => "state root",
    }
}

#[test]
fn what_is_proposed_executes_and_commits_and_moves_the_money() {
    let mut fixture = Fixture::new(&[100, 50]);
    fixture.admit(&fixture.transfer(0, 0, 1, 30)).unwrap();
    fixture.admit(&fixture.transfer(1, 0, 2, 5)).unwrap();
    let genesis = fixture.ledger.committed().1;

    let block = fixture.propose_on(genesis).unwrap();
    fixture.execute(&block).unwrap();
    assert_eq!(fixture.of(0), Some((100, 0)), "not committed, not visible");
    assert_eq!(fixture.pending(), 0);
    fixture.commit(&block);

    assert_eq!(fixture.of(0), Some((70, 1)));
    assert_eq!(fixture.of(1), Some((75, 1)));
    assert_eq!(fixture.of(2), Some((5, 0)));
    assert_eq!(fixture.ledger.accounts(), 3);
    assert_eq!(fixture.ledger.state_root(), block.header.state_root);
    assert_eq!(fixture.ledger.committed(), (Height::new(1), block.id()));
    assert_eq!(fixture.ledger.pool().pending, 0);
}

#[test]
fn accounts_are_numbered_in_the_order_of_their_first_payment() {
    let mut fixture = Fixture::new(&[100]);
    fixture.settle(vec![
        fixture.transfer(0, 0, 9, 1),
        fixture.transfer(0, 1, 3, 1),
        fixture.transfer(0, 2, 9, 1),
    ]);

    let number = |person| fixture.ledger.prove(&address(person)).unwrap().index;
    assert_eq!((number(0), number(9), number(3)), (0, 1, 2));
}

#[test]
fn there_is_nothing_to_propose_without_requests_or_on_a_wrong_place() {
    let mut fixture = Fixture::new(&[100, 0]);
    let (_, genesis) = fixture.ledger.committed();
    assert!(fixture.ledger.propose(&genesis, Height::new(1), &[]).is_none());
    fixture.admit(&fixture.transfer(0, 0, 1, 1)).unwrap();

    assert!(fixture.ledger.propose(&genesis, Height::new(2), &[]).is_none());
    assert!(fixture.ledger.propose(&BlockId::NONE, Height::new(1), &[]).is_none());
    assert!(fixture.ledger.propose(&genesis, Height::new(1), &[]).is_some());
}

#[test]
fn a_proposal_takes_as_many_as_the_genesis_allows() {
    let mut fixture = small();
    for nonce in 0..5 {
        fixture.admit(&fixture.transfer(0, nonce, 1, 1)).unwrap();
    }
    let (_, genesis) = fixture.ledger.committed();

    let first = fixture.propose_on(genesis).unwrap();
    fixture.execute(&first).unwrap();
    let second = fixture.propose_on(first.id()).unwrap();

    let nonces = |block: &Block| -> Vec<u64> {
        let nonce = |signed: &SignedTransaction| signed.transaction.nonce.get();
        block.body.transactions().iter().map(nonce).collect()
    };
    assert_eq!(nonces(&first), [0, 1, 2]);
    assert_eq!(nonces(&second), [3, 4]);
}

#[test]
fn a_proposal_takes_as_many_bytes_as_the_genesis_allows() {
    let one = small().transfer(0, 0, 1, 1).encoded_bytes();
    let exactly = u32::try_from(Body::EMPTY_BYTES + 7 * one).unwrap();
    for (bytes_max, taken) in [(exactly, 7), (exactly - 1, 6)] {
        let parameters = Parameters { block_bytes_max: bytes_max, ..Parameters::default() };
        let mut fixture = Fixture::with(&[100, 0], parameters, PoolLimits::default());
        for nonce in 0..9 {
            fixture.admit(&fixture.transfer(0, nonce, 1, 1)).unwrap();
        }
        let (_, genesis) = fixture.ledger.committed();

        let block = fixture.propose_on(genesis).unwrap();

        assert_eq!(block.body.len(), taken);
        assert_eq!(fixture.twin().execute(&block), Ok(()));
    }
}

#[test]
fn every_refusal_of_a_block_names_its_reason_and_changes_nothing() {
    let mut fixture = small();
    let transfers: Vec<_> = (0..5).map(|nonce| fixture.transfer(0, nonce, 1, 1)).collect();
    let good = fixture.block(transfers[..3].to_vec());
    let fat: Vec<_> = (0..3)
        .map(|nonce| {
            let mut fat = fixture.transfer(0, nonce, 1, 1);
            let types::transaction::Action::Transfer(with_memo) = &mut fat.transaction.action;
            with_memo.memo = types::memo::Memo::new("m".repeat(200));
            fat
        })
        .collect();
    let spoiled = |spoil: fn(&mut Block)| {
        let mut block = good.clone();
        spoil(&mut block);
        block
    };
    let refused = [
        (spoiled(|block| block.header.parent = BlockId::NONE), "unknown parent"),
        (spoiled(|block| block.header.chain = ChainId::new(Digest::ZERO)), "unknown parent"),
        (spoiled(|block| block.header.height = Height::new(2)), "wrong height"),
        (spoiled(|block| block.header.height = Height::GENESIS), "wrong height"),
        (with_body(good.clone(), Vec::new()), "empty"),
        (with_body(good.clone(), transfers[..4].to_vec()), "too many transactions"),
        (with_body(good.clone(), fat), "too many bytes"),
        (spoiled(|block| block.header.body_root = Digest::ZERO), "body root"),
        (spoiled(|block| block.header.transactions = 2), "body root"),
        (with_body(good.clone(), transfers[1..4].to_vec()), "transaction"),
        (spoiled(|block| block.header.state_root = Digest::ZERO), "state root"),
    ];

    for (block, reason) in refused {
        assert_eq!(code(fixture.execute(&block)), reason);
        assert_eq!(fixture.ledger.layers.len(), 0);
    }
    assert_eq!(fixture.execute(&good), Ok(()));
}

#[test]
fn of_two_reasons_to_refuse_a_block_the_first_in_the_documented_order_is_named() {
    let mut fixture = small();
    let transfers: Vec<_> = (0..9).map(|nonce| fixture.transfer(0, nonce, 1, 1)).collect();
    let good = fixture.block(transfers[..2].to_vec());
    let spoils: [(&str, &dyn Fn(Block) -> Block); 7] = [
        ("unknown parent", &|mut block| {
            block.header.parent = BlockId::NONE;
            block
        }),
        ("wrong height", &|mut block| {
            block.header.height = Height::new(9);
            block
        }),
        ("too many transactions", &|block| with_body(block, transfers[..4].to_vec())),
        ("too many bytes", &|block| {
            let mut bodies = block.body.clone().into_transactions();
            let types::transaction::Action::Transfer(with_memo) = &mut bodies[1].transaction.action;
            with_memo.memo = types::memo::Memo::new("m".repeat(2_000));
            with_body(block, bodies)
        }),
        ("body root", &|mut block| {
            block.header.body_root = Digest::ZERO;
            block
        }),
        ("transaction", &|block| {
            let bodies = block.body.clone().into_transactions();
            let wrong = block.header.body_root == Digest::ZERO;
            let mut block = with_body(block, bodies.into_iter().rev().collect());
            if wrong {
                block.header.body_root = Digest::ZERO;
            }
            block
        }),
        ("state root", &|mut block| {
            block.header.state_root = Digest::ZERO;
            block
        }),
    ];

    for (place, (first, spoil_first)) in spoils.iter().enumerate() {
        for (second, spoil_second) in &spoils[place + 1..] {
            let block = spoil_second(spoil_first(good.clone()));
            assert_eq!(code(fixture.execute(&block)), *first, "with {second}");
        }
    }
}

#[test]
fn no_change_of_a_proposal_is_accepted_as_the_proposal() {
    let mut fixture = Fixture::new(&[100, 100, 0]);
    for nonce in 0..3 {
        fixture.admit(&fixture.transfer(0, nonce, 1, 10)).unwrap();
        fixture.admit(&fixture.transfer(1, nonce, 2, 10)).unwrap();
    }
    let (_, genesis) = fixture.ledger.committed();
    let block = fixture.propose_on(genesis).unwrap();
    let transactions = block.body.transactions().to_vec();
    let mut bodies = Vec::new();
    for index in 0..transactions.len() {
        let mut without = transactions.clone();
        without.remove(index);
        let mut twice = transactions.clone();
        twice.insert(index, transactions[index].clone());
        let mut other = transactions.clone();
        other[index] = fixture.transfer(2, 0, 0, 1);
        bodies.extend([without, twice, other]);
    }
    let mut other_amount = transactions.clone();
    other_amount[5] = fixture.transfer(1, 2, 2, 11);
    bodies.push(other_amount);

    for body in bodies {
        let mut as_it_was = block.clone();
        as_it_was.body = Body::new(body.clone());
        assert_eq!(code(fixture.execute(&as_it_was)), "body root");
        let refitted = with_body(block.clone(), body);
        assert!(matches!(
            fixture.execute(&refitted),
            Err(BlockRefusal::Transaction { .. } | BlockRefusal::StateRoot { .. })
        ));
    }
    assert_eq!(fixture.execute(&block), Ok(()));
}

#[test]
fn a_proposal_with_another_signature_is_another_block_with_the_same_state() {
    let mut fixture = Fixture::new(&[100, 0]);
    fixture.admit(&fixture.transfer(0, 0, 1, 10)).unwrap();
    let (_, genesis) = fixture.ledger.committed();
    let block = fixture.propose_on(genesis).unwrap();
    let mut transactions = block.body.transactions().to_vec();
    transactions[0].signature = Signature::from_bytes([8; 64]);

    let resigned = with_body(block.clone(), transactions);

    assert_ne!(resigned.id(), block.id());
    assert_eq!(fixture.execute(&resigned), Ok(()));
    assert_eq!(fixture.execute(&block), Ok(()));
}

#[test]
fn a_proposal_for_one_branch_is_executed_anew_on_another() {
    let mut fixture = Fixture::new(&[100, 100, 0]);
    let genesis = fixture.ledger.committed().1;
    let left = fixture.block_on(genesis, vec![fixture.transfer(1, 0, 2, 1)], 0);
    fixture.execute(&left).unwrap();
    let right = fixture.block_on(genesis, vec![fixture.transfer(1, 0, 2, 2)], 1);
    fixture.execute(&right).unwrap();
    fixture.admit(&fixture.transfer(0, 0, 2, 5)).unwrap();
    let proposed = fixture.propose_on(left.id()).unwrap();

    let mut moved = proposed.clone();
    moved.header.parent = right.id();
    assert_eq!(code(fixture.execute(&moved)), "state root");
    let moved = fixture.block_on(right.id(), proposed.body.into_transactions(), 0);
    fixture.execute(&moved).unwrap();
    fixture.commit(&right);
    fixture.commit(&moved);

    assert_eq!(fixture.of(2), Some((7, 0)));
}

#[test]
fn executing_again_is_harmless_before_and_after_the_commit() {
    let mut fixture = Fixture::new(&[100, 0]);
    fixture.admit(&fixture.transfer(0, 0, 1, 10)).unwrap();
    let (_, genesis) = fixture.ledger.committed();
    let block = fixture.propose_on(genesis).unwrap();

    fixture.execute(&block).unwrap();
    fixture.execute(&block).unwrap();
    assert_eq!(fixture.ledger.layers.len(), 1);
    fixture.commit(&block);
    fixture.execute(&block).unwrap();

    assert_eq!(fixture.ledger.layers.len(), 0);
    assert_eq!(fixture.of(1), Some((10, 0)));
}

#[test]
fn blocks_in_flight_stand_on_one_another() {
    let mut fixture = Fixture::new(&[100]);
    let mut parent = fixture.ledger.committed().1;
    let mut blocks = Vec::new();
    for person in 0..8_u16 {
        let paid = 50 - u64::from(person);
        let transaction = fixture.transfer(person, 0, person + 1, paid);
        let block = fixture.block_on(parent, vec![transaction], 0);
        fixture.execute(&block).unwrap();
        parent = block.id();
        blocks.push(block);
    }
    assert_eq!(fixture.ledger.accounts(), 1);

    for block in &blocks {
        fixture.commit(block);
        assert_eq!(fixture.ledger.state_root(), block.header.state_root);
    }

    assert_eq!(fixture.of(8), Some((43, 0)));
    assert_eq!(fixture.of(7), Some((1, 1)));
}

#[test]
fn a_commit_drops_the_rivals_and_their_requests_wait_again() {
    let mut fixture = Fixture::new(&[100, 100, 100]);
    let ours = fixture.transfer(0, 0, 1, 1);
    let theirs = fixture.transfer(1, 0, 2, 1);
    let both = fixture.transfer(2, 0, 0, 1);
    fixture.admit(&ours).unwrap();
    let genesis = fixture.ledger.committed().1;
    let left = fixture.block_on(genesis, vec![ours.clone(), both.clone()], 0);
    fixture.execute(&left).unwrap();
    let above = fixture.block_on(left.id(), vec![theirs.clone()], 0);
    fixture.execute(&above).unwrap();
    let right = fixture.block_on(genesis, vec![both.clone()], 1);
    fixture.execute(&right).unwrap();
    assert_eq!(fixture.pending(), 0);

    fixture.commit(&right);

    assert_eq!(fixture.ledger.layers.len(), 0);
    assert_eq!(fixture.pending(), 2);
    assert!(fixture.ledger.contains(&ours.id()));
    assert!(fixture.ledger.contains(&theirs.id()), "first seen in a block");
    assert!(!fixture.ledger.contains(&both.id()));
    assert_eq!(fixture.ledger.take_dropped(), []);
}

#[test]
fn a_forgotten_block_takes_its_descendants_with_it_and_gives_requests_back_in_order() {
    let mut fixture = Fixture::new(&[100, 100, 100]);
    let first = fixture.transfer(0, 0, 1, 1);
    let second = fixture.transfer(1, 0, 1, 1);
    let third = fixture.transfer(2, 0, 1, 1);
    fixture.admit(&first).unwrap();
    let block = fixture.block(vec![first.clone()]);
    fixture.execute(&block).unwrap();
    let child = fixture.block_on(block.id(), vec![second.clone()], 0);
    fixture.execute(&child).unwrap();
    fixture.admit(&third).unwrap();

    fixture.forget(&block);

    assert_eq!(fixture.ledger.layers.len(), 0);
    let now = fixture.ledger.ticket();
    let waiting = fixture.ledger.pending_since(now, 10);
    assert_eq!(waiting, [&first, &second, &third]);
    assert_eq!(code(fixture.ledger.execute(&child)), "unknown parent");
}

#[test]
fn forgetting_what_is_unknown_or_committed_is_harmless() {
    let mut fixture = Fixture::new(&[100, 0]);
    let block = fixture.settle(vec![fixture.transfer(0, 0, 1, 1)]);

    fixture.ledger.forget(&BlockId::NONE);
    fixture.forget(&block);

    assert_eq!(fixture.of(1), Some((1, 0)));
}

#[test]
fn a_committed_block_never_seen_before_moves_nonces_and_its_rivals_are_reported() {
    let mut fixture = Fixture::new(&[100, 0]);
    let rival = fixture.transfer(0, 0, 1, 1);
    let next = fixture.transfer(0, 1, 1, 1);
    fixture.admit(&rival).unwrap();
    fixture.admit(&next).unwrap();

    fixture.settle(vec![fixture.transfer(0, 0, 1, 2)]);

    assert_eq!(
        fixture.ledger.take_dropped(),
        [(rival.id(), Rejection::NonceTooLow { expected: Nonce::new(1), found: Nonce::FIRST })]
    );
    assert_eq!(fixture.pending(), 1);
    assert!(fixture.ledger.contains(&next.id()));
    assert_eq!(fixture.ledger.next_nonce(&address(0)), Nonce::new(2));
}

#[test]
fn of_two_spendings_of_one_nonce_exactly_one_is_committed_everywhere() {
    let mut here = Fixture::new(&[100, 0, 0]);
    let mut there = here.twin();
    let to_one = here.transfer(0, 0, 1, 100);
    let to_two = here.transfer(0, 0, 2, 100);
    here.admit(&to_one).unwrap();
    there.admit(&to_two).unwrap();
    let genesis = here.ledger.committed().1;
    let block = there.propose_on(genesis).unwrap();

    for fixture in [&mut here, &mut there] {
        fixture.execute(&block).unwrap();
        fixture.commit(&block);
    }

    assert_eq!(here.of(2), Some((100, 0)));
    assert_eq!(here.ledger.state_root(), there.ledger.state_root());
    let dropped = here.ledger.take_dropped();
    assert_eq!(dropped.len(), 1);
    assert_eq!(dropped[0].0, to_one.id());
    assert_eq!(there.ledger.take_dropped(), []);
}

#[test]
fn what_expires_leaves_as_heights_pass_and_what_follows_it_waits() {
    let mut fixture = Fixture::new(&[100, 100]);
    let brief = until(fixture.transfer(0, 0, 1, 1), 1);
    let after = fixture.transfer(0, 1, 1, 1);
    let parked = until(fixture.transfer(7, 0, 1, 1), 1);
    let parked_on = until(fixture.transfer(8, 0, 1, 1), 2);
    fixture.admit_from(&parked_on, Origin::Peer).unwrap();
    fixture.admit(&brief).unwrap();
    fixture.admit(&after).unwrap();
    let admitted = fixture.admit_from(&parked, Origin::Peer);
    assert_eq!(admitted, Ok(Admission::Parked));
    assert_eq!(fixture.pending(), 2);

    fixture.settle(vec![fixture.transfer(1, 0, 0, 1)]);

    let expired = Rejection::Expired { valid_until: Height::new(1), height: Height::new(2) };
    assert_eq!(fixture.ledger.take_dropped(), [(brief.id(), expired), (parked.id(), expired)]);
    assert_eq!(fixture.pending(), 0);
    assert_eq!(fixture.ledger.pool().parked, 1);
    fixture.admit(&fixture.transfer(0, 0, 1, 2)).unwrap();
    assert_eq!(fixture.pending(), 2);
}

#[test]
fn what_is_in_flight_does_not_expire() {
    let mut fixture = Fixture::new(&[100, 100]);
    let brief = until(fixture.transfer(0, 0, 1, 1), 2);
    fixture.admit(&brief).unwrap();
    let first = fixture.block(vec![fixture.transfer(1, 0, 0, 1)]);
    fixture.execute(&first).unwrap();
    let second = fixture.propose_on(first.id()).unwrap();
    fixture.execute(&second).unwrap();

    fixture.commit(&first);
    fixture.commit(&second);

    assert_eq!(fixture.of(0), Some((100, 1)));
    assert_eq!(fixture.ledger.take_dropped(), []);
}

#[test]
fn a_transaction_is_not_proposed_for_a_height_at_which_it_has_expired() {
    let mut fixture = Fixture::new(&[100, 100]);
    fixture.admit(&until(fixture.transfer(0, 0, 1, 1), 1)).unwrap();
    let first = fixture.block(vec![fixture.transfer(1, 0, 0, 1)]);
    fixture.execute(&first).unwrap();

    assert!(fixture.propose_on(first.id()).is_none());
    let (_, genesis) = fixture.ledger.committed();
    assert!(fixture.propose_on(genesis).is_some());
}

#[test]
fn what_is_not_valid_on_a_branch_costs_a_proposal_no_more_than_a_block() {
    let parameters = Parameters { block_transactions_max: 10, ..Parameters::default() };
    let mut fixture = Fixture::with(&[1_000; 100], parameters, PoolLimits::default());
    let first = fixture.block(vec![fixture.transfer(99, 0, 0, 1)]);
    fixture.execute(&first).unwrap();
    for person in 0..50 {
        let brief = until(fixture.transfer(person, 0, 99, 1), 1);
        fixture.admit(&brief).unwrap();
    }
    let honest = fixture.transfer(60, 0, 99, 1);
    fixture.admit(&honest).unwrap();

    assert!(fixture.propose_on(first.id()).is_none());
    fixture.commit(&first);
    let block = fixture.propose_on(first.id()).unwrap();

    assert_eq!(block.body.transactions(), [honest]);
}

#[test]
fn layers_are_bounded() {
    let mut fixture = small();
    let most = layers_max(2);
    let genesis = fixture.ledger.committed().1;
    let mut blocks = Vec::new();
    for view in 0..=u64::try_from(most).unwrap() {
        let transaction = fixture.transfer(0, 0, 1, 1 + view);
        blocks.push(fixture.block_on(genesis, vec![transaction], view));
    }

    for block in &blocks[..most] {
        fixture.execute(block).unwrap();
    }
    assert_eq!(code(fixture.execute(&blocks[most])), "too many layers");
    fixture.forget(&blocks[0]);

    assert_eq!(fixture.execute(&blocks[most]), Ok(()));
}

#[test]
#[should_panic(expected = "before its parent")]
fn committing_a_block_before_its_parent_is_a_bug_of_the_caller() {
    let mut fixture = Fixture::new(&[100, 0]);
    let block = fixture.block(vec![fixture.transfer(0, 0, 1, 1)]);
    fixture.execute(&block).unwrap();
    let child = fixture.block_on(block.id(), vec![fixture.transfer(0, 1, 1, 1)], 0);
    fixture.execute(&child).unwrap();

    fixture.commit(&child);
}

#[test]
#[should_panic(expected = "only a block that was executed here")]
fn committing_a_block_that_was_not_executed_is_a_bug_of_the_caller() {
    let mut fixture = Fixture::new(&[100, 0]);
    let block = fixture.block(vec![fixture.transfer(0, 0, 1, 1)]);

    fixture.commit(&block);
}
