use std::sync::Arc;

use crypto::keys::Signature;
use crypto::signed::{Forged, Unverified, verify_all};

use super::{CheckedTransactions, Door, NothingChecked};
use crate::tests::fixtures;
use crate::{Body, SignedTransaction, TransactionId};

/// Remembers one transaction.
struct One(TransactionId, Signature);

impl CheckedTransactions for One {
    fn is_checked(&self, id: &TransactionId, signature: &Signature) -> bool {
        (*id, *signature) == (self.0, self.1)
    }
}

fn door_that_checked(transaction: &SignedTransaction) -> Door {
    let one = One(transaction.id(), transaction.signature);
    Door::new(fixtures::validators(4), Arc::new(one))
}

fn claims(door: &Door, body: &Body) -> usize {
    let mut claims = Vec::new();
    door.body_claims(body, &mut claims).unwrap();
    claims.len()
}

#[test]
fn what_was_checked_with_these_very_signature_bytes_is_not_checked_again() {
    let body = fixtures::proved_block().block.body;

    let door = door_that_checked(&body.transactions()[1]);

    assert_eq!(claims(&Door::strict(fixtures::validators(4)), &body), 3);
    assert_eq!(claims(&door, &body), 2);
}

#[test]
fn a_known_transaction_with_another_signature_is_checked() {
    let known = fixtures::signed(200, 0);
    let door = door_that_checked(&known);
    let mut forged = known;
    forged.signature = Signature::from_bytes([9; 64]);

    assert_eq!(claims(&door, &Body::new(vec![forged])), 1);
}

#[test]
fn the_certificate_is_checked_whatever_is_known_of_the_transactions() {
    let mut proved = fixtures::proved_block();
    proved.proof.certificate.signatures[0].1 = Signature::from_bytes([9; 64]);
    let everything = Arc::new(Everything);
    let door = Door::new(fixtures::validators(4), everything);

    let verdicts =
        verify_all(vec![Unverified::new(proved), Unverified::new(fixtures::proved_block())], &door);

    assert_eq!(verdicts[0], Err(Forged::Signature));
    assert!(verdicts[1].is_ok());
}

/// Claims to have checked everything.
struct Everything;

impl CheckedTransactions for Everything {
    fn is_checked(&self, _: &TransactionId, _: &Signature) -> bool {
        true
    }
}

#[test]
fn nothing_checked_knows_nothing_also_when_shared() {
    let known = fixtures::signed(200, 0);

    assert!(!Arc::new(NothingChecked).is_checked(&known.id(), &known.signature));
    assert!(format!("{:?}", Door::strict(fixtures::validators(1))).starts_with("Door"));
}
