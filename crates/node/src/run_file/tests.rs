use std::fs;

use super::*;

fn file(pid: u32) -> RunFile {
    RunFile {
        pid,
        name: "node0".into(),
        replica: 0,
        api: "http://127.0.0.1:1".into(),
        p2p: "/ip4/127.0.0.1/tcp/2/p2p/x".into(),
    }
}

#[test]
fn what_was_written_is_read_back_and_nothing_else_is_left() {
    let dir = tempfile::tempdir().unwrap();

    file(7).write(dir.path()).unwrap();

    assert_eq!(RunFile::read(dir.path()).unwrap(), Some(file(7)));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_process_removes_its_own_file_only() {
    let dir = tempfile::tempdir().unwrap();
    file(7).write(dir.path()).unwrap();

    file(8).remove(dir.path()).unwrap();
    assert!(RunFile::read(dir.path()).unwrap().is_some());

    file(7).remove(dir.path()).unwrap();
    assert_eq!(RunFile::read(dir.path()).unwrap(), None);
    file(7).remove(dir.path()).unwrap();
}

#[test]
fn a_damaged_file_is_an_error_and_not_an_absent_one() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(RUN_FILE), "{").unwrap();

    assert!(RunFile::read(dir.path()).is_err());
}
