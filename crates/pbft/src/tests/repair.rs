//! Repair: what is lost on the way is handed on by whoever has it, and a network that loses much
//! goes on.

use std::cell::RefCell;

use crate::fixture::application::FakeApplication;
use crate::fixture::cluster::Cluster;
use crate::fixture::random::{Random, with_seeds};
use crate::message::Message;

type Fake = Cluster<FakeApplication>;

/// Whether a message goes directly between two replicas that do not hear each other.
fn between(from: u16, to: u16, pair: [u16; 2]) -> bool {
    [from, to] == pair || [to, from] == pair
}

/// T32: three of four, so every vote counts, and two of the three never hear each other.
#[test]
fn two_that_do_not_hear_each_other_progress_by_what_a_third_hands_on() {
    for (dead, pair) in [(3, [0, 1]), (3, [1, 2]), (2, [0, 3])] {
        let mut cluster = Fake::new(4);
        cluster.kill(dead);
        cluster.lose(move |from, to, _| between(from, to, pair));
        cluster.pass(500);
        for nonce in 0..3 {
            cluster.submit((0..4).filter(|replica| *replica != dead), nonce);
            cluster.pass(1_900);
        }
        for replica in (0..4).filter(|replica| *replica != dead) {
            assert_eq!(cluster.overview(replica).committed.get(), 3, "{pair:?}");
            assert_eq!(cluster.overview(replica).view.get(), 0, "{pair:?}");
        }
    }
}

/// The same through a change of view: who asks, the new view and the votes in it.
#[test]
fn two_that_do_not_hear_each_other_change_the_view_by_what_a_third_hands_on() {
    for pair in [[1, 2], [1, 3], [2, 3]] {
        let mut cluster = Fake::new(4);
        cluster.pass(500);
        cluster.kill(0);
        cluster.lose(move |from, to, _| between(from, to, pair));
        cluster.submit(1..4, 0);
        cluster.pass(5_000);
        for replica in 1..4 {
            let overview = cluster.overview(replica);
            assert_eq!((overview.committed.get(), overview.view.get()), (1, 1), "{pair:?}");
        }
        assert_eq!(cluster.evidence, []);
    }
}

/// T54, T32: one replica hears nothing but statuses and what is answered to its own.
#[test]
fn who_misses_every_broadcast_is_brought_along_by_repair_alone() {
    let mut cluster = Fake::new(4);
    cluster.pass(500);
    cluster.kill(3);
    let status = |message: &Message| matches!(message, Message::Status(_));
    cluster.lose(move |from, to, message| {
        // Proposals and votes of the others never arrive directly where they were made for.
        to == 2 && from == 0 && !status(message)
    });
    for nonce in 0..3 {
        cluster.submit(0..3, nonce);
        cluster.pass(1_900);
    }
    assert_eq!(cluster.heights_of(&[0, 1, 2]), [3, 3, 3]);
    assert_eq!(cluster.overview(2).view.get(), 0);
}

/// Half of everything is lost, requests come all the while, and primaries are replaced more often
/// than they deserve.
#[test]
fn a_network_that_loses_half_of_everything_goes_on_and_accuses_nobody() {
    let name = "a_network_that_loses_half_of_everything_goes_on_and_accuses_nobody";
    for n in [4, 7] {
        with_seeds(name, 0..4, |seed| {
            let mut cluster = Fake::new(n);
            let random = RefCell::new(Random::new(seed));
            cluster.lose(move |_, _, _| random.borrow_mut().chance(50));
            for nonce in 0..10 {
                cluster.submit(0..n, nonce);
                cluster.pass(3_000);
            }
            assert!(cluster.heights().iter().any(|height| *height > 0), "nothing was committed");
            cluster.heal();
            cluster.pass(10_000);
            cluster.submit(0..n, 10);
            cluster.pass(70_000);
            let heights = cluster.heights();
            assert!(heights.iter().all(|height| *height == heights[0]), "{heights:?}");
            let requests = |store: &[types::proof::ProvedBlock]| {
                store.iter().map(|proved| proved.block.body.len()).sum::<usize>()
            };
            assert_eq!(requests(&cluster.members[0].store), 11);
            assert_eq!(cluster.evidence, []);
        });
    }
}

/// T26: some have committed and some have not when all change the view.
#[test]
fn lagging_and_current_replicas_change_the_view_together() {
    let mut cluster = Fake::new(4);
    cluster.pass(500);
    cluster.silence(&[3]);
    for nonce in 0..20 {
        cluster.submit(0..4, nonce);
    }
    assert!(cluster.heights()[0] >= 10);
    cluster.lose(|from, to, _| from == 0 || to == 0);
    cluster.submit(1..4, 20);
    cluster.pass(6_000);
    let heights = cluster.heights();
    assert_eq!(heights[1..], [heights[1]; 3]);
    assert!(heights[1] > heights[0] && cluster.views()[1..] == [1; 3]);
}
