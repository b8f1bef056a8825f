//! Five thousand networks, each on its own seed, and everything must hold. More of them:
//! `logothete-lab soak`.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

use lab::{Limits, Options, Plan, Verdict};

/// Runs seeds of networks of `n`. `LAB_SEEDS` times as many when it is set.
fn soak(n: u16, seeds: std::ops::Range<u64>) {
    let factor = std::env::var("LAB_SEEDS").map_or(1, |text| text.parse().unwrap());
    let limits = Limits { replicas: vec![n], ..Limits::default() };
    for seed in seeds.start..seeds.start + (seeds.end - seeds.start) * factor {
        let report = lab::run(&Plan::random(seed, &limits), seed, Options::default());
        let repeat = format!("logothete-lab replay {seed} --replicas {n}");
        assert_eq!(report.verdict, Verdict::Held, "repeat it with\n    {repeat}\n");
    }
}

#[test]
fn networks_of_four_hold() {
    soak(4, 0..1_000);
}

#[test]
fn more_networks_of_four_hold() {
    soak(4, 100_000..101_000);
}

#[test]
fn networks_of_five_hold() {
    soak(5, 0..1_000);
}

#[test]
fn networks_of_six_hold() {
    soak(6, 0..1_000);
}

#[test]
fn networks_of_seven_hold() {
    soak(7, 0..500);
}

#[test]
fn more_networks_of_seven_hold() {
    soak(7, 100_000..100_500);
}

#[test]
fn a_network_of_one_holds() {
    soak(1, 0..40);
}

/// Hasty networks, slow disks, a client that is starved, and liars.
#[test]
fn networks_that_are_hard_on_the_core_hold() {
    let factor: u64 = std::env::var("LAB_SEEDS").map_or(1, |text| text.parse().unwrap());
    for seed in 0..100 * factor {
        let report = lab::cases::run_case(seed);
        let repeat = format!("logothete-lab replay {seed} --case");
        assert_eq!(report.verdict, Verdict::Held, "repeat it with\n    {repeat}\n");
    }
}

/// The plans that once failed, by name: each was a bug.
#[test]
fn what_once_failed_holds() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let regression: Regression =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let report = lab::run(&regression.plan, regression.seed, Options::default());
        assert_eq!(report.verdict, Verdict::Held, "{}: {}", path.display(), regression.story);
    }
}

/// A plan that failed, and what was wrong.
#[derive(serde::Deserialize)]
struct Regression {
    story: String,
    seed: u64,
    plan: Plan,
}
