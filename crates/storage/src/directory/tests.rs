use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pbft::record::{Record, Retirement};

use super::{Directory, Holder, is_locked};
use crate::UsedKey;
use crate::error::StorageError;
use crate::fixture::{genesis, key};

fn open(path: &Path) -> Result<Directory, StorageError> {
    Directory::open(path, *genesis("net").chain(), key(1))
}

#[test]
fn a_directory_is_made_for_its_owner_alone_and_found_again() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a/data");

    let first = open(&path).unwrap();
    let created = first.created();
    drop(first);
    let second = open(&path).unwrap();

    assert!(created && !second.created());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(second.identity().key, key(1));
    assert!(second.disk_bytes() > 0);
}

#[test]
fn a_second_opening_is_refused_and_names_the_process() {
    let root = tempfile::tempdir().unwrap();
    let _first = open(root.path()).unwrap();

    let second = open(root.path()).unwrap_err();

    assert!(second.to_string().contains(&format!("process {}", std::process::id())), "{second}");
    let holder = is_locked(root.path()).unwrap();
    assert_eq!(holder, Some(Holder { pid: Some(std::process::id()) }));
}

#[test]
fn a_lock_held_by_another_process_is_seen_and_ends_with_it() {
    let root = tempfile::tempdir().unwrap();
    drop(open(root.path()).unwrap());
    let lock = root.path().join("lock");
    // util-linux's flock takes the same kind of lock; it says so by creating a file.
    let ready = root.path().join("ready");
    let mut other = match std::process::Command::new("flock")
        .arg(&lock)
        .args(["sh", "-c", "touch \"$0\"; exec cat"])
        .arg(&ready)
        .stdin(std::process::Stdio::piped())
        .spawn()
    {
        Ok(child) => child,
        Err(error) => return eprintln!("not tried, no flock program: {error}"),
    };
    while !ready.exists() && other.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }

    let refused = open(root.path());
    let seen = is_locked(root.path()).unwrap();
    drop(other.stdin.take());
    other.wait().unwrap();
    fs::remove_file(ready).unwrap();

    assert!(matches!(refused, Err(StorageError::Locked { .. })));
    assert!(seen.is_some());
    assert_eq!(is_locked(root.path()).unwrap(), None);
    assert!(open(root.path()).is_ok());
}

#[test]
fn asking_whether_a_directory_is_locked_changes_nothing() {
    let root = tempfile::tempdir().unwrap();

    assert_eq!(is_locked(root.path()).unwrap(), None);
    assert_eq!(is_locked(&root.path().join("missing")).unwrap(), None);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn another_chain_is_refused() {
    let root = tempfile::tempdir().unwrap();
    drop(open(root.path()).unwrap());

    let refused = Directory::open(root.path(), *genesis("other").chain(), key(1)).unwrap_err();

    assert!(matches!(refused, StorageError::Foreign { what: "chain", .. }));
}

#[test]
fn another_validator_key_is_refused() {
    let root = tempfile::tempdir().unwrap();
    drop(open(root.path()).unwrap());

    let refused = Directory::open(root.path(), *genesis("net").chain(), key(2)).unwrap_err();

    assert!(matches!(refused, StorageError::Foreign { what: "validator key", .. }));
}

#[test]
fn a_newer_format_is_refused_with_both_numbers() {
    let root = tempfile::tempdir().unwrap();
    let identity = root.path().join("identity");
    fs::write(&identity, "logothete data directory, format 7\nanything\n").unwrap();

    let refused = open(root.path()).unwrap_err();

    assert!(matches!(refused, StorageError::NewerFormat { found: 7, known: 1, .. }));
}

#[test]
fn every_flipped_bit_and_every_cut_of_the_identity_is_refused() {
    let root = tempfile::tempdir().unwrap();
    drop(open(root.path()).unwrap());
    let identity = root.path().join("identity");
    let whole = fs::read(&identity).unwrap();

    for place in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[place] ^= 1 << (place % 8);
        fs::write(&identity, &flipped).unwrap();
        assert!(open(root.path()).is_err(), "flipped byte {place}");
        fs::write(&identity, &whole[..place]).unwrap();
        assert!(open(root.path()).is_err(), "cut at {place}");
    }
}

#[test]
fn a_directory_without_identity_but_with_content_is_refused() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("holiday.jpg"), "x").unwrap();

    let refused = open(root.path()).unwrap_err();

    assert!(refused.to_string().contains("holiday.jpg"), "{refused}");
}

#[test]
fn a_creation_interrupted_before_the_identity_is_begun_again() {
    let root = tempfile::tempdir().unwrap();
    drop(open(root.path()).unwrap());
    fs::rename(root.path().join("identity"), root.path().join("identity.new")).unwrap();

    assert!(open(root.path()).unwrap().created());
}

#[test]
fn where_the_journal_vanished_another_takes_its_place_that_never_votes() {
    let root = tempfile::tempdir().unwrap();
    drop(open(root.path()).unwrap());
    fs::remove_file(root.path().join("journal")).unwrap();

    let directory = open(root.path()).unwrap();

    let (_, records) = crate::Journal::open(&directory).unwrap();
    assert_eq!(records, [Record::Retired { reason: Retirement::JournalGone }]);
}

#[test]
fn a_journal_that_cannot_be_looked_at_is_not_gone() {
    let root = tempfile::tempdir().unwrap();
    drop(open(root.path()).unwrap());
    let (journal, kept) = (root.path().join("journal"), root.path().join("kept"));
    fs::rename(&journal, &kept).unwrap();

    // Links in a circle, and one to a disk that is not mounted: whatever is behind them may come back.
    for target in [journal.clone(), root.path().join("not-mounted/journal")] {
        std::os::unix::fs::symlink(target, &journal).unwrap();
        let refused = open(root.path()).unwrap_err();
        assert!(matches!(refused, StorageError::Io { .. }), "{refused}");
        assert!(journal.is_symlink(), "another took its place");
        fs::remove_file(&journal).unwrap();
    }
    fs::rename(&kept, &journal).unwrap();
    let directory = open(root.path()).unwrap();
    assert_eq!(crate::Journal::open(&directory).unwrap().1, []);
}

/// The records of the journal in a directory that is opened for a key that may have been used.
fn records_for(used: &UsedKey, path: &Path) -> Vec<Record> {
    let directory = Directory::open_for(used, path, *genesis("net").chain(), key(1)).unwrap();
    crate::Journal::open(&directory).unwrap().1
}

#[test]
fn where_all_of_a_directory_vanished_the_key_is_known_to_have_been_used() {
    let root = tempfile::tempdir().unwrap();
    let used = UsedKey::beside(&root.path().join("validator.key"));
    let data = root.path().join("data");

    assert_eq!(records_for(&used, &data), []);
    assert_eq!(records_for(&used, &data), []);
    fs::remove_dir_all(&data).unwrap();

    let retired = [Record::Retired { reason: Retirement::JournalGone }];
    assert_eq!(records_for(&used, &data), retired);
    assert_eq!(records_for(&used, &data), retired);
}

#[test]
fn a_creation_interrupted_at_any_place_leaves_a_key_that_votes_unless_it_was_used() {
    let root = tempfile::tempdir().unwrap();
    let used = UsedKey::beside(&root.path().join("validator.key"));
    let data = root.path().join("data");
    // The directory is made and the key not noted yet.
    drop(open(&data).unwrap());
    assert_eq!(records_for(&used, &data), []);
    // Of a used key: the identity is written and the journal is not.
    fs::remove_file(data.join("journal")).unwrap();
    assert_eq!(records_for(&used, &data).len(), 1);
    // Or the identity neither.
    fs::remove_dir_all(&data).unwrap();
    fs::create_dir(&data).unwrap();
    fs::write(data.join("identity.new"), "x").unwrap();
    assert_eq!(records_for(&used, &data).len(), 1);
}

#[test]
fn a_key_that_was_used_on_one_chain_is_new_on_another() {
    let root = tempfile::tempdir().unwrap();
    let used = UsedKey::beside(&root.path().join("validator.key"));
    used.note(genesis("other").chain()).unwrap();

    assert_eq!(records_for(&used, &root.path().join("data")), []);
}

#[test]
fn a_journal_that_an_interrupted_creation_left_is_no_journal_of_a_key_used_since() {
    let root = tempfile::tempdir().unwrap();
    let used = UsedKey::beside(&root.path().join("validator.key"));
    let data = root.path().join("data");
    fs::create_dir(&data).unwrap();
    crate::journal::create(&data, *genesis("net").chain()).unwrap();
    used.note(genesis("net").chain()).unwrap();

    let retired = [Record::Retired { reason: Retirement::JournalGone }];

    assert_eq!(records_for(&used, &data), retired);
    assert_eq!(records_for(&used, &data), retired);
}
