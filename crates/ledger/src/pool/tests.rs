//! The pool against a count from scratch, and its order.

use std::collections::{BTreeMap, BTreeSet};

use crypto::signed::Signed;
use types::address::Address;
use types::number::Nonce;
use types::parameters::Parameters;
use types::rejection::Rejection;
use types::transaction::TransactionId;

use super::index::Index;
use super::queue::Queue;
use super::{Place, Pool};
use crate::fixture::{Fixture, address};
use crate::{Origin, PoolLimits};

impl Pool {
    /// Asserts that everything the pool counts and orders is what its entries give from scratch.
    pub(crate) fn assert_consistent(&self) {
        let mut queues: BTreeMap<u64, Vec<Place>> = BTreeMap::new();
        for place in self.entries.places() {
            queues.entry(place.account).or_default().push(place);
        }
        assert_eq!(queues.keys().collect::<Vec<_>>(), self.queues.keys().collect::<Vec<_>>());
        let mut index = Index::default();
        let mut bytes = 0;
        for (account, places) in &queues {
            let kept = &self.queues[account];
            let counted = self.count(kept.next, places);
            let gapped_since = kept.gapped_since.filter(|_| counted.gapped() > 0);
            assert_eq!(*kept, Queue { gapped_since, ..counted.clone() });
            assert_eq!(kept.gapped_since.is_some(), counted.gapped() > 0);
            if let Some(head) = counted.head {
                assert!(index.ready.insert(head, *account).is_none());
            }
            if let Some(since) = gapped_since {
                index.gapped.insert((since, *account));
            }
            if counted.transactions > self.limits.account_share {
                index.heavy.insert((counted.transactions, *account));
            }
            index.ready_transactions += counted.run();
            index.ready_bytes += counted.run_bytes;
            index.gapped_transactions += counted.gapped();
            for place in places {
                let entry = self.get(*place).unwrap();
                bytes += entry.bytes;
                assert_eq!(entry.id, entry.transaction.id());
                assert_eq!(entry.bytes, u64::try_from(entry.transaction.encoded_bytes()).unwrap());
                assert_eq!(self.entries.find(&entry.id), Some(*place));
            }
        }
        assert_eq!(self.index, index);
        assert_eq!(self.bytes(), bytes);
        self.entries.assert_consistent();
        self.parked.assert_consistent();
        assert!(self.len() <= self.limits.transactions_max);
        assert!(self.bytes() <= self.limits.bytes_max);
        assert!(self.index.gapped_transactions <= self.limits.gapped_transactions_max);
        assert!(self.parked.len() <= self.limits.parked_transactions_max);
        assert!(self.dropped.len() <= self.limits.dropped_max);
    }

    fn count(&self, next: Nonce, places: &[Place]) -> Queue {
        let mut queue = Queue::new(next);
        for place in places {
            let entry = self.get(*place).unwrap();
            queue.transactions += 1;
            queue.spend += u128::from(entry.spend.get());
            if place.nonce < next {
                queue.behind += 1;
            } else if place.nonce == queue.run_end {
                queue.head = queue.head.or(Some(entry.ready));
                queue.run_bytes += entry.bytes;
                queue.run_end = place.nonce.next();
            }
        }
        queue
    }

    /// Of each account with something waiting, the first nonce in no block in flight.
    pub(crate) fn next_nonces(&self) -> impl Iterator<Item = (u64, Nonce)> {
        self.queues.iter().map(|(account, queue)| (*account, queue.next))
    }

    /// The ids of all that waits, parked included.
    pub(crate) fn everything(&self) -> BTreeSet<TransactionId> {
        self.entries
            .places()
            .filter_map(|place| self.get(place))
            .map(|entry| entry.id)
            .chain(self.parked.ids())
            .collect()
    }
}

fn limits() -> PoolLimits {
    PoolLimits {
        transactions_max: 12,
        account_share: 2,
        gapped_transactions_max: 6,
        ..PoolLimits::default()
    }
}

fn full_of(waiting: &[(u16, u64)]) -> Fixture {
    let mut fixture = Fixture::with(&[1_000; 40], Parameters::default(), limits());
    for (person, nonce) in waiting {
        let transaction = fixture.transfer(*person, *nonce, 39, 1);
        fixture.admit(&transaction).unwrap();
    }
    fixture
}

/// Sender and nonce of what would be proposed, in order.
fn order(fixture: &mut Fixture) -> Vec<(Address, u64)> {
    let (_, committed) = fixture.ledger.committed();
    let block = fixture.propose_on(committed);
    block
        .iter()
        .flat_map(|block| block.body.transactions())
        .map(|signed| (signed.transaction.sender, signed.transaction.nonce.get()))
        .collect()
}

fn named(order: &[(u16, u64)]) -> Vec<(Address, u64)> {
    order.iter().map(|(person, nonce)| (address(*person), *nonce)).collect()
}

#[test]
fn requests_are_served_in_the_order_of_their_arrival() {
    let mut fixture = full_of(&[(0, 0), (0, 1), (1, 0), (0, 2), (2, 0), (1, 1)]);

    let served = order(&mut fixture);

    let expected = [(0, 0), (0, 1), (1, 0), (0, 2), (2, 0), (1, 1)];
    assert_eq!(served, named(&expected));
}

#[test]
fn nonces_sent_ahead_do_not_overtake_what_arrived_before_their_gap_was_filled() {
    let mut fixture = full_of(&[(0, 1), (0, 2), (1, 0), (2, 0), (0, 0), (3, 0)]);

    let served = order(&mut fixture);

    let expected = [(1, 0), (2, 0), (0, 0), (0, 1), (0, 2), (3, 0)];
    assert_eq!(served, named(&expected));
}

#[test]
fn what_returns_from_a_forgotten_block_has_its_old_place() {
    let mut fixture = full_of(&[(0, 0), (0, 1), (1, 0)]);
    let taken = vec![fixture.transfer(0, 0, 39, 1), fixture.transfer(0, 1, 39, 1)];
    let block = fixture.block(taken);
    fixture.execute(&block).unwrap();
    fixture.admit(&fixture.transfer(2, 0, 39, 1)).unwrap();
    assert_eq!(order(&mut fixture), named(&[(1, 0), (2, 0)]));

    fixture.forget(&block);

    let served = order(&mut fixture);
    assert_eq!(served, named(&[(0, 0), (0, 1), (1, 0), (2, 0)]));
}

#[test]
fn what_follows_a_filled_gap_keeps_the_place_of_the_filling() {
    let mut fixture = full_of(&[(0, 1), (0, 2), (1, 0), (2, 0), (0, 0)]);
    let two = vec![fixture.transfer(0, 0, 39, 1), fixture.transfer(0, 1, 39, 1)];
    let block = fixture.block(two);
    fixture.execute(&block).unwrap();
    let third = vec![fixture.transfer(0, 2, 39, 1)];
    let child = fixture.block_on(block.id(), third, 0);
    let served = |fixture: &mut Fixture| {
        let block = fixture.propose_on(block.id()).unwrap();
        block.body.transactions().last().unwrap().transaction.sender
    };
    assert_eq!(served(&mut fixture), address(0));

    fixture.execute(&child).unwrap();
    fixture.forget(&child);

    assert_eq!(served(&mut fixture), address(0));
}

#[test]
fn thousands_behind_gaps_are_never_looked_at_by_a_proposal() {
    let parameters = Parameters::default();
    let mut fixture = Fixture::with(&[1_000; 40], parameters, PoolLimits::default());
    for person in 0..20 {
        for nonce in 1..500 {
            let transaction = Signed::vouched(fixture.transfer(person, nonce, 39, 1));
            fixture.ledger.admit(transaction, Origin::Client).unwrap();
        }
    }
    let honest = fixture.transfer(30, 0, 39, 1);
    fixture.admit(&honest).unwrap();

    assert_eq!(fixture.ledger.pool().pending, 20 * 499 + 1);
    assert_eq!(fixture.ledger.pool.walk().count(), 1);
    assert_eq!(fixture.pending(), 1);
}

#[test]
fn a_pool_full_of_gaps_makes_room_for_what_can_be_executed() {
    let mut fixture = full_of(&[(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (2, 1)]);
    for nonce in 0..6 {
        fixture.admit(&fixture.transfer(3, nonce, 39, 1)).unwrap();
    }
    assert_eq!(fixture.ledger.pool().pending, 12);

    fixture.admit(&fixture.transfer(4, 0, 39, 1)).unwrap();
    fixture.admit(&fixture.transfer(4, 1, 39, 1)).unwrap();

    let dropped = fixture.ledger.take_dropped();
    let evicted = |nonce| (fixture.transfer(0, nonce, 39, 1).id(), Rejection::PoolFull);
    assert_eq!(dropped, [evicted(3), evicted(2)]);
    assert_eq!(fixture.ledger.pool().pending, 12);
}

#[test]
fn what_waits_behind_gaps_is_bounded_and_the_longest_waiting_account_gives_way() {
    let mut fixture = full_of(&[(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (2, 1)]);

    fixture.admit(&fixture.transfer(3, 1, 39, 1)).unwrap();
    fixture.admit(&fixture.transfer(0, 3, 39, 1)).unwrap();

    let ids: Vec<_> = fixture.ledger.take_dropped().iter().map(|(id, _)| *id).collect();
    let evicted = |person, nonce| fixture.transfer(person, nonce, 39, 1).id();
    assert_eq!(ids, [evicted(0, 3), evicted(1, 2)]);
}

#[test]
fn an_account_with_few_finds_a_place_beside_one_with_many() {
    let mut fixture = full_of(&[(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]);
    for nonce in 2..9 {
        fixture.admit(&fixture.transfer(1, nonce, 39, 1)).unwrap();
    }

    fixture.admit(&fixture.transfer(2, 0, 39, 1)).unwrap();
    fixture.admit(&fixture.transfer(2, 1, 39, 1)).unwrap();
    let third = fixture.admit(&fixture.transfer(2, 2, 39, 1));
    let many = fixture.admit(&fixture.transfer(1, 7, 39, 1));

    assert_eq!(third, Err(Rejection::PoolFull));
    assert_eq!(many, Err(Rejection::PoolFull));
    let dropped = fixture.ledger.take_dropped();
    let evicted = |nonce| (fixture.transfer(1, nonce, 39, 1).id(), Rejection::PoolFull);
    assert_eq!(dropped, [evicted(8), evicted(7)]);
}

#[test]
fn what_is_in_flight_gives_way_to_nobody() {
    let mut fixture = full_of(&[]);
    for nonce in 0..12 {
        fixture.admit(&fixture.transfer(0, nonce, 39, 1)).unwrap();
    }
    let (_, committed) = fixture.ledger.committed();
    let block = fixture.propose_on(committed).unwrap();
    fixture.execute(&block).unwrap();

    let refused = fixture.admit(&fixture.transfer(1, 0, 39, 1));
    assert_eq!(refused, Err(Rejection::PoolFull));
    fixture.commit(&block);

    assert!(fixture.admit(&fixture.transfer(1, 0, 39, 1)).is_ok());
    assert_eq!(fixture.ledger.take_dropped(), []);
}

#[test]
fn bytes_are_bounded_as_well() {
    let one = u64::try_from(full_of(&[]).transfer(0, 0, 1, 1).encoded_bytes()).unwrap();
    let limits = PoolLimits { bytes_max: 3 * one + 1, ..limits() };
    let mut fixture = Fixture::with(&[1_000; 40], Parameters::default(), limits);
    for person in 0..3 {
        fixture.admit(&fixture.transfer(person, 0, 39, 1)).unwrap();
    }

    let refused = fixture.admit(&fixture.transfer(3, 0, 39, 1));

    assert_eq!(refused, Err(Rejection::PoolFull));
    assert_eq!(fixture.ledger.pool().bytes, 3 * one);
}
