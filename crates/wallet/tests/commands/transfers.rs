use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use types::ReplicaId;

use super::ledger::address;
use super::run::Net;
use super::validator::Conduct;

#[test]
fn a_transfer_is_final_and_names_its_height_and_signers() {
    let net = Net::start();

    let ran = net.run(&["transfer", "alice", "bob", "12.50", "--yes"]).ends_with(0);

    let committed = net.ledger.committed();
    let id = committed[0].id().to_string();
    let first = ran.stdout.lines().next().unwrap();
    assert!(first.starts_with("final at height 1, signed by node"), "{first}");
    assert!(ran.stdout.contains(&id));
    assert_eq!(ran.stderr.trim(), format!("signed {id}"), "the id is told before anything else");
    assert_eq!(committed.len(), 1);
}

#[test]
fn json_goes_to_the_same_channels() {
    let net = Net::start();

    let ran = net
        .run_json(&["transfer", "alice", "bob", "1_000.25", "--memo", "rent", "--yes"])
        .ends_with(0);

    let result = ran.json();
    assert_eq!(result["status"], "final");
    assert_eq!(result["amount"], "100025");
    assert_eq!(result["memo"], "rent");
    assert_eq!(result["recipient"], address("bob").to_text("rlgt"));
    assert!(result["signers"].as_array().unwrap().len() >= 2);
    assert_eq!(result["proved_by"], "replies");
    assert_eq!(ran.stdout.lines().count(), 1);
}

#[test]
fn transfers_one_after_the_other_have_their_own_nonces() {
    let net = Net::start();
    let bob = address("bob").to_text("rlgt");

    for _ in 0..3 {
        net.run(&["transfer", "alice", &bob, "1", "--yes"]).ends_with(0);
    }
    net.run(&["transfer", "alice", "alice", "1", "--yes"]).ends_with(0);

    let nonces: Vec<u64> =
        net.ledger.committed().iter().map(|signed| signed.transaction.nonce.get()).collect();
    assert_eq!(nonces, [0, 1, 2, 3]);
}

#[test]
fn waiting_for_nothing_returns_with_who_took_it() {
    let net = Net::start();
    net.ledger.state().commits = false;

    let ran = net.run_json(&["transfer", "alice", "bob", "5", "--yes", "--wait", "none"]);

    let result = ran.ends_with(0).json();
    assert_eq!(result["status"], "pending");
    assert!(!result["accepted_by"].as_array().unwrap().is_empty());
    assert_eq!(net.ledger.state().pool.len(), 1);
}

#[test]
fn one_reachable_validator_suffices_when_it_shows_a_certificate() {
    let net = Net::start();
    let genesis = net.path("genesis.toml");
    let keys = net.path("keys");
    let words = net.write("words", super::ledger::JUNK);
    let password = net.write("password", "secret\n");
    net.run(&[
        "keys",
        "import",
        "alice2",
        "--words-file",
        words.to_str().unwrap(),
        "--password-file",
        password.to_str().unwrap(),
    ])
    .ends_with(0);
    let bob = address("bob").to_text("rlgt");
    let url = net.validators[2].url.clone();

    let mut command = super::run::wallet(&[
        "transfer",
        "alice2",
        &bob,
        "7",
        "--yes",
        "--json",
        "--timeout",
        "5",
        "--api",
        &url,
        "--genesis",
        genesis.to_str().unwrap(),
        "--keystore",
        keys.to_str().unwrap(),
        "--password-file",
        password.to_str().unwrap(),
    ]);
    let ran = super::run::Ran::of(command.output().unwrap()).ends_with(0);

    assert_eq!(ran.json()["proved_by"], "certificate");
    assert_eq!(ran.json()["signers"].as_array().unwrap().len(), 3);
}

#[test]
fn one_validator_on_four_connections_counts_once() {
    let net = Net::start();
    for validator in &net.validators {
        validator.behave(Conduct::Speaks(ReplicaId::new(2)));
    }

    let ran = net.run_json(&["transfer", "alice", "bob", "5", "--yes", "--timeout", "1"]);

    assert_eq!(ran.ends_with(6).json()["status"], "pending");
}

#[test]
fn one_liar_changes_nothing() {
    let net = Net::start();
    for conduct in [Conduct::Forges, Conduct::Contradicts, Conduct::Denies] {
        net.validators[0].behave(conduct);

        let ran = net.run_json(&["transfer", "alice", "bob", "5", "--yes"]).ends_with(0);

        assert_eq!(ran.json()["status"], "final", "{conduct:?}");
    }
}

#[test]
fn a_validator_that_comes_back_on_another_port_is_found() {
    let mut net = Net::start();
    net.ledger.state().commits = false;
    let child = net.spawn(&["transfer", "alice", "bob", "5", "--yes", "--json", "--timeout", "20"]);
    while net.ledger.state().pool.is_empty() {
        thread::sleep(Duration::from_millis(5));
    }

    for validator in &mut net.validators {
        validator.listen();
    }
    net.write_run_files();
    net.ledger.state().commits = true;

    let ran = super::run::Ran::of(child.wait_with_output().unwrap()).ends_with(0);
    assert_eq!(ran.json()["status"], "final");
    assert_eq!(net.ledger.committed().len(), 1);
}

/// Puts listeners that never answer where the first validators were: what a paused process is like.
fn halt(net: &mut Net, count: usize) -> Vec<TcpListener> {
    let mut halted = Vec::new();
    for validator in net.validators.iter_mut().take(count) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        validator.url = format!("http://{}", listener.local_addr().unwrap());
        halted.push(listener);
    }
    net.write_run_files();
    halted
}

#[test]
fn the_timeout_holds_when_validators_are_halted() {
    let mut net = Net::start();
    let _halted = halt(&mut net, 2);
    net.ledger.state().commits = false;
    for wait in ["final", "none"] {
        let transfer = ["transfer", "alice", "bob", "5", "--yes", "--timeout", "1", "--wait", wait];
        let begun = Instant::now();

        let ran = net.run(&transfer);

        assert_eq!(ran.code, Some(if wait == "final" { 6 } else { 0 }), "{}", ran.stderr);
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(3), "{took:?} instead of 1 s");
    }
}

#[test]
fn halted_validators_delay_no_proof() {
    let mut net = Net::start();
    for number in 0..6 {
        let amount = (number + 1).to_string();
        net.run(&["transfer", "alice", "bob", &amount, "--yes"]).ends_with(0);
    }
    let id = net.ledger.committed()[0].id().to_string();
    // One of the two that are left signs nothing that holds: only a certificate is proof.
    let _halted = halt(&mut net, 2);
    net.validators[2].behave(Conduct::Denies);
    let begun = Instant::now();

    let found = net.run_json(&["transaction", &id]).ends_with(0);
    let history = net.run_json(&["history", "alice"]).ends_with(0);

    assert_eq!(found.json()["proved_by"], "certificate");
    assert_eq!(history.json()["entries"].as_array().unwrap().len(), 6);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}: one after another was asked");
}
