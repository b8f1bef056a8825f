//! Payments from a file over a network whose validators die: every row is paid exactly once, nothing that was
//! final is lost, and every data directory passes its audit.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use api::types::BlockName;
use rustix::process::Signal;
use tests::audit::{assert_audits_pass, audit};
use tests::files::copy;
use tests::money::{address, balance};
use tests::process;
use tests::programs::{self, Running};
use tests::random::Numbers;
use tests::testnet::Testnet;
use tests::wait::{until, until_true};
use types::number::Height;
use types::transaction::Action;

/// What every account of a new testnet has, in base units.
const BALANCE: u64 = 100_000_000;

/// Writes a file of payments; row i pays i + 1 base units to bob or carol in turn, under its own memo.
fn write_csv(folder: &Path, name: &str, rows: u64) -> PathBuf {
    let mut text = String::from("to,amount,memo\n");
    for row in 0..rows {
        let to = if row % 2 == 0 { "bob" } else { "carol" };
        let cents = row + 1;
        text.push_str(&format!("{to},{}.{:02},{name} {row}\n", cents / 100, cents % 100));
    }
    let path = folder.join(format!("{name}.csv"));
    fs::write(&path, text).unwrap();
    path
}

fn pay(testnet: &Testnet, file: &Path) -> Running {
    let arguments = [
        "--dir",
        testnet.directory().to_str().unwrap(),
        "pay",
        file.to_str().unwrap(),
        "--from",
        "alice",
        "--yes",
    ];
    Running::start(programs::command("logothete-wallet", &arguments))
}

/// Alice's nonce as node0 has committed it.
fn paid(testnet: &Testnet) -> u64 {
    let text = address(0).to_text("rlgt");
    let account = testnet.client(0).account(&text).ok().flatten();
    account.map_or(0, |account| account.nonce.get())
}

/// How often each memo stands in the chain of a validator.
fn memos(testnet: &Testnet, node: usize, height: u64) -> BTreeMap<String, u64> {
    let client = testnet.client(node);
    let mut memos = BTreeMap::new();
    for height in 1..=height {
        let block = client.proved_block(BlockName::Height(Height::new(height))).unwrap().unwrap();
        for signed in block.block.body.transactions() {
            let Action::Transfer(transfer) = &signed.transaction.action;
            *memos.entry(transfer.memo.text().to_owned()).or_default() += 1;
        }
    }
    memos
}

/// All validators have the same chain, in which each of these rows stands once, and the money that follows.
fn assert_paid_once(testnet: &Testnet, files: &[(&str, u64)]) {
    let height = testnet.level(1);
    let expected: BTreeMap<String, u64> = files
        .iter()
        .flat_map(|(name, rows)| (0..*rows).map(move |row| (format!("{name} {row}"), 1)))
        .collect();
    let to = |parity: u64| -> u64 {
        files
            .iter()
            .flat_map(|(_, rows)| (0..*rows).filter(|row| row % 2 == parity))
            .map(|row| row + 1)
            .sum()
    };
    let first = testnet.status(0);
    for node in 0..4 {
        assert_eq!(memos(testnet, node, height), expected, "node{node}");
        assert_eq!(balance(testnet, node, 1), BALANCE + to(0), "bob at node{node}");
        assert_eq!(balance(testnet, node, 2), BALANCE + to(1), "carol at node{node}");
        assert_eq!(balance(testnet, node, 0), BALANCE - to(0) - to(1), "alice at node{node}");
        let status = testnet.status(node);
        assert_eq!((status.block, status.state_root), (first.block, first.state_root));
        assert_eq!(status.supply.get(), 4 * BALANCE);
    }
}

/// Halts validators, and returns when none of their threads runs any more.
fn halt(pids: &[u32]) {
    for pid in pids {
        assert!(process::signal(*pid, Signal::STOP));
    }
    until_true("they are halted", || pids.iter().all(|pid| process::is_halted(*pid)));
}

#[test]
fn ten_thousand_rows_are_paid_once_through_an_interrupt_and_a_killed_backup() {
    const ROWS: u64 = 10_000;
    let testnet = Testnet::up(&[]);
    let file = write_csv(testnet.directory(), "wages", ROWS);

    let halted = [2, 3].map(|node| until("a validator runs", || testnet.pid(node)));
    let interrupted = pay(&testnet, &file);
    until_true("some rows are paid", || paid(&testnet) >= 500);
    // Without a quorum the run cannot end before it is interrupted, however long what follows takes.
    halt(&halted);
    drop(testnet.run(&["kill", "node2"]).with_code(0));
    let before = paid(&testnet);
    assert!((500..ROWS).contains(&before), "it is halted in the middle: {before} rows");
    interrupted.signal(process::interruption());
    let ended = interrupted.end();
    assert_eq!(ended.code, None, "the signal ended it: {ended:?}");
    drop(testnet.run(&["resume", "node3"]).with_code(0));
    drop(testnet.run(&["start", "node2"]).with_code(0));
    drop(pay(&testnet, &file).end().with_code(0));

    assert_paid_once(&testnet, &[("wages", ROWS)]);
    drop(pay(&testnet, &file).end().with_code(0));
    assert_eq!(paid(&testnet), ROWS, "a third run pays nothing");
    assert_audits_pass(&testnet);
}

#[test]
fn a_network_killed_whole_under_load_twenty_times_loses_nothing() {
    const ROWS: u64 = 1_000;
    let testnet = Testnet::up(&[]);
    let mut in_the_middle = 0;
    let names: Vec<String> = (0..20).map(|cycle| format!("cycle {cycle}")).collect();

    for (cycle, name) in (0..).zip(&names) {
        let file = write_csv(testnet.directory(), name, ROWS);
        let pids = testnet.pids();
        let running = pay(&testnet, &file);
        until_true("some rows are paid", || paid(&testnet) > cycle * ROWS);
        // By their ids, because most rows would be paid before another program has begun to do it.
        for pid in pids {
            assert!(process::signal(pid, Signal::KILL));
        }
        // It sends nothing until what survived is counted.
        running.signal(Signal::STOP);
        until_true("their directories are free", || testnet.pids().is_empty());
        drop(testnet.run(&["start", "all"]).with_code(0));
        testnet.level(0);
        in_the_middle += u64::from(paid(&testnet) < (cycle + 1) * ROWS);
        running.signal(Signal::CONT);
        let ended = running.end();
        // Whoever waited in vain runs the same command again; nobody repairs anything.
        if ended.code != Some(0) {
            drop(pay(&testnet, &file).end().with_code(0));
        }
    }

    println!("{in_the_middle} of {} cycles ended in the middle of a file", names.len());
    assert!(in_the_middle > 0, "nothing was ever interrupted: the test shows nothing");
    let files: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), ROWS)).collect();
    assert_paid_once(&testnet, &files);
    assert_audits_pass(&testnet);
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if fs::metadata(&path).unwrap().len() > 0 {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_flipped_bit_anywhere_in_a_copy_is_found_or_harmless() {
    let seed = std::env::var("LOGOTHETE_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or(1);
    println!("repeat with LOGOTHETE_TEST_SEED={seed} cargo test -p tests --test payments flipped");
    let testnet = Testnet::up(&["-n", "1"]);
    drop(pay(&testnet, &write_csv(testnet.directory(), "rows", 300)).end().with_code(0));
    drop(testnet.run(&["down"]).with_code(0));
    let genesis = testnet.directory().join("genesis.toml");
    let original = testnet.node(0).join("data");
    let truth = audit(&original, &genesis).with_code(0).json();
    let folder = tempfile::tempdir().unwrap();
    let mut numbers = Numbers::new(seed);
    let (mut refused, mut harmless) = (0, 0);

    for round in 0..48 {
        let damaged = folder.path().join(format!("{round}"));
        copy(&original, &damaged);
        let all = files(&damaged);
        let file = &all[usize::try_from(numbers.below(u64::try_from(all.len()).unwrap())).unwrap()];
        let mut bytes = fs::read(file).unwrap();
        // Files are mostly empty space reserved ahead; the damage goes where something is written.
        let written: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
        let at =
            written[usize::try_from(numbers.below(u64::try_from(written.len()).unwrap())).unwrap()];
        bytes[at] ^= 1 << numbers.below(8);
        fs::write(file, bytes).unwrap();

        let ended = audit(&damaged, &genesis);
        match ended.code {
            Some(0) => {
                let report = ended.json();
                for what in ["height", "block", "state_root", "transactions", "supply"] {
                    assert_eq!(report[what], truth[what], "{what}: byte {at} of {file:?}");
                }
                harmless += 1;
            }
            Some(1) => refused += 1,
            Some(_) | None => panic!("byte {at} of {file:?}: {ended:?}"),
        }
        fs::remove_dir_all(&damaged).unwrap();
    }

    println!("{refused} refused, {harmless} harmless");
    assert!(refused > 0, "nothing was ever found: the test damages nothing");
}

#[test]
fn a_running_directory_is_not_audited() {
    let testnet = Testnet::up(&["-n", "1"]);
    let genesis = testnet.directory().join("genesis.toml");

    let ended = audit(&testnet.node(0).join("data"), &genesis).with_code(1);

    let pid = until("the process", || testnet.pid(0));
    assert!(ended.stderr.contains(&pid.to_string()), "{ended:?}");
}
