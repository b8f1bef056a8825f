//! File descriptors run out where clients hold connections: what is written must need no new one.

use std::fs::File;
use std::process::Command;
use std::slice;

use super::{Place, assert_holds};

/// Set in the process whose descriptors are used up: other tests need theirs.
const IN_CHILD: &str = "LOGOTHETE_TEST_WITHOUT_DESCRIPTORS";

#[test]
fn blocks_are_appended_when_no_file_descriptor_is_left() {
    if std::env::var_os(IN_CHILD).is_some() {
        return append_without_descriptors();
    }
    let name = "store::tests::descriptors::blocks_are_appended_when_no_file_descriptor_is_left";

    let child = Command::new("sh")
        .args(["-c", "ulimit -n 96 && exec \"$0\" --exact \"$1\" --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .arg(name)
        .env(IN_CHILD, "1")
        .output()
        .unwrap();

    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{child:?}");
}

fn append_without_descriptors() {
    let place = Place::new();
    let blocks = place.chain().blocks(40, 6);
    let store = place.open();
    store.append(&blocks[..1]).unwrap();
    let mut taken = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        taken.push(file);
    }

    for block in &blocks[1..] {
        store.append(slice::from_ref(block)).unwrap();
    }

    assert!(taken.len() > 10, "too few were left to use up: {}", taken.len());
    drop(taken);
    assert_holds(&store, &blocks);
}
