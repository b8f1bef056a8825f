//! Every exit code of the reference page, provoked. Codes 0 and those of `pay` stand beside their
//! features.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::Stdio;
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::ledger::{Ledger, address};
use super::run::{Net, Ran, text, wallet};
use super::validator::{Conduct, Served};

const TRANSFER: [&str; 5] = ["transfer", "alice", "bob", "5", "--yes"];

#[test]
fn one_for_a_fault_of_this_machine() {
    let net = Net::start();
    let file = net.write("file", "no directory");
    let inside = file.join("keys");

    let ran = net.run_json(&["keys", "list", "--keystore", text(&inside)]).ends_with(1);

    assert_eq!(ran.error_code(), "fault");
}

#[test]
fn two_for_what_cannot_be_meant() {
    let net = Net::start();
    for arguments in [
        &["transfer", "alice", "bob", "-5", "--yes"][..],
        &["transfer", "alice", "bob", "1.234", "--yes"],
        &["transfer", "alice", "bob", "nan", "--yes"],
        &["transfer", "alice", "rlgt1qqqq", "5", "--yes"],
        &["transfer", &address("alice").to_text("rlgt"), "bob", "5", "--yes"],
        &["balance", "alice", "--dir", "net", "--api", "http://127.0.0.1:1"],
        &["transfer", "alice", "bob"],
        &["transfer", "alice", "bob", "5", "--timeout", "0"],
        &["transaction", "12"],
        &["keys", "new", "../up"],
        &["unknown"],
        &["balance", "alice", "--api", "http://127.0.0.1:1"],
        &["balance", "alice", "--genesis", "genesis.toml"],
        &["pay", "/nonexistent.csv", "--from", "alice"],
    ] {
        let ran = net.run(arguments).ends_with(2);
        assert!(ran.stdout.is_empty(), "{arguments:?}: {}", ran.stdout);
    }
    let ran = net.run_json(&["balance", "alice", "--genesis", "genesis.toml"]).ends_with(2);
    assert_eq!(ran.error_code(), "usage");
    let nowhere = Ran::of(wallet(&["balance", "alice"]).output().unwrap()).ends_with(2);
    assert!(nowhere.stderr.contains("LOGOTHETE_DIR"), "{}", nowhere.stderr);
}

#[test]
fn two_with_one_line_of_json_for_a_line_that_cannot_be_meant() {
    let net = Net::start();
    for arguments in [&["transfer"][..], &["transfer", "alice", "bob", "5", "--colour"], &["keys"]]
    {
        let ran = net.run_json(arguments).ends_with(2);

        assert_eq!(ran.error_code(), "usage");
        assert_eq!((ran.stderr.lines().count(), ran.stdout.len()), (1, 0), "{}", ran.stderr);
    }
    let asked = net.run_json(&["transfer", "--help"]).ends_with(0);
    assert!(asked.stdout.contains("FROM"), "{}", asked.stdout);
}

#[test]
fn a_variable_that_is_empty_says_nothing() {
    let nowhere = wallet(&["balance", "alice"]).env("LOGOTHETE_DIR", "").output().unwrap();
    let nowhere = Ran::of(nowhere).ends_with(2);
    assert!(nowhere.stderr.contains("no network in ./testnet"), "{}", nowhere.stderr);

    let net = Net::start();
    let mut keys = net.command(&["keys", "list"]);
    let home = net.path("home");
    keys.env("LOGOTHETE_KEYSTORE", "").env("XDG_DATA_HOME", &home);
    Ran::of(keys.output().unwrap()).ends_with(0);
}

#[test]
fn two_without_a_terminal_and_without_yes() {
    let net = Net::start();

    let ran = net.run_json(&["transfer", "alice", "bob", "5"]).ends_with(2);

    assert_eq!(ran.error_code(), "confirmation-needed");
    assert!(net.ledger.state().pool.is_empty() && net.ledger.height() == 0);
}

#[test]
fn three_with_the_reason_of_the_ledger() {
    let net = Net::start();
    let memo = "m".repeat(65);
    for (arguments, code) in [
        (&["transfer", "alice", "bob", "1_000_000.01", "--yes"][..], "overdraft"),
        (&["transfer", "alice", "bob", "1_000_000.01", "--yes", "--wait", "none"], "overdraft"),
        (&["transfer", "alice", "bob", "0", "--yes"], "zero-amount"),
        (&["transfer", "alice", "bob", "1", "--yes", "--memo", &memo], "memo-too-long"),
    ] {
        let ran = net.run_json(arguments).ends_with(3);
        assert_eq!(ran.error_code(), code);
    }
    assert!(net.ledger.committed().is_empty());
}

#[test]
fn three_for_a_key_without_an_account() {
    let net = Net::start();
    let password = net.write("password", "secret\n");
    net.run(&["keys", "new", "empty", "--password-file", text(&password)]).ends_with(0);

    let ran = net.run_json(&["transfer", "empty", "bob", "5", "--yes"]).ends_with(3);

    assert_eq!(ran.error_code(), "unknown-sender");
}

#[test]
fn four_when_nobody_listens_and_when_nobody_runs() {
    let mut net = Net::start();
    for validator in &mut net.validators {
        validator.stop();
    }
    for arguments in [
        &TRANSFER[..],
        &["balance", "alice"],
        &["history", "alice"],
        &["transaction", &"0".repeat(64)],
    ] {
        assert_eq!(net.run_json(arguments).ends_with(4).error_code(), "unreachable");
    }

    for number in 0..4 {
        std::fs::remove_file(net.path(&format!("node{number}/run.json"))).unwrap();
    }

    for arguments in [&TRANSFER[..], &["balance", "alice"], &["transaction", &"0".repeat(64)]] {
        assert_eq!(net.run_json(arguments).ends_with(4).error_code(), "unreachable");
    }
}

#[test]
fn five_for_what_does_not_exist() {
    let net = Net::start();
    let unknown = crypto::keys::SecretKey::from_seed([9; 32]).public_key();
    let unknown = types::Address::Key(unknown).to_text("rlgt");
    for arguments in [
        &["transfer", "nobody", "bob", "5", "--yes"][..],
        &["transfer", "alice", "nobody", "5", "--yes"],
        &["balance", "nobody"],
        &["balance", &unknown],
        &["history", &unknown],
        &["transaction", &"0".repeat(64)],
        &["keys", "show", "nobody"],
        &["keys", "export", "nobody", "--yes"],
    ] {
        assert_eq!(net.run_json(arguments).ends_with(5).error_code(), "not-found", "{arguments:?}");
    }
}

#[test]
fn six_with_the_id_when_the_time_is_over() {
    let net = Net::start();
    net.ledger.state().commits = false;

    let ran = net.run_json(&["transfer", "alice", "bob", "5", "--yes", "--timeout", "0.5"]);

    let ran = ran.ends_with(6);
    let pending = net.ledger.state().pool.values().next().unwrap().id().to_string();
    assert_eq!(ran.json()["id"], pending);
    assert_eq!(ran.json()["status"], "pending");
    assert_eq!(ran.error_code(), "pending");
    assert!(ran.stderr.contains(&format!("signed {pending}")));
    let later = net.run_json(&["transaction", &pending]).ends_with(6);
    assert_eq!(later.json()["status"], "pending");
    net.ledger.state().commits = true;
    while net.ledger.height() == 0 {
        thread::sleep(std::time::Duration::from_millis(2));
    }
    assert_eq!(net.run_json(&["transaction", &pending]).ends_with(0).json()["status"], "final");
}

/// Runs the wallet with a terminal for stdin and stderr, and types `answer` once it is asked.
fn at_a_terminal(net: &Net, arguments: &[&str], answer: &str) -> (Option<i32>, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let terminal =
        || OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut command = net.command(arguments);
    command.stdin(terminal()).stderr(terminal()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut master = File::from(master);
    let mut shown = Vec::new();
    let mut buffer = [0; 1024];
    while !shown.ends_with(b"[y/N] ") {
        let count = master.read(&mut buffer).unwrap_or(0);
        assert!(count > 0, "nothing was asked: {}", String::from_utf8_lossy(&shown));
        shown.extend_from_slice(&buffer[..count]);
    }
    master.write_all(answer.as_bytes()).unwrap();
    let code = child.wait().unwrap().code();
    // The terminal ends with an error once nobody holds its other side.
    drop(master.read_to_end(&mut shown));
    (code, String::from_utf8_lossy(&shown).into_owned())
}

#[test]
fn seven_when_the_user_says_no_and_nothing_was_sent() {
    let net = Net::start();

    let asked = ["transfer", "alice", "bob", "12.50", "--json"];
    let (code, shown) = at_a_terminal(&net, &asked, "n\n");

    assert_eq!(code, Some(7));
    assert!(shown.contains("\"code\":\"declined\""), "{shown}");
    assert!(shown.contains("12.50") && shown.contains("alice") && shown.contains("bob"), "{shown}");
    assert!(net.ledger.state().pool.is_empty() && net.ledger.height() == 0);
    let (code, _) = at_a_terminal(&net, &["transfer", "alice", "bob", "12.50"], "y\n");
    assert_eq!(code, Some(0));
    assert_eq!(net.ledger.committed().len(), 1);
}

#[test]
fn eight_for_keys_and_passwords() {
    let net = Net::start();
    let (good, bad) = (net.write("good", "secret\n"), net.write("bad", "Secret\n"));
    let empty = net.write("empty", "\n");
    net.run(&["keys", "new", "mine", "--password-file", text(&good)]).ends_with(0);
    let fund = net.run(&["transfer", "alice", "mine", "10", "--yes"]);
    fund.ends_with(0);
    let words = net.write("words", "test test test");
    let (good, bad, empty) = (text(&good), text(&bad), text(&empty));
    for (arguments, code) in [
        (&["transfer", "mine", "bob", "1", "--yes", "--password-file", bad][..], "key"),
        (&["transfer", "mine", "bob", "1", "--yes"], "password-needed"),
        (&["transfer", "mine", "bob", "1", "--yes", "--password-file", "/nonexistent"], "key"),
        (&["keys", "export", "mine", "--yes", "--password-file", bad], "key"),
        (&["keys", "export", "mine", "--yes"], "password-needed"),
        (&["keys", "new", "mine", "--password-file", good], "key-exists"),
        (&["keys", "new", "other"], "password-needed"),
        (&["keys", "new", "other", "--password-file", empty], "password-empty"),
        (&["keys", "import", "other", "--password-file", good], "words-needed"),
        (
            &["keys", "import", "other", "--words-file", text(&words), "--password-file", good],
            "key",
        ),
    ] {
        let ran = net.run_json(arguments).ends_with(8);
        assert_eq!(ran.error_code(), code, "{arguments:?}");
    }
    net.run(&["transfer", "mine", "bob", "1", "--yes", "--password-file", good]).ends_with(0);
}

#[test]
fn nine_when_replies_do_not_verify_or_contradict() {
    let net = Net::start();
    for validator in &net.validators {
        validator.behave(Conduct::Forges);
    }
    let ran = net.run_json(&["transfer", "alice", "bob", "5", "--yes", "--timeout", "3"]);
    assert_eq!(ran.ends_with(9).error_code(), "unverified");
    let ran = net.run_json(&["balance", "alice"]).ends_with(9);
    assert_eq!(ran.error_code(), "unverified");
    assert!(!ran.stdout.contains("0.01"), "nothing unproved is shown: {}", ran.stdout);

    net.validators[0].behave(Conduct::Contradicts);
    net.validators[1].behave(Conduct::Speaks(types::ReplicaId::new(1)));
    let id = net.ledger.committed()[0].id().to_string();

    let ran = net.run_json(&["transaction", &id]).ends_with(9);
    assert_eq!(ran.error_code(), "contradiction");
}

#[test]
fn nine_when_two_quorums_certify_two_blocks_of_one_height() {
    let mut net = Net::start();
    let other = Ledger::start();
    for validator in 2..4 {
        let replica = types::ReplicaId::new(u16::try_from(validator).unwrap());
        net.validators[validator] = Served::start(&other, replica);
    }
    net.write_run_files();
    net.ledger.admit(&net.ledger.transfer("alice", "bob", 0, 1)).unwrap();
    other.admit(&other.transfer("alice", "bob", 0, 2)).unwrap();
    while net.ledger.height() == 0 || other.height() == 0 {
        thread::sleep(std::time::Duration::from_millis(2));
    }

    let ran = net.run_json(&["balance", "alice"]).ends_with(9);

    assert_eq!(ran.error_code(), "fork");
    assert!(ran.stdout.is_empty(), "{}", ran.stdout);
}
