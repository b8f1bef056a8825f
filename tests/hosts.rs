//! Partitions between hosts with their own addresses. Where the system gives no network namespaces
//! these are skipped, and the relays of `faults.rs` cut the links alone.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::time::{Duration, Instant};

use tests::hosts::{Hosts, within};
use tests::load::{Load, Wallet, paid};
use tests::story::{assert_whole, statuses, until_in_a_view_above, until_paid};
use tests::wait::until_true;
use types::number::Height;

#[test]
fn halves_commit_nothing_and_go_on_when_the_routes_heal() {
    if let Err(reason) = within("inside_halves") {
        println!("skipped: {reason}");
    }
}

#[test]
#[ignore = "runs in a network of its own, see above"]
fn inside_halves() {
    let (testnet, mut hosts) = Hosts::up(4);
    let load = Load::start(&testnet, 50, Wallet::GivesUp);
    until_paid(&testnet, 1, 50);

    hosts.part(&[&[0, 1], &[2, 3]]);
    let mut last: Option<(Vec<Height>, Instant)> = None;
    until_true("nobody commits for three seconds", || {
        let now: Vec<Height> = statuses(&testnet, &[0, 1, 2, 3]).iter().map(|s| s.height).collect();
        if last.as_ref().is_none_or(|(heights, _)| *heights != now) {
            last = Some((now, Instant::now()));
        }
        last.as_ref().is_some_and(|(_, since)| since.elapsed() > Duration::from_secs(3))
    });
    let parted = statuses(&testnet, &[0, 1, 2, 3]).iter().map(|one| one.height).max().unwrap();
    hosts.heal();
    let healed = Instant::now();
    until_true("a commit", || testnet.status(0).height > parted);
    println!("next commit {:?} after the routes healed", healed.elapsed());

    let count = load.stop();
    assert_whole(&testnet, count);
    drop(hosts);
}

#[test]
fn a_primary_whose_packets_are_lost_one_way_is_replaced_and_follows() {
    if let Err(reason) = within("inside_one_way") {
        println!("skipped: {reason}");
    }
}

#[test]
#[ignore = "runs in a network of its own, see above"]
fn inside_one_way() {
    let (testnet, mut hosts) = Hosts::up(4);
    let load = Load::start(&testnet, 50, Wallet::GivesUp);
    until_paid(&testnet, 1, 50);

    hosts.cut(&[(0, 1), (0, 2), (0, 3)]);
    until_in_a_view_above(&testnet, &[1, 2, 3], 0);
    let before = paid(&testnet, 1);
    until_paid(&testnet, 1, before + 100);
    hosts.heal();
    until_in_a_view_above(&testnet, &[0], 0);
    // One link of two backups, one way: the others carry what it loses.
    hosts.cut(&[(2, 3)]);
    for node in [2, 3] {
        let before = paid(&testnet, node);
        until_paid(&testnet, node, before + 200);
    }
    hosts.heal();

    let count = load.stop();
    assert_whole(&testnet, count);
    drop(hosts);
}
