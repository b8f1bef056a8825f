use crypto::encoding::{decode, encode};

use super::{Receipt, ReceiptError};
use crate::tests::fixtures;
use crate::vote::NotAMember;
use crate::{BlockId, Height, ReplicaId, TransactionId};

/// The ids of the transactions in the block of [`fixtures::receipt`].
fn id(index: u32) -> TransactionId {
    fixtures::receipt(index).transaction.id()
}

fn verdict(receipt: &Receipt, id: &TransactionId) -> Result<(), ReceiptError> {
    receipt.verify(&fixtures::validators(4), id)
}

#[test]
fn a_receipt_holds_for_every_place_of_the_block() {
    for index in 0..3 {
        assert_eq!(verdict(&fixtures::receipt(index), &id(index)), Ok(()));
    }
}

#[test]
fn a_receipt_for_another_transaction_says_so() {
    assert_eq!(
        verdict(&fixtures::receipt(1), &id(0)),
        Err(ReceiptError::OtherTransaction { found: id(1) })
    );
}

#[test]
fn every_part_of_a_receipt_is_bound() {
    type Change = fn(&mut Receipt);
    let replica = ReplicaId::new(4);
    let changes: [(Change, ReceiptError); 10] = [
        (|it| it.header.chain = fixtures::other_chain(), ReceiptError::ForeignChain),
        (|it| it.reply.statement.height = Height::new(8), ReceiptError::OtherBlock),
        (|it| it.reply.statement.block = BlockId::NONE, ReceiptError::OtherBlock),
        (|it| it.header.timestamp_ms += 1, ReceiptError::OtherBlock),
        (|it| it.index = 0, ReceiptError::Path),
        (|it| it.index = u32::MAX, ReceiptError::Path),
        (|it| it.path.siblings.truncate(1), ReceiptError::Path),
        (|it| it.transaction.signature = fixtures::signed(200, 9).signature, ReceiptError::Path),
        (
            |it| it.reply.replica = ReplicaId::new(4),
            ReceiptError::NotAMember(NotAMember { replica }),
        ),
        (|it| it.reply.replica = ReplicaId::new(3), ReceiptError::Signature),
    ];
    for (change, error) in changes {
        let mut receipt = fixtures::receipt(1);
        change(&mut receipt);
        assert_eq!(verdict(&receipt, &id(1)), Err(error));
    }
}

#[test]
fn a_transaction_of_another_network_is_none_of_this_one() {
    let mut receipt = fixtures::receipt(1);
    receipt.transaction.transaction.chain = fixtures::other_chain();
    let id = receipt.transaction.id();

    assert_eq!(verdict(&receipt, &id), Err(ReceiptError::ForeignChain));
}

#[test]
fn a_liar_cannot_invent_a_count_under_which_another_path_fits() {
    let mut receipt = fixtures::receipt(2);
    receipt.header.transactions = 2;
    receipt.index = 1;
    receipt.reply = fixtures::reply(&receipt.header, 2);

    assert_eq!(verdict(&receipt, &id(2)), Err(ReceiptError::Path));
}

#[test]
fn no_changed_bit_is_accepted() {
    let bytes = encode(&fixtures::receipt(1));
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        if let Ok(receipt) = decode(&changed) {
            assert!(verdict(&receipt, &id(1)).is_err(), "byte {place}");
        }
    }
}
