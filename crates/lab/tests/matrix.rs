//! The whole matrix: exactly what the numbers say, for every cell, on twenty seeds; `LAB_SEEDS` times as many when it is
//! set. The same as `logothete-lab matrix --seeds 20`.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

use lab::QuorumRule;
use lab::resilience::{Cell, Found, REPLICAS, TRAITORS};

/// The cells that hold.
fn all_cells(rule: QuorumRule) -> Vec<(u16, u16)> {
    let factor: u64 = std::env::var("LAB_SEEDS").map_or(1, |text| text.parse().unwrap());
    let mut holding = Vec::new();
    for n in REPLICAS {
        for t in TRAITORS {
            let cell = Cell::of(n, t, rule, &(0..20 * factor));
            assert!(cell.is_as_expected(), "{cell:#?}");
            assert_eq!(cell.repeat.is_none(), cell.found == Found::Holds, "{cell:#?}");
            if cell.found == Found::Holds {
                holding.push((n, t));
            }
        }
    }
    holding
}

#[test]
fn by_the_rule_that_is_kept_exactly_the_networks_above_three_t_hold() {
    let promised: Vec<(u16, u16)> =
        REPLICAS.flat_map(|n| TRAITORS.map(move |t| (n, t))).filter(|(n, t)| *n > 3 * *t).collect();

    assert_eq!(all_cells(QuorumRule::Kept), promised);
}

#[test]
fn by_the_naive_majority_networks_break_that_should_bear_it() {
    let holding = all_cells(QuorumRule::NaiveMajority);

    for (n, t) in [(5, 1), (7, 1), (7, 2), (8, 2), (9, 1), (9, 2), (10, 2), (10, 3)] {
        assert!(!holding.contains(&(n, t)), "n = {n}, t = {t}");
    }
    assert!(holding.contains(&(4, 1)) && holding.contains(&(8, 1)), "{holding:?}");
}
