//! `logothete testnet fault` with real processes: validators and links that fail on a network that runs, and what is
//! left of it when the faults are cleared.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::time::{Duration, Instant};

use rustix::process::Signal;
use tests::money::transfer;
use tests::process;
use tests::programs::Ended;
use tests::testnet::Testnet;
use tests::wait::until_true;

fn up(arguments: &[&str]) -> Testnet {
    let mut all = vec!["--timeout", "60"];
    all.extend(arguments);
    Testnet::up(&all)
}

/// What `testnet fault` with these words says is on, after it ended well.
fn fault(testnet: &Testnet, words: &[&str]) -> Vec<String> {
    let mut arguments = vec!["--json", "fault"];
    arguments.extend(words);
    let json = testnet.run(&arguments).with_code(0).json();
    let faults = json["faults"].as_array().unwrap().iter();
    let text = |of: &serde_json::Value| of.as_str().unwrap().to_owned();
    faults.map(|one| format!("{} {}", text(&one["node"]), text(&one["fault"]))).collect()
}

fn refused(testnet: &Testnet, words: &[&str], code: i32) -> Ended {
    let mut arguments = vec!["fault"];
    arguments.extend(words);
    testnet.run(&arguments).with_code(code)
}

fn height(testnet: &Testnet, node: usize) -> u64 {
    testnet.status(node).height.get()
}

fn until_height(testnet: &Testnet, node: usize, at_least: u64) {
    until_true(&format!("node{node} is at height {at_least}"), || {
        height(testnet, node) >= at_least
    });
}

fn peers(testnet: &Testnet, node: usize) -> u32 {
    testnet.status(node).peers_connected
}

#[test]
fn crash_and_pause_need_no_relays_and_links_name_the_flag_that_gives_them() {
    let testnet = up(&[]);
    assert_eq!(fault(&testnet, &[]), [""; 0]);

    let without = refused(&testnet, &["node1", "omit-send"], 3);
    assert!(without.stderr.contains("`logothete testnet up --relays`"), "{without:?}");
    assert_eq!(fault(&testnet, &["node3", "crash"]), ["node3 crash"]);
    assert_eq!(testnet.pid(3), None);
    let first = transfer(&testnet, 0, 100);
    assert_eq!(fault(&testnet, &["clear", "node3"]), [""; 0]);
    until_height(&testnet, 3, first);
    assert_eq!(fault(&testnet, &["node2", "pause"]), ["node2 pause"]);
    assert!(process::is_halted(testnet.pid(2).unwrap()));
    let second = transfer(&testnet, 0, 100);
    assert_eq!(fault(&testnet, &["clear"]), [""; 0]);

    assert_eq!(testnet.level(second), second);
    for (words, code, text) in [
        (&["node1"][..], 2, "node1 needs a fault"),
        (&["node1", "freeze"], 2, "\"freeze\" is no fault"),
        (&["node4", "crash"], 5, "there is no node4"),
        (&["node1", "cut=node7"], 5, "there is no node7"),
        (&["node1", "cut=node1"], 2, "node1 has no link to itself"),
    ] {
        let ended = refused(&testnet, words, code);
        assert!(ended.stderr.contains(text), "{ended:?}");
    }
}

#[test]
fn a_validator_that_is_not_heard_hears_and_one_that_hears_nothing_catches_up() {
    let testnet = up(&["--relays"]);
    assert_eq!(testnet.run(&["--json", "status"]).json()["links"]["relays"], "up");

    assert_eq!(fault(&testnet, &["node3", "omit-send"]), ["node3 omit-send"]);
    let heard = transfer(&testnet, 0, 100);
    until_height(&testnet, 3, heard);
    let both = fault(&testnet, &["node2", "omit-receive"]);
    assert_eq!(both, ["node2 omit-receive", "node3 omit-send"]);
    let status = testnet.run(&["status"]).with_code(0);
    assert!(status.stdout.contains("fault: node2 omit-receive"), "{status:?}");
    assert_eq!(fault(&testnet, &["clear", "node3"]), ["node2 omit-receive"]);
    let before = height(&testnet, 2);
    let unheard = transfer(&testnet, 0, 100);
    assert_eq!(height(&testnet, 2), before);
    assert!(unheard > before);

    // So long that every connection of node2 has been given up, and those that it dialled anew.
    until_true("node2 has lost everybody", || peers(&testnet, 2) == 0);
    assert_eq!(fault(&testnet, &["clear"]), [""; 0]);
    until_true("node2 has found everybody again", || peers(&testnet, 2) == 3);
    let last = transfer(&testnet, 2, 100);
    assert_eq!(testnet.level(last), last);
}

#[test]
fn what_is_delayed_takes_longer_and_one_link_alone_makes_no_difference() {
    let testnet = up(&["--relays"]);
    let timed = |node| {
        let begin = Instant::now();
        let height = transfer(&testnet, node, 1);
        (begin.elapsed(), height)
    };

    drop(fault(&testnet, &["node0", "delay=300ms"]));
    // The proposal leaves the primary and the votes come to it.
    let (took, _) = timed(0);
    assert!(took >= Duration::from_millis(600), "{took:?}");
    let on = fault(&testnet, &["node0", "delay=100ms"]);
    assert_eq!(on, ["node0 delay=100ms"]);
    drop(fault(&testnet, &["clear"]));
    let on = fault(&testnet, &["node1", "delay=5000ms:node2", "cut=node3"]);
    assert_eq!(on, ["node1 delay=5000ms:node2", "node1 cut=node3"]);
    let (_, height) = timed(0);
    until_height(&testnet, 2, height);
    until_height(&testnet, 3, height);
    assert_eq!(fault(&testnet, &["clear"]), [""; 0]);

    testnet.level(height);
}

#[test]
fn relays_that_are_killed_are_named_and_started_again_with_the_faults_that_were_on() {
    let testnet = up(&["--relays"]);
    drop(fault(&testnet, &["node3", "omit-send", "omit-receive"]));
    let before = testnet.relays_pid().unwrap();

    process::signal(before, Signal::KILL);
    until_true("the relays are gone", || testnet.relays_pid().is_none());
    for command in ["status", "fault"] {
        let said = testnet.run(&[command]).with_code(0).stdout;
        assert!(said.contains("the relays do not run"), "{command}: {said}");
        assert!(said.contains("`logothete testnet up --detach` starts them again"), "{said}");
    }
    let refused = refused(&testnet, &["node1", "omit-send"], 3);
    assert!(refused.stderr.contains("the relays do not run"), "{refused:?}");
    drop(testnet.run(&["start", "node3"]).with_code(3));
    drop(testnet.run(&["restart", "node3"]).with_code(0));
    let after = testnet.relays_pid().unwrap();

    assert_ne!(before, after);
    assert_eq!(fault(&testnet, &[]), ["node3 omit-send", "node3 omit-receive"]);
    until_true("the others have found one another", || {
        [0, 1, 2].iter().all(|node| peers(&testnet, *node) >= 2)
    });
    let height = transfer(&testnet, 0, 100);
    assert!(self::height(&testnet, 3) < height);
    drop(fault(&testnet, &["clear"]));
    assert_eq!(testnet.level(height), height);
}

#[test]
fn relays_end_with_their_testnet_and_take_the_faults_along() {
    let testnet = up(&["-n", "1"]);
    drop(testnet.run(&["up", "--detach", "--relays"]).with_code(3));
    drop(testnet.run(&["down"]).with_code(0));
    drop(testnet.run(&["up", "--detach", "--relays"]).with_code(0));
    let detached = testnet.relays_pid().unwrap();
    drop(fault(&testnet, &["node0", "omit-send"]));

    drop(testnet.run(&["down"]).with_code(0));
    assert!(!process::is_alive(detached));
    let mut attached = testnet.start(&["up"]);
    attached.line_with("READY in ");
    let second = testnet.relays_pid().unwrap();
    assert_eq!(fault(&testnet, &[]), [""; 0]);
    attached.signal(process::interruption());
    drop(attached.end().with_code(0));
    assert!(!process::is_alive(second));

    let mut killed = testnet.start(&["up"]);
    killed.line_with("READY in ");
    let third = testnet.relays_pid().unwrap();
    killed.signal(Signal::KILL);
    drop(killed.end());
    until_true("they end with the one who started them", || !process::is_alive(third));
    until_true("the validator does, too", || testnet.pids().is_empty());
    drop(testnet.run(&["up", "--detach", "--reset", "-n", "1"]).with_code(0));
    assert_eq!(testnet.relays_pid(), None);
}
