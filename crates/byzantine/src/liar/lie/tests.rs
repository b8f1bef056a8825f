//! Which lies a liar tells.

use std::collections::BTreeSet;

use super::Lie;
use crate::Random;

fn lies(seed: u64) -> BTreeSet<Lie> {
    Lie::some(&mut Random::stream(seed, "liar", &[1]))
}

#[test]
fn one_seed_is_one_liar_and_none_is_honest() {
    for seed in 0..100 {
        assert_eq!(lies(seed), lies(seed), "seed {seed}");
        assert!(!lies(seed).is_empty(), "seed {seed}");
    }
}

#[test]
fn every_lie_is_told_and_kept_back_by_many() {
    for lie in Lie::ALL {
        let tell = (0..200).filter(|seed| lies(*seed).contains(&lie)).count();
        assert!((20..150).contains(&tell), "{lie:?} is told by {tell} of 200");
    }
}
