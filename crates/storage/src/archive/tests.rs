use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use pbft::record::Record;
use types::genesis::Genesis;
use types::number::Height;
use types::vote::Phase;

use super::Archive;
use crate::directory::Directory;
use crate::error::StorageError;
use crate::fixture::{Chain, genesis, key, vote};
use crate::journal::Journal;
use crate::store::{Store, WhenDamaged};

/// A validator's directory with ten blocks and their votes, and whether it is still open.
fn filled(path: &Path, genesis: &Genesis) -> (Directory, Store) {
    let directory = Directory::open(path, *genesis.chain(), key(1)).unwrap();
    let (mut journal, _) = Journal::open(&directory).unwrap();
    let (store, _) = Store::open(&directory, genesis, WhenDamaged::Refuse).unwrap();
    for proved in Chain::new(genesis).blocks(10, 3) {
        let vote = vote(&proved.block, Phase::Prepare);
        let block = Some(proved.block.clone());
        journal.append(&[Record::Vote { vote, block }]).unwrap();
        store.append(&[proved]).unwrap();
    }
    (directory, store)
}

/// Every file with its content and the time of its last change.
fn everything(path: &Path) -> Vec<(PathBuf, Vec<u8>, SystemTime)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(everything(&path));
        } else {
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            found.push((path.clone(), fs::read(&path).unwrap(), modified));
        }
    }
    found.sort();
    found
}

#[test]
fn a_stopped_directory_is_read_and_not_a_byte_of_it_changed() {
    let root = tempfile::tempdir().unwrap();
    let (data, scratch) = (root.path().join("data"), root.path().join("scratch"));
    fs::create_dir(&scratch).unwrap();
    let genesis = genesis("net");
    drop(filled(&data, &genesis));
    let before = everything(&data);

    let archive = Archive::open(&data, &genesis, &scratch).unwrap();

    assert_eq!(archive.identity().key, key(1));
    assert_eq!(archive.records().len(), 10);
    assert_eq!(archive.journal_torn_bytes(), 0);
    assert_eq!(archive.store().committed(), Height::new(10));
    assert!(archive.store().block(Height::new(10)).unwrap().is_some());
    assert!(archive.report().index_rebuilt.is_none());
    drop(archive);
    assert_eq!(everything(&data), before);
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0);
}

#[test]
fn who_is_told_to_stop_leaves_no_copy_whenever_that_is() {
    let root = tempfile::tempdir().unwrap();
    let (data, scratch) = (root.path().join("data"), root.path().join("scratch"));
    fs::create_dir(&scratch).unwrap();
    let genesis = genesis("net");
    drop(filled(&data, &genesis));

    for questions in 0.. {
        let asked = std::cell::Cell::new(0);
        let begun = std::cell::Cell::new(false);
        let opened = Archive::open_unless(&data, &genesis, &scratch, &|| {
            begun.set(begun.get() || fs::read_dir(&scratch).unwrap().count() > 0);
            asked.set(asked.get() + 1);
            asked.get() > questions
        });
        match opened {
            Err(StorageError::Interrupted) => {
                assert!(begun.get(), "it was not in the middle of the copy");
                assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0, "{questions} questions");
            }
            Ok(archive) => {
                assert!(questions > 2, "it asked {questions} times");
                assert_eq!(archive.store().committed(), Height::new(10));
                return;
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_journal_that_is_missing_is_named() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let genesis = genesis("net");
    drop(filled(&data, &genesis));
    fs::remove_file(data.join("journal")).unwrap();

    let refused = Archive::open(&data, &genesis, root.path()).unwrap_err();

    assert!(matches!(&refused, StorageError::NoJournal { path } if *path == data.join("journal")));
    assert!(refused.to_string().contains("never votes again"), "{refused}");
}

#[test]
fn a_journal_that_was_cut_is_named() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let genesis = genesis("net");
    drop(filled(&data, &genesis));
    let journal = fs::File::options().write(true).open(data.join("journal")).unwrap();
    journal.set_len(72).unwrap();

    let refused = Archive::open(&data, &genesis, root.path()).unwrap_err();

    assert!(matches!(refused, StorageError::CutJournal { bytes: 72, .. }), "{refused}");
}

#[test]
fn a_running_validator_is_not_read() {
    let root = tempfile::tempdir().unwrap();
    let genesis = genesis("net");
    let running = filled(&root.path().join("data"), &genesis);

    let refused = Archive::open(&root.path().join("data"), &genesis, root.path()).unwrap_err();

    assert!(matches!(refused, StorageError::Locked { pid: Some(_), .. }));
    drop(running);
}

#[test]
fn while_it_is_read_no_validator_starts_in_it() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let genesis = genesis("net");
    drop(filled(&data, &genesis));
    let archive = Archive::open(&data, &genesis, root.path()).unwrap();

    let refused = Directory::open(&data, *genesis.chain(), key(1)).unwrap_err();
    drop(archive);

    assert!(matches!(refused, StorageError::Locked { .. }));
    assert!(Directory::open(&data, *genesis.chain(), key(1)).is_ok());
}

#[test]
fn another_networks_directory_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    drop(filled(&data, &genesis("net")));

    let refused = Archive::open(&data, &genesis("other"), root.path()).unwrap_err();

    assert!(matches!(refused, StorageError::Foreign { what: "chain", .. }));
}

#[test]
fn a_directory_that_is_no_validators_is_refused() {
    let root = tempfile::tempdir().unwrap();

    let refused = Archive::open(root.path(), &genesis("net"), root.path()).unwrap_err();

    assert!(matches!(refused, StorageError::DamagedDirectory { .. }));
}

#[test]
fn a_copy_without_lock_file_is_read_and_its_torn_journal_told() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let genesis = genesis("net");
    drop(filled(&data, &genesis));
    fs::remove_file(data.join("lock")).unwrap();
    let journal = data.join("journal");
    let mut bytes = fs::read(&journal).unwrap();
    let last = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[last - 3] ^= 1;
    fs::write(&journal, bytes).unwrap();

    let archive = Archive::open(&data, &genesis, root.path()).unwrap();

    assert_eq!(archive.records().len(), 9);
    assert!(archive.journal_torn_bytes() > 0);
}

#[test]
fn a_damaged_store_is_an_error_and_stays_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let genesis = genesis("net");
    drop(filled(&data, &genesis));
    fs::write(data.join("store/tip"), [1; 1024]).unwrap();
    let before = everything(&data);

    let refused = Archive::open(&data, &genesis, root.path()).unwrap_err();

    assert!(
        matches!(&refused, StorageError::DamagedStore { path, .. } if *path == data.join("store"))
    );
    assert_eq!(everything(&data), before);
}

/// The copy is gone when somebody reads what was wrong with it.
#[test]
fn damage_in_the_database_is_said_of_the_original_in_plain_words() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let genesis = genesis("net");
    drop(filled(&data, &genesis));
    let database = data.join("store/db");
    let mut bytes = fs::read(&database).unwrap();
    bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
    fs::write(&database, bytes).unwrap();

    let refused = Archive::open(&data, &genesis, root.path()).unwrap_err();

    let text = refused.to_string();
    assert!(text.contains(&data.join("store").display().to_string()), "{text}");
    assert!(!text.contains("logothete-archive"), "{text}");
    assert!(!text.contains("backtrace"), "{text}");
}
