use std::fs;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::time::SystemTime;

use super::{Broken, Change, Database, VALUE_BYTES_MAX, guarded};
use crate::error::StorageError;

#[test]
fn what_was_written_is_found_after_a_reopen() {
    let root = tempfile::tempdir().unwrap();
    let database = Database::open(root.path()).unwrap();
    database.put(b"a1", b"one").unwrap();
    database.put(b"a2", b"two").unwrap();
    database.put(b"b1", b"three").unwrap();
    database.make_durable().unwrap();
    drop(database);

    let database = Database::open(root.path()).unwrap();

    assert_eq!(&*database.get(b"a1").unwrap().unwrap(), b"one");
    assert_eq!(&*database.last(b"a").unwrap().unwrap().0, b"a2");
    assert_eq!(&*database.first(b"a", b"a11").unwrap().unwrap().1, b"two");
    assert!(database.first(b"a", b"a3").unwrap().is_none());
    assert!(database.last(b"c").unwrap().is_none());
}

#[test]
fn a_file_that_a_kill_left_does_not_keep_it_from_opening() {
    let root = tempfile::tempdir().unwrap();
    let database = Database::open(root.path()).unwrap();
    database.put(b"key", b"value").unwrap();
    database.make_durable().unwrap();
    drop(database);
    drop(Database::open(root.path()).unwrap());
    let leftover = root.path().join("snap.FFFFFFFFFFFFFFFF.generating");
    fs::write(&leftover, "half a file").unwrap();

    let database = Database::open(root.path()).unwrap();

    assert_eq!(&*database.get(b"key").unwrap().unwrap(), b"value");
    assert!(!leftover.exists());
}

#[test]
fn nothing_is_durable_before_its_file_is_synced() {
    let root = tempfile::tempdir().unwrap();
    let mut database = Database::open(root.path()).unwrap();
    database.put(b"key", b"value").unwrap();
    // A device that knows no sync.
    database.file = fs::File::open("/dev/null").unwrap();

    let refused = database.make_durable().unwrap_err();

    assert!(matches!(refused, StorageError::Io { action: "sync", .. }), "{refused}");
    assert!(matches!(database.put(b"key", b"other"), Err(StorageError::Poisoned { .. })));
}

#[test]
fn values_of_the_greatest_length_stay_in_the_log() {
    let root = tempfile::tempdir().unwrap();
    let database = Database::open(root.path()).unwrap();

    for number in 0..600_u32 {
        database.put(&number.to_be_bytes(), &vec![7; VALUE_BYTES_MAX]).unwrap();
    }
    database.make_durable().unwrap();

    assert_eq!(fs::read_dir(root.path().join("blobs")).unwrap().count(), 0);
}

#[test]
fn a_longer_value_is_a_bug() {
    let root = tempfile::tempdir().unwrap();
    let database = Database::open(root.path()).unwrap();

    let refused =
        catch_unwind(AssertUnwindSafe(|| database.put(b"key", &vec![7; VALUE_BYTES_MAX + 1])));

    assert!(refused.is_err());
}

#[test]
fn a_file_outside_the_log_stops_the_writer_and_every_later_opening() {
    let root = tempfile::tempdir().unwrap();
    drop(Database::open(root.path()).unwrap());
    let blobs = root.path().join("blobs");
    // Long ago: two changes within one tick of the clock look like one.
    fs::File::open(&blobs).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let database = Database::open(root.path()).unwrap();
    database.put(b"key", b"value").unwrap();
    database.make_durable().unwrap();
    fs::write(blobs.join("1"), "x").unwrap();

    assert!(matches!(database.make_durable(), Err(StorageError::DamagedStore { .. })));
    assert!(matches!(database.put(b"key", b"value"), Err(StorageError::Poisoned { .. })));
    drop(database);
    assert!(matches!(Database::open(root.path()), Err(StorageError::DamagedStore { .. })));
}

#[test]
fn an_atomic_change_puts_and_removes() {
    let root = tempfile::tempdir().unwrap();
    let database = Database::open(root.path()).unwrap();
    database.put(b"old", b"1").unwrap();

    database
        .change(vec![Change::Put(b"new".to_vec(), b"2".to_vec()), Change::Remove(b"old".to_vec())])
        .unwrap();

    assert!(database.get(b"old").unwrap().is_none());
    assert!(database.get(b"new").unwrap().is_some());
}

#[test]
fn removing_a_prefix_leaves_its_neighbours() {
    let root = tempfile::tempdir().unwrap();
    let database = Database::open(root.path()).unwrap();
    for key in [&[1_u8, 255][..], &[2, 0], &[2, 255, 255], &[3]] {
        database.put(key, b"x").unwrap();
    }

    database.remove_all(&[2]).unwrap();

    assert!(database.last(&[2]).unwrap().is_none());
    assert!(database.last(&[1]).unwrap().is_some());
    assert!(database.last(&[3]).unwrap().is_some());
}

#[test]
fn a_panic_inside_the_database_is_an_error_outside() {
    let broken: Result<(), Broken> = guarded(|| panic!("index {} out of bounds", 7));

    assert_eq!(broken.unwrap_err().reason, "sled panicked: index 7 out of bounds");
}

#[test]
fn a_refusal_of_the_system_is_no_damage() {
    let root = tempfile::tempdir().unwrap();
    let nowhere = root.path().join("file");
    fs::write(&nowhere, "not a directory").unwrap();

    let refused = Database::open(&nowhere.join("store")).unwrap_err();

    assert!(
        matches!(refused, StorageError::Database { .. } | StorageError::Io { .. }),
        "{refused:?}"
    );
}
