use types::block::Block;
use types::receipt::ReceiptError;

use super::Tally;
use crate::tests::network::{self, replica};

fn block() -> Block {
    network::block(
        network::genesis().header(),
        vec![network::transfer(0, 1, 0), network::transfer(1, 2, 0)],
    )
    .block
}

/// Another block with the same transaction.
fn rival() -> Block {
    let mut block = block();
    block.header.timestamp_ms += 1;
    block
}

fn tally() -> Tally {
    Tally::new(network::genesis().validators().clone(), network::transfer(0, 1, 0).id())
}

#[test]
fn two_validators_that_agree_decide_a_network_of_four() {
    let mut tally = tally();

    tally.add(network::receipt(3, &block(), 0)).unwrap();
    assert!(tally.decided().is_none(), "t replies are not enough");
    tally.add(network::receipt(1, &block(), 0)).unwrap();

    let (place, receipts) = tally.decided().unwrap();
    assert_eq!(place.block, block().id());
    assert!(receipts.keys().copied().eq([replica(1), replica(3)]));
    assert!(!tally.contradicts());
}

#[test]
fn one_validator_counts_once_however_often_it_answers() {
    let mut tally = tally();

    for _ in 0..3 {
        tally.add(network::receipt(2, &block(), 0)).unwrap();
    }

    assert_eq!(tally.validators_heard(), 1);
    assert!(tally.decided().is_none());
}

#[test]
fn replies_for_different_blocks_contradict_and_do_not_add_up() {
    let mut tally = tally();

    tally.add(network::receipt(0, &block(), 0)).unwrap();
    tally.add(network::receipt(1, &rival(), 0)).unwrap();

    assert!(tally.contradicts());
    assert!(tally.decided().is_none());
    // One liar does not keep two honest ones from agreeing.
    tally.add(network::receipt(2, &block(), 0)).unwrap();
    assert_eq!(tally.decided().unwrap().0.block, block().id());
}

#[test]
fn one_validator_that_says_two_things_contradicts_itself() {
    let mut tally = tally();

    tally.add(network::receipt(0, &block(), 0)).unwrap();
    tally.add(network::receipt(0, &rival(), 0)).unwrap();

    assert!(tally.contradicts());
    assert_eq!(tally.validators_heard(), 1);
}

#[test]
fn a_receipt_that_proves_nothing_is_not_counted() {
    let mut tally = tally();
    let good = network::receipt(0, &block(), 0);

    let other = network::receipt(0, &block(), 1);
    assert!(matches!(tally.add(other), Err(ReceiptError::OtherTransaction { .. })));
    let mut forged = good.clone();
    forged.reply.signature = network::receipt(1, &block(), 0).reply.signature;
    assert_eq!(tally.add(forged), Err(ReceiptError::Signature));
    let mut borrowed = good.clone();
    borrowed.reply.replica = replica(1);
    assert_eq!(tally.add(borrowed), Err(ReceiptError::Signature));
    let mut outsider = good.clone();
    outsider.reply.replica = replica(9);
    assert!(matches!(tally.add(outsider), Err(ReceiptError::NotAMember(_))));
    let mut elsewhere = good;
    elsewhere.index = 1;
    assert_eq!(tally.add(elsewhere), Err(ReceiptError::Path));

    assert_eq!(tally.validators_heard(), 0);
}
