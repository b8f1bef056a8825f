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

    write(&file(7), dir.path()).unwrap();

    assert_eq!(RunFile::read(dir.path()), Some(file(7)));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_process_removes_its_own_file_only() {
    let dir = tempfile::tempdir().unwrap();
    write(&file(7), dir.path()).unwrap();

    remove(&file(8), dir.path()).unwrap();
    assert!(RunFile::read(dir.path()).is_some());

    remove(&file(7), dir.path()).unwrap();
    assert_eq!(RunFile::read(dir.path()), None);
    remove(&file(7), dir.path()).unwrap();
}
