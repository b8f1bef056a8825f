use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{new, show};
use crate::failure::Exit;

#[test]
fn a_new_key_is_private_and_shown_without_its_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("validator.key");

    let made = new(&path).unwrap();
    let shown = show(&path).unwrap();

    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = fs::read_to_string(&path).unwrap();
    let json = serde_json::to_string(&shown).unwrap();
    assert_eq!(json, serde_json::to_string(&made).unwrap());
    assert!(!json.contains(secret.trim()));
    assert!(shown.peer_id.starts_with("12D3KooW"));
}

#[test]
fn two_new_keys_differ() {
    let folder = tempfile::tempdir().unwrap();

    let one = new(&folder.path().join("one")).unwrap();
    let two = new(&folder.path().join("two")).unwrap();

    assert_ne!(one.public_key, two.public_key);
}

#[test]
fn an_existing_file_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, "something precious").unwrap();

    let failure = new(&path).unwrap_err();

    assert_eq!(failure.exit, Exit::Refused);
    assert_eq!(fs::read_to_string(&path).unwrap(), "something precious");
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    new(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();

    let failure = show(&path).unwrap_err();

    assert!(failure.text.contains("0640"), "{}", failure.text);
}
