//! Every reason to refuse, their order, and what a transfer does.

use crypto::digest::Digest;
use crypto::signed::ChainId;
use types::account::Account;
use types::amount::Amount;
use types::memo::Memo;
use types::number::{Height, Nonce};
use types::rejection::Rejection;
use types::transaction::{Action, Transaction, Transfer};

use super::{Effect, validate};
use crate::fixture::{address, transfer};

/// A valid transfer of 10 from person 0, who has 100 and nonce 5, to person 1, who has 50, at
/// height 7.
struct Case {
    transaction: Transaction,
    height: Height,
    sender: Option<Account>,
    recipient: Option<Account>,
}

fn chain() -> ChainId {
    ChainId::new(Digest::from_bytes([4; 32]))
}

fn account(person: u16, balance: u64, nonce: u64) -> Account {
    Account { address: address(person), balance: Amount::new(balance), nonce: Nonce::new(nonce) }
}

impl Case {
    fn new() -> Self {
        Self {
            transaction: transfer(chain(), 0, 5, 1, 10).transaction,
            height: Height::new(7),
            sender: Some(account(0, 100, 5)),
            recipient: Some(account(1, 50, 3)),
        }
    }

    fn transfer(&mut self) -> &mut Transfer {
        let Action::Transfer(transfer) = &mut self.transaction.action;
        transfer
    }

    fn judge(&self) -> Result<Effect, Rejection> {
        validate(
            &self.transaction,
            &chain(),
            self.height,
            self.sender.as_ref(),
            self.recipient.as_ref(),
        )
    }
}

/// A reason's code, and what makes a case wrong for it.
type Fault = (&'static str, fn(&mut Case));

/// Every fault, in the order of the reasons.
fn faults() -> Vec<Fault> {
    vec![
        ("foreign-chain", |case| {
            case.transaction.chain = ChainId::new(Digest::ZERO);
        }),
        ("memo-too-long", |case| {
            case.transfer().memo = Memo::new("m".repeat(65));
        }),
        ("zero-amount", |case| case.transfer().amount = Amount::ZERO),
        ("expired", |case| {
            case.transaction.valid_until = Height::new(6);
        }),
        ("unknown-sender", |case| case.sender = None),
        ("nonce-too-low", |case| {
            case.transaction.nonce = Nonce::new(4);
        }),
        ("nonce-too-high", |case| {
            case.transaction.nonce = Nonce::new(6);
        }),
        ("overdraft", |case| {
            if !case.transfer().amount.is_zero() {
                case.transfer().amount = Amount::new(101);
            }
        }),
        ("overflow", |case| {
            case.recipient = Some(account(1, u64::MAX, 0));
        }),
    ]
}

#[test]
fn every_fault_is_refused_by_its_own_name() {
    assert!(Case::new().judge().is_ok());
    for (code, spoil) in faults() {
        let mut case = Case::new();
        spoil(&mut case);
        assert_eq!(case.judge().unwrap_err().code(), code);
    }
}

#[test]
fn of_two_faults_the_first_in_the_documented_order_is_named() {
    let faults = faults();
    for (place, (first, spoil_first)) in faults.iter().enumerate() {
        for (second, spoil_second) in &faults[place + 1..] {
            if (*first, *second) == ("nonce-too-low", "nonce-too-high") {
                continue;
            }
            let mut case = Case::new();
            spoil_first(&mut case);
            spoil_second(&mut case);
            assert_eq!(case.judge().unwrap_err().code(), *first, "with {second}");
        }
    }
}

#[test]
fn refusals_carry_the_values_that_explain_them() {
    let refused = |spoil: fn(&mut Case)| {
        let mut case = Case::new();
        spoil(&mut case);
        case.judge().unwrap_err()
    };

    assert_eq!(
        refused(|case| case.transfer().memo = Memo::new("é".repeat(33))),
        Rejection::MemoTooLong { bytes: 66 }
    );
    assert_eq!(
        refused(|case| case.transaction.valid_until = Height::GENESIS),
        Rejection::Expired { valid_until: Height::GENESIS, height: Height::new(7) }
    );
    assert_eq!(
        refused(|case| case.transaction.nonce = Nonce::new(9)),
        Rejection::NonceTooHigh { expected: Nonce::new(5), found: Nonce::new(9) }
    );
    assert_eq!(
        refused(|case| case.transfer().amount = Amount::MAX),
        Rejection::Overdraft { balance: Amount::new(100), amount: Amount::MAX }
    );
}

#[test]
fn a_nonce_that_could_not_be_followed_is_an_overflow() {
    let mut case = Case::new();
    case.sender = Some(account(0, 100, u64::MAX));
    case.transaction.nonce = Nonce::new(u64::MAX);

    assert_eq!(case.judge(), Err(Rejection::Overflow));
}

#[test]
fn the_limits_themselves_are_valid() {
    let mut case = Case::new();
    case.transaction.valid_until = case.height;
    case.transfer().amount = Amount::new(100);
    case.transfer().memo = Memo::new("m".repeat(64));
    case.recipient = Some(account(1, u64::MAX - 100, 0));

    let effect = case.judge().unwrap();

    assert_eq!(effect.sender, account(0, 0, 6));
    assert_eq!(effect.recipient, Some(account(1, u64::MAX, 0)));
}

#[test]
fn a_transfer_moves_the_amount_and_uses_the_nonce() {
    let effect = Case::new().judge().unwrap();

    assert_eq!(effect.sender, account(0, 90, 6));
    assert_eq!(effect.recipient, Some(account(1, 60, 3)));
}

#[test]
fn a_recipient_without_account_gets_one() {
    let mut case = Case::new();
    case.recipient = None;

    assert_eq!(case.judge().unwrap().recipient, Some(account(1, 10, 0)));
}

#[test]
fn a_transfer_to_oneself_changes_the_nonce_and_nothing_else() {
    let mut case = Case::new();
    case.transfer().recipient = address(0);
    case.recipient = case.sender;
    case.transfer().amount = Amount::new(100);

    let effect = case.judge().unwrap();

    assert_eq!(effect.sender, account(0, 100, 6));
    assert_eq!(effect.recipient, None);
}

#[test]
fn a_transfer_to_oneself_needs_the_balance() {
    let mut case = Case::new();
    case.transfer().recipient = address(0);
    case.recipient = case.sender;
    case.transfer().amount = Amount::new(101);

    assert_eq!(case.judge().unwrap_err().code(), "overdraft");
}
