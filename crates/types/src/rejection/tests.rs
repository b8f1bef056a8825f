use crypto::signed::Forged;

use super::{Cause, Rejection};
use crate::{Amount, Height, Nonce};

/// One of each, in the documented order.
fn all() -> [Rejection; 15] {
    let (expected, found) = (Nonce::new(4), Nonce::new(9));
    [
        Rejection::ForeignChain,
        Rejection::WeakKey,
        Rejection::MemoTooLong { bytes: 65 },
        Rejection::ZeroAmount,
        Rejection::BadSignature,
        Rejection::Expired { valid_until: Height::new(3), height: Height::new(4) },
        Rejection::UnknownSender,
        Rejection::NonceTooLow { expected: found, found: expected },
        Rejection::NonceTooHigh { expected, found },
        Rejection::Overdraft { balance: Amount::new(1), amount: Amount::new(2) },
        Rejection::Overflow,
        Rejection::AlreadyPending,
        Rejection::ConflictingNonce { nonce: found },
        Rejection::AccountFull { pending: 1_024 },
        Rejection::PoolFull,
    ]
}

#[test]
fn codes_are_stable_and_stand_in_the_documented_order() {
    let codes = all().map(|rejection| rejection.code());

    assert_eq!(codes, Rejection::CODES);
}

#[test]
fn what_depends_on_the_transaction_alone_comes_first_then_the_state_then_the_pool() {
    let causes = all().map(|rejection| rejection.cause());

    assert!(causes[..5].iter().all(|cause| *cause == Cause::Form));
    assert!(causes[5..11].iter().all(|cause| *cause == Cause::State));
    assert!(causes[11..].iter().all(|cause| *cause == Cause::Pool));
}

#[test]
fn texts_are_phrases_with_the_values() {
    for rejection in all() {
        let text = rejection.to_string();
        assert!(text.starts_with(|first: char| first.is_lowercase()), "{text}");
        assert!(!text.ends_with('.'), "{text}");
    }
    assert_eq!(all()[8].to_string(), "nonce 9 comes too early, the next one is 4");
    assert_eq!(all()[9].to_string(), "the balance of 1 base units is less than the amount of 2");
}

#[test]
fn a_forged_transaction_is_rejected_for_what_was_forged() {
    let malformed = Forged::Malformed(Rejection::ZeroAmount);

    assert_eq!(Rejection::from(malformed), Rejection::ZeroAmount);
    assert_eq!(Rejection::from(Forged::Signature), Rejection::BadSignature);
}
