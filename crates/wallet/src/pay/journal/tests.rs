use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crypto::digest::Digest;
use crypto::keys::SecretKey;
use crypto::signed::ChainId;
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::{TempDir, tempdir};
use types::{
    Action, Address, Amount, Height, Memo, Nonce, SignedTransaction, Transaction, Transfer,
};

use super::{Committed, Journal, Plan, RowState};
use crate::exit::Exit;

fn signed(nonce: u64) -> SignedTransaction {
    let key = SecretKey::from_seed([1; 32]);
    let transfer = Transfer {
        recipient: Address::Key(SecretKey::from_seed([2; 32]).public_key()),
        amount: Amount::new(nonce + 1),
        memo: Memo::empty(),
    };
    let transaction = Transaction {
        chain: ChainId::new(Digest::from_bytes([3; 32])),
        sender: Address::Key(key.public_key()),
        nonce: Nonce::new(nonce),
        valid_until: Height::new(100),
        action: Action::Transfer(transfer),
    };
    SignedTransaction::sign(transaction, &key)
}

fn state(nonce: u64) -> RowState {
    RowState { signed: vec![signed(nonce)], committed: None }
}

fn committed(row: usize, nonce: u64) -> Committed {
    Committed { row, id: signed(nonce).id(), height: Height::new(7) }
}

/// A journal of three rows, the first of them committed.
fn journal() -> (TempDir, PathBuf) {
    let directory = tempdir().unwrap();
    let path = directory.path().join("pay.csv.pay");
    let plan = Plan::new("csv", "chain", "sender", 3);
    let mut journal = Journal::create(&path, plan, (0..3).map(state).collect()).unwrap();
    journal.committed(&[committed(0, 0)]).unwrap();
    (directory, path)
}

#[test]
fn what_was_written_is_read_back() {
    let (_directory, path) = journal();

    let read = Journal::open(&path).unwrap().unwrap();

    assert_eq!(read.plan().csv_sha256, "csv");
    assert_eq!(read.rows().len(), 3);
    assert_eq!(read.rows()[0].committed, Some(committed(0, 0)));
    assert_eq!(read.rows()[1], state(1));
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
}

#[test]
fn there_may_be_no_journal() {
    let directory = tempdir().unwrap();

    assert!(Journal::open(&directory.path().join("pay.csv.pay")).unwrap().is_none());
}

#[test]
fn a_torn_last_line_is_cut_off_and_written_again() {
    let (_directory, path) = journal();
    let whole = fs::read(&path).unwrap();
    let last_line =
        whole.len() - whole[..whole.len() - 1].rsplit(|b| *b == b'\n').next().unwrap().len() - 1;

    for end in last_line..whole.len() {
        fs::write(&path, &whole[..end]).unwrap();

        let mut journal = Journal::open(&path).unwrap().unwrap();
        assert_eq!(journal.rows()[0], state(0), "cut at {end}");
        journal.committed(&[committed(1, 1)]).unwrap();
        drop(journal);

        let again = Journal::open(&path).unwrap().unwrap();
        assert_eq!(again.rows()[0].committed, None);
        assert_eq!(again.rows()[1].committed, Some(committed(1, 1)), "cut at {end}");
    }
}

#[test]
fn rubbish_after_a_power_cut_is_cut_off() {
    let (_directory, path) = journal();
    let whole = fs::read(&path).unwrap();
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(&[0; 512]).unwrap();
    file.write_all(b"\nmore\n").unwrap();

    let journal = Journal::open(&path).unwrap().unwrap();

    assert_eq!(journal.rows()[0].committed, Some(committed(0, 0)));
    drop(journal);
    assert_eq!(fs::read(&path).unwrap(), whole);
}

#[test]
fn no_signed_transaction_can_be_lost_or_changed_unnoticed() {
    let (_directory, path) = journal();
    let whole = fs::read(&path).unwrap();
    let signed_bytes: usize =
        whole.split_inclusive(|byte| *byte == b'\n').take(4).map(<[u8]>::len).sum();

    for position in (0..signed_bytes).step_by(3).chain([signed_bytes - 1]) {
        let mut flipped = whole.clone();
        flipped[position] ^= 1;
        fs::write(&path, &flipped).unwrap();
        let refused = Journal::open(&path).unwrap_err();
        assert_eq!((refused.exit, refused.code.as_str()), (Exit::Refused, "journal-damaged"));

        fs::write(&path, &whole[..position]).unwrap();
        assert_eq!(Journal::open(&path).unwrap_err().code, "journal-damaged", "cut at {position}");
    }
}

#[test]
fn a_journal_has_one_user_at_a_time() {
    let (_directory, path) = journal();
    let first = Journal::open(&path).unwrap().unwrap();

    let second = Journal::open(&path).unwrap_err();

    assert_eq!((second.exit, second.code.as_str()), (Exit::Refused, "journal-busy"));
    drop(first);
    assert!(Journal::open(&path).is_ok());
}

#[test]
fn a_second_journal_never_replaces_the_first() {
    let (_directory, path) = journal();
    let plan = Plan::new("other", "chain", "sender", 1);

    let refused = Journal::create(&path, plan, vec![state(9)]).unwrap_err();

    assert_eq!(refused.exit, Exit::Refused);
    assert_eq!(Journal::open(&path).unwrap().unwrap().plan().csv_sha256, "csv");
}

#[test]
fn signing_a_row_again_keeps_everything_that_was_signed() {
    let (_directory, path) = journal();
    let journal = Journal::open(&path).unwrap().unwrap();
    let mut rows = journal.rows().to_vec();
    rows[2].signed.push(signed(9));

    let mut journal = journal.rewrite(rows).unwrap();
    journal.committed(&[committed(2, 9)]).unwrap();
    drop(journal);

    let read = Journal::open(&path).unwrap().unwrap();
    assert_eq!(read.rows()[0].committed, Some(committed(0, 0)));
    assert_eq!(read.rows()[2].signed, [signed(2), signed(9)]);
    assert_eq!(read.rows()[2].committed, Some(committed(2, 9)));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(
        bytes in vec(any::<u8>(), 0..300),
        json in "[a-z0-9{}:\",]{0,60}",
    ) {
        let mut lines = Vec::new();
        lines.extend_from_slice(super::checksum(json.as_bytes()).as_bytes());
        lines.extend_from_slice(format!(" {json}\n").as_bytes());
        lines.extend_from_slice(&bytes);

        prop_assert!(super::read(&bytes).is_err());
        prop_assert!(super::read(&lines).is_err());
    }
}
