//! Plans are data.

use super::{Limits, Plan};

#[test]
fn a_seed_has_one_plan_and_it_can_be_written_and_read() {
    for seed in 0..200 {
        let plan = Plan::random(seed, &Limits::default());
        assert_eq!(plan, Plan::random(seed, &Limits::default()));
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    }
}

#[test]
fn plans_keep_what_can_be_borne() {
    let plans = (0..500).map(|seed| Plan::random(seed, &Limits::default()));
    for plan in plans {
        let t = usize::from((plan.replicas - 1) / 3);
        assert!(plan.broken.len() <= t, "{plan:?}");
        assert!(plan.faults.iter().all(|fault| fault.at_ms < plan.heal_ms), "{plan:?}");
        assert!(plan.load.transfers > 0 && !plan.disks.sync_lies, "{plan:?}");
    }
}

/// T96: a generator that leaves out what is interesting finds nothing.
#[test]
fn every_kind_of_fault_is_drawn() {
    let plans = (0..300).map(|seed| Plan::random(seed, &Limits::default()));
    let names: std::collections::BTreeSet<&str> =
        plans.flat_map(|plan| plan.faults).map(|fault| fault.what.name()).collect();
    let all = [
        "blackout",
        "clock",
        "cut",
        "disk-error",
        "kill",
        "partition",
        "pause",
        "power-cut",
        "slow-disk",
        "weather",
    ];
    assert_eq!(names.into_iter().collect::<Vec<_>>(), all);
}
