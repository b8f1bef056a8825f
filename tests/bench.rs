//! `logothete bench` as a process: a short measurement, and the names under which scripts find its figures.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::collections::BTreeSet;

use serde_json::Value;
use tests::programs::{self, Ended};
use tests::testnet::Testnet;

/// Reads figures by name with tools that know no JSON.
const SCRIPT: &str = include_str!("../scripts/bench-attacks.sh");

/// Every member of a result. The names are part of the interface.
const NAMES: [&str; 23] = [
    "accounts",
    "adversaries",
    "agreement",
    "blocks",
    "by_second",
    "cpu_us_per_transfer",
    "disk_bytes",
    "journal_syncs",
    "latency_ms",
    "machine",
    "memory_bytes_max",
    "missing",
    "other_cpu_percent",
    "own_cpu_us_per_transfer",
    "pause_ms_max",
    "pushed_back",
    "rate",
    "seconds",
    "settled_per_second",
    "store_syncs",
    "transfers",
    "transfers_per_second",
    "validators",
];

fn bench(arguments: &[&str]) -> Ended {
    let fixed = ["--json", "bench", "--rate", "100", "--seconds", "1"];
    programs::run("logothete", &[&fixed, arguments].concat()).with_code(0)
}

/// What holds of every measurement of 100 transfers.
fn assert_measured(result: &Value, validators: u64) {
    assert_eq!((&result["transfers"], &result["missing"]), (&100.into(), &0.into()), "{result}");
    assert_eq!(result["validators"], validators);
    assert_eq!(result["agreement"]["supply"].as_str().unwrap().split(' ').nth(1), Some("LGT"));
    assert!(result["agreement"]["height"].as_u64().unwrap() >= 1, "{result}");
    let latency = &result["latency_ms"];
    let of = |name: &str| latency[name].as_f64().unwrap();
    assert!(0.0 < of("p50") && of("p50") <= of("p99") && of("p99") <= of("max"), "{latency}");
    let counted: u64 =
        result["by_second"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(counted, 100, "{result}");
}

#[test]
fn a_network_of_its_own_is_measured_and_scripts_find_the_figures() {
    let ended = bench(&["--accounts", "20", "--adversary", "1=silent"]);

    let result = ended.json();
    assert_measured(&result, 4);
    assert_eq!(result["accounts"], 20);
    assert_eq!(result["adversaries"][0]["name"], "node1");
    let names: BTreeSet<&str> = result.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, NAMES.into());
    // The script takes what stands behind the name, wherever that is: it must be there once.
    let sought = SCRIPT.split("$(field ").skip(1).map(|rest| rest.split(' ').next().unwrap());
    let sought: BTreeSet<&str> = sought.chain(["settled_per_second", "convicted"]).collect();
    assert!(sought.len() >= 6, "{sought:?}");
    for name in sought {
        assert!(SCRIPT.contains(name));
        assert_eq!(ended.stdout.matches(&format!("\"{name}\":")).count(), 1, "{name}");
    }
}

#[test]
fn a_running_testnet_is_measured_with_its_own_accounts() {
    let testnet = Testnet::up(&["-n", "1"]);
    let directory = testnet.directory().to_str().unwrap();

    let result = bench(&["--running", "--dir", directory]).json();

    assert_measured(&result, 1);
    assert_eq!((&result["accounts"], &result["adversaries"]), (&4.into(), &Value::Array(vec![])));
    assert_eq!(result["agreement"]["block"], testnet.status(0).block.to_string());
}
