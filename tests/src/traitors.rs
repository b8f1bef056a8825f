//! What adversaries did, by their own account, and what the honest validators can prove of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crypto::signed::Unverified;
use serde_json::Value;
use storage::EvidenceStore;
use types::replica::ReplicaId;

use crate::testnet::Testnet;

/// What an adversary said because of its attacks, oldest first.
///
/// # Panics
///
/// When it was never one, or a line is no JSON.
pub fn deeds(testnet: &Testnet, node: usize) -> Vec<Value> {
    let text = fs::read_to_string(testnet.node(node).join("deeds.jsonl"));
    let text = text.expect("a validator that is or was an adversary has deeds");
    // What it is just writing is no line yet.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let lines = whole.lines().map(serde_json::from_str);
    lines.map(|line| line.expect("every deed is a JSON document")).collect()
}

/// The heights at which it proposed several blocks in one view, by its deeds.
pub fn equivocations(deeds: &[Value]) -> BTreeSet<u64> {
    let mut proposed: BTreeMap<(u64, u64), BTreeSet<&str>> = BTreeMap::new();
    for deed in deeds.iter().filter(|deed| deed["message"] == "pre-prepare") {
        let place = deed["view"].as_u64().zip(deed["height"].as_u64());
        if let (Some(place), Some(block)) = (place, deed["block"].as_str()) {
            proposed.entry(place).or_default().insert(block);
        }
    }
    let several = proposed.into_iter().filter(|(_, blocks)| blocks.len() > 1);
    several.map(|((_, height), _)| height).collect()
}

/// The files of evidence that a validator has, running or not: kind and number of the accused.
pub fn evidence_files(testnet: &Testnet, node: usize) -> BTreeSet<String> {
    let folder = testnet.node(node).join("data/evidence");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let whole = entries.filter(|path| path.extension().is_none());
    whole.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect()
}

/// Whom the evidence of a stopped validator accuses. All of it holds, for anybody who has the genesis.
///
/// # Panics
///
/// When a piece does not hold or cannot be read.
pub fn proved_liars(testnet: &Testnet, node: usize) -> BTreeSet<ReplicaId> {
    let genesis = testnet.genesis();
    let validators = genesis.validators();
    let data = testnet.node(node).join("data");
    let evidence = EvidenceStore::read_stopped(&data).expect("nobody works there, and it is whole");
    let accused = evidence.into_iter().map(|(evidence, _)| {
        let checked = Unverified::new(evidence).verify(validators);
        let checked =
            checked.unwrap_or_else(|error| panic!("node{node} has false evidence: {error}"));
        checked.get().accused(validators)
    });
    accused.collect()
}
