//! Streams repeat, differ, and stay within their bounds.

use super::Random;

#[test]
fn a_stream_repeats_itself_and_no_other() {
    let numbers = |seed, name, place| {
        let mut random = Random::stream(seed, name, &[place]);
        (0..8).map(|_| random.number()).collect::<Vec<_>>()
    };

    assert_eq!(numbers(1, "link", 2), numbers(1, "link", 2));
    for other in [numbers(2, "link", 2), numbers(1, "disk", 2), numbers(1, "link", 3)] {
        assert_ne!(numbers(1, "link", 2), other);
    }
}

#[test]
fn numbers_stay_within_their_bounds_and_reach_both_ends() {
    let mut random = Random::stream(1, "bounds", &[]);
    let drawn: Vec<u64> = (0..1_000).map(|_| random.between(3, 7)).collect();

    assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&3), Some(&7)));
    assert_eq!(random.below(0), 0);
    assert!(!random.chance(0) && random.chance(1_000));
    assert_eq!(random.pick::<u8>(&[]), None);
}
