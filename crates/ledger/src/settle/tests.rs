//! What the pool makes of what consensus decides.

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
