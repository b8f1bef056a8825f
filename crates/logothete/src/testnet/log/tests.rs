use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Follower, tail};

fn log() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    (folder, path)
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn the_tail_is_the_last_lines_after_a_point() {
    let (_folder, path) = log();
    append(&path, "an earlier run\none\ntwo\nthree");

    assert_eq!(tail(&path, 0, 2).unwrap(), (vec!["two".to_owned(), "three".to_owned()], 28));
    assert_eq!(tail(&path, 15, 9).unwrap().0, ["one", "two", "three"]);
    assert_eq!(tail(&path, 99, 9).unwrap().0, [""; 0]);
}

#[test]
fn a_log_that_does_not_exist_is_empty() {
    let (_folder, path) = log();

    assert_eq!(tail(&path, 0, 5).unwrap(), (Vec::new(), 0));
    assert_eq!(Follower::new(path, 0).lines().unwrap(), [""; 0]);
}

#[test]
fn bytes_that_are_no_text_are_shown_as_far_as_they_are() {
    let (_folder, path) = log();
    fs::write(&path, b"good\n\xff\xfe\n").unwrap();

    assert_eq!(tail(&path, 0, 2).unwrap().0, ["good", "\u{fffd}\u{fffd}"]);
}

#[test]
fn following_gives_each_whole_line_once() {
    let (_folder, path) = log();
    append(&path, "before\n");
    let mut follower = Follower::new(path.clone(), 7);

    append(&path, "one\ntw");
    assert_eq!(follower.lines().unwrap(), ["one"]);
    append(&path, "o\n");
    assert_eq!(follower.lines().unwrap(), ["two"]);
    assert_eq!(follower.lines().unwrap(), [""; 0]);
}

#[test]
fn a_log_that_was_cut_is_followed_from_its_start() {
    let (_folder, path) = log();
    append(&path, "a long line that was here before\n");
    let mut follower = Follower::new(path.clone(), 33);

    fs::write(&path, "anew\n").unwrap();

    assert_eq!(follower.lines().unwrap(), ["anew"]);
}
