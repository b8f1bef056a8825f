//! Names: who can pay and who can be paid, and which address a name stands for.
//!
//! A name is one of the keystore or one of the accounts that a local testnet comes with. Those have
//! their secrets in a plain file, so they exist only where nothing is at stake: on networks whose
//! addresses begin with `rlgt`.

use std::path::Path;

use crypto::keys::SecretKey;
use serde::Deserialize;
use types::Address;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::arguments::PasswordArguments;
use crate::exit::Failure;
use crate::keystore::{Keystore, StoredKey};
use crate::output::Output;
use crate::password;
use crate::private_file::{self, PrivateFileError};
use crate::site::Site;

/// What the addresses of local networks begin with.
pub(crate) const LOCAL_PREFIX: &str = "rlgt";

/// The longest file of local accounts, in bytes.
const ACCOUNTS_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Marks a name of the keystore where a local account has the same.
const KEY_MARK: &str = "key:";
/// Marks a local account where a key has the same name.
const LOCAL_MARK: &str = "local:";

/// An account that a local testnet comes with.
pub(crate) struct LocalAccount {
    /// Its name.
    pub(crate) name: String,
    /// Its secret key, known to everybody who can read the file.
    pub(crate) secret: SecretKey,
}

impl LocalAccount {
    /// Its address.
    pub(crate) fn address(&self) -> Address {
        Address::Key(self.secret.public_key())
    }
}

/// Somebody who can sign.
pub(crate) enum Payer<'a> {
    /// An account of the testnet.
    Local(&'a LocalAccount),
    /// A key of the keystore.
    Stored(Box<StoredKey>),
}

impl Payer<'_> {
    /// Who it is.
    pub(crate) fn name(&self) -> &str {
        match self {
            Payer::Local(account) => &account.name,
            Payer::Stored(stored) => &stored.name,
        }
    }

    /// Whose money it is.
    pub(crate) fn address(&self) -> Address {
        match self {
            Payer::Local(account) => account.address(),
            Payer::Stored(stored) => Address::Key(stored.sealed.public_key()),
        }
    }

    /// The secret key; asks for the password of a stored key.
    ///
    /// # Errors
    /// [`Exit::Key`](crate::exit::Exit::Key) for a password that cannot be had or is wrong.
    pub(crate) fn unlock(
        &self,
        arguments: &PasswordArguments,
        output: &mut Output,
    ) -> Result<SecretKey, Failure> {
        match self {
            Payer::Local(account) => Ok(SecretKey::from_seed(*account.secret.seed())),
            Payer::Stored(stored) => {
                let password = password::existing(arguments, &stored.name, output)?;
                stored.secret(&password)
            }
        }
    }
}

/// Everybody who has a name on a network.
pub(crate) struct People {
    prefix: String,
    keystore: Keystore,
    local: Vec<LocalAccount>,
    withheld: bool,
}

impl People {
    /// Those of the keystore and, on a local network, those of its directory.
    ///
    /// # Errors
    /// [`Exit::Key`](crate::exit::Exit::Key) when the file of local accounts may be read by others
    /// or is not one.
    pub(crate) fn of(site: &Site, keystore: &Keystore) -> Result<Self, Failure> {
        let prefix = site.genesis().prefix().to_owned();
        let path = site.directory().map(|directory| directory.join("accounts.toml"));
        let is_local = prefix == LOCAL_PREFIX;
        let withheld = !is_local && path.as_ref().is_some_and(|path| path.exists());
        let local = match path.filter(|_| is_local) {
            Some(path) => read_local(&path)?,
            None => Vec::new(),
        };
        Ok(Self { prefix, keystore: keystore.clone(), local, withheld })
    }

    /// The accounts of the testnet.
    pub(crate) fn local(&self) -> &[LocalAccount] {
        &self.local
    }

    /// The address that a name or an address text stands for.
    ///
    /// # Errors
    /// [`Exit::NotFound`](crate::exit::Exit::NotFound) for a name nobody has,
    /// [`Exit::Usage`](crate::exit::Exit::Usage) for an ambiguous one or a bad address.
    pub(crate) fn resolve(&self, who: &str) -> Result<Address, Failure> {
        match Address::from_text(&self.prefix, who) {
            Ok(address) => Ok(address),
            Err(cause) if self.looks_like_an_address(who) => {
                Err(Failure::usage(format!("{who}: {cause}")))
            }
            Err(_) => Ok(self.payer(who)?.address()),
        }
    }

    /// Who can sign under a name.
    ///
    /// # Errors
    /// As [`People::resolve`], [`Exit::Usage`](crate::exit::Exit::Usage) for an address, whose key
    /// nobody could look for, and [`Exit::Key`](crate::exit::Exit::Key) for a key file that
    /// cannot be used.
    pub(crate) fn payer(&self, who: &str) -> Result<Payer<'_>, Failure> {
        if let Some(name) = who.strip_prefix(KEY_MARK) {
            return Ok(Payer::Stored(Box::new(self.keystore.get(name)?)));
        }
        if let Some(name) = who.strip_prefix(LOCAL_MARK) {
            return self.find_local(name).map(Payer::Local).ok_or_else(|| self.nobody(name));
        }
        if self.looks_like_an_address(who) {
            return Err(Failure::usage(format!("{who} is an address, and pays only by its name"))
                .with_hint(
                    "FROM is a name; `logothete-wallet accounts` shows those of this computer",
                ));
        }
        let local = self.find_local(who).map(Payer::Local);
        let stored = self.keystore.find(who)?.map(|stored| Payer::Stored(Box::new(stored)));
        match (local, stored) {
            (Some(local), Some(stored)) if local.address() != stored.address() => {
                Err(Failure::usage(format!(
                    "{who} is a key of the keystore and an account of the testnet"
                ))
                .with_hint(format!("say which one: {KEY_MARK}{who} or {LOCAL_MARK}{who}")))
            }
            (Some(payer), _) | (None, Some(payer)) => Ok(payer),
            (None, None) => Err(self.nobody(who)),
        }
    }

    fn find_local(&self, name: &str) -> Option<&LocalAccount> {
        self.local.iter().find(|account| account.name == name)
    }

    /// No name is so long or begins so: whoever wrote this meant an address.
    fn looks_like_an_address(&self, who: &str) -> bool {
        let beginning = format!("{}1", self.prefix);
        who.len() > 40 || who.to_lowercase().starts_with(&beginning)
    }

    fn nobody(&self, who: &str) -> Failure {
        let failure = Failure::not_found(format!("nobody here is called {who:?}"));
        if self.withheld {
            return failure.with_hint(format!(
                "accounts.toml is not read: its secrets are for local networks, whose addresses \
                 begin with {LOCAL_PREFIX}, and those of this network begin with {}",
                self.prefix
            ));
        }
        failure.with_hint("`logothete-wallet accounts` shows the names that can be used")
    }
}

/// `accounts.toml`, as `logothete testnet` writes it.
#[derive(Deserialize)]
struct AccountsFile {
    #[serde(default)]
    accounts: Vec<AccountEntry>,
}

#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
struct AccountEntry {
    name: String,
    address: String,
    secret: String,
}

fn read_local(path: &Path) -> Result<Vec<LocalAccount>, Failure> {
    let unusable = |cause: String| Failure::key(format!("cannot use {}: {cause}", path.display()));
    let bytes = match private_file::read(path, ACCOUNTS_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(PrivateFileError::Missing(_)) => return Ok(Vec::new()),
        Err(cause) => return Err(Failure::key(cause.to_string())),
    };
    let text = std::str::from_utf8(&bytes).map_err(|cause| unusable(cause.to_string()))?;
    // The message only: the text around an error may hold a secret.
    let file: AccountsFile =
        toml::from_str(text).map_err(|cause| unusable(cause.message().to_owned()))?;
    file.accounts.iter().map(|entry| local_account(entry).map_err(unusable)).collect()
}

fn local_account(entry: &AccountEntry) -> Result<LocalAccount, String> {
    let seed: crypto::digest::Digest =
        entry.secret.parse().map_err(|cause| format!("secret of {}: {cause}", entry.name))?;
    let account =
        LocalAccount { name: entry.name.clone(), secret: SecretKey::from_seed(*seed.as_bytes()) };
    // The address is there for people; one that belongs to another key would mislead them.
    if account.address().to_text(LOCAL_PREFIX) != entry.address {
        return Err(format!("the address of {} does not belong to its secret", entry.name));
    }
    Ok(account)
}

#[cfg(test)]
mod tests;
