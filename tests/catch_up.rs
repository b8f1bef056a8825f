//! Validators that lost their chain and come back while payments are made, from far behind.
//!
//! `LOGOTHETE_TEST_HEIGHT=10000 cargo test -p tests --release --test catch_up -- --nocapture` does it
//! from further behind than the suite has time for, and prints how long it took.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::fs;
use std::time::{Duration, Instant};

use tests::audit::assert_audits_pass;
use tests::journals::Said;
use tests::load::{Load, Wallet, assert_paid_once};
use tests::process;
use tests::testnet::Testnet;
use tests::wait::until_true;

/// What a validator may take more than one that was never behind: the longest answers that it keeps
/// at once, see `node::catch_up`.
const MORE_MEMORY_BYTES: u64 = 96 * 1024 * 1024;

/// Waits until a validator is at a height. Each fiftieth of the way is waited for by itself.
fn until_at(testnet: &Testnet, node: usize, height: u64) {
    let first = testnet.status(node).height.get();
    for part in 1..=50 {
        let next = first + height.saturating_sub(first) * part / 50;
        until_true(&format!("node{node} is at height {next}"), || {
            testnet.client(node).status().is_ok_and(|status| status.height.get() >= next)
        });
    }
}

/// Starts node3 and gives how many blocks it fetched, until it had what was there when it was
/// started, and how long that took.
fn join(testnet: &Testnet) -> (u64, Duration) {
    let height = testnet.status(0).height.get();
    let started = Instant::now();
    let start = testnet.start(&["start", "node3"]);
    until_true("node3 answers", || {
        testnet.pid(3).is_some_and(|pid| {
            let file = api::client::network::RunFile::read(&testnet.node(3));
            file.is_some_and(|file| file.pid == pid) && testnet.client(3).status().is_ok()
        })
    });
    until_at(testnet, 3, height);
    let took = started.elapsed();
    drop(start);
    (height, took)
}

/// Peak memory of node3 and of node0, which was never behind, in bytes.
fn peaks(testnet: &Testnet) -> (u64, u64) {
    let [three, zero] = [3, 0].map(|node| process::peak_bytes(testnet.pid(node).unwrap()));
    (three, zero)
}

#[test]
fn a_validator_that_lost_its_chain_joins_under_load_and_votes_and_one_that_lost_all_follows() {
    let height = std::env::var("LOGOTHETE_TEST_HEIGHT").ok().and_then(|text| text.parse().ok());
    let height = height.unwrap_or(400);
    let testnet = Testnet::up(&["-n", "4", "--timeout", "60"]);
    let began = Instant::now();
    let load = Load::start(&testnet, 200, Wallet::GivesUp);
    until_at(&testnet, 3, height / 10);

    // The journal is kept, all else is lost.
    testnet.crash(3);
    let data = testnet.node(3).join("data");
    let aside = testnet.node(3).join("before");
    tests::files::copy(&data, &aside);
    fs::remove_dir_all(data.join("store")).unwrap();
    until_at(&testnet, 0, height);
    let made = f64::from(u32::try_from(height).unwrap()) / began.elapsed().as_secs_f64();
    let (fetched, took) = join(&testnet);
    let rate = f64::from(u32::try_from(fetched).unwrap()) / took.as_secs_f64();
    println!("made {made:.1} blocks/s; fetched {fetched} blocks in {took:?}, {rate:.1} blocks/s");
    until_true("node3 votes again and is ready", || {
        let status = testnet.status(3);
        status.voting && status.ready && !status.retired
    });
    let (three, zero) = peaks(&testnet);
    println!("at most {three} bytes of memory, and {zero} in a validator that was never behind");
    assert!(three <= zero + MORE_MEMORY_BYTES, "{three} and {zero}");
    // What it says now the others need: one of them dies.
    testnet.crash(2);
    let now = testnet.status(3).height.get();
    until_at(&testnet, 3, now + 20);
    drop(testnet.run(&["start", "node2"]).with_code(0));

    // Everything is lost but the key.
    testnet.crash(3);
    fs::rename(&data, testnet.node(3).join("voted")).unwrap();
    let (fetched, took) = join(&testnet);
    println!("with an empty journal: fetched {fetched} blocks in {took:?}");
    let now = testnet.status(3).height.get();
    until_at(&testnet, 3, now + 20);
    let status = testnet.status(3);
    assert!(status.retired && !status.voting && !status.ready, "{status:?}");
    let (three, zero) = peaks(&testnet);
    assert!(three <= zero + MORE_MEMORY_BYTES, "{three} and {zero}");

    let count = load.stop();
    assert_paid_once(&testnet, count);
    assert_audits_pass(&testnet);
    let mut all = Said::default();
    all.add(&aside, &testnet.genesis());
    all.add(&testnet.node(3).join("voted"), &testnet.genesis());
    assert!(all.votes() > 0);
    let mut last = Said::default();
    last.add(&data, &testnet.genesis());
    assert!(last.is_retired() && last.votes() == 0, "{} votes", last.votes());
}
