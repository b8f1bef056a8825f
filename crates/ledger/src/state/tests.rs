//! The committed state by itself.

use std::collections::BTreeSet;

use types::account::{Account, Snapshot};
use types::amount::Amount;
use types::block::BlockId;
use types::number::{Height, Nonce};

use super::State;
use crate::execute::Execution;
use crate::fixture::{Fixture, address};
use crate::layers::Layers;

fn account(person: u16, balance: u64) -> Account {
    Account { address: address(person), balance: Amount::new(balance), nonce: Nonce::FIRST }
}

#[test]
fn its_root_is_that_of_the_snapshot_of_its_accounts() {
    for people in 0..20 {
        let accounts: Vec<Account> = (0..people).map(|person| account(person, 5)).collect();
        let snapshot = Snapshot {
            height: Height::GENESIS,
            block: BlockId::NONE,
            accounts: accounts.clone(),
            convicted: BTreeSet::new(),
        };

        let state = State::new(accounts).unwrap();

        assert_eq!(state.root(), snapshot.state_root());
        assert_eq!(state.len(), u64::from(people));
    }
}

#[test]
fn an_address_that_occurs_twice_is_named() {
    let accounts = vec![account(1, 5), account(2, 5), account(1, 6)];

    assert_eq!(State::new(accounts).unwrap_err(), address(1));
}

#[test]
fn a_supply_that_fits_no_amount_is_no_supply() {
    let state = State::new(vec![account(1, u64::MAX), account(2, 1)]).unwrap();

    assert_eq!(state.supply(), None);
}

#[test]
#[should_panic(expected = "a block changes the supply: its accounts held 100, then 101")]
fn a_layer_that_makes_money_stops_the_process() {
    let fixture = Fixture::new(&[100, 0]);
    let mut state = State::new(vec![account(0, 100), account(1, 0)]).unwrap();
    let layers = Layers::new(BlockId::NONE, Height::GENESIS);
    let branch = layers.branch(&state, &BlockId::NONE).unwrap();
    let mut execution = Execution::new(branch, fixture.chain(), Height::new(1));
    let transfer = fixture.transfer(0, 0, 1, 10);
    execution.apply(&transfer.transaction).unwrap();
    let mut layer = execution.finish(BlockId::NONE).layer;

    layer.changed[1].1.balance = Amount::new(11);

    state.fold_in(layer);
}
