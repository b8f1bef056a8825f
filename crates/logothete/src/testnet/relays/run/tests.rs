use std::fs;

use super::*;
use crate::testnet::layout::Layout;
use crate::testnet::relays::faults::{Effect, LinkFault};

#[test]
fn faults_that_cannot_be_noted_are_followed_and_noted_later() {
    let folder = tempfile::tempdir().unwrap();
    let relays = Relays::of(&Layout::new(folder.path()));
    fs::create_dir(relays.folder()).unwrap();
    let mut output = Output::new(true, Box::new(io::sink()), Box::new(io::sink()));
    let mut follower = Follower::new(&relays).unwrap();
    follower.note().unwrap();
    let on = vec![LinkFault { node: 0, effect: Effect::OmitSend }];
    let faults = LinkFaults { generation: 1, on };

    // A file cannot take the place of a folder.
    fs::remove_file(relays.run_path()).unwrap();
    fs::create_dir(relays.run_path()).unwrap();
    faults.write(&relays.faults_file()).unwrap();
    follower.look(&mut output);

    assert_eq!(*follower.faults.borrow(), faults);
    assert_eq!(relays.run_file(), None);
    assert!(follower.told.contains("run.json"), "{}", follower.told);
    fs::remove_dir(relays.run_path()).unwrap();
    follower.look(&mut output);

    assert_eq!(relays.run_file().unwrap().generation, 1);
    assert_eq!(follower.told, "");
}
