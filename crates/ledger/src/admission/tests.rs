//! Who comes into the pool, who is refused and why, who is parked and what becomes of them.

use crypto::keys::Signature;
use crypto::signed::{ChainId, Signed};
use types::amount::Amount;
use types::application::Application;
use types::memo::Memo;
use types::number::{Height, Nonce};
use types::parameters::Parameters;
use types::rejection::Rejection;
use types::transaction::Action;

use crate::fixture::{Fixture, address, transfer, until};
use crate::{Admission, Origin, PoolLimits};

fn limits() -> PoolLimits {
    PoolLimits {
        account_transactions_max: 4,
        parked_transactions_max: 3,
        parked_account_transactions_max: 2,
        ..PoolLimits::default()
    }
}

fn fixture(balances: &[u64]) -> Fixture {
    Fixture::with(balances, Parameters::default(), limits())
}

#[test]
fn every_refusal_of_a_client_names_its_reason_and_changes_nothing() {
    let mut fixture = fixture(&[100, 100]);
    fixture.settle(vec![fixture.transfer(0, 0, 1, 10)]);
    fixture.admit(&fixture.transfer(0, 1, 1, 60)).unwrap();
    let mut long = fixture.transfer(0, 2, 1, 1);
    let Action::Transfer(with_memo) = &mut long.transaction.action;
    with_memo.memo = Memo::new("m".repeat(65));
    let foreign = ChainId::new(crypto::digest::Digest::ZERO);
    let refused = [
        (transfer(foreign, 0, 2, 1, 1), Rejection::ForeignChain),
        (long, Rejection::MemoTooLong { bytes: 65 }),
        (fixture.transfer(0, 2, 1, 0), Rejection::ZeroAmount),
        (
            until(fixture.transfer(0, 2, 1, 1), 1),
            Rejection::Expired { valid_until: Height::new(1), height: Height::new(2) },
        ),
        (fixture.transfer(7, 0, 1, 1), Rejection::UnknownSender),
        (
            fixture.transfer(0, 0, 1, 1),
            Rejection::NonceTooLow { expected: Nonce::new(1), found: Nonce::new(0) },
        ),
        (
            fixture.transfer(0, 5, 1, 1),
            Rejection::NonceTooHigh { expected: Nonce::new(2), found: Nonce::new(5) },
        ),
        (
            fixture.transfer(0, 2, 1, 31),
            Rejection::Overdraft { balance: Amount::new(30), amount: Amount::new(31) },
        ),
        (fixture.transfer(0, 1, 1, 1), Rejection::ConflictingNonce { nonce: Nonce::new(1) }),
    ];
    let before = (fixture.ledger.pool(), fixture.pending());

    for (transaction, rejection) in refused {
        assert_eq!(fixture.admit(&transaction), Err(rejection));
        assert_eq!((fixture.ledger.pool(), fixture.pending()), before);
    }
}

#[test]
fn an_account_with_all_its_nonces_pending_is_full() {
    let mut fixture = fixture(&[100, 0]);
    for nonce in 0..4 {
        fixture.admit(&fixture.transfer(0, nonce, 1, 1)).unwrap();
    }

    for nonce in 4..7 {
        let refused = fixture.admit(&fixture.transfer(0, nonce, 1, 1));
        assert_eq!(refused, Err(Rejection::AccountFull { pending: 4 }));
    }
}

#[test]
fn of_the_reasons_of_the_pool_the_first_in_the_documented_order_is_named() {
    let limits = PoolLimits { transactions_max: 4, ..limits() };
    let mut fixture = Fixture::with(&[100, 100], Parameters::default(), limits);
    for nonce in 0..4 {
        fixture.admit(&fixture.transfer(0, nonce, 1, 1)).unwrap();
    }
    // What is in flight gives way to nobody, so that the pool stays full.
    let block = fixture.propose_on(fixture.ledger.committed().1).unwrap();
    fixture.execute(&block).unwrap();

    let mut admit = |from, nonce, amount| fixture.admit(&fixture.transfer(from, nonce, 1, amount));
    let again = admit(0, 3, 1);
    let rival = admit(0, 3, 2);
    let further = admit(0, 4, 1);
    let poor = admit(1, 0, 101);
    let other = admit(1, 0, 1);

    assert_eq!(again, Ok(Admission::AlreadyPending));
    assert_eq!(rival, Err(Rejection::ConflictingNonce { nonce: Nonce::new(3) }));
    assert_eq!(further, Err(Rejection::AccountFull { pending: 4 }));
    assert_eq!(poor.unwrap_err().code(), "overdraft");
    assert_eq!(other, Err(Rejection::PoolFull));
}

#[test]
fn the_same_transaction_again_is_harmless_whatever_its_signature() {
    let mut fixture = fixture(&[100, 0]);
    let mut transaction = fixture.transfer(0, 0, 1, 100);
    assert_eq!(fixture.admit(&transaction), Ok(Admission::Pending));

    transaction.signature = Signature::from_bytes([9; 64]);

    assert_eq!(fixture.admit(&transaction), Ok(Admission::AlreadyPending));
    assert_eq!(fixture.pending(), 1);
    assert!(fixture.ledger.contains(&transaction.id()));
}

#[test]
fn what_comes_before_its_turn_waits_for_it() {
    let mut fixture = fixture(&[100, 0]);
    fixture.admit(&fixture.transfer(0, 2, 1, 1)).unwrap();
    fixture.admit(&fixture.transfer(0, 1, 1, 1)).unwrap();
    assert_eq!(fixture.pending(), 0);
    assert_eq!(fixture.ledger.next_nonce(&address(0)), Nonce::FIRST);

    fixture.admit(&fixture.transfer(0, 0, 1, 1)).unwrap();

    assert_eq!(fixture.pending(), 3);
    assert_eq!(fixture.ledger.next_nonce(&address(0)), Nonce::new(3));
}

#[test]
fn pending_amounts_are_covered_together_even_those_to_oneself() {
    let mut fixture = fixture(&[100, 0]);
    fixture.admit(&fixture.transfer(0, 0, 0, 60)).unwrap();

    let refused = fixture.admit(&fixture.transfer(0, 1, 1, 41));
    let admitted = fixture.admit(&fixture.transfer(0, 1, 1, 40));

    assert_eq!(refused.unwrap_err().code(), "overdraft");
    assert_eq!(admitted, Ok(Admission::Pending));
}

/// Else a sender could make each validator take another transaction for executable, and backups
/// would replace a primary for not proposing what it cannot see as pending.
#[test]
fn what_is_executable_does_not_depend_on_the_order_of_arrival() {
    let transfers = |fixture: &Fixture| {
        [(0, 10), (1, 20), (3, 100), (2, 50)]
            .map(|(nonce, amount)| fixture.transfer(0, nonce, 1, amount))
    };
    let orders = [[0, 1, 2, 3], [2, 3, 1, 0], [2, 0, 1, 3], [3, 2, 1, 0], [2, 1, 0, 3]];
    for order in orders {
        let mut fixture = fixture(&[100, 0]);
        let transfers = transfers(&fixture);
        for index in order {
            let transaction = Signed::vouched(transfers[index].clone());
            fixture.ledger.admit(transaction, Origin::Peer).unwrap();
        }
        let pending = [0, 1, 2].map(|nonce| {
            let id = transfers.iter().find(|one| one.transaction.nonce == Nonce::new(nonce));
            fixture.ledger.pool.find(&id.unwrap().id()).is_some()
        });
        assert_eq!((pending, fixture.pending()), ([true; 3], 3), "{order:?}");
        assert_eq!(fixture.ledger.pool().parked, 1, "{order:?}: the last one waits for money");
    }
}

#[test]
fn a_rival_is_judged_without_the_one_it_rivals() {
    let mut fixture = fixture(&[100, 0]);
    fixture.admit(&fixture.transfer(0, 0, 1, 90)).unwrap();

    let rival = fixture.admit(&fixture.transfer(0, 0, 1, 100));
    let overdrawn = fixture.admit(&fixture.transfer(0, 0, 1, 101));

    assert_eq!(rival.unwrap_err().code(), "conflicting-nonce");
    assert_eq!(overdrawn.unwrap_err().code(), "overdraft");
}

#[test]
fn a_peers_transaction_is_parked_until_its_sender_exists() {
    let mut fixture = fixture(&[100]);
    let early = fixture.transfer(1, 0, 0, 5);
    assert_eq!(fixture.admit_from(&early, Origin::Peer), Ok(Admission::Parked));
    assert_eq!(fixture.admit_from(&early, Origin::Peer), Ok(Admission::Parked));
    assert_eq!(fixture.ledger.pool().parked, 1);
    assert_eq!(fixture.pending(), 0);

    fixture.settle(vec![fixture.transfer(0, 0, 1, 5)]);

    assert_eq!(fixture.ledger.pool().parked, 0);
    assert_eq!(fixture.pending(), 1);
    assert!(fixture.ledger.contains(&early.id()));
}

#[test]
fn a_peers_transaction_is_parked_until_it_can_be_paid() {
    let mut fixture = fixture(&[100, 10]);
    let rich_later = fixture.transfer(1, 0, 0, 50);
    fixture.admit_from(&rich_later, Origin::Peer).unwrap();

    fixture.settle(vec![fixture.transfer(0, 0, 1, 39)]);
    assert_eq!(fixture.ledger.pool().parked, 1);
    fixture.settle(vec![fixture.transfer(0, 1, 1, 1)]);

    assert_eq!(fixture.ledger.pool().parked, 0);
    assert_eq!(fixture.pending(), 1);
}

#[test]
fn a_peers_transaction_is_parked_until_its_nonce_is_in_reach() {
    let mut fixture = fixture(&[100, 0]);
    let far = fixture.transfer(0, 4, 1, 1);
    assert_eq!(fixture.admit_from(&far, Origin::Peer), Ok(Admission::Parked));

    fixture.settle(vec![fixture.transfer(0, 0, 1, 1)]);

    assert_eq!(fixture.ledger.pool().parked, 0);
    assert!(fixture.ledger.contains(&far.id()));
}

#[test]
fn a_client_is_told_where_a_peer_is_parked() {
    let mut fixture = fixture(&[100]);
    let early = fixture.transfer(1, 0, 0, 5);

    assert_eq!(fixture.admit(&early), Err(Rejection::UnknownSender));
    assert_eq!(fixture.ledger.pool().parked, 0);
}

#[test]
fn what_no_state_will_allow_is_refused_to_peers_too() {
    let mut fixture = fixture(&[100, 0]);
    fixture.settle(vec![fixture.transfer(0, 0, 1, 1)]);

    for (transaction, code) in [
        (fixture.transfer(0, 0, 1, 2), "nonce-too-low"),
        (fixture.transfer(0, 1, 1, 0), "zero-amount"),
        (until(fixture.transfer(0, 1, 1, 1), 1), "expired"),
    ] {
        let refused = fixture.admit_from(&transaction, Origin::Peer);
        assert_eq!(refused.unwrap_err().code(), code);
    }
    assert_eq!(fixture.ledger.pool().parked, 0);
}

#[test]
fn the_parked_are_few_and_the_oldest_is_reported_when_it_makes_room() {
    let mut fixture = fixture(&[100]);
    let parked: Vec<_> = (1..5).map(|person| fixture.transfer(person, 0, 0, 1)).collect();

    for transaction in &parked {
        let admitted = fixture.admit_from(transaction, Origin::Peer);
        assert_eq!(admitted, Ok(Admission::Parked));
    }

    assert_eq!(fixture.ledger.pool().parked, 3);
    assert_eq!(fixture.ledger.take_dropped(), [(parked[0].id(), Rejection::UnknownSender)]);
}

#[test]
fn one_sender_cannot_park_more_than_its_part_nor_two_for_one_nonce() {
    let mut fixture = fixture(&[100]);
    fixture.admit_from(&fixture.transfer(1, 0, 0, 1), Origin::Peer).unwrap();
    fixture.admit_from(&fixture.transfer(1, 1, 0, 1), Origin::Peer).unwrap();

    let third = fixture.admit_from(&fixture.transfer(1, 2, 0, 1), Origin::Peer);
    let rival = fixture.admit_from(&fixture.transfer(1, 0, 0, 2), Origin::Peer);

    assert_eq!(third, Err(Rejection::UnknownSender));
    assert_eq!(rival.unwrap_err().code(), "conflicting-nonce");
}

#[test]
fn a_parked_transaction_that_a_block_holds_is_not_reported_as_dropped() {
    let mut fixture = fixture(&[100]);
    let early = fixture.transfer(1, 0, 0, 5);
    fixture.admit_from(&early, Origin::Peer).unwrap();

    fixture.settle(vec![fixture.transfer(0, 0, 1, 5), early]);

    assert_eq!(fixture.ledger.pool().parked, 0);
    assert_eq!(fixture.ledger.take_dropped(), []);
}

#[test]
fn a_parked_transaction_is_reported_when_a_rival_is_committed() {
    let mut fixture = fixture(&[100]);
    let early = fixture.transfer(1, 0, 0, 5);
    fixture.admit_from(&early, Origin::Peer).unwrap();

    let rival = fixture.transfer(1, 0, 0, 4);
    fixture.settle(vec![fixture.transfer(0, 0, 1, 5), rival]);

    let dropped = fixture.ledger.take_dropped();
    assert_eq!(dropped.len(), 1);
    assert_eq!(dropped[0].0, early.id());
    assert_eq!(dropped[0].1.code(), "nonce-too-low");
}

#[test]
fn a_parked_transaction_that_is_admitted_after_all_is_parked_no_more() {
    let mut fixture = fixture(&[100, 100]);
    let brief = until(fixture.transfer(0, 0, 1, 60), 1);
    let second = fixture.transfer(0, 1, 1, 60);
    fixture.admit(&brief).unwrap();
    fixture.admit_from(&second, Origin::Peer).unwrap();
    fixture.settle(vec![fixture.transfer(1, 0, 7, 1)]);
    assert_eq!(fixture.ledger.pool().parked, 1, "its own account did not change");

    assert_eq!(fixture.admit_from(&second, Origin::Peer), Ok(Admission::Pending));

    assert_eq!(fixture.ledger.pool().parked, 0);
    fixture.settle(vec![fixture.transfer(0, 0, 1, 1), second]);
    let dropped: Vec<_> = fixture.ledger.take_dropped().iter().map(|(id, _)| *id).collect();
    assert_eq!(dropped, [brief.id()]);
}

#[test]
fn a_transaction_of_a_block_in_flight_is_pending_but_not_proposed_again() {
    let mut fixture = fixture(&[100, 0]);
    let transaction = fixture.transfer(0, 0, 1, 1);
    let block = fixture.block(vec![transaction.clone()]);
    fixture.execute(&block).unwrap();

    let admitted = fixture.ledger.admit(Signed::vouched(transaction), Origin::Client);

    assert_eq!(admitted, Ok(Admission::Pending));
    assert_eq!(fixture.pending(), 0);
    assert!(fixture.ledger.propose(&block.id(), Height::new(2), &[]).is_none());
    fixture.commit(&block);
    assert_eq!(fixture.ledger.pool().pending, 0);
    assert_eq!(fixture.ledger.take_dropped(), []);
}
