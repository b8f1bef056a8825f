use scenario::Fault;

use super::*;

/// A shipped scenario of four validators with these faults.
fn scenario(faults: &[(u64, u64, Kind)]) -> Scenario {
    let mut scenario = scenario::shipped::find("one-of-four-down").unwrap();
    let fault = |(at_ms, end_ms, kind): &(u64, u64, Kind)| Fault {
        when: Window { at_ms: *at_ms, end_ms: *end_ms },
        kind: kind.clone(),
    };
    scenario.run_ms = 9_000;
    scenario.network.delay_min_ms = 0;
    scenario.network.delay_max_ms = 0;
    scenario.base.faults = faults.iter().map(fault).collect();
    scenario
}

/// What the links suffer in the beginning and from when on, in words.
fn told(scenario: &Scenario) -> Vec<(u64, Vec<String>)> {
    let acts = acts(scenario, false);
    let [Act { at_ms: 0, what: What::Links(links) }, ..] = acts.as_slice() else {
        panic!("the links come first");
    };
    let told = |(at_ms, on): &(u64, Vec<LinkFault>)| {
        (*at_ms, on.iter().map(|one| format!("{} {}", one.node, one.effect)).collect())
    };
    let first = (0, links_at(scenario, &scenario.base, 0));
    [&first].into_iter().chain(links).map(told).collect()
}

#[test]
fn what_ends_within_the_run_is_undone_and_what_lasts_is_not() {
    let scenario = scenario(&[
        (1_000, 2_000, Kind::Crash { validator: 0 }),
        (1_500, 9_000, Kind::Crash { validator: 1 }),
        (3_000, 4_000, Kind::Pause { validator: 2 }),
    ]);

    let acts = acts(&scenario, false);

    let expected = [
        (1_000, What::Crash(0, Some(2_000))),
        (1_500, What::Crash(1, None)),
        (3_000, What::Halt(2)),
        (4_000, What::GoOn(2)),
    ];
    let expected = expected.map(|(at_ms, what)| Act { at_ms, what });
    assert_eq!(acts[1..], expected);
}

#[test]
fn a_crash_explains_one_death_of_its_validator_and_none_before_it() {
    let scenario = scenario(&[
        (1_000, 2_000, Kind::Crash { validator: 0 }),
        (4_000, 5_000, Kind::Crash { validator: 0 }),
        (3_000, 9_000, Kind::Pause { validator: 1 }),
    ]);

    let mut crashes = Crashes::of(&scenario.base);

    assert!(!crashes.explain(0, 999));
    assert!(crashes.explain(0, 1_000));
    assert!(!crashes.explain(0, 3_999), "it was started again and died");
    assert!(crashes.explain(0, 4_001));
    assert!(!crashes.explain(0, 8_000));
    assert!(!crashes.explain(1, 8_000));
}

#[test]
fn links_suffer_what_is_on_at_each_moment_and_nothing_afterwards() {
    let scenario = scenario(&[
        (1_000, 3_000, Kind::OmitSend { validator: 1 }),
        (2_000, 4_000, Kind::DelayLink { from: 0, to: 3, delay_ms: 70 }),
        (2_000, 9_000, Kind::Cut { from: 1, to: 0 }),
    ]);

    let words = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        told(&scenario),
        [
            (0, words(&[])),
            (1_000, words(&["1 cut=node0", "1 cut=node2", "1 cut=node3"])),
            (2_000, words(&["1 cut=node0", "1 cut=node2", "1 cut=node3", "0 delay=70ms:node3"])),
            (3_000, words(&["0 delay=70ms:node3", "1 cut=node0"])),
            (4_000, words(&["1 cut=node0"])),
        ]
    );
}

#[test]
fn every_link_has_the_delay_of_the_network_and_those_of_faults_on_top() {
    let mut scenario = scenario(&[(1_000, 2_000, Kind::Delay { validator: 0, delay_ms: 90 })]);
    scenario.network.delay_min_ms = 10;
    scenario.network.delay_max_ms = 20;

    let told = told(&scenario);

    assert_eq!(told.len(), 3);
    assert_eq!(told[0].1.len(), 12);
    assert!(told[0].1.iter().all(|one| one.contains("delay=20ms:")), "{told:?}");
    assert_eq!(told[1].1.len(), 18);
    assert_eq!(told[1].1.iter().filter(|one| one.contains("delay=90ms:")).count(), 6);
    assert_eq!(told[2].1, told[0].1);
}

#[test]
fn the_links_of_a_liar_have_no_delay_of_their_own() {
    let mut scenario = scenario(&[]);
    scenario.network.delay_max_ms = 20;
    scenario.base.attacks = scenario::shipped::find("cheating-producer").unwrap().base.attacks;
    assert_eq!(scenario.base.liars(), [0]);

    let honest = told(&scenario);
    scenario.base.expect.fails = Some(Fails::Agreement);
    let late = told(&scenario);

    assert_eq!(honest[0].1.len(), 6);
    assert!(honest[0].1.iter().all(|one| !one.starts_with('0') && !one.ends_with("node0")));
    assert!(honest[0].1.iter().all(|one| one.contains("delay=20ms:")), "{honest:?}");
    assert_eq!(scenario.network.view_timeout_ms, 600);
    assert!(late[0].1.iter().all(|one| one.contains("delay=150ms:")), "{late:?}");
}
