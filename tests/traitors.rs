//! Real validators that attack their network, with the keys that it knows, while payments are made: the honest ones agree
//! on every height, nothing that they have taken in is lost, and they prove the lie of whoever lied and of nobody else.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use api::client::Wait;
use api::types::BlockName;
use serde_json::Value;
use storage::Archive;
use tests::audit::assert_audits_of_pass;
use tests::load::{Load, Wallet, assert_paid_once, assert_paid_once_by};
use tests::money::signed;
use tests::process::is_alive;
use tests::programs::{self, Running, program};
use tests::story::{until_in_a_view_above, until_paid};
use tests::testnet::Testnet;
use tests::traitors::{deeds, equivocations, evidence_files, proved_liars};
use tests::wait::until_true;
use types::number::{Height, View};
use types::replica::ReplicaId;

/// Transfers a second.
const RATE: u32 = 50;

/// What each validator does, by `testnet status`.
fn attacks(testnet: &Testnet) -> Vec<Value> {
    let status = testnet.run(&["--json", "status"]).with_code(0).json();
    let rows = status["validators"].as_array().unwrap();
    rows.iter().map(|row| row["attacks"].clone()).collect()
}

/// The heights at which the validators list a proposal of node0 with the other block: node0's signed statement for it, or
/// that it was committed, where the last view change kept the two halves from comparing what they were shown.
fn rivals(testnet: &Testnet) -> BTreeSet<u64> {
    let directory = testnet.directory().to_str().unwrap().to_owned();
    let listed =
        programs::run("logothete", &["--json", "forks", "-n", "1000", "--dir", &directory]);
    let listed = listed.with_code(0).json();
    let rows = listed["forks"].as_array().unwrap().iter();
    let both = rows.filter(|row| {
        let other = !row["rival"].is_null() || !row["winner"].is_null();
        row["proposer"] == "node0" && other
    });
    both.map(|row| row["height"].as_u64().unwrap()).collect()
}

fn list(attacks: &[&str]) -> Value {
    attacks.iter().copied().collect()
}

#[test]
fn a_primary_that_proposes_two_blocks_splits_nobody_and_is_found_out() {
    let honest = [1, 2, 3];
    let testnet = Testnet::up(&["--adversary", "0=equivocate", "--timeout", "60"]);
    assert_eq!(attacks(&testnet), [list(&["equivocate"]), list(&[]), list(&[]), list(&[])]);

    let load = Load::start(&testnet, RATE, Wallet::GivesUp);
    until_true("200 heights", || testnet.status(1).height.get() >= 200);
    until_true("an honest validator proves it", || {
        honest.iter().any(|node| !evidence_files(&testnet, *node).is_empty())
    });
    let accusing = |node: &usize| testnet.metric(*node, "logothete_evidence_total") > 0;
    assert!(honest.iter().any(accusing));
    let attempts = equivocations(&deeds(&testnet, 0));
    until_true("every attempt is listed with both blocks", || {
        let listed = rivals(&testnet);
        attempts.iter().all(|height| listed.contains(height))
    });
    let count = load.stop();

    assert_paid_once_by(&testnet, &honest, count);
    let lies = equivocations(&deeds(&testnet, 0));
    assert!(!lies.is_empty(), "it proposed one block at each height");
    assert_audits_of_pass(&testnet, &honest);
    let liars: BTreeSet<ReplicaId> =
        honest.iter().flat_map(|node| proved_liars(&testnet, *node)).collect();
    assert_eq!(liars, BTreeSet::from([ReplicaId::new(0)]));
    println!("{count} transfers; two blocks at {} heights: {lies:?}", lies.len());
}

#[test]
fn more_than_t_that_conspire_fork_the_chain_which_is_noticed_alarmed_and_proved() {
    let honest = [2, 3];
    let plan = ["0=conspire:with=0+1", "1=conspire:with=0+1"];
    let testnet = Testnet::up(&[
        "--timeout",
        "60",
        "--break-safety",
        "--adversary",
        plan[0],
        "--adversary",
        plan[1],
    ]);
    // With less than they promise to break nothing is broken: nobody has noticed anything yet.
    assert!(honest.iter().all(|node| testnet.status(*node).fork.is_none()));

    let transfers: Vec<_> = (1..=2).map(|amount| signed(&testnet, 2, amount)).collect();
    for transaction in &transfers {
        for node in 0..4 {
            // Two of one nonce: one of them stays here or there.
            drop(testnet.client(node).submit(transaction, Wait::None));
        }
    }

    until_true("both honest validators have noticed the fork", || {
        honest.iter().all(|node| testnet.status(*node).fork.is_some())
    });
    until_true("both honest validators have proofs against both conspirators", || {
        honest.iter().all(|node| {
            let files = evidence_files(&testnet, *node);
            [0, 1].iter().all(|liar| files.iter().any(|file| file.ends_with(&format!("-{liar}"))))
        })
    });
    for node in honest {
        assert!(testnet.metric(node, "logothete_rival_blocks_total") > 0, "node{node}");
        let log = fs::read_to_string(testnet.node(node).join("log")).unwrap();
        assert!(log.contains("ERROR") && log.contains("FORK: "), "node{node}: {log}");
    }
    let block = |node: usize| {
        let first = BlockName::Height(Height::new(1));
        testnet.client(node).block(first).unwrap().unwrap().summary.block
    };
    assert_ne!(block(2), block(3), "both committed the same block");
    let status = testnet.run(&["status"]);
    assert!(status.stdout.contains("FORK"), "{status:?}");

    drop(testnet.run(&["down"]).with_code(0));
    let [one, other] = honest.map(|node| testnet.node(node).to_str().unwrap().to_owned());
    let found = programs::run("logothete", &["--json", "forensics", &one, &other]);
    let found = found.with_code(9).json();
    let named: BTreeSet<&str> = found["guilty"]
        .as_array()
        .unwrap()
        .iter()
        .map(|culprit| culprit["name"].as_str().unwrap())
        .collect();
    assert_eq!(named, BTreeSet::from(["node0", "node1"]), "{found}");
    for node in honest {
        let log = fs::read_to_string(testnet.node(node).join("log")).unwrap();
        assert!(!log.contains("panicked"), "node{node}: {log}");
        let proved = proved_liars(&testnet, node);
        assert_eq!(proved, BTreeSet::from([0, 1].map(ReplicaId::new)), "node{node}");
    }
}

#[test]
fn a_silent_primary_is_replaced_and_nobody_can_prove_anything() {
    let honest = [1, 2, 3];
    let testnet = Testnet::up(&["--adversary", "node0=silent", "--timeout", "60"]);

    let load = Load::start(&testnet, RATE, Wallet::GivesUp);
    until_in_a_view_above(&testnet, &honest, 0);
    until_paid(&testnet, 1, load.offered() + 100);
    let count = load.stop();

    assert_paid_once_by(&testnet, &honest, count);
    assert_audits_of_pass(&testnet, &honest);
    assert!(deeds(&testnet, 0).is_empty());
    for node in honest {
        assert!(proved_liars(&testnet, node).is_empty());
        let views = kept_new_views(&testnet, node);
        assert!(views.contains(&1), "node{node} keeps the new views of {views:?}");
    }
}

/// The views whose new view a stopped validator keeps beside its blocks.
fn kept_new_views(testnet: &Testnet, node: usize) -> BTreeSet<u64> {
    let scratch = tempfile::tempdir().unwrap();
    let data = testnet.node(node).join("data");
    let archive = Archive::open(&data, &testnet.genesis(), scratch.path()).unwrap();
    let kept = archive.store().new_views(View::FIRST, 100).unwrap();
    kept.iter().map(|new_view| new_view.view.get()).collect()
}

#[test]
fn a_primary_that_falls_silent_and_comes_back_is_one_of_them_again() {
    let testnet = Testnet::up(&["--timeout", "60"]);
    let before = testnet.pid(0).unwrap();
    let load = Load::start(&testnet, RATE, Wallet::GivesUp);
    until_paid(&testnet, 0, 50);

    let turned = testnet.run(&["--json", "turn", "node0", "silent"]).with_code(0).json();
    assert_eq!(turned["validators"][0]["attacks"], list(&["silent"]));
    let traitor = testnet.pid(0).unwrap();
    assert!(traitor != before && !is_alive(before));
    assert_eq!(attacks(&testnet), [list(&["silent"]), list(&[]), list(&[]), list(&[])]);
    until_in_a_view_above(&testnet, &[1, 2, 3], 0);
    until_paid(&testnet, 1, load.offered() + 50);

    // What it is outlives its process.
    drop(testnet.run(&["kill", "node0"]).with_code(0));
    drop(testnet.run(&["start", "node0"]).with_code(0));
    assert_eq!(attacks(&testnet)[0], list(&["silent"]));
    // One is what the network tolerates.
    for more in [&["turn", "node1", "silent"][..], &["up", "--detach", "--adversary", "2=silent"]] {
        drop(testnet.run(more).with_code(3));
    }
    assert_eq!(attacks(&testnet)[1..], [list(&[]), list(&[]), list(&[])]);

    let turned = testnet.run(&["turn", "0", "honest"]).with_code(0);
    assert!(turned.stdout.starts_with("node0 ready "), "{turned:?}");
    assert!(attacks(&testnet).iter().all(|one| *one == list(&[])));
    until_paid(&testnet, 0, load.offered());
    until_true("node0 votes again", || testnet.status(0).voting);
    let count = load.stop();
    assert_paid_once(&testnet, count);
    // What it kept while it was an adversary is worth nothing: the replica inside one does not hear what was said under
    // its own key, so words of others stand in its journal without that.
    assert_audits_of_pass(&testnet, &[1, 2, 3]);
    for node in [1, 2, 3] {
        assert!(proved_liars(&testnet, node).is_empty());
    }
    assert_eq!(testnet.pids(), [0_u32; 0]);
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_made() {
    for (arguments, code, text) in [
        (&["--adversary", "0=silent", "--adversary", "1=silent"][..], 3, "--break-safety"),
        (&["-n", "3", "--adversary", "0=silent"], 3, "holds against 0"),
        (&["--adversary", "0=slient"], 2, "the attacks are "),
        (&["--adversary", "0=silent:form=3"], 2, "no knob \"form\""),
        (&["--adversary", "0=silent", "--adversary", "node0=equivocate"], 2, "named twice"),
        (&["--adversary", "4=silent"], 5, "there is no node4"),
        (&["--adversary", "silent"], 2, "NODE=ATTACK"),
    ] {
        let testnet = Testnet::new();
        let up = [&["up", "--detach"], arguments].concat();

        let ended = testnet.run(&up).with_code(code);

        assert!(ended.stderr.contains(text), "{arguments:?}: {ended:?}");
        assert!(!testnet.directory().join("genesis.toml").exists(), "{arguments:?}");
    }
}

#[test]
fn a_tool_without_the_adversary_beside_it_says_how_to_build_it() {
    let folder = tempfile::tempdir().unwrap();
    let alone = folder.path().join("logothete");
    fs::copy(program("logothete"), &alone).unwrap();
    let net = folder.path().join("net");

    let mut command = Command::new(alone);
    command.args(["testnet", "up", "--detach", "--adversary", "0=silent", "--dir"]).arg(&net);
    let ended = Running::start(command).end().with_code(1);

    assert!(ended.stderr.contains("cargo build --release --bin logothete-adversary"), "{ended:?}");
    assert!(!net.join("genesis.toml").exists());
}

#[test]
fn the_adversary_ends_as_the_tool_does() {
    let run = |arguments: &[&str]| programs::run("logothete-adversary", arguments);
    assert!(!Path::new("/nowhere/config.toml").exists());

    let list = run(&["list", "--json"]).with_code(0).json();
    let no_attack = run(&["run", "--config", "/nowhere/config.toml"]).with_code(2);
    let no_config =
        run(&["--json", "run", "--attack", "silent", "--config", "/nowhere/config.toml"])
            .with_code(1);

    let attacks = list["attacks"].as_array().unwrap();
    assert!(attacks.iter().any(|attack| attack["name"] == "equivocate"), "{attacks:?}");
    assert!(no_attack.stderr.contains("--attack"), "{no_attack:?}");
    let error: Value = serde_json::from_str(no_config.stderr.lines().last().unwrap()).unwrap();
    assert_eq!((&error["error"]["exit"], &error["error"]["code"]), (&1.into(), &"fault".into()));
}
