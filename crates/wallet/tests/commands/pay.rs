//! `pay` as a process: interrupted, taken up again, refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use types::{Action, Height};

use super::ledger::address;
use super::run::{Net, Ran, text};
use super::validator::Conduct;

const ROWS: u64 = 600;

/// How long anything may take on a slow machine with all tests running at once.
const PATIENCE: Duration = Duration::from_secs(60);

/// A file in which row i pays i + 1 base units, so that every row can be told apart.
fn csv(net: &Net, rows: u64) -> PathBuf {
    let mut file = "to,amount,memo\n".to_owned();
    for row in 0..rows {
        let to = if row % 2 == 0 { "bob" } else { "carol" };
        file.push_str(&format!("{to},{}.{:02},row {row}\n", (row + 1) / 100, (row + 1) % 100));
    }
    net.write("pay.csv", &file)
}

/// How often each amount was paid by alice.
fn paid(net: &Net) -> BTreeMap<u64, usize> {
    let (mut paid, alice) = (BTreeMap::new(), address("alice"));
    for signed in net.ledger.committed() {
        let Action::Transfer(transfer) = &signed.transaction.action;
        if signed.transaction.sender == alice {
            *paid.entry(transfer.amount.get()).or_default() += 1;
        }
    }
    paid
}

fn assert_each_row_paid_once(net: &Net, rows: u64) {
    let expected: BTreeMap<u64, usize> = (1..=rows).map(|amount| (amount, 1)).collect();
    assert_eq!(paid(net), expected);
}

/// Lets the ledger commit in small blocks and stand still from this many transactions on, so that a run with more
/// rows cannot end by itself; waits until it stands still.
fn stand_still_at(net: &Net, committed: usize) {
    {
        let mut state = net.ledger.state();
        state.block_max = 5;
        state.committed_max = committed;
    }
    wait_for(net, committed);
}

/// Lets the ledger commit everything.
fn go_on(net: &Net) {
    let mut state = net.ledger.state();
    state.block_max = 1_000;
    state.committed_max = usize::MAX;
}

fn wait_for(net: &Net, committed: usize) {
    let end = Instant::now() + PATIENCE;
    while net.ledger.committed().len() < committed {
        assert!(Instant::now() < end, "{committed} transactions are not committed");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn every_row_is_paid_once_and_reported() {
    let net = Net::start();
    let file = csv(&net, ROWS);

    let ran = net.run_json(&["pay", text(&file), "--from", "alice", "--yes"]).ends_with(0);

    assert_each_row_paid_once(&net, ROWS);
    let result = ran.json();
    assert_eq!((&result["status"], &result["final"]), (&"final".into(), &ROWS.into()));
    let report = fs::read_to_string(net.path("pay.csv.result.csv")).unwrap();
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines.len(), 601);
    assert_eq!(lines[0], "row,line,to,address,amount,memo,status,height,transaction,reason");
    assert!(lines[1].starts_with("1,2,bob,rlgt1") && lines[1].contains(",0.01,row 0,final,"));
}

#[test]
fn running_again_pays_nothing_and_needs_nothing() {
    let net = Net::start();
    let file = csv(&net, 20);
    let report = net.path("report.json");
    let pay = ["pay", text(&file), "--from", "alice", "--yes", "--report", text(&report)];
    net.run(&pay).ends_with(0);
    let height = net.ledger.height();

    let again = net.run_json(&pay).ends_with(0);

    assert_eq!(again.json()["final"], 20);
    assert_eq!(net.ledger.height(), height);
    let rows: Vec<Value> = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!((rows.len(), &rows[19]["status"]), (20, &"final".into()));
}

#[test]
fn interrupted_anywhere_and_run_again_every_row_is_paid_once() {
    let net = Net::start();
    let file = csv(&net, ROWS);
    let pay = ["pay", text(&file), "--from", "alice", "--yes", "--window", "50"];
    net.ledger.state().committed_max = 0;
    // Not SIGINT: a shell that starts tests with `&` has them and their children ignore it.
    for (committed, signal) in [(20, Signal::TERM), (150, Signal::KILL), (300, Signal::TERM)] {
        let mut child = net.spawn(&pay);
        stand_still_at(&net, committed);
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), None, "ended by the signal");
    }
    go_on(&net);

    let ran = net.run_json(&pay).ends_with(0);

    assert_eq!(ran.json()["final"], ROWS);
    assert_each_row_paid_once(&net, ROWS);
}

#[test]
fn a_validator_that_dies_and_comes_back_elsewhere_stops_nothing() {
    let mut net = Net::start();
    let file = csv(&net, ROWS);
    net.ledger.state().committed_max = 0;
    let child = net.spawn(&["pay", text(&file), "--from", "alice", "--yes", "--json"]);

    for round in 0..4 {
        stand_still_at(&net, 50 + round * 60);
        net.validators[round].stop();
        stand_still_at(&net, 80 + round * 60);
        net.validators[round].listen();
        net.write_run_files();
    }
    go_on(&net);

    let ran = Ran::of(child.wait_with_output().unwrap()).ends_with(0);
    assert_eq!(ran.json()["final"], ROWS);
    assert_each_row_paid_once(&net, ROWS);
}

#[test]
fn a_liar_among_the_validators_is_not_believed() {
    let net = Net::start();
    let file = csv(&net, 100);
    net.validators[0].behave(Conduct::Forges);
    net.validators[1].behave(Conduct::Honest);

    let ran = net.run_json(&["pay", text(&file), "--from", "alice", "--yes"]).ends_with(0);

    assert_eq!(ran.json()["final"], 100);
    assert_each_row_paid_once(&net, 100);
}

#[test]
fn a_changed_file_is_refused() {
    let net = Net::start();
    let file = csv(&net, 20);
    let pay = ["pay", text(&file), "--from", "alice", "--yes"];
    net.run(&pay).ends_with(0);
    let height = net.ledger.height();

    fs::write(&file, fs::read_to_string(&file).unwrap() + "bob,5,one more\n").unwrap();
    let ran = net.run_json(&pay).ends_with(3);
    assert_eq!(ran.error_code(), "csv-changed");
    csv(&net, 20);
    let ran = net.run_json(&["pay", text(&file), "--from", "dave", "--yes"]).ends_with(3);
    assert_eq!(ran.error_code(), "other-sender");

    assert_eq!(net.ledger.height(), height);
}

#[test]
fn a_damaged_journal_is_refused() {
    let net = Net::start();
    let file = csv(&net, 20);
    let pay = ["pay", text(&file), "--from", "alice", "--yes"];
    net.run(&pay).ends_with(0);
    let journal = net.path("pay.csv.pay");
    let mut bytes = fs::read(&journal).unwrap();
    bytes[400] ^= 1;
    fs::write(&journal, bytes).unwrap();

    let ran = net.run_json(&pay).ends_with(3);

    assert_eq!(ran.error_code(), "journal-damaged");
}

#[test]
fn nothing_is_sent_when_a_row_is_wrong_or_the_money_is_too_little() {
    let net = Net::start();
    let file = net.write("pay.csv", "to,amount\nbob,1\nbobb,2\ncarol,0\n");
    let pay = ["pay", text(&file), "--from", "alice", "--yes"];

    let wrong = net.run_json(&pay).ends_with(2);
    net.write("pay.csv", "to,amount\nbob,999_999\ncarol,999_999\n");
    let poor = net.run_json(&pay).ends_with(3);

    assert!(wrong.stderr.contains("line 3") && wrong.stderr.contains("line 4"), "{}", wrong.stderr);
    assert_eq!(wrong.error_code(), "csv");
    assert_eq!(poor.error_code(), "overdraft");
    assert!(net.ledger.committed().is_empty());
    assert!(!net.path("pay.csv.pay").exists(), "nothing was signed");
}

#[test]
fn what_was_not_final_in_time_is_finished_by_the_next_run() {
    let net = Net::start();
    let file = csv(&net, 30);
    let pay = ["pay", text(&file), "--from", "alice", "--yes", "--timeout", "1"];
    net.ledger.state().commits = false;

    let late = net.run_json(&pay).ends_with(6);
    assert_eq!((&late.json()["final"], &late.json()["pending"]), (&0.into(), &30.into()));
    let signed = net.ledger.state().pool.values().next().unwrap().id().to_string();
    assert!(
        late.stderr.contains(&format!("line 2 may still commit as {signed}")),
        "{}",
        late.stderr
    );
    let report = fs::read_to_string(net.path("pay.csv.result.csv")).unwrap();
    let first = report.lines().nth(1).unwrap();
    assert!(first.ends_with(&format!(",pending,,{signed},it may still commit")), "{first}");
    net.ledger.state().commits = true;

    net.run(&pay[..5]).ends_with(0);
    assert_each_row_paid_once(&net, 30);
}

#[test]
fn an_expired_row_is_signed_again_and_paid_once() {
    let net = Net::start();
    let file = csv(&net, 10);
    let short =
        ["pay", text(&file), "--from", "alice", "--yes", "--timeout", "1", "--valid-for", "2"];
    net.ledger.state().commits = false;
    net.run(&short).ends_with(6);
    // The validators forget what is pending, and time goes on without it.
    net.ledger.state().pool.clear();
    net.ledger.state().commits = true;
    for _ in 0..3 {
        net.run(&["transfer", "bob", "dave", "1", "--yes"]).ends_with(0);
    }

    let ran = net.run_json(&["pay", text(&file), "--from", "alice", "--yes"]).ends_with(0);

    assert!(ran.stderr.contains("10 rows to be signed again"), "{}", ran.stderr);
    assert_each_row_paid_once(&net, 10);
    let last = net.ledger.committed().last().unwrap().transaction.valid_until;
    assert!(last > Height::new(1_000));
}

#[test]
fn a_row_whose_nonce_was_taken_is_reported_and_sent_by_the_next_run() {
    let net = Net::start();
    let file = csv(&net, 10);
    let pay = ["pay", text(&file), "--from", "alice", "--yes", "--timeout", "1"];
    net.ledger.state().commits = false;
    net.run(&pay).ends_with(6);
    // Meanwhile the same key pays elsewhere, with a nonce that is taken by a row.
    net.ledger.state().pool.clear();
    net.ledger.admit(&net.ledger.transfer("alice", "dave", 0, 7_777)).unwrap();
    net.ledger.state().commits = true;
    wait_for(&net, 1);

    net.run(&pay[..5]).ends_with(0);

    let mut all = paid(&net);
    assert_eq!(all.remove(&7_777), Some(1));
    assert_eq!(all, (1..=10).map(|amount| (amount, 1)).collect());
}

#[test]
fn a_row_whose_nonce_is_taken_meanwhile_is_told_by_code_and_report() {
    let net = Net::start();
    let file = csv(&net, 10);
    net.ledger.state().commits = false;
    let child =
        net.spawn(&["pay", text(&file), "--from", "alice", "--yes", "--json", "--timeout", "5"]);
    while net.ledger.state().pool.len() < 10 {
        thread::sleep(Duration::from_millis(2));
    }
    let rival = net.ledger.transfer("alice", "dave", 0, 7_777);
    let mut state = net.ledger.state();
    state.pool.insert((address("alice"), rival.transaction.nonce), rival);
    state.commits = true;
    drop(state);

    let ran = Ran::of(child.wait_with_output().unwrap()).ends_with(3);

    assert_eq!(ran.error_code(), "rows-refused");
    assert_eq!((&ran.json()["displaced"], &ran.json()["final"]), (&1.into(), &9.into()));
    let report = fs::read_to_string(net.path("pay.csv.result.csv")).unwrap();
    assert_eq!(report.matches("displaced").count(), 1, "{report}");
}

#[test]
fn two_runs_at_once_do_not_mix() {
    let net = Net::start();
    let file = csv(&net, 100);
    let pay = ["pay", text(&file), "--from", "alice", "--yes", "--json"];
    net.ledger.state().committed_max = 0;
    let mut first = net.spawn(&pay);
    stand_still_at(&net, 5);

    let second = net.run(&pay).ends_with(3);

    assert_eq!(second.error_code(), "journal-busy");
    go_on(&net);
    assert_eq!(first.wait().unwrap().code(), Some(0));
    assert_each_row_paid_once(&net, 100);
}

#[test]
fn a_report_that_would_replace_what_is_paid_or_cannot_be_written_sends_nothing() {
    let net = Net::start();
    let file = csv(&net, 3);
    let before = fs::read_to_string(&file).unwrap();
    for report in ["pay.csv", "pay.csv.pay", "missing/report.csv"] {
        let report = net.path(report);
        let pay = ["pay", text(&file), "--from", "alice", "--yes", "--report", text(&report)];

        let ran = net.run_json(&pay).ends_with(2);

        assert_eq!(ran.error_code(), "usage");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    assert!(!net.path("pay.csv.pay").exists(), "nothing was signed");
    assert!(net.ledger.committed().is_empty());
}

#[test]
fn a_report_lost_after_the_payment_takes_the_summary_away_from_nobody() {
    let net = Net::start();
    let file = csv(&net, 3);
    fs::create_dir(net.path("reports")).unwrap();
    let report = net.path("reports/r.csv");
    net.ledger.state().commits = false;
    let pay = ["pay", text(&file), "--from", "alice", "--yes", "--report", text(&report), "--json"];
    let child = net.spawn(&pay);
    let end = Instant::now() + PATIENCE;
    while net.ledger.state().pool.is_empty() {
        assert!(Instant::now() < end, "nothing was submitted");
        thread::sleep(Duration::from_millis(2));
    }

    fs::remove_dir(net.path("reports")).unwrap();
    net.ledger.state().commits = true;

    let ran = Ran::of(child.wait_with_output().unwrap()).ends_with(1);
    assert_eq!((&ran.json()["status"], &ran.json()["report"]), (&"final".into(), &Value::Null));
    assert_eq!(ran.error_code(), "fault");
    assert_each_row_paid_once(&net, 3);
}

#[test]
fn rows_from_a_pipe_are_refused_with_what_to_do() {
    let net = Net::start();

    let ran = net.run(&["pay", "/dev/stdin", "--from", "alice", "--yes"]).ends_with(2);

    assert!(ran.stderr.contains("save the rows as a file"), "{}", ran.stderr);
}
