//! What is read back of `accounts.toml`, the file that marks a testnet.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// What is read back of `accounts.toml`: everything but the secrets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct AccountsFile {
    /// What the testnet was derived from.
    pub(crate) seed: u64,
    /// Its named accounts.
    pub(crate) accounts: Vec<NamedAccount>,
}

/// A named account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NamedAccount {
    /// Its name.
    pub(crate) name: String,
    /// The text of its address.
    pub(crate) address: String,
}

impl AccountsFile {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be read or was not written by [`create`](super::create::create).
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|cause| Failure::file("read", path, &cause))?;
        // The message only: the text around an error may hold a secret.
        toml::from_str(&text).map_err(|error| {
            let cause = io::Error::other(error.message().to_owned());
            Failure::file("use", path, &cause)
        })
    }
}
