use crypto::signed::Forged;

use super::{Cause, Rejection};
use crate::{Amount, Height, Nonce};

macro_rules! one_of_each {
    ($($pattern:pat => $example:expr,)*) => {
        /// One of each, in the documented order.
        fn all() -> Vec<Rejection> {
            vec![$($example),*]
        }

        /// Whether a reason is in the list. One that is not keeps this from compiling.
        const fn is_listed(rejection: &Rejection) -> bool {
            match rejection {
                $($pattern => true,)*
            }
        }
    };
}

one_of_each! {
    Rejection::ForeignChain => Rejection::ForeignChain,
    Rejection::WeakKey => Rejection::WeakKey,
    Rejection::MemoTooLong { .. } => Rejection::MemoTooLong { bytes: 65 },
    Rejection::ZeroAmount => Rejection::ZeroAmount,
    Rejection::BadSignature => Rejection::BadSignature,
    Rejection::Expired { .. } => Rejection::Expired {
        valid_until: Height::new(3),
        height: Height::new(4),
    },
    Rejection::UnknownSender => Rejection::UnknownSender,
    Rejection::NonceTooLow { .. } => Rejection::NonceTooLow {
        expected: Nonce::new(9),
        found: Nonce::new(4),
    },
    Rejection::NonceTooHigh { .. } => Rejection::NonceTooHigh {
        expected: Nonce::new(4),
        found: Nonce::new(9),
    },
    Rejection::Overdraft { .. } => Rejection::Overdraft {
        balance: Amount::new(1),
        amount: Amount::new(2),
    },
    Rejection::Overflow => Rejection::Overflow,
    Rejection::AlreadyPending => Rejection::AlreadyPending,
    Rejection::ConflictingNonce { .. } => Rejection::ConflictingNonce { nonce: Nonce::new(9) },
    Rejection::AccountFull { .. } => Rejection::AccountFull { pending: 1_024 },
    Rejection::PoolFull => Rejection::PoolFull,
}

#[test]
fn codes_are_stable_and_stand_in_the_documented_order() {
    let codes: Vec<&str> = all().iter().map(Rejection::code).collect();

    assert_eq!(codes, Rejection::CODES);
    assert!(all().iter().all(is_listed));
}

#[test]
fn what_depends_on_the_transaction_alone_comes_first_then_the_state_then_the_pool() {
    let causes: Vec<Cause> = all().iter().map(Rejection::cause).collect();

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
