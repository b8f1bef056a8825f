//! Addresses that spread and addresses made to collide.

use crypto::keys::PublicKey;
use types::account::Account;
use types::address::Address;
use types::amount::Amount;
use types::number::Nonce;

use super::Numbers;

fn account(bytes: [u8; 32]) -> Account {
    Account {
        address: Address::Key(PublicKey::from_bytes(bytes)),
        balance: Amount::ZERO,
        nonce: Nonce::FIRST,
    }
}

fn all_are_found(accounts: &[Account], stranger: Account) -> Numbers {
    let mut numbers = Numbers::default();
    for (number, account) in (0..).zip(accounts) {
        assert_eq!(numbers.get(&account.address, accounts), None);
        numbers.insert(account.address, number);
    }
    for (number, account) in (0..).zip(accounts) {
        assert_eq!(numbers.get(&account.address, accounts), Some(number));
    }
    assert_eq!(numbers.get(&stranger.address, accounts), None);
    numbers
}

#[test]
fn addresses_that_differ_early_stand_in_buckets() {
    let accounts: Vec<Account> = (0..5_000_u32)
        .map(|person| {
            account(
                *crypto::digest::digest(crypto::digest::Domain::AccountLeaf, &person.to_be_bytes())
                    .as_bytes(),
            )
        })
        .collect();

    let numbers = all_are_found(&accounts, account([0; 32]));

    assert!(numbers.others.len() < 200, "{}", numbers.others.len());
}

#[test]
fn addresses_that_begin_alike_are_told_apart_at_the_cost_of_a_map() {
    let accounts: Vec<Account> = (0..5_000_u32)
        .map(|person| {
            let mut bytes = [9; 32];
            bytes[28..].copy_from_slice(&person.to_be_bytes());
            account(bytes)
        })
        .collect();

    let numbers = all_are_found(&accounts, account([9; 32]));

    assert_eq!(numbers.others.len(), accounts.len() - 8);
}

#[test]
fn those_that_found_a_bucket_full_move_into_one_when_there_are_more() {
    let mut accounts: Vec<Account> = (0..12_u8)
        .map(|person| {
            let mut bytes = [0; 32];
            bytes[0] = person;
            account(bytes)
        })
        .collect();
    accounts.extend((0..2_000_u32).map(|person| {
        let mut bytes = [1; 32];
        bytes[..4].copy_from_slice(&(person << 3 | 1).to_be_bytes());
        account(bytes)
    }));

    let numbers = all_are_found(&accounts, account([2; 32]));

    assert!(numbers.buckets.len() > 100);
}
