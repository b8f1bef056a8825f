use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crypto::derivation::Words;
use crypto::keys::SecretKey;
use tempfile::{TempDir, tempdir};
use types::{Address, Amount, GenesisBuilder, Validator, peer_id};

use super::People;
use crate::arguments::Places;
use crate::exit::Exit;
use crate::keystore::Keystore;
use crate::keystore::sealed::Cost;
use crate::site::Site;

const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

fn address(seed: u8) -> Address {
    Address::Key(key(seed).public_key())
}

/// A directory with the genesis of a network and, if wanted, the account alice.
fn network(prefix: &str, accounts: bool) -> TempDir {
    let directory = tempdir().unwrap();
    let mut genesis = GenesisBuilder::local("people");
    genesis.prefix = prefix.to_owned();
    genesis.validators = vec![Validator {
        name: "node0".to_owned(),
        key: key(100).public_key(),
        peer_id: peer_id::of_key(&key(50).public_key()),
    }];
    genesis.accounts = vec![(address(1), Amount::new(1_000))];
    let text = genesis.build().unwrap().to_toml();
    fs::write(directory.path().join("genesis.toml"), text).unwrap();
    if accounts {
        write_accounts(directory.path(), &address(1).to_text("rlgt"), 0o600);
    }
    directory
}

fn write_accounts(directory: &Path, address: &str, mode: u32) {
    let path = directory.join("accounts.toml");
    let secret = "01".repeat(32);
    let text = format!(
        "seed = 0\n\n[[accounts]]\nname = \"alice\"\naddress = \"{address}\"\nsecret = \"{secret}\"\n"
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
}

fn people(directory: &TempDir) -> Result<People, crate::exit::Failure> {
    let places = Places { dir: Some(directory.path().to_owned()), ..Places::default() };
    let keystore = Keystore::at(directory.path().join("keys"));
    People::of(&Site::open(&places).unwrap(), &keystore)
}

#[test]
fn a_name_of_the_testnet_and_an_address_stand_for_the_same_account() {
    let directory = network("rlgt", true);

    let people = people(&directory).unwrap();

    assert_eq!(people.resolve("alice").unwrap(), address(1));
    assert_eq!(people.resolve(&address(1).to_text("rlgt")).unwrap(), address(1));
    assert_eq!(people.payer("alice").unwrap().address(), address(1));
}

#[test]
fn the_accounts_of_a_testnet_do_not_exist_on_other_networks() {
    let directory = network("lgt", true);

    let people = people(&directory).unwrap();
    let nobody = people.resolve("alice").unwrap_err();

    assert!(people.local().is_empty());
    assert_eq!(nobody.exit, Exit::NotFound);
    assert!(nobody.hint.unwrap().contains("local networks"));
}

#[test]
fn a_name_that_two_have_must_be_said_more_precisely() {
    let directory = network("rlgt", true);
    let keystore = Keystore::at(directory.path().join("keys"));
    let words = Words::from_entropy(&[7; 16]);
    keystore.add("alice", &words, 0, "password", CHEAP).unwrap();

    let people = people(&directory).unwrap();

    assert_eq!(people.resolve("alice").unwrap_err().exit, Exit::Usage);
    assert_eq!(people.resolve("local:alice").unwrap(), address(1));
    assert_eq!(*people.resolve("key:alice").unwrap().key(), words.account(0).public_key());
}

#[test]
fn what_looks_like_an_address_is_told_what_is_wrong_with_it() {
    let directory = network("rlgt", true);
    let people = people(&directory).unwrap();
    let mut typo = address(1).to_text("rlgt");
    typo.pop();
    typo.push(if typo.ends_with('q') { 'p' } else { 'q' });

    let refused = people.resolve(&typo).unwrap_err();

    assert_eq!(refused.exit, Exit::Usage);
    assert_eq!(people.resolve("rlgt1short").unwrap_err().exit, Exit::Usage);
    assert_eq!(people.resolve("nobody").unwrap_err().exit, Exit::NotFound);
}

#[test]
fn accounts_that_others_may_read_or_that_do_not_fit_are_refused() {
    let directory = network("rlgt", false);

    write_accounts(directory.path(), &address(1).to_text("rlgt"), 0o644);
    assert_eq!(people(&directory).err().unwrap().exit, Exit::Key);

    write_accounts(directory.path(), &address(2).to_text("rlgt"), 0o600);
    let other = people(&directory).err().unwrap();
    assert_eq!(other.exit, Exit::Key);
    assert!(other.text.contains("does not belong"), "{other}");
}
