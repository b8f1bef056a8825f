use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crypto::derivation::Words;
use tempfile::{TempDir, tempdir};

use super::sealed::Cost;
use super::{Keystore, check_name, new_words};
use crate::exit::Exit;

const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
const JUNK: &str = "test test test test test test test test test test test junk";

fn keystore() -> (TempDir, Keystore) {
    let directory = tempdir().unwrap();
    let keystore = Keystore::at(directory.path().join("keys"));
    (directory, keystore)
}

#[test]
fn a_key_comes_back_by_name_and_password_only() {
    let (_directory, keystore) = keystore();
    let words = Words::parse(JUNK).unwrap();
    keystore.add("savings", &words, 1, "correct horse", CHEAP).unwrap();

    let stored = keystore.get("savings").unwrap();
    let secret = stored.secret("correct horse").unwrap();
    let wrong = stored.secret("correct horsf").unwrap_err();

    assert_eq!(secret.public_key(), words.account(1).public_key());
    assert_eq!(stored.sealed.public_key(), secret.public_key());
    assert_eq!(stored.derivation_path(), "m/44'/1'/1'/0'/0'");
    assert_eq!(wrong.exit, Exit::Key);
}

#[test]
fn a_key_is_never_written_over() {
    let (_directory, keystore) = keystore();
    let words = Words::parse(JUNK).unwrap();
    keystore.add("savings", &words, 0, "one", CHEAP).unwrap();

    let again = keystore.add("savings", &new_words(12).unwrap(), 0, "two", CHEAP).unwrap_err();

    assert_eq!((again.exit, again.code.as_str()), (Exit::Key, "key-exists"));
    assert!(keystore.get("savings").unwrap().secret("one").is_ok());
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let (_directory, keystore) = keystore();
    let stored = keystore.add("savings", &new_words(12).unwrap(), 0, "one", CHEAP).unwrap();
    fs::set_permissions(&stored.path, Permissions::from_mode(0o640)).unwrap();

    let refused = keystore.get("savings").unwrap_err();

    assert_eq!(refused.exit, Exit::Key);
    assert!(refused.text.contains("0640"), "{refused}");
}

#[test]
fn names_lists_key_files_sorted_and_nothing_else() {
    let (_directory, keystore) = keystore();
    assert!(keystore.names().unwrap().is_empty(), "a keystore that is not there has no keys");
    for name in ["zoe", "adam"] {
        keystore.add(name, &new_words(12).unwrap(), 0, "one", CHEAP).unwrap();
    }
    fs::write(keystore.directory().join(".adam.key.0011.tmp"), "half").unwrap();
    fs::write(keystore.directory().join("notes.txt"), "mine").unwrap();

    assert_eq!(keystore.names().unwrap(), ["adam", "zoe"]);
}

#[test]
fn a_missing_key_is_not_found() {
    let (_directory, keystore) = keystore();

    assert_eq!(keystore.get("nobody").unwrap_err().exit, Exit::NotFound);
}

#[test]
fn names_stay_inside_the_directory() {
    for good in ["a", "alice", "Alice-2", "cold.storage_1", &"a".repeat(32)] {
        assert!(check_name(good).is_ok(), "{good}");
    }
    for bad in ["", ".", "..", "../up", "a/b", ".hidden", "-dash", "a b", "ä", &"a".repeat(33)] {
        assert_eq!(check_name(bad).unwrap_err().exit, Exit::Usage, "{bad}");
    }
}

#[test]
fn new_words_have_the_wanted_number_and_differ() {
    let twelve = new_words(12).unwrap();
    let other = new_words(12).unwrap();
    let long = new_words(24).unwrap();

    assert_eq!(twelve.as_str().split(' ').count(), 12);
    assert_eq!(long.as_str().split(' ').count(), 24);
    assert_ne!(twelve.as_str(), other.as_str());
    assert_eq!(new_words(13).unwrap_err().exit, Exit::Usage);
}
