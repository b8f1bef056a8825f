//! How long is waited, for whom, and who is starved.

use types::application::Arrivals;
use types::number::Height;
use types::replica::ReplicaId;

use super::{HEARD_MS, Pace, SAMPLES_MAX};
use crate::output::AFTER_MS_MAX;

fn at(now_ms: u64) -> Pace {
    let mut pace = Pace::new(2_000);
    pace.tick(now_ms);
    pace
}

/// T40: with a cap, and back to base after one commit, not after a restart.
#[test]
fn a_timeout_doubles_with_every_failed_view_up_to_its_cap_and_a_commit_resets_it() {
    let mut pace = at(0);
    for expected in [2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 64_000, 64_000] {
        assert_eq!(pace.timeout_ms(), expected);
        pace.leave();
    }
    pace.committed(Height::new(1));
    assert_eq!(pace.timeout_ms(), 2_000);
}

#[test]
fn after_a_restart_the_timeout_is_the_base_one() {
    let mut pace = at(0);
    pace.leave();
    pace.forgive();
    assert_eq!(pace.timeout_ms(), 2_000);
}

/// T41: what commits take raises the timeout, at most to twice the base, and is forgotten slowly.
#[test]
fn a_timeout_follows_the_commit_latency_within_bounds() {
    let mut pace = at(0);
    let mut now_ms = 0;
    let mut height = Height::GENESIS;
    let mut commit_after = |pace: &mut Pace, latency_ms: u64| {
        height = height.next();
        pace.voted(height);
        now_ms += latency_ms;
        pace.tick(now_ms);
        pace.committed(height);
        pace.timeout_ms()
    };
    assert_eq!(commit_after(&mut pace, 500), 2_000);
    assert_eq!(commit_after(&mut pace, 800), 3_200);
    assert_eq!(commit_after(&mut pace, 9_000), 4_000);
    assert_eq!(commit_after(&mut pace, 10), 4_000, "9,000 fade slowly");
    for _ in 0..60 {
        commit_after(&mut pace, 10);
    }
    assert_eq!(pace.timeout_ms(), 2_000);
}

#[test]
fn a_slow_commit_does_not_raise_the_cap() {
    let mut pace = at(0);
    pace.voted(Height::new(1));
    pace.tick(50_000);
    pace.committed(Height::new(1));
    for _ in 0..9 {
        pace.leave();
    }
    assert_eq!(pace.timeout_ms(), 64_000);
}

#[test]
fn a_block_voted_for_in_a_view_that_was_left_says_nothing_about_latency() {
    let mut pace = at(0);
    pace.voted(Height::new(1));
    pace.leave();
    pace.tick(1_000);
    pace.committed(Height::new(1));
    assert_eq!(pace.timeout_ms(), 2_000);
}

#[test]
fn a_deadline_stands_until_a_commit_or_rest_and_its_timer_is_set_once() {
    let mut pace = at(100);
    assert_eq!(pace.wait(), Some(2_000));
    pace.tick(1_100);
    assert_eq!(pace.wait(), None);
    pace.tick(2_099);
    assert!(!pace.is_over());
    pace.tick(2_100);
    assert!(pace.is_over());

    pace.committed(Height::new(1));
    assert!(!pace.is_over());
    assert_eq!(pace.wait(), None, "the timer that is set fires early enough");
    pace.fired();
    assert_eq!(pace.wait(), Some(2_000));
    pace.rest();
    pace.tick(9_000);
    assert!(!pace.is_over());
}

#[test]
fn a_timer_that_fires_before_the_deadline_is_set_for_what_is_left() {
    let mut pace = at(0);
    pace.wait();
    pace.tick(1_500);
    pace.fired();
    assert_eq!(pace.wait(), Some(500));
}

#[test]
fn a_shorter_deadline_sets_an_earlier_timer() {
    let mut pace = at(0);
    pace.leave();
    assert_eq!(pace.wait(), Some(4_000));
    pace.committed(Height::new(1));
    assert_eq!(pace.wait(), Some(2_000));
}

/// The longest timeout is longer than any timer.
#[test]
fn what_is_longer_than_any_timer_is_waited_for_in_parts() {
    let mut pace = at(0);
    for _ in 0..9 {
        pace.leave();
    }
    assert_eq!(pace.wait(), Some(AFTER_MS_MAX));
    pace.tick(u64::from(AFTER_MS_MAX));
    pace.fired();
    assert!(!pace.is_over());
    assert_eq!(pace.wait(), Some(64_000 - AFTER_MS_MAX));
}

#[test]
fn what_was_waited_for_before_the_first_tick_is_waited_for_from_then_on() {
    let mut pace = Pace::new(2_000);
    assert_eq!(pace.wait(), Some(2_000));
    pace.tick(1_000_000);
    assert!(!pace.is_over());
    assert_eq!(pace.wait(), None);
    pace.tick(1_001_999);
    assert!(!pace.is_over());
    pace.tick(1_002_000);
    assert!(pace.is_over());
}

#[test]
fn time_never_goes_back() {
    let mut pace = at(5_000);
    pace.wait();
    pace.tick(7_000);
    pace.tick(1);
    assert!(pace.is_over());
}

#[test]
fn the_ends_of_time_do_not_overflow() {
    let mut pace = Pace::new(u32::MAX);
    pace.wait();
    for _ in 0..100 {
        pace.leave();
    }
    pace.tick(u64::MAX);
    pace.fired();
    assert_eq!(pace.wait(), Some(0));
    assert!(pace.is_over());
    pace.voted(Height::new(u64::MAX));
    pace.committed(Height::new(u64::MAX));
    pace.heard(ReplicaId::new(1));
    pace.sample(Arrivals { last: u64::MAX, ..Arrivals::default() });
    assert_eq!(pace.present(), 1);
    assert!(pace.timeout_ms() >= u64::from(u32::MAX));
}

#[test]
fn a_replica_counts_as_heard_for_three_seconds() {
    let mut pace = at(10_000);
    pace.heard(ReplicaId::new(1));
    pace.tick(11_000);
    pace.heard(ReplicaId::new(2));
    pace.heard(ReplicaId::new(2));
    assert_eq!(pace.present(), 2);
    pace.tick(10_000 + HEARD_MS);
    assert_eq!(pace.present(), 2);
    pace.tick(10_001 + HEARD_MS);
    assert_eq!(pace.present(), 1);
}

/// Request `oldest` waits, and so many have arrived and were committed.
fn arrivals(last: u64, oldest: u64, latest_committed: u64) -> Arrivals {
    Arrivals { last, oldest_executable: Some(oldest), latest_committed }
}

/// Samples of (time, number of the last arrival), and whether request 1 is starved at the end.
fn starves(samples: &[(u64, u64)], latest_committed: u64) -> bool {
    let mut pace = at(0);
    let mut last = 0;
    for (now_ms, arrived) in samples {
        pace.tick(*now_ms);
        last = *arrived;
        pace.sample(arrivals(last, 1, latest_committed));
    }
    pace.is_starved(arrivals(last, 1, latest_committed))
}

#[test]
fn a_request_is_starved_when_one_later_by_more_than_the_timeout_was_committed() {
    assert!(starves(&[(0, 1), (2_001, 1), (2_250, 2)], 2));
    assert!(!starves(&[(0, 1), (2_000, 1), (2_250, 2)], 2), "not later by more than the timeout");
    assert!(!starves(&[(0, 1), (250, 2), (60_000, 3)], 2), "the third was not committed");
    assert!(!starves(&[(0, 1), (2_001, 1), (2_250, 2)], 1), "none later was committed");
}

#[test]
fn a_request_is_not_starved_that_has_not_waited_for_longer_than_the_timeout() {
    let mut pace = at(0);
    for (now_ms, last) in [(0, 4), (3_000, 5), (3_001, 9), (4_999, 20)] {
        pace.tick(now_ms);
        pace.sample(arrivals(last, 5, 0));
    }
    assert!(!pace.is_starved(arrivals(20, 5, 20)));
}

/// All wait alike: whatever is committed had arrived before what still waits.
#[test]
fn nobody_is_starved_under_overload_while_requests_are_served_in_order() {
    let mut pace = at(0);
    for second in 1..300 {
        pace.tick(second * 1_000);
        let (last, committed) = (second * 100, second * 10);
        let waits = arrivals(last, committed + 1, committed);
        pace.sample(waits);
        assert!(!pace.is_starved(waits), "after {second} s");
    }
}

#[test]
fn nobody_is_starved_when_nobody_waits_or_nothing_was_ever_committed() {
    let mut pace = at(0);
    pace.sample(Arrivals { last: 9, ..Arrivals::default() });
    pace.tick(90_000);
    pace.sample(Arrivals { last: 9, ..Arrivals::default() });
    let idle = Arrivals { last: 9, oldest_executable: None, latest_committed: 9 };
    assert!(!pace.is_starved(idle));
    assert!(!pace.is_starved(arrivals(9, 1, 0)));
    assert!(!at(90_000).is_starved(arrivals(9, 1, 9)), "nothing was measured");
}

#[test]
fn what_is_remembered_of_arrivals_is_bounded() {
    let mut pace = at(0);
    for second in 0..5_000 {
        pace.tick(second * 1_000);
        pace.sample(arrivals(second, 1, second));
    }
    assert_eq!(pace.samples.len(), SAMPLES_MAX);
    assert!(pace.is_starved(arrivals(5_000, 1, 5_000)));
}

/// What the primary of an earlier view did is not the fault of the next one.
#[test]
fn a_starved_request_gives_the_primary_of_the_next_view_a_whole_timeout() {
    let mut pace = at(0);
    for (now_ms, last) in [(0, 1), (9_000, 1), (9_250, 2)] {
        pace.tick(now_ms);
        pace.sample(arrivals(last, 1, 2));
    }
    assert!(pace.is_starved(arrivals(2, 1, 2)));

    pace.leave();
    pace.enter();
    pace.tick(9_500);
    pace.committed(Height::new(1));
    pace.sample(arrivals(3, 1, 3));
    assert!(!pace.is_starved(arrivals(3, 1, 3)));

    for (now_ms, last) in [(11_501, 3), (11_750, 4)] {
        pace.tick(now_ms);
        pace.sample(arrivals(last, 1, 4));
    }
    assert!(pace.is_starved(arrivals(4, 1, 4)));
}
