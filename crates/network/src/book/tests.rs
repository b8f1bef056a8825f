use std::collections::BTreeSet;
use std::sync::Arc;

use crypto::digest::Digest;
use crypto::keys::SecretKey;
use crypto::signed::ChainId;
use libp2p::Multiaddr;
use types::replica::ReplicaId;
use types::validators::{Validator, ValidatorSet};
use zeroize::Zeroizing;

use super::{Book, Delays, Worth};
use crate::identity::{Members, keypair, peer_id_of};
use crate::settings::{Limits, Settings};

const DELAYS: Delays = Delays { min_ms: 1_000, max_ms: 30_000 };

/// Members 0 and 1, seen by one of them.
fn members(own: u8) -> Members {
    let key = |number: u8| SecretKey::from_seed([number; 32]);
    let validators = (0..2).map(|number| Validator {
        name: number.to_string(),
        key: key(number).public_key(),
        peer_id: peer_id_of(&[number; 32]),
    });
    let chain = ChainId::new(Digest::ZERO);
    let settings = Settings {
        node_seed: Zeroizing::new([own; 32]),
        chain,
        replica: ReplicaId::new(own.into()),
        validators: ValidatorSet::new(chain, validators.collect()).unwrap(),
        signer: Arc::new(key(own)),
        listen: Vec::new(),
        announce: Vec::new(),
        bootstrap: Vec::new(),
        mdns: false,
        limits: Limits::default(),
    };
    let peer = keypair(&[own; 32]).public().to_peer_id();
    Members::new(&settings, peer).unwrap()
}

/// The books of the one who dials first and of the one who waits, each with the number of the
/// other.
fn books() -> [(Book, ReplicaId); 2] {
    let books = [(members(0), 1), (members(1), 0)];
    let mut books = books.map(|(members, other)| {
        let first = members.own_peer < members.peer(ReplicaId::new(other)).unwrap();
        (first, Book::new(&members, DELAYS), ReplicaId::new(other))
    });
    books.sort_by_key(|(first, _, _)| !first);
    books.map(|(_, book, other)| (book, other))
}

fn address(port: u16) -> Multiaddr {
    format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap()
}

fn due(book: &mut Book, now_ms: u64) -> usize {
    // In the middle of the spread: the wait is exact.
    book.due(now_ms, || DELAYS.min_ms / 4).len()
}

#[test]
fn nobody_is_dialled_whose_address_is_unknown() {
    let [(mut book, _), _] = books();

    assert_eq!(due(&mut book, u64::MAX), 0);
}

#[test]
fn the_lower_peer_id_dials_at_once_and_the_other_after_a_wait() {
    let [(mut first, second_id), (mut second, first_id)] = books();

    first.announce(second_id, 1, vec![address(1)], 5);
    second.announce(first_id, 1, vec![address(1)], 5);

    assert_eq!(due(&mut first, 5), 1);
    assert_eq!(due(&mut second, 1_004), 0);
    assert_eq!(due(&mut second, 1_005), 1);
}

#[test]
fn a_bootstrap_address_is_dialled_at_once_by_both() {
    for (mut book, other) in books() {
        book.add_bootstrap(other, address(1));

        assert_eq!(due(&mut book, 0), 1);
    }
}

#[test]
fn waits_double_up_to_the_longest() {
    let [(mut book, other), _] = books();
    book.add_bootstrap(other, address(1));
    let mut dialled = Vec::new();

    for now_ms in (0..150_000).step_by(50) {
        if !book.due(now_ms, || 0).is_empty() {
            dialled.push(now_ms);
        }
    }

    // Each wait is at its least: three quarters of 1, 2, 4, 8, 16, 30, 30, … seconds.
    let waits: Vec<u64> = dialled.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits[..7], [750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500]);
}

#[test]
fn the_jitter_stays_within_a_quarter() {
    let [(mut book, other), _] = books();
    book.add_bootstrap(other, address(1));

    book.due(0, || u64::MAX);

    assert_eq!(due(&mut book, 749), 0);
    assert_eq!(due(&mut book, 1_250), 1);
}

#[test]
fn a_new_address_makes_a_peer_due_soon_and_all_addresses_are_tried() {
    let [(mut book, other), _] = books();
    book.add_bootstrap(other, address(1));
    for now_ms in (0..10_000).step_by(50) {
        book.due(now_ms, || 0);
    }

    book.announce(other, 1, vec![address(2)], 10_000);
    let dialled = book.due(10_000, || 0);

    assert_eq!(dialled, [(other, vec![address(2), address(1)])]);
}

#[test]
fn a_connected_peer_is_not_dialled_and_one_that_was_lost_is_dialled_soon() {
    let [(mut book, other), _] = books();
    book.add_bootstrap(other, address(1));
    book.set_connected(&BTreeSet::from([other]), 10);

    assert_eq!(due(&mut book, 60_000), 0);

    book.set_connected(&BTreeSet::new(), 60_000);
    assert_eq!(due(&mut book, 60_000), 1);
}

#[test]
fn connections_that_do_not_last_do_not_hasten_the_next_dial() {
    let [(mut book, other), _] = books();
    book.add_bootstrap(other, address(1));
    let mut dialled = 0;

    for now_ms in (0..60_000).step_by(50) {
        if !book.due(now_ms, || 0).is_empty() {
            dialled += 1;
            book.set_connected(&BTreeSet::from([other]), now_ms);
            book.set_connected(&BTreeSet::new(), now_ms + 10);
        }
    }

    assert!(dialled < 8, "dialled {dialled} times in a minute");
}

#[test]
fn an_old_sequence_is_worth_nothing_and_neither_is_one_a_moment_later() {
    let [(mut book, other), _] = books();

    assert_eq!(book.worth(other, 0, 0), Worth::News);
    assert!(book.announce(other, 7, vec![address(1)], 0));
    assert_eq!(book.worth(other, 6, 1_000), Worth::Old);
    assert_eq!(book.worth(other, 7, 1_000), Worth::Old);
    assert_eq!(book.worth(other, 8, 10), Worth::TooSoon);
    assert_eq!(book.worth(other, 8, 1_000), Worth::News);
    assert!(!book.announce(other, 8, vec![address(1)], 1_000));
    assert_eq!(book.worth(ReplicaId::new(9), 1, 0), Worth::Old);
}

#[test]
fn a_connected_peer_is_silent_once_per_limit_unless_it_is_heard() {
    let [(mut book, other), _] = books();
    book.set_connected(&BTreeSet::from([other]), 0);

    assert_eq!(book.silent(900, 900, |_| 0), []);
    assert_eq!(book.silent(1_000, 900, |_| 200), []);
    assert_eq!(book.silent(1_101, 900, |_| 200), [other]);
    assert_eq!(book.silent(1_200, 900, |_| 200), []);
}

#[test]
fn hints_are_bounded() {
    let [(mut book, other), _] = books();

    book.hint(other, (0..1_000).map(address).collect(), 0);

    let dialled = book.due(0, || 0);
    assert_eq!(dialled[0].1.len(), super::ADDRESSES_MAX);
}
