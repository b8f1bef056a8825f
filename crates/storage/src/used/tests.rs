#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

use super::*;
use crate::fixture::genesis;

#[test]
fn what_was_noted_is_known_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let used = UsedKey::beside(&root.path().join("validator.key"));
    let (one, other) = (*genesis("one").chain(), *genesis("other").chain());

    assert!(!used.names(&one).unwrap());
    used.note(&one).unwrap();
    used.note(&one).unwrap();

    assert_eq!(used.path(), root.path().join("validator.key.used"));
    assert!(used.names(&one).unwrap());
    assert!(!used.names(&other).unwrap());
    used.note(&other).unwrap();
    assert!(used.names(&one).unwrap() && used.names(&other).unwrap());
    assert_eq!(fs::read_to_string(used.path()).unwrap().lines().count(), 3);
}

#[test]
fn a_file_that_was_not_written_here_is_refused_by_name() {
    let root = tempfile::tempdir().unwrap();
    let used = UsedKey::beside(&root.path().join("validator.key"));
    let chain = *genesis("one").chain();
    used.note(&chain).unwrap();
    let whole = fs::read_to_string(used.path()).unwrap();

    for text in [whole.replace("this", "that"), format!("{whole}x\n"), "\u{0}".to_owned()] {
        fs::write(used.path(), &text).unwrap();
        let refused = used.names(&chain).unwrap_err();
        assert!(refused.to_string().contains("validator.key.used"), "{refused}");
        assert!(used.note(&chain).is_err());
        assert_eq!(fs::read_to_string(used.path()).unwrap(), text);
    }
    fs::write(used.path(), vec![b'x'; 65 * 1024]).unwrap();
    assert!(used.names(&chain).unwrap_err().to_string().contains("too long"));
}
