//! `logothete audit` of what a network leaves behind.

use std::path::Path;

use serde_json::Value;

use crate::programs::{self, Ended};
use crate::testnet::Testnet;

/// Audits a data directory against a genesis document.
///
/// # Panics
///
/// When the paths are no text.
pub fn audit(data: &Path, genesis: &Path) -> Ended {
    let text =
        |path: &Path| path.to_str().expect("temporary directories have plain names").to_owned();
    let (data, genesis) = (text(data), text(genesis));
    programs::run("logothete", &["--json", "audit", &data, "--genesis", &genesis])
}

/// Stops a network; every data directory passes its audit, and no money was made or lost.
///
/// # Panics
///
/// When one does not.
pub fn assert_audits_pass(testnet: &Testnet) {
    let all: Vec<usize> = (0..testnet.genesis().validators().len()).collect();
    assert_audits_of_pass(testnet, &all);
}

/// The same of some of its validators: what an adversary keeps is worth nothing.
///
/// # Panics
///
/// When one does not.
pub fn assert_audits_of_pass(testnet: &Testnet, nodes: &[usize]) {
    drop(testnet.run(&["down"]).with_code(0));
    for node in nodes.iter().copied() {
        let genesis = testnet.directory().join("genesis.toml");
        let report = audit(&testnet.node(node).join("data"), &genesis).with_code(0).json();
        let supply = report.get("supply").and_then(Value::as_str);
        assert_eq!(supply, Some("4000000.00 LGT"), "node{node}");
    }
}
