use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::*;

#[test]
fn every_directory_that_is_made_gets_a_name_that_survives_a_power_cut() {
    let root = tempfile::tempdir().unwrap();
    let there = root.path().join("there");
    fs::create_dir(&there).unwrap();
    let made = [there.join("a"), there.join("a/b"), there.join("a/b/c")];
    let mut durable: Vec<PathBuf> = Vec::new();

    let created = create_missing(&made[2], &mut |path| {
        assert!(path.is_dir(), "a name was made durable before it was there");
        durable.push(path.to_owned());
        Ok(())
    });

    assert!(created.unwrap());
    assert_eq!(durable, made);
    for path in &made {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert!(!create_directory(&made[2]).unwrap());
}

#[test]
fn where_a_file_is_in_the_way_no_directory_is_made() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "x").unwrap();

    let refused = create_directory(&file.join("data")).unwrap_err();

    assert!(refused.to_string().contains("cannot create the directory"), "{refused}");
    assert!(file.is_file());
}
