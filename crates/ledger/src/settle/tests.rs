//! What the pool makes of what consensus decides.

use types::application::Application;
use types::rejection::Rejection;

use crate::fixture::{Fixture, until};
use crate::{Origin, PoolLimits};

#[test]
fn what_cannot_be_paid_any_more_is_parked_from_the_last_one_on() {
    let mut fixture = Fixture::new(&[100, 0]);
    let kept = fixture.transfer(0, 1, 1, 20);
    fixture.admit(&kept).unwrap();
    fixture.admit(&fixture.transfer(0, 2, 1, 30)).unwrap();
    fixture.admit(&fixture.transfer(0, 3, 1, 40)).unwrap();

    fixture.settle(vec![fixture.transfer(0, 0, 1, 75)]);

    assert_eq!(fixture.pending(), 1);
    assert!(fixture.ledger.contains(&kept.id()));
    assert_eq!(fixture.ledger.pool().parked, 2);
    assert_eq!(fixture.ledger.take_dropped(), []);
}

#[test]
fn what_was_parked_for_want_of_money_comes_back_with_the_money() {
    let mut fixture = Fixture::new(&[100, 100]);
    fixture.admit(&fixture.transfer(0, 1, 1, 50)).unwrap();
    fixture.settle(vec![fixture.transfer(0, 0, 1, 75)]);
    assert_eq!(fixture.pending(), 0);

    fixture.settle(vec![fixture.transfer(1, 0, 0, 25)]);

    assert_eq!(fixture.pending(), 1);
    assert_eq!(fixture.ledger.pool().parked, 0);
}

#[test]
fn what_is_in_flight_is_not_parked_though_the_committed_balance_is_short() {
    let mut fixture = Fixture::new(&[100, 100]);
    let spending = fixture.transfer(0, 1, 1, 50);
    fixture.admit(&spending).unwrap();
    let poor = fixture.block(vec![fixture.transfer(0, 0, 1, 90)]);
    fixture.execute(&poor).unwrap();
    let paid = vec![fixture.transfer(1, 0, 0, 60), spending.clone()];
    let rich = fixture.block_on(poor.id(), paid, 0);
    fixture.execute(&rich).unwrap();

    fixture.commit(&poor);
    assert!(fixture.ledger.contains(&spending.id()));
    assert_eq!(fixture.ledger.pool().parked, 0);
    fixture.commit(&rich);

    assert_eq!(fixture.of(0), Some((20, 2)));
    assert_eq!(fixture.ledger.take_dropped(), []);
}

#[test]
fn what_was_in_flight_is_parked_when_it_returns_to_an_account_that_is_short() {
    let mut fixture = Fixture::new(&[100, 100]);
    let spending = fixture.transfer(0, 1, 1, 50);
    fixture.admit(&spending).unwrap();
    let poor = fixture.block(vec![fixture.transfer(0, 0, 1, 90)]);
    fixture.execute(&poor).unwrap();
    let incoming = fixture.transfer(1, 0, 0, 60);
    let rich = fixture.block_on(poor.id(), vec![incoming.clone(), spending.clone()], 0);
    fixture.execute(&rich).unwrap();
    fixture.commit(&poor);

    fixture.forget(&rich);

    assert_eq!(fixture.ledger.pool().parked, 1);
    assert_eq!(fixture.pending(), 1);
    fixture.settle(vec![incoming]);
    assert_eq!(fixture.pending(), 1);
    assert!(fixture.ledger.contains(&spending.id()));
}

#[test]
fn parked_ones_are_tried_in_order_and_stop_at_the_first_that_must_wait() {
    let mut fixture = Fixture::new(&[100, 0]);
    for (nonce, amount) in [(0, 30), (1, 40), (2, 5)] {
        let early = fixture.transfer(1, nonce, 0, amount);
        fixture.admit_from(&early, Origin::Peer).unwrap();
    }
    assert_eq!(fixture.ledger.pool().parked, 3);

    fixture.settle(vec![fixture.transfer(0, 0, 1, 60)]);

    assert_eq!(fixture.pending(), 1);
    assert_eq!(fixture.ledger.pool().parked, 2);
}

#[test]
fn a_parked_one_that_must_wait_on_holds_up_no_other_sender() {
    let mut fixture = Fixture::new(&[100, 0, 0]);
    for (person, amount) in [(1, 50), (2, 5)] {
        let early = fixture.transfer(person, 0, 0, amount);
        fixture.admit_from(&early, Origin::Peer).unwrap();
    }

    fixture.settle(vec![fixture.transfer(0, 0, 1, 10), fixture.transfer(0, 1, 2, 10)]);

    assert_eq!(fixture.pending(), 1);
    assert_eq!(fixture.ledger.pool().parked, 1);
}

#[test]
fn reports_nobody_takes_are_bounded_and_the_oldest_are_lost() {
    let limits = PoolLimits { dropped_max: 2, ..PoolLimits::default() };
    let mut fixture = Fixture::with(&[100, 100], types::parameters::Parameters::default(), limits);
    let brief: Vec<_> = (0..3).map(|nonce| until(fixture.transfer(0, nonce, 1, 1), 1)).collect();
    for transaction in &brief {
        fixture.admit(transaction).unwrap();
    }

    fixture.settle(vec![fixture.transfer(1, 0, 0, 1)]);

    let dropped = fixture.ledger.take_dropped();
    let ids: Vec<_> = dropped.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, [brief[1].id(), brief[2].id()]);
    assert!(matches!(dropped[0].1, Rejection::Expired { .. }));
    assert_eq!(fixture.ledger.take_dropped(), []);
}

/// Numbers of arrivals: the last, the one that the longest wait began with, and the latest
/// committed.
fn arrivals(fixture: &Fixture) -> (u64, Option<u64>, u64) {
    let arrivals = fixture.ledger.arrivals();
    (arrivals.last, arrivals.oldest_executable, arrivals.latest_committed)
}

#[test]
fn requests_are_numbered_as_they_arrive_and_the_oldest_executable_one_is_named() {
    let mut fixture = Fixture::new(&[100, 100, 100]);
    assert_eq!(arrivals(&fixture), (0, None, 0));
    let first = fixture.transfer(0, 0, 2, 1);
    fixture.admit(&first).unwrap();
    fixture.admit(&fixture.transfer(1, 0, 2, 1)).unwrap();
    assert_eq!(arrivals(&fixture), (2, Some(1), 0));
    fixture.settle(vec![first]);
    assert_eq!(arrivals(&fixture), (2, Some(2), 1));
}

#[test]
fn who_waits_behind_a_gap_waits_for_nobody_until_it_is_filled() {
    let mut fixture = Fixture::new(&[100, 100]);
    fixture.admit(&fixture.transfer(0, 1, 1, 1)).unwrap();
    assert_eq!(arrivals(&fixture), (1, None, 0));
    fixture.admit(&fixture.transfer(1, 0, 0, 1)).unwrap();
    let filling = fixture.transfer(0, 0, 1, 1);
    fixture.admit(&filling).unwrap();
    assert_eq!(arrivals(&fixture), (3, Some(2), 0));
    fixture.settle(vec![filling, fixture.transfer(1, 0, 0, 1)]);
    assert_eq!(arrivals(&fixture).1, Some(3), "executable since the gap was filled");
}

#[test]
fn what_is_in_a_block_in_flight_waits_for_nobody_until_the_block_is_abandoned() {
    let mut fixture = Fixture::new(&[100, 100]);
    let request = fixture.transfer(0, 0, 1, 1);
    fixture.admit(&request).unwrap();
    let block = fixture.block(vec![request]);
    fixture.execute(&block).unwrap();
    assert_eq!(arrivals(&fixture), (1, None, 0));
    fixture.forget(&block);
    assert_eq!(arrivals(&fixture), (1, Some(1), 0), "it has waited since it arrived");
}

/// Section 4: a request first seen inside a block arrives when that block is accepted.
#[test]
fn a_request_first_seen_in_a_block_arrives_with_it_and_keeps_that_number() {
    let mut fixture = Fixture::new(&[100, 100]);
    let stranger = fixture.transfer(0, 0, 1, 1);
    let block = fixture.block(vec![stranger]);
    fixture.execute(&block).unwrap();
    fixture.admit(&fixture.transfer(1, 0, 0, 1)).unwrap();
    assert_eq!(arrivals(&fixture), (2, Some(2), 0));
    fixture.forget(&block);
    assert_eq!(arrivals(&fixture), (2, Some(1), 0), "it was here before the other");

    let mut fixture = Fixture::new(&[100, 100]);
    let block = fixture.block(vec![fixture.transfer(0, 0, 1, 1)]);
    fixture.execute(&block).unwrap();
    fixture.admit(&fixture.transfer(1, 0, 0, 1)).unwrap();
    fixture.commit(&block);
    assert_eq!(arrivals(&fixture), (2, Some(2), 1), "nothing later than the one that waits");
}

/// The copy that gossip brings behind the block is no later request, and nobody is starved over it.
#[test]
fn a_request_that_comes_again_behind_its_block_has_arrived_with_the_block() {
    let mut fixture = Fixture::new(&[100, 100]);
    let stranger = fixture.transfer(0, 0, 1, 1);
    let block = fixture.block(vec![stranger.clone()]);
    fixture.execute(&block).unwrap();
    fixture.admit(&fixture.transfer(1, 0, 0, 1)).unwrap();
    fixture.admit(&stranger).unwrap();
    fixture.commit(&block);
    assert_eq!(arrivals(&fixture), (3, Some(2), 1));
}

#[test]
fn a_rival_of_a_waiting_request_counts_by_its_own_arrival() {
    let mut fixture = Fixture::new(&[100, 100]);
    fixture.admit(&fixture.transfer(1, 0, 0, 1)).unwrap();
    fixture.admit(&fixture.transfer(0, 0, 1, 1)).unwrap();
    fixture.settle(vec![fixture.transfer(0, 0, 1, 2)]);
    assert_eq!(arrivals(&fixture), (3, Some(1), 3));
}

/// It could not be executed before, so nobody's proposal has passed it over.
#[test]
fn a_parked_request_that_becomes_payable_counts_from_then() {
    let mut fixture = Fixture::new(&[100, 0, 100]);
    let early = fixture.transfer(1, 0, 0, 50);
    fixture.admit_from(&early, Origin::Peer).unwrap();
    let parked = arrivals(&fixture);
    assert_eq!(parked.1, None);
    for nonce in 0..3 {
        fixture.settle(vec![fixture.transfer(2, nonce, 0, 1)]);
    }
    fixture.settle(vec![fixture.transfer(0, 0, 1, 60)]);
    let (last, oldest, latest_committed) = arrivals(&fixture);
    assert_eq!(oldest, Some(last), "the newest arrival of all");
    assert!(latest_committed < last);
}
