use std::time::{Duration, Instant};

use super::Rate;

#[test]
fn a_burst_passes_and_one_more_byte_waits_for_the_bucket_to_fill() {
    let start = Instant::now();
    let mut rate = Rate::new(10, 1_000, 2, start);

    assert!(rate.take(1, 2_000, start));
    assert!(!rate.take(1, 1, start));

    assert!(rate.take(1, 1, start + Duration::from_millis(1)));
    assert!(!rate.take(1, 1, start + Duration::from_millis(1)));
}

#[test]
fn empty_frames_are_bounded_by_their_number() {
    let start = Instant::now();
    let mut rate = Rate::new(10, 1_000, 1, start);

    let passed = (0..100).filter(|_| rate.take(1, 0, start)).count();

    assert_eq!(passed, 10);
}

#[test]
fn a_long_silence_fills_no_more_than_the_burst_and_a_clock_that_goes_back_does_nothing() {
    let start = Instant::now();
    let later = start + Duration::from_secs(1_000_000);
    let mut rate = Rate::new(10, 1_000, 1, later);

    assert!(rate.take(1, 1_000, later + Duration::from_secs(1_000_000)));
    assert!(!rate.take(1, 1, start));
}
