//! The whole protocol: agreement and progress under random schedules, crashes and liars.

mod attacks;
mod repair;
mod views;

use ledger::Ledger;
use types::parameters::Parameters;

use crate::fixture::application::{FakeApplication, TestApplication};
use crate::fixture::genesis;
use crate::fixture::liar::Liars;
use crate::fixture::network::Network;
use crate::fixture::random::with_seeds;

/// Small blocks and a small window, so that the limits are met all the time.
fn tight() -> Parameters {
    Parameters { window_heights: 3, block_transactions_max: 2, ..Parameters::default() }
}

fn run<A: TestApplication>(n: u16, seed: u64, acts: usize) {
    let mut network = Network::<A>::new(genesis(n, tight()), 0, seed);
    for _ in 0..acts {
        network.act();
    }
    network.heal(12);
    network.assert_done();
}

#[test]
fn honest_replicas_agree_and_finish_whatever_is_lost_and_whoever_dies() {
    let name = "honest_replicas_agree_and_finish_whatever_is_lost_and_whoever_dies";
    for n in [1, 4, 5, 7] {
        with_seeds(name, 0..40, |seed| run::<FakeApplication>(n, seed, 400));
    }
}

#[test]
fn honest_replicas_agree_and_finish_with_the_real_ledger() {
    let name = "honest_replicas_agree_and_finish_with_the_real_ledger";
    for n in [1, 4, 7] {
        with_seeds(name, 0..15, |seed| run::<Ledger>(n, seed, 400));
    }
}

/// Primaries fall silent and are replaced all the while, with crashes and losses as before.
#[test]
fn honest_replicas_agree_and_finish_over_many_changes_of_view() {
    let name = "honest_replicas_agree_and_finish_over_many_changes_of_view";
    let views = std::cell::Cell::new(0);
    for n in [4, 5, 7] {
        with_seeds(name, 0..10, |seed| {
            let mut network = Network::<Ledger>::new(genesis(n, tight()), 0, seed);
            network.restless = true;
            for _ in 0..1_000 {
                network.act();
            }
            views.set(views.get() + network.latest_view.get());
            network.heal(100);
            network.assert_done();
        });
    }
    assert!(views.get() > 0, "no view was ever left");
}

#[test]
fn a_lying_primary_splits_nobody_over_changes_of_view() {
    let name = "a_lying_primary_splits_nobody_over_changes_of_view";
    for (n, liars) in [(4, 1), (7, 2)] {
        with_seeds(name, 0..30, |seed| {
            let mut network = Network::<FakeApplication>::new(genesis(n, tight()), liars, seed);
            network.restless = true;
            let genesis = network.genesis.clone();
            let lies = Liars::new(&genesis, liars, 4, &mut network.random);
            for _ in 0..1_000 {
                lies.act(&mut network);
                network.act();
            }
        });
    }
}

#[test]
fn a_lying_primary_splits_nobody() {
    let name = "a_lying_primary_splits_nobody";
    for (n, liars) in [(4, 1), (5, 1), (7, 2)] {
        with_seeds(name, 0..60, |seed| {
            let mut network = Network::<FakeApplication>::new(genesis(n, tight()), liars, seed);
            let genesis = network.genesis.clone();
            let lies = Liars::new(&genesis, liars, 4, &mut network.random);
            for _ in 0..300 {
                lies.act(&mut network);
                network.act();
            }
        });
    }
}
