use std::collections::BTreeSet;

use super::{ACCOUNT_NAMES, Plan};
use crate::failure::Exit;

/// The chain of four validators and seed 0: what everybody gets who types `logothete testnet up`.
const CHAIN: &str = "e2fb035014a38c252a9c8ba125c2990544fbf7c328babea500bd30f5246483d3";

fn addresses(plan: &Plan) -> Vec<String> {
    plan.accounts.iter().map(|account| account.address().to_text("rlgt")).collect()
}

fn keys(plan: &Plan) -> Vec<[u8; 32]> {
    let pairs = plan.validators.iter();
    pairs.flat_map(|validator| [*validator.validator_seed, *validator.node_seed]).collect()
}

#[test]
fn the_default_testnet_is_the_same_everywhere() {
    let plan = Plan::new(4, 0).unwrap();

    assert_eq!(plan.genesis.chain().to_string(), CHAIN);
}

#[test]
fn the_accounts_of_seed_0_are_those_of_the_words_everybody_tests_with() {
    let plan = Plan::new(4, 0).unwrap();

    let addresses = addresses(&plan);

    assert_eq!(addresses.len(), ACCOUNT_NAMES.len());
    assert_eq!(addresses[0], "rlgt1qqdlsq4pzz3xltmcff9a28vx0w4vyjlcxt4awf9lgrxp987cfqqccrpz9ch");
    assert_eq!(addresses[1], "rlgt1qpzj80y68pkx6szsjvw7qej37vtrwr4ml0gma5a409rncl80htdt7qj2ssa");
}

#[test]
fn everybody_begins_with_a_million() {
    let plan = Plan::new(1, 5).unwrap();

    let denomination = plan.genesis.denomination();
    for account in plan.genesis.accounts() {
        assert_eq!(denomination.format_with_symbol(account.balance), "1000000.00 LGT");
    }
    assert_eq!(plan.genesis.accounts().len(), 4);
    assert_eq!(plan.genesis.prefix(), "rlgt");
}

#[test]
fn the_same_seed_makes_the_same_bytes() {
    let (one, two) = (Plan::new(4, 77).unwrap(), Plan::new(4, 77).unwrap());

    assert_eq!(one.genesis.to_toml(), two.genesis.to_toml());
    assert_eq!(keys(&one), keys(&two));
    assert_eq!(addresses(&one), addresses(&two));
    assert_eq!(one.words.as_str(), two.words.as_str());
}

#[test]
fn another_seed_has_no_key_in_common() {
    let mut all = BTreeSet::new();
    let mut count = 0;
    for seed in 0..8 {
        let plan = Plan::new(7, seed).unwrap();
        let accounts = plan.accounts.iter().map(|account| *account.key.seed());
        for key in keys(&plan).into_iter().chain(accounts) {
            all.insert(key);
            count += 1;
        }
    }

    assert_eq!(all.len(), count);
}

#[test]
fn another_size_keeps_accounts_and_keys_and_is_another_chain() {
    let (four, seven) = (Plan::new(4, 3).unwrap(), Plan::new(7, 3).unwrap());

    assert_ne!(four.genesis.chain(), seven.genesis.chain());
    assert_eq!(addresses(&four), addresses(&seven));
    assert_eq!(keys(&four), keys(&seven)[..8]);
}

#[test]
fn a_network_without_validators_is_no_network() {
    assert_eq!(Plan::new(0, 0).err().unwrap().exit, Exit::Usage);
    assert_eq!(Plan::new(129, 0).err().unwrap().exit, Exit::Usage);
    assert!(Plan::new(128, 0).is_ok());
}
