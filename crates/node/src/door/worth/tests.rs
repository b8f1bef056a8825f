use pbft::Handover;
use types::genesis::Genesis;
use types::transaction::SignedTransaction;
use types::view_change::NewView;

use super::*;
use crate::fixture::{genesis, key, pre_prepare, standing, transfer};

/// A judge of replica 3, which is in view 4 and has committed height 100.
fn judge(genesis: &Genesis) -> (Worth, watch::Sender<core::View>) {
    let (shown, view) = watch::channel(standing(genesis, View::new(4), Height::new(100)));
    (Worth::new(ReplicaId::new(3), *genesis.parameters(), view), shown)
}

fn proposed(genesis: &Genesis, view: u64, height: u64) -> Message {
    long(genesis, view, height, vec![transfer(genesis)])
}

fn long(
    genesis: &Genesis,
    view: u64,
    height: u64,
    transactions: Vec<SignedTransaction>,
) -> Message {
    let place = (View::new(view), Height::new(height));
    Message::PrePrepare(pre_prepare(genesis, place, transactions))
}

#[test]
fn a_proposal_is_worth_a_look_in_this_view_above_the_committed_height() {
    let genesis = genesis(4);
    let (worth, _shown) = judge(&genesis);
    let judged = |view, height| worth.judge(&proposed(&genesis, view, height));

    assert_eq!(judged(4, 101), Ok(()));
    assert_eq!(judged(4, 356), Ok(()));
    assert_eq!(judged(4, 357), Err(Useless::AboveWindow));
    assert_eq!(judged(4, 100), Err(Useless::Committed));
    assert_eq!(judged(2, 101), Err(Useless::PastView));
    assert_eq!(judged(5, 101), Err(Useless::FutureView));
}

#[test]
fn a_new_view_at_the_door_makes_its_proposals_worth_a_look_before_the_core_is_there() {
    let genesis = genesis(4);
    let (worth, shown) = judge(&genesis);
    let (view, signature) = (View::new(6), transfer(&genesis).signature);
    let new_view = NewView { view, view_changes: Vec::new(), signature };

    worth.note(&Message::NewView(new_view));

    assert_eq!(worth.judge(&proposed(&genesis, 6, 101)), Ok(()));
    assert_eq!(worth.judge(&proposed(&genesis, 4, 101)), Ok(()));
    assert_eq!(worth.judge(&proposed(&genesis, 8, 101)), Err(Useless::FutureView));
    shown.send_replace(standing(&genesis, View::new(6), Height::new(100)));
    assert_eq!(worth.judge(&proposed(&genesis, 4, 101)), Err(Useless::PastView));
}

#[test]
fn a_block_of_more_transactions_or_bytes_than_a_block_may_have_is_not() {
    let small = genesis(4);
    let (mut worth, _shown) = judge(&small);
    let three = long(&small, 4, 101, vec![transfer(&small); 3]);
    let bytes = types::block::Body::EMPTY_BYTES + 3 * transfer(&small).encoded_bytes();

    let mut limits = |transactions, bytes| {
        worth.parameters.block_transactions_max = transactions;
        worth.parameters.block_bytes_max = u32::try_from(bytes).unwrap();
        worth.judge(&three)
    };

    assert_eq!(limits(3, bytes), Ok(()));
    assert_eq!(limits(2, bytes), Err(Useless::TooLong));
    assert_eq!(limits(3, bytes - 1), Err(Useless::TooLong));
}

/// One that the core knows nothing of ends its voting, wherever it stands.
#[test]
fn a_proposal_under_the_own_key_is_always_looked_at() {
    let genesis = genesis(4);
    let (worth, _shown) = judge(&genesis);

    for (view, height) in [(3, 1), (7, 101), (11, 1_000_000)] {
        assert_eq!(worth.judge(&proposed(&genesis, view, height)), Ok(()));
    }
}

#[test]
fn a_block_handed_over_is_worth_a_look_above_the_committed_height() {
    let genesis = genesis(4);
    let (worth, _shown) = judge(&genesis);
    let handed = |height| {
        let place = (View::new(4), Height::new(height));
        let block = pre_prepare(&genesis, place, vec![transfer(&genesis)]).block;
        let handover = Handover::sign(block, ReplicaId::new(1), genesis.chain(), &key(1));
        worth.judge(&Message::Handover(handover))
    };

    assert_eq!(handed(100), Err(Useless::Committed));
    assert_eq!(handed(101), Ok(()));
    // It was asked for by its id: where it lies says nothing against it.
    assert_eq!(handed(1_000), Ok(()));
}
