use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use tempfile::tempdir;

use super::{PrivateFileError, create, create_directory, read, replace};

#[test]
fn what_was_created_is_private_and_reads_back() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("deep/er/secret");
    create_directory(path.parent().unwrap()).unwrap();

    create(&path, b"words").unwrap();

    assert_eq!(read(&path, 5).unwrap().as_slice(), b"words");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o7777, 0o700);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary is left");
}

#[test]
fn creating_never_replaces_a_file() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("secret");
    create(&path, b"first").unwrap();

    let again = create(&path, b"second");

    assert!(matches!(again, Err(PrivateFileError::Exists(_))));
    assert_eq!(read(&path, 64).unwrap().as_slice(), b"first");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn replacing_leaves_one_whole_file() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("report");

    replace(&path, b"first").unwrap();
    replace(&path, b"second").unwrap();

    assert_eq!(fs::read(&path).unwrap(), b"second");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_others_may_use_is_refused_for_every_bit() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("secret");
    create(&path, b"words").unwrap();

    for bit in [0o040, 0o020, 0o010, 0o004, 0o002, 0o001] {
        fs::set_permissions(&path, Permissions::from_mode(0o600 | bit)).unwrap();
        assert!(matches!(read(&path, 64), Err(PrivateFileError::Open { .. })), "{bit:o}");
    }
}

#[test]
fn what_the_system_refuses_is_told_with_the_file() {
    let directory = tempdir().unwrap();
    let file = directory.path().join("file");
    create(&file, b"no directory").unwrap();
    let inside = file.join("secret");

    for refused in [read(&inside, 64).map(|_| ()), create(&inside, b""), create_directory(&inside)]
    {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, PrivateFileError::System { .. }), "{refused:?}");
        assert!(refused.to_string().contains("file"), "{refused}");
    }
}

#[test]
fn missing_long_and_irregular_files_are_refused() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("secret");
    create(&path, b"words").unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o700)).unwrap();

    let missing = read(&directory.path().join("other"), 64);
    let long = read(&path, 4);
    let irregular = read(directory.path(), 64);

    assert!(matches!(missing, Err(PrivateFileError::Missing(_))));
    assert!(matches!(long, Err(PrivateFileError::TooLong { .. })));
    assert!(matches!(irregular, Err(PrivateFileError::NotAFile(_))));
}
