//! Every scenario that comes with the program: within what the network bears both properties hold, and with one more
//! fault the one fails that the file names, on every seed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use lab::scenarios::Trial;
use scenario::{Class, Expect, Fails, Scenario, Seen, shipped};

/// How many seeds of each scenario, `LAB_SEEDS` times as many when it is set.
const SEEDS: u64 = 3;

fn seeds() -> std::ops::Range<u64> {
    let factor = std::env::var("LAB_SEEDS").map_or(1, |text| text.parse().unwrap());
    0..SEEDS * factor
}

/// Runs every scenario of a class, both ways.
fn all_go_as_expected(class: Class) {
    let mut failures = Vec::new();
    for scenario in shipped::all().unwrap().into_iter().filter(|it| it.class == class) {
        for (one_more, seed) in
            [false, true].into_iter().flat_map(|it| seeds().map(move |s| (it, s)))
        {
            let trial = Trial { scenario: scenario.clone(), one_more, seed };
            let done = trial.run(None).unwrap();
            if !done.judgement.as_expected {
                failures.push(format!("{}\n{}\n", done.repeat, done.judgement));
            }
            let attacks = &scenario.situation(one_more).attacks;
            let idle = attacks.iter().find(|attack| {
                let name = attack.attack.split(':').next().unwrap();
                !done.deeds.contains_key(name)
            });
            if let Some(idle) = idle {
                failures.push(format!("{}\nnobody did {}\n", done.repeat, idle.attack));
            }
        }
    }
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join(""));
}

#[test]
fn crashes_go_as_expected() {
    all_go_as_expected(Class::Crash);
}

#[test]
fn omissions_go_as_expected() {
    all_go_as_expected(Class::Omission);
}

#[test]
fn bad_timing_goes_as_expected() {
    all_go_as_expected(Class::Timing);
}

#[test]
fn lies_go_as_expected() {
    all_go_as_expected(Class::Byzantine);
}

#[test]
fn the_shipped_set_is_as_large_and_as_various_as_it_should_be() {
    let all = shipped::all().unwrap();

    assert!(all.len() >= 24, "{}", all.len());
    for class in Class::ALL {
        assert!(all.iter().filter(|it| it.class == class).count() >= 6, "{class}");
    }
    for n in [3, 4, 5, 7] {
        assert!(all.iter().any(|it| it.network.validators == n), "none with {n}");
    }
    for fails in Fails::ALL {
        assert!(all.iter().any(|it| it.beyond.expect.fails == Some(fails)), "{}", fails.name());
    }
    for kind in scenario::Kind::NAMES {
        let mut faults = all.iter().flat_map(|it| &it.beyond.faults);
        assert!(faults.any(|fault| fault.kind.name() == kind), "no shipped scenario has a {kind}");
    }
    for scenario in &all {
        assert_eq!(shipped::find(&scenario.name).unwrap(), *scenario);
    }
}

/// Every file of the folder is shipped, and is called what it names itself.
#[test]
fn no_file_is_left_behind() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    let mut names: Vec<String> = shipped::all().unwrap().into_iter().map(|it| it.name).collect();
    names.sort();

    assert_eq!(files, names);
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_gives_another() {
    let run = |seed| {
        let scenario = shipped::find("down-and-back").unwrap();
        Trial { scenario, one_more: false, seed }.run(None).unwrap()
    };

    assert_eq!(run(1), run(1));
    assert_ne!(run(1).report.trace, run(2).report.trace);
}

/// What a run of a scenario has to say when the file expects something else.
fn judged(name: &str, one_more: bool, change: impl Fn(&mut Expect)) -> Vec<String> {
    let mut scenario = shipped::find(name).unwrap();
    let situation = if one_more { &mut scenario.beyond } else { &mut scenario.base };
    change(&mut situation.expect);
    let done = Trial { scenario, one_more, seed: 0 }.run(None).unwrap();
    assert_eq!(done.judgement.as_expected, done.judgement.findings.iter().all(|it| it.holds));
    let wrong = done.judgement.findings.into_iter().filter(|it| !it.holds);
    wrong.map(|it| it.expected).collect()
}

/// Turns an expectation round.
type Change = Box<dyn Fn(&mut Expect)>;

/// Every kind of expectation, turned round, is noticed: and nothing else is.
#[test]
fn an_expectation_that_is_wrong_fails_and_is_the_only_one_that_does() {
    let name = "flight-computers";
    let changes: [(Change, &str); 10] = [
        (
            Box::new(|it| it.fails = Some(Fails::Agreement)),
            "two honest validators commit different blocks at one height",
        ),
        (Box::new(|it| it.live_within_ms = Some(1)), "every transfer is final within 1 ms"),
        (
            Box::new(|it| it.halts_from_ms = Some(3_000)),
            "nothing is committed after 3000 ms, although transfers wait",
        ),
        (Box::new(|it| it.height_min = Some(5_000)), "height 5000 or more is committed"),
        (Box::new(|it| it.culprits = Some(vec![])), "nobody is proved to have lied"),
        (Box::new(|it| it.culprits = Some(vec![0, 1])), "validators 0, 1 are proved to have lied"),
        (Box::new(|it| it.convicted = Some(vec![])), "nobody is convicted on the chain"),
        (
            Box::new(|it| it.forks_min = Some(5_000)),
            "5000 or more blocks are proposed that do not become part of the chain",
        ),
        (Box::new(|it| it.view_changes_min = Some(500)), "500 view changes or more"),
        (
            Box::new(|it| {
                it.view_changes_min = None;
                it.view_changes_max = Some(0);
            }),
            "0 view changes or fewer",
        ),
    ];
    for (change, expected) in changes {
        assert_eq!(judged(name, false, change), [expected]);
    }
    assert!(judged(name, false, |_| ()).is_empty());
}

/// The same of what fails with one more fault.
#[test]
fn a_property_that_does_not_fail_as_it_should_is_noticed() {
    // The network stands still, and is not expected to.
    let live = |it: &mut Expect| {
        it.halts_from_ms = None;
        it.live_within_ms = Some(4_000);
    };
    assert_eq!(judged("one-of-four-down", true, live), ["every transfer is final within 4000 ms"]);
    // It stands still later than that.
    let early = |it: &mut Expect| it.halts_from_ms = Some(500);
    let expected = "nothing is committed after 500 ms, although transfers wait";
    assert_eq!(judged("one-of-four-down", true, early), [expected]);
    // It forks, and is not expected to.
    let safe = |it: &mut Expect| it.fails = None;
    let expected = "no two honest validators commit different blocks at one height";
    assert!(judged("cheating-producer", true, safe).contains(&expected.to_owned()));
}

/// Whoever is left behind is missed at the end, unless a fault keeps it away.
#[test]
fn a_validator_that_is_left_behind_is_named() {
    let scenario = shipped::find("down-and-back").unwrap();
    let seen = |heights: &[(u16, u64)]| Seen {
        heights: heights.iter().copied().collect(),
        sent: 1,
        ..Seen::default()
    };
    let holds = |seen: &Seen| {
        let judged = scenario::judge(&scenario, false, seen);
        let level = judged.findings.iter().find(|it| it.expected.contains("same height")).unwrap();
        (level.holds, level.seen.clone())
    };

    assert!(holds(&seen(&[(0, 9), (1, 9), (2, 9), (3, 9)])).0);
    let (level, told) = holds(&seen(&[(0, 9), (1, 7), (2, 9), (3, 9)]));
    assert!(!level && told.contains("1 at 7"), "{told}");
    let (level, told) = holds(&seen(&[(0, 9), (2, 9), (3, 9)]));
    assert!(!level && told.contains("1 does not answer"), "{told}");
}

/// A run says in words which property failed, and why.
#[test]
fn the_verdict_says_what_failed_and_why() {
    let verdict = |name| {
        let scenario: Scenario = shipped::find(name).unwrap();
        Trial { scenario, one_more: true, seed: 0 }.run(None).unwrap().judgement.verdict
    };

    let progress = verdict("one-of-four-down");
    for words in ["progress failed", "2 of 4 are faulty (0, 2)", "q = 3", "Two of four are down"] {
        assert!(progress.contains(words), "{progress}");
    }
    let agreement = verdict("cheating-producer");
    for words in ["agreement failed", "two blocks at height", "2 of 4 lie (0, 1)", "q = 3"] {
        assert!(agreement.contains(words), "{agreement}");
    }
}

#[test]
fn an_attack_that_there_is_not_is_named_with_its_line() {
    let text =
        include_str!("../scenarios/cheating-producer.toml").replace("accomplice", "acomplice");
    let scenario = Scenario::parse("my.toml", &text).unwrap();
    let line = text.lines().position(|line| line.contains("acomplice")).unwrap() + 1;

    assert!(Trial { scenario: scenario.clone(), one_more: false, seed: 0 }.run(None).is_ok());
    let error = Trial { scenario, one_more: true, seed: 0 }.run(None).unwrap_err().to_string();
    assert!(error.contains(&format!("line {line}: there is no attack \"acomplice\"")), "{error}");
}
