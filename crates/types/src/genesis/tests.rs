use super::Genesis;
use crate::genesis::GenesisBuilder;
use crate::tests::fixtures;
use crate::{Account, Amount, BlockId, Height, Nonce, Parameters};
use crypto::digest::Digest;

mod documents;
mod problems;

/// A sound genesis of four validators and five accounts.
fn builder() -> GenesisBuilder {
    let mut builder = GenesisBuilder::local("local");
    builder.validators = (0..4).map(fixtures::validator).collect();
    builder.accounts = (200..205)
        .map(|number| (fixtures::address(number), Amount::new(100_000 * u64::from(number))))
        .collect();
    builder
}

fn genesis() -> Genesis {
    builder().build().unwrap()
}

#[test]
fn what_was_put_in_comes_out() {
    let genesis = genesis();

    assert_eq!(genesis.name(), "local");
    assert_eq!(genesis.prefix(), "rlgt");
    assert_eq!(genesis.denomination().symbol(), "LGT");
    assert_eq!(genesis.denomination().decimals(), 2);
    assert_eq!(genesis.parameters(), &Parameters::default());
    assert_eq!(genesis.validators().len(), 4);
    assert_eq!(genesis.validators().chain(), genesis.chain());
    assert_eq!(genesis.supply(), Amount::new(101_000_000));
    assert_eq!(
        genesis.accounts()[1],
        Account {
            address: fixtures::address(201),
            balance: Amount::new(20_100_000),
            nonce: Nonce::FIRST,
        }
    );
}

#[test]
fn the_first_block_is_empty_and_has_the_state_of_the_genesis() {
    let block = genesis().block();

    assert!(block.fits());
    assert!(block.body.is_empty());
    assert_eq!(block.header, *genesis().header());
    assert_eq!(block.header.height, Height::GENESIS);
    assert_eq!(block.header.parent, BlockId::NONE);
    assert_eq!(&block.header.chain, genesis().chain());
    assert_eq!(block.header.state_root, genesis().state_root());
    assert_ne!(genesis().state_root(), Digest::ZERO);
}

#[test]
fn everything_in_the_content_changes_the_chain_id() {
    let changes: [fn(&mut GenesisBuilder); 10] = [
        |builder| builder.name = "other".to_owned(),
        |builder| builder.prefix = "lgt".to_owned(),
        |builder| builder.symbol = "XLGT".to_owned(),
        |builder| builder.decimals = 3,
        |builder| builder.parameters.window_heights = 9,
        |builder| builder.validators.swap(0, 1),
        |builder| builder.validators[0].name = "other".to_owned(),
        |builder| drop(builder.validators.pop()),
        |builder| builder.accounts[0].1 = Amount::new(1),
        |builder| builder.accounts.swap(0, 1),
    ];
    let mut chains = vec![*genesis().chain()];
    for change in changes {
        let mut builder = builder();
        change(&mut builder);
        chains.push(*builder.build().unwrap().chain());
    }
    let distinct: std::collections::BTreeSet<_> = chains.iter().collect();

    assert_eq!(distinct.len(), chains.len());
}

#[test]
fn the_chain_id_is_what_it_always_was() {
    assert_eq!(
        genesis().chain().to_string(),
        "7e5afc3567b8f6982a70e5915569c810f3b1eb92360a0e30ce9c517121419eef"
    );
    assert_eq!(
        genesis().block().id().to_string(),
        "0bf8b8aab88d5ceb12381d7eff5868c5a7e6726c39f6699ddf7674a91272f69a"
    );
}

#[test]
fn accounts_without_balance_are_allowed() {
    let mut builder = builder();
    builder.accounts[4].1 = Amount::ZERO;

    assert!(builder.build().is_ok());
}

#[test]
fn a_genesis_equals_itself_and_nothing_else() {
    let mut other = builder();
    other.decimals = 3;

    assert_eq!(genesis(), genesis());
    assert_ne!(genesis(), other.build().unwrap());
}
