use crypto::digest::Digest;
use crypto::keys::SecretKey;
use crypto::signed::ChainId;
use tempfile::{TempDir, tempdir};
use types::{Address, Denomination, Height, Nonce, TransactionId};

use super::{Terms, check_belongs, sign_again, sign_all, to_sign_again};
use crate::exit::Exit;
use crate::pay::engine::Settled;
use crate::pay::journal::{Journal, Plan};
use crate::pay::outcome::RowOutcome;
use crate::pay::rows::Payments;

fn address(seed: u8) -> Address {
    Address::Key(SecretKey::from_seed([seed; 32]).public_key())
}

fn terms(valid_until: u64) -> Terms {
    Terms {
        chain: ChainId::new(Digest::from_bytes([3; 32])),
        sender: address(1),
        valid_until: Height::new(valid_until),
    }
}

fn payments(text: &str, bob: u8) -> Payments {
    let denomination = Denomination::new("LGT", 2).unwrap();
    Payments::parse(text.as_bytes(), &denomination, |_| Ok(address(bob))).unwrap()
}

const CSV: &str = "to,amount\nbob,1\nbob,2\nbob,3\n";

/// Three rows with the nonces 5, 6, 7, valid until height 100.
fn journal(directory: &TempDir) -> Journal {
    let payments = payments(CSV, 2);
    let rows = sign_all(&payments, &terms(100), Nonce::new(5), &SecretKey::from_seed([1; 32]));
    let plan = Plan::new(&payments.sha256, "chain", "sender", 3);
    Journal::create(&directory.path().join("pay"), plan, rows).unwrap()
}

fn settled(outcomes: [RowOutcome; 3], height: u64, nonce: u64) -> Settled {
    Settled { outcomes: outcomes.to_vec(), height: Height::new(height), nonce: Nonce::new(nonce) }
}

fn some_id() -> TransactionId {
    TransactionId::new(Digest::from_bytes([9; 32]))
}

#[test]
fn rows_are_signed_with_nonces_without_gap() {
    let directory = tempdir().unwrap();

    let journal = journal(&directory);

    let nonces: Vec<u64> =
        journal.rows().iter().map(|row| row.signed[0].transaction.nonce.get()).collect();
    assert_eq!(nonces, [5, 6, 7]);
}

#[test]
fn nothing_is_signed_again_while_it_can_still_commit() {
    let directory = tempdir().unwrap();
    let journal = journal(&directory);
    let outcomes = [RowOutcome::Pending { id: some_id() }, RowOutcome::Unsent, RowOutcome::Unsent];

    let again = to_sign_again(journal.rows(), &settled(outcomes, 99, 5), Nonce::new(5));

    assert!(again.is_empty());
}

#[test]
fn an_expired_row_gets_its_own_nonce_again_so_that_one_of_the_two_can_commit() {
    let directory = tempdir().unwrap();
    let journal = journal(&directory);
    let committed = RowOutcome::Final { id: some_id(), height: Height::new(50) };
    let outcomes = [committed, RowOutcome::Unsent, RowOutcome::Unsent];

    let again = to_sign_again(journal.rows(), &settled(outcomes, 100, 6), Nonce::new(6));

    assert_eq!(again, [(1, Nonce::new(6)), (2, Nonce::new(7))]);
}

#[test]
fn an_expired_row_whose_nonce_is_used_is_not_signed_again_before_it_is_known_by_whom() {
    let directory = tempdir().unwrap();
    let journal = journal(&directory);
    let outcomes = [RowOutcome::Unsent, RowOutcome::Unsent, RowOutcome::Unsent];

    let again = to_sign_again(journal.rows(), &settled(outcomes, 100, 8), Nonce::new(8));

    assert!(again.is_empty());
}

#[test]
fn a_displaced_row_gets_a_nonce_behind_all_others() {
    let directory = tempdir().unwrap();
    let journal = journal(&directory);
    let displaced = RowOutcome::Displaced { by: some_id() };
    let outcomes = || [displaced.clone(), RowOutcome::Unsent, displaced.clone()];

    let behind_plan = to_sign_again(journal.rows(), &settled(outcomes(), 9, 6), Nonce::new(6));
    let behind_pool = to_sign_again(journal.rows(), &settled(outcomes(), 9, 6), Nonce::new(20));

    assert_eq!(behind_plan, [(0, Nonce::new(8)), (2, Nonce::new(9))]);
    assert_eq!(behind_pool, [(0, Nonce::new(20)), (2, Nonce::new(21))]);
}

#[test]
fn signing_again_keeps_what_was_signed_before_on_disk() {
    let directory = tempdir().unwrap();
    let (payments, secret) = (payments(CSV, 2), SecretKey::from_seed([1; 32]));

    let again = [(1, Nonce::new(8))];
    drop(sign_again(journal(&directory), &payments, &terms(200), &again, &secret).unwrap());

    let read = Journal::open(&directory.path().join("pay")).unwrap().unwrap();
    let nonces: Vec<u64> =
        read.rows()[1].signed.iter().map(|signed| signed.transaction.nonce.get()).collect();
    assert_eq!(nonces, [6, 8]);
    assert_eq!(read.rows()[1].signed[1].transaction.valid_until, Height::new(200));
}

#[test]
fn a_journal_belongs_to_one_file_one_chain_and_one_sender() {
    let directory = tempdir().unwrap();
    let journal = journal(&directory);
    let (same, changed) = (payments(CSV, 2), payments("to,amount\nbob,1\nbob,2\nbob,4\n", 2));
    let check = |payments: &Payments, chain: &str, sender: &str| {
        let plan = Plan::new(&payments.sha256, chain, sender, payments.rows.len());
        check_belongs(&journal, &plan, payments, &terms(100), "pay.csv")
            .map_err(|failure| (failure.exit, failure.code))
    };

    let refused = |code: &str| Err((Exit::Refused, code.to_owned()));
    assert_eq!(check(&same, "chain", "sender"), Ok(()));
    assert_eq!(check(&changed, "chain", "sender"), refused("csv-changed"));
    assert_eq!(check(&same, "fork", "sender"), refused("other-chain"));
    assert_eq!(check(&same, "chain", "carol"), refused("other-sender"));
    assert_eq!(check(&payments(CSV, 9), "chain", "sender"), refused("name-changed"));
}
