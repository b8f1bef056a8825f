//! What a testnet will be, from its number of validators and its seed alone: keys, accounts,
//! genesis.
//!
//! Nothing here reads a clock, a file or randomness. The secrets are known to everybody who knows
//! the seed, which is why they are good for networks on one computer only.

use crypto::derivation::Words;
use crypto::digest::{Domain, digest_of};
use crypto::encoding::Encode;
use crypto::keys::SecretKey;
use types::address::Address;
use types::amount::Amount;
use types::genesis::{Genesis, GenesisBuilder};
use types::parameters::Parameters;
use types::peer_id;
use types::validators::Validator;
use zeroize::Zeroizing;

use crate::failure::{Exit, Failure};

/// The names of the accounts, in the order of their numbers.
pub(crate) const ACCOUNT_NAMES: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// What each of them begins with, in base units: 1,000,000.00.
const BALANCE: Amount = Amount::new(100_000_000);

/// The name of the network.
const NETWORK_NAME: &str = "local";

/// The words of seed 0, known to everybody who ever tested a wallet.
const WORDS: &str = "test test test test test test test test test test test junk";

/// What a testnet consists of.
pub(crate) struct Plan {
    /// What everything was derived from.
    pub(crate) seed: u64,
    /// The words of the accounts.
    pub(crate) words: Words,
    /// The accounts, with the keys that move them.
    pub(crate) accounts: Vec<PlannedAccount>,
    /// The validators, in order.
    pub(crate) validators: Vec<PlannedValidator>,
    /// The genesis that names them.
    pub(crate) genesis: Genesis,
}

/// A named account.
pub(crate) struct PlannedAccount {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its key.
    pub(crate) key: SecretKey,
}

impl PlannedAccount {
    /// Its address.
    pub(crate) fn address(&self) -> Address {
        Address::Key(self.key.public_key())
    }
}

/// The keys of a validator.
pub(crate) struct PlannedValidator {
    /// The name of its folder and its name in the genesis.
    pub(crate) name: String,
    /// The seed of the key it votes with.
    pub(crate) validator_seed: Zeroizing<[u8; 32]>,
    /// The seed of its libp2p identity.
    pub(crate) node_seed: Zeroizing<[u8; 32]>,
}

/// What a derived secret is the digest of.
#[derive(Encode)]
#[bincode(crate = "crypto::encoding")]
struct Derived {
    seed: u64,
    label: String,
    index: u64,
}

impl Plan {
    /// The testnet of `validators` validators (1 to 128) that follows from `seed`.
    ///
    /// # Errors
    ///
    /// [`Exit::Usage`] when no genesis has so many validators.
    pub(crate) fn new(validators: usize, seed: u64) -> Result<Self, Failure> {
        Self::with_accounts(validators, seed, &[])
    }

    /// The same with further accounts, each beginning with what a named one does.
    ///
    /// # Errors
    ///
    /// As [`Plan::new`], and when the further accounts are too many or not distinct.
    pub(crate) fn with_accounts(
        validators: usize,
        seed: u64,
        further: &[Address],
    ) -> Result<Self, Failure> {
        Self::with_parameters(validators, seed, further, Parameters::default())
    }

    /// The same with other parameters than a local network starts with.
    ///
    /// # Errors
    ///
    /// As [`Plan::with_accounts`], and when a parameter is out of bounds.
    pub(crate) fn with_parameters(
        validators: usize,
        seed: u64,
        further: &[Address],
        parameters: Parameters,
    ) -> Result<Self, Failure> {
        let validators: Vec<_> =
            (0..validators).map(|index| planned_validator(seed, index)).collect();
        let words = words(seed);
        let accounts: Vec<_> = (0..)
            .zip(ACCOUNT_NAMES)
            .map(|(number, name)| PlannedAccount { name, key: words.account(number) })
            .collect();
        let mut builder = GenesisBuilder::local(NETWORK_NAME);
        builder.parameters = parameters;
        builder.validators = validators.iter().map(PlannedValidator::public).collect();
        let named = accounts.iter().map(PlannedAccount::address);
        builder.accounts =
            named.chain(further.iter().copied()).map(|address| (address, BALANCE)).collect();
        let genesis = builder.build().map_err(|errors| {
            Failure::new(Exit::Usage, format!("no such testnet is possible: {errors}"))
        })?;
        Ok(Self { seed, words, accounts, validators, genesis })
    }
}

/// The keys of `count` further accounts.
pub(crate) fn further_keys(seed: u64, count: usize) -> Vec<SecretKey> {
    (0..count).map(|index| SecretKey::from_seed(*derive(seed, "further account", index))).collect()
}

impl PlannedValidator {
    /// What the genesis says about it.
    fn public(&self) -> Validator {
        Validator {
            name: self.name.clone(),
            key: SecretKey::from_seed(*self.validator_seed).public_key(),
            peer_id: peer_id::of_key(&SecretKey::from_seed(*self.node_seed).public_key()),
        }
    }
}

fn planned_validator(seed: u64, index: usize) -> PlannedValidator {
    PlannedValidator {
        name: format!("node{index}"),
        validator_seed: derive(seed, "validator key", index),
        node_seed: derive(seed, "node key", index),
    }
}

fn words(seed: u64) -> Words {
    if seed == 0 {
        return Words::parse(WORDS).expect("these words have a valid checksum, pinned by a test");
    }
    let mut entropy = Zeroizing::new([0; 16]);
    for (to, from) in entropy.iter_mut().zip(derive(seed, "words", 0).iter()) {
        *to = *from;
    }
    Words::from_entropy(&entropy)
}

fn derive(seed: u64, label: &str, index: usize) -> Zeroizing<[u8; 32]> {
    let index = u64::try_from(index).expect("an index of a list fits 64 bits");
    let derived = Derived { seed, label: label.to_owned(), index };
    Zeroizing::new(*digest_of(Domain::SeedDerivation, &derived).as_bytes())
}

#[cfg(test)]
mod tests;
