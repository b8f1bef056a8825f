//! Each expectation met, and not met.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fork, Seen, judge};
use crate::shipped;

/// What is expected of the story of the flight computers.
fn good() -> Seen {
    Seen {
        end_ms: 10_000,
        heights: BTreeMap::from([(0, 70), (1, 79), (2, 79), (3, 79)]),
        sent: 80,
        longest_wait_ms: 900,
        last_commit_ms: 4_000,
        culprits: BTreeSet::from([0]),
        convicted: BTreeSet::from([0]),
        forks: 3,
        view: 2,
        ..Seen::default()
    }
}

/// What the findings say that do not hold.
fn wrong(name: &str, one_more: bool, seen: &Seen) -> Vec<String> {
    let judgement = judge(&shipped::find(name).unwrap(), one_more, seen);
    let wrong = judgement.findings.into_iter().filter(|finding| !finding.holds);
    let wrong: Vec<String> = wrong.map(|finding| finding.seen).collect();
    assert_eq!(wrong.is_empty(), judgement.as_expected);
    wrong
}

fn fork() -> Option<Fork> {
    Some(Fork { height: 7, blocks: vec![(2, "aa".to_owned()), (3, "bb".to_owned())] })
}

#[test]
fn what_a_network_within_its_bounds_does_wrong_is_found_each_by_itself() {
    let story = "flight-computers";
    assert!(wrong(story, false, &good()).is_empty());
    for (seen, expected) in [
        (
            Seen { fork: fork(), ..good() },
            "two blocks at height 7: validator 2 has aa, validator 3 has bb",
        ),
        (Seen { broken: vec!["S8 at 1 ms".to_owned()], ..good() }, "S8 at 1 ms"),
        (Seen { longest_wait_ms: 5_001, ..good() }, "all 80 are final, the slowest took 5001 ms"),
        (Seen { waiting: 2, ..good() }, "2 of 80 are not final, one of them after 900 ms"),
        (Seen { sent: 0, ..good() }, "no transfer was sent"),
        (
            Seen { heights: BTreeMap::from([(1, 79), (2, 78), (3, 79)]), ..good() },
            "1 at 79, 2 at 78, 3 at 79",
        ),
        (
            Seen { heights: BTreeMap::from([(1, 79), (2, 79)]), ..good() },
            "1 at 79, 2 at 79, 3 does not answer",
        ),
        (Seen { culprits: BTreeSet::new(), ..good() }, "nobody is proved to have lied"),
        (
            Seen { culprits: BTreeSet::from([0, 1]), ..good() },
            "validators 0, 1 are proved to have lied",
        ),
        (Seen { convicted: BTreeSet::new(), ..good() }, "nobody is convicted on the chain"),
        (Seen { view: 0, ..good() }, "0"),
    ] {
        assert_eq!(wrong(story, false, &seen), [expected]);
    }
}

#[test]
fn what_is_expected_of_too_many_liars_is_that_agreement_fails_and_nothing_else() {
    let story = "flight-computers";
    assert_eq!(wrong(story, true, &good()), ["one chain, 79 blocks"]);
    let broken = vec!["S11 at 1 ms".to_owned()];
    let seen = Seen { fork: fork(), broken, ..good() };
    assert!(wrong(story, true, &seen).is_empty());

    let verdict = judge(&shipped::find(story).unwrap(), true, &seen).verdict;
    assert!(verdict.starts_with("agreement failed: two blocks at height 7: "), "{verdict}");
    assert!(
        verdict.contains("2 of 4 lie (0, 1), and a certificate takes q = 3 votes"),
        "{verdict}"
    );
}

#[test]
fn a_network_that_stands_still_is_told_from_one_that_goes_on_or_has_nothing_to_do() {
    let name = "one-of-four-down";
    let halted = Seen {
        end_ms: 9_000,
        heights: BTreeMap::from([(1, 40), (3, 40)]),
        sent: 100,
        waiting: 20,
        last_commit_ms: 3_500,
        ..Seen::default()
    };
    assert!(wrong(name, true, &halted).is_empty());
    for seen in [
        Seen { waiting: 0, ..halted.clone() },
        Seen { last_commit_ms: 4_001, ..halted.clone() },
        Seen { end_ms: 4_000, ..halted.clone() },
        Seen { heights: BTreeMap::from([(1, 0), (3, 0)]), last_commit_ms: 0, ..halted.clone() },
    ] {
        assert_eq!(wrong(name, true, &seen).len(), 1, "{seen:?}");
    }
    let two = wrong(name, true, &Seen { fork: fork(), ..halted });
    assert_eq!(two, ["two blocks at height 7: validator 2 has aa, validator 3 has bb"]);
}

#[test]
fn bounds_of_heights_forks_and_views_are_held() {
    let bursts = Seen {
        heights: BTreeMap::from([(0, 5)]),
        sent: 600,
        culprits: BTreeSet::new(),
        ..Seen::default()
    };
    assert!(wrong("bursts", false, &bursts).is_empty());
    let low = Seen { heights: BTreeMap::from([(0, 4)]), ..bursts.clone() };
    assert_eq!(wrong("bursts", false, &low), ["height 4"]);
    assert_eq!(wrong("bursts", false, &Seen { view: 1, ..bursts }), ["1"]);
    assert_eq!(wrong("cheating-producer", false, &Seen { forks: 0, ..good() }), ["0"]);
}
