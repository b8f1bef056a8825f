//! What is read of a ledger, and how one comes back from a snapshot.

use types::amount::Amount;
use types::application::Application;
use types::number::{Height, Nonce};
use types::parameters::Parameters;

use super::{Ledger, RestoreError};
use crate::PoolLimits;
use crate::fixture::{Fixture, address, genesis};

#[test]
fn a_new_ledger_is_the_genesis() {
    let genesis = genesis(1_000, Parameters::default());

    let ledger = Ledger::new(&genesis, PoolLimits::default());

    assert_eq!(ledger.committed(), (Height::GENESIS, genesis.header().id()));
    assert_eq!(ledger.state_root(), genesis.state_root());
    assert_eq!(ledger.supply(), Amount::new(1_000));
    assert_eq!(ledger.accounts(), 1);
    assert_eq!(ledger.snapshot().accounts, genesis.accounts());
}

#[test]
fn a_restored_ledger_goes_on_with_the_same_root() {
    let mut fixture = Fixture::new(&[100, 50, 25]);
    fixture.settle(vec![fixture.transfer(0, 0, 7, 30), fixture.transfer(1, 0, 0, 5)]);
    let mut restored = fixture.twin();
    assert_eq!(restored.ledger.state_root(), fixture.ledger.state_root());
    assert_eq!(restored.ledger.committed(), fixture.ledger.committed());

    let block = fixture.settle(vec![fixture.transfer(7, 0, 8, 3)]);
    restored.execute(&block).unwrap();
    restored.commit(&block);

    assert_eq!(restored.ledger.state_root(), fixture.ledger.state_root());
    assert_eq!(restored.ledger.snapshot(), fixture.ledger.snapshot());
}

#[test]
fn a_snapshot_with_another_supply_or_an_account_twice_is_refused() {
    let fixture = Fixture::new(&[100, 50]);
    let restore = |change: fn(&mut Vec<types::account::Account>)| {
        let mut snapshot = fixture.ledger.snapshot();
        change(&mut snapshot.accounts);
        Ledger::restore(&fixture.genesis, snapshot, PoolLimits::default()).unwrap_err()
    };

    let more = restore(|accounts| accounts[0].balance = Amount::new(101));
    let beyond = restore(|accounts| accounts[0].balance = Amount::MAX);
    let twice = restore(|accounts| accounts.push(accounts[0]));

    let supply = Amount::new(150);
    let found = Some(Amount::new(151));
    assert_eq!(more, RestoreError::Supply { found, supply });
    assert_eq!(beyond, RestoreError::Supply { found: None, supply });
    assert!(
        matches!(twice, RestoreError::DuplicateAccount { address: who, .. } if who == address(0))
    );
    assert_eq!(more.to_string(), "the snapshot's balances add up to 151, the supply is 150");
}

#[test]
fn every_account_is_proved_against_the_committed_root_whatever_is_in_flight() {
    let mut fixture = Fixture::new(&[100]);
    for person in 0..12 {
        let block = fixture.settle(vec![fixture.transfer(0, u64::from(person), person + 1, 1)]);
        let ahead = fixture.transfer(0, u64::from(person) + 1, 40, 1);
        let flying = fixture.block_on(block.id(), vec![ahead], 0);
        fixture.execute(&flying).unwrap();

        for known in 0..=person + 1 {
            let proof = fixture.ledger.prove(&address(known)).unwrap();
            assert!(proof.verify(&block.header.state_root));
            assert_eq!(Some(proof.account), fixture.ledger.account(&address(known)));
            assert!(!proof.verify(&flying.header.state_root));
        }
        assert_eq!(fixture.ledger.prove(&address(40)), None);
        fixture.forget(&flying);
    }
}

#[test]
fn the_next_nonce_counts_what_is_committed_in_flight_and_waiting() {
    let mut fixture = Fixture::new(&[100, 0]);
    let next = |fixture: &Fixture| fixture.ledger.next_nonce(&address(0)).get();
    assert_eq!(fixture.ledger.next_nonce(&address(9)), Nonce::FIRST);
    fixture.settle(vec![fixture.transfer(0, 0, 1, 1)]);
    assert_eq!(next(&fixture), 1);

    let block = fixture.block(vec![fixture.transfer(0, 1, 1, 1)]);
    fixture.execute(&block).unwrap();
    assert_eq!(next(&fixture), 2);
    fixture.admit(&fixture.transfer(0, 2, 1, 1)).unwrap();
    fixture.admit(&fixture.transfer(0, 4, 1, 1)).unwrap();
    assert_eq!(next(&fixture), 3);
    fixture.forget(&block);

    assert_eq!(next(&fixture), 3, "the block's own request waits again");
}

#[test]
fn only_what_arrived_by_a_ticket_counts_as_waiting_since_then() {
    let mut fixture = Fixture::new(&[100, 100, 100]);
    let old = [fixture.transfer(0, 0, 1, 1), fixture.transfer(0, 1, 1, 1)];
    for transaction in &old {
        fixture.admit(transaction).unwrap();
    }
    fixture.admit(&fixture.transfer(1, 1, 0, 1)).unwrap();
    let then = fixture.ledger.ticket();
    fixture.admit(&fixture.transfer(1, 0, 0, 1)).unwrap();
    fixture.admit(&fixture.transfer(2, 0, 0, 1)).unwrap();

    let waiting = |most| fixture.ledger.pending_since(then, most);
    assert_eq!(waiting(10), [&old[0], &old[1]]);
    assert_eq!(waiting(1), [&old[0]]);
    assert_eq!(fixture.ledger.pending_since(fixture.ledger.ticket(), 10).len(), 5);
}

#[test]
fn what_is_in_flight_is_no_work_to_repeat() {
    let mut fixture = Fixture::new(&[100, 0]);
    fixture.admit(&fixture.transfer(0, 0, 1, 1)).unwrap();
    let (_, genesis) = fixture.ledger.committed();
    let block = fixture.propose_on(genesis).unwrap();
    fixture.ledger.execute(&block).unwrap();

    let waiting = fixture.ledger.pending_since(fixture.ledger.ticket(), 10);

    assert_eq!(waiting.len(), 0);
}
