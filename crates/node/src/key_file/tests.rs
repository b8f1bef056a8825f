use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn a_key_that_was_written_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("validator.key");

    create(&path, &[7; 32]).unwrap();

    assert_eq!(*read(&path).unwrap(), [7; 32]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_key_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("validator.key");
    create(&path, &[7; 32]).unwrap();

    assert!(matches!(create(&path, &[8; 32]), Err(KeyFileError::Io { .. })));
    assert_eq!(*read(&path).unwrap(), [7; 32]);
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("validator.key");
    create(&path, &[7; 32]).unwrap();

    for mode in [0o640, 0o604, 0o620, 0o601] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(read(&path), Err(KeyFileError::Exposed { .. })), "{mode:o}");
    }
}

#[test]
fn a_key_of_another_length_or_alphabet_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [("short", "ab"), ("long", &"ab".repeat(33)), ("letters", &"zz".repeat(32))]
    {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(read(&path), Err(KeyFileError::Malformed { .. })), "{name}");
    }
}
