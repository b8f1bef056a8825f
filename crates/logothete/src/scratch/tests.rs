use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

#[test]
fn a_folder_or_link_of_somebody_else_is_neither_taken_nor_deleted() {
    let parent = tempfile::tempdir().unwrap();
    let name = format!("logothete-run-{}", std::process::id());
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir(parent.path().join(&name)).unwrap();
    fs::write(parent.path().join(&name).join("thesis.tex"), "precious").unwrap();
    symlink(outside.path(), parent.path().join(format!("{name}-1"))).unwrap();

    let scratch = Scratch::new(parent.path(), "run").unwrap();
    let path = scratch.path().to_owned();
    fs::write(path.join("log"), "said").unwrap();
    drop(scratch);

    assert!(path.ends_with(format!("{name}-2")), "{}", path.display());
    assert!(!path.exists());
    assert!(parent.path().join(&name).join("thesis.tex").exists());
    assert!(outside.path().exists());
}

#[test]
fn it_is_private_and_stays_when_it_is_kept() {
    let parent = tempfile::tempdir().unwrap();
    let scratch = Scratch::new(parent.path(), "run").unwrap();
    let mode = fs::metadata(scratch.path()).unwrap().permissions().mode() & 0o777;

    let path = scratch.keep();

    assert_eq!(mode & !MODE, 0, "{mode:o}");
    assert!(path.is_dir());
}
