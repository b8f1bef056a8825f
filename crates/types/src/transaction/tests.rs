use crypto::keys::{PublicKey, Signature};
use crypto::signed::{Forged, Unverified};

use super::{Action, SignedTransaction, TRANSACTION_BYTES_MAX, Transaction, TransactionId};
use crate::tests::fixtures::{self, WEAK_KEY};
use crate::{Address, Amount, Height, MEMO_BYTES_MAX, Memo, Nonce, Rejection};

/// A transfer of account 200 with one thing changed before it is signed.
fn signed_with(change: impl FnOnce(&mut Transaction)) -> SignedTransaction {
    let mut transaction = fixtures::transaction(200, 0);
    change(&mut transaction);
    SignedTransaction::sign(transaction, &fixtures::secret(200))
}

fn set_memo(transaction: &mut Transaction, bytes: usize) {
    let Action::Transfer(transfer) = &mut transaction.action;
    transfer.memo = Memo::new("x".repeat(bytes));
}

fn set_amount(transaction: &mut Transaction, amount: u64) {
    let Action::Transfer(transfer) = &mut transaction.action;
    transfer.amount = Amount::new(amount);
}

fn verdict(signed: SignedTransaction) -> Result<(), Rejection> {
    Unverified::new(signed).verify(&fixtures::chain()).map(|_| ()).map_err(Rejection::from)
}

#[test]
fn a_signed_transfer_is_authentic() {
    assert_eq!(verdict(fixtures::signed(200, 0)), Ok(()));
}

#[test]
fn every_reason_that_needs_no_state_is_found() {
    let foreign = signed_with(|transaction| transaction.chain = fixtures::other_chain());
    let weak = signed_with(|transaction| {
        transaction.sender = Address::Key(PublicKey::from_bytes(WEAK_KEY));
    });
    let no_key = signed_with(|transaction| {
        transaction.sender = Address::Key(PublicKey::from_bytes([2; 32]));
    });
    let long = signed_with(|transaction| set_memo(transaction, MEMO_BYTES_MAX + 1));
    let zero = signed_with(|transaction| set_amount(transaction, 0));
    let mut forged = fixtures::signed(200, 0);
    forged.signature = fixtures::signed(200, 1).signature;

    assert_eq!(verdict(foreign), Err(Rejection::ForeignChain));
    assert_eq!(verdict(weak), Err(Rejection::WeakKey));
    // No signature holds under bytes that are no key, which is all that need be known of them.
    assert_eq!(verdict(no_key), Err(Rejection::BadSignature));
    assert_eq!(verdict(long), Err(Rejection::MemoTooLong { bytes: 65 }));
    assert_eq!(verdict(zero), Err(Rejection::ZeroAmount));
    assert_eq!(verdict(forged), Err(Rejection::BadSignature));
}

#[test]
fn the_first_reason_that_applies_is_named() {
    let mut wrong = fixtures::transaction(200, 0);
    set_memo(&mut wrong, MEMO_BYTES_MAX + 1);
    set_amount(&mut wrong, 0);
    wrong.chain = fixtures::other_chain();
    wrong.sender = Address::Key(PublicKey::from_bytes(WEAK_KEY));
    let signature = Signature::from_bytes([0; 64]);
    let mut reasons = Vec::new();
    let repairs: [fn(&mut Transaction); 5] = [
        |transaction| transaction.chain = fixtures::chain(),
        |transaction| transaction.sender = fixtures::address(200),
        |transaction| set_memo(transaction, MEMO_BYTES_MAX),
        |transaction| set_amount(transaction, 1),
        |_| {},
    ];

    for repair in repairs {
        let transaction = wrong.clone();
        reasons.push(verdict(SignedTransaction { transaction, signature }).unwrap_err().code());
        repair(&mut wrong);
    }

    assert_eq!(reasons, Rejection::CODES[..5]);
}

#[test]
fn every_field_is_signed() {
    let changes: [fn(&mut Transaction); 5] = [
        |transaction| transaction.sender = fixtures::address(201),
        |transaction| transaction.nonce = Nonce::new(1),
        |transaction| transaction.valid_until = Height::new(101),
        |transaction| set_amount(transaction, 1_251),
        |transaction| set_memo(transaction, 9),
    ];
    for change in changes {
        let mut signed = fixtures::signed(200, 0);
        change(&mut signed.transaction);
        assert_eq!(verdict(signed), Err(Rejection::BadSignature));
    }
    let mut other_recipient = fixtures::signed(200, 0);
    let Action::Transfer(transfer) = &mut other_recipient.transaction.action;
    transfer.recipient = fixtures::address(202);
    assert_eq!(verdict(other_recipient), Err(Rejection::BadSignature));
}

#[test]
fn a_signature_for_one_network_means_nothing_on_another() {
    let mut signed = fixtures::signed(200, 0);
    signed.transaction.chain = fixtures::other_chain();

    let verdict = Unverified::new(signed).verify(&fixtures::other_chain());

    assert_eq!(verdict, Err(Forged::Signature));
}

#[test]
fn the_id_does_not_cover_the_signature_and_the_leaf_does() {
    let signed = fixtures::signed(200, 0);
    let mut other = signed.clone();
    other.signature = Signature::from_bytes([1; 64]);

    assert_eq!(signed.id(), other.id());
    assert_ne!(signed.leaf(), other.leaf());
    assert_ne!(signed.id(), fixtures::signed(200, 1).id());
    assert_ne!(signed.id().digest(), &signed.leaf());
}

#[test]
fn the_longest_transfer_that_is_accepted_fits_the_limit() {
    let longest = signed_with(|transaction| set_memo(transaction, MEMO_BYTES_MAX));

    assert_eq!(verdict(longest.clone()), Ok(()));
    assert_eq!(longest.encoded_bytes(), crypto::encoding::encoded_bytes(&longest));
    assert!(longest.encoded_bytes() < TRANSACTION_BYTES_MAX);
}

#[test]
fn an_id_is_read_back_from_its_text() {
    let id = fixtures::signed(200, 0).id();

    assert_eq!(id.to_string().parse::<TransactionId>(), Ok(id));
    assert_eq!(id.short(), id.to_string()[..8]);
    assert_eq!(format!("{id:?}"), format!("TransactionId({})", id.short()));
    assert!("12".parse::<TransactionId>().is_err());
}
