//! Evidence with real processes: what validators keep is listed, shown, saved and verified by whoever asks, and the
//! directories of two validators tell whether they forked.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::fs;

use crypto::digest::Digest;
use crypto::keys::SecretKey;
use serde_json::Value;
use storage::{Directory, EvidenceStore};
use tests::money::transfer;
use tests::programs::{self, Ended};
use tests::testnet::Testnet;
use types::block::BlockId;
use types::evidence::Evidence;
use types::genesis::Genesis;
use types::number::{Height, View};
use types::replica::ReplicaId;
use types::vote::{Phase, Statement, Vote};

/// The key that a validator votes with.
fn key(testnet: &Testnet, node: usize) -> SecretKey {
    let text = fs::read_to_string(testnet.node(node).join("validator.key")).unwrap();
    let seed: Digest = text.trim().parse().unwrap();
    SecretKey::from_seed(*seed.as_bytes())
}

/// What node1 signs that lies: two votes for one place.
fn lie(testnet: &Testnet, genesis: &Genesis, phase: Phase) -> Evidence {
    let vote = |byte| {
        let block = BlockId::new(Digest::from_bytes([byte; 32]));
        let (view, height) = (View::FIRST, Height::new(7));
        let statement = Statement { phase, view, height, block };
        Vote::sign(statement, ReplicaId::new(1), genesis.chain(), &key(testnet, 1))
    };
    Evidence::Votes { first: vote(1), second: vote(2) }
}

/// Puts a piece into the directory of a stopped validator, as it does itself when it meets a lie.
fn keep(testnet: &Testnet, genesis: &Genesis, node: usize, piece: &Evidence) {
    let (data, owner) = (testnet.node(node).join("data"), key(testnet, node).public_key());
    let directory = Directory::open(&data, *genesis.chain(), owner).unwrap();
    let store = EvidenceStore::open(&directory, genesis.validators()).unwrap();
    assert!(store.save(piece, ReplicaId::new(1)).unwrap());
}

/// Runs `logothete --json COMMAND… ARGUMENTS` on the testnet.
fn evidence(testnet: &Testnet, arguments: &[&str]) -> Ended {
    let directory = testnet.directory().to_str().unwrap();
    let mut all = vec!["--json", "evidence", "--dir", directory];
    all.extend(arguments);
    programs::run("logothete", &all)
}

fn rows(json: &Value) -> &[Value] {
    json["evidence"].as_array().unwrap()
}

#[test]
fn what_validators_keep_is_listed_shown_saved_and_verified_without_them() {
    let testnet = Testnet::up(&[]);
    let genesis = testnet.genesis();
    assert!(rows(&evidence(&testnet, &[]).with_code(0).json()).is_empty());
    drop(testnet.run(&["down"]).with_code(0));
    let piece = lie(&testnet, &genesis, Phase::Prepare);
    for node in [0, 2] {
        keep(&testnet, &genesis, node, &piece);
    }
    drop(testnet.run(&["up", "--detach"]).with_code(0));

    let list = evidence(&testnet, &[]).with_code(0).json();
    let [row] = rows(&list) else { panic!("{list}") };
    let id = piece.id().to_string();
    assert_eq!((&row["id"], &row["kind"]), (&id.as_str().into(), &"votes".into()));
    assert_eq!(row["accused"]["name"], "node1");
    assert!(row["kept_by"].as_array().unwrap().len() >= 2, "{row}");
    let shown = evidence(&testnet, &["show", &id[..8]]).with_code(0).json();
    assert_eq!((&shown["holds"], &shown["heights"]), (&true.into(), &serde_json::json!([7])));
    // One that cannot give what it lists hides nothing.
    fs::write(testnet.node(0).join("data/evidence/votes-1"), "damaged").unwrap();
    drop(evidence(&testnet, &["show", &id]).with_code(0));
    assert_eq!(rows(&evidence(&testnet, &[]).with_code(0).json()).len(), 1);
    let file = testnet.directory().join("proof");
    let file = file.to_str().unwrap();
    drop(evidence(&testnet, &["save", &id, file]).with_code(0));
    drop(evidence(&testnet, &["save", &id, file]).with_code(3));
    drop(evidence(&testnet, &["show", "0000000000"]).with_code(5));
    drop(testnet.run(&["down"]).with_code(0));

    let verified = evidence(&testnet, &["verify", file]).with_code(0).json();
    assert_eq!((&verified["name"], &verified["id"]), (&"node1".into(), &id.as_str().into()));
    drop(evidence(&testnet, &[]).with_code(4));
    let data = testnet.node(2);
    let stopped = ["--json", "evidence", "--data", data.to_str().unwrap()];
    assert_eq!(rows(&programs::run("logothete", &stopped).with_code(0).json()).len(), 1);
    let text = fs::read_to_string(file).unwrap();
    let at = text.len() - 20;
    let other = if &text[at..=at] == "0" { "1" } else { "0" };
    fs::write(file, [&text[..at], other, &text[at + 1..]].concat()).unwrap();
    let broken = evidence(&testnet, &["verify", file]).with_code(1).json();
    assert_eq!(broken["problem"], "the signature under the second statement is not that of node1");
}

#[test]
fn the_directories_of_honest_validators_hold_no_fork_and_accuse_nobody() {
    let testnet = Testnet::up(&[]);
    testnet.level(transfer(&testnet, 0, 1));
    testnet.level(transfer(&testnet, 1, 2));
    let [first, second] = [0, 3].map(|node| testnet.node(node).to_str().unwrap().to_owned());
    let compare = || programs::run("logothete", &["--json", "forensics", &first, &second]);
    drop(compare().with_code(1));
    drop(testnet.run(&["down"]).with_code(0));

    let json = compare().with_code(0).json();

    assert_eq!(json["fork"], false);
    let height = json["agreement"]["common_height"].as_u64();
    assert!(height.is_some_and(|height| height >= 2), "{json}");
}
