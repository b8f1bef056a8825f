//! A failing plan becomes smaller and fails in the same way.

use super::shrink;
use crate::plan::{Limits, Plan};
use crate::{Options, Property, run};

#[test]
fn of_a_plan_that_fails_on_a_lying_disk_a_few_faults_are_left() {
    let (seed, plan) = (0..50)
        .map(|seed| {
            let mut plan = Plan::random(seed, &Limits::default());
            plan.disks.sync_lies = true;
            (seed, plan)
        })
        .find(|(seed, plan)| {
            let broken = run(plan, *seed, Options::default()).broken();
            broken == Some(Property::Recovery) && plan.faults.len() > 6
        })
        .unwrap();

    let shrunk = shrink(&plan, seed, Property::Recovery);

    assert!(shrunk.plan.faults.len() <= 2, "{:?}", shrunk.plan.faults);
    let again = run(&shrunk.plan, seed, Options::default());
    assert_eq!(again.broken(), Some(Property::Recovery));
    assert!(shrunk.runs < super::RUNS_MAX);
}
