//! The directory of encrypted keys: one file `NAME.key` each, and nothing else that matters.
//!
//! What a file holds is said in [`sealed`]; how files are written and read safely in
//! [`private_file`](crate::private_file). Which network a key is used on is not said here: the
//! same key has another address text under another prefix.

pub(crate) mod sealed;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crypto::derivation::Words;
use crypto::keys::SecretKey;

use crate::exit::{Exit, Failure};
use crate::private_file::{self, PrivateFileError};
use sealed::{Cost, Fresh, SEALED_BYTES_MAX, SealedKey};

/// The longest name of a key, far shorter than any address.
const NAME_BYTES_MAX: usize = 32;

/// A directory of key files.
#[derive(Debug, Clone)]
pub(crate) struct Keystore {
    directory: PathBuf,
}

/// A key of the keystore, still sealed.
#[derive(Debug, Clone)]
pub(crate) struct StoredKey {
    /// Its name.
    pub(crate) name: String,
    /// Its file.
    pub(crate) path: PathBuf,
    /// What the file says.
    pub(crate) sealed: SealedKey,
}

impl StoredKey {
    /// The words, for who knows the password.
    ///
    /// # Errors
    /// [`Exit::Key`] for a wrong password or a changed file.
    pub(crate) fn words(&self, password: &str) -> Result<Words, Failure> {
        self.sealed
            .open(password)
            .map_err(|cause| Failure::key(format!("{}: {cause}", self.path.display())))
    }

    /// The secret key, for who knows the password.
    ///
    /// # Errors
    /// As [`StoredKey::words`].
    pub(crate) fn secret(&self, password: &str) -> Result<SecretKey, Failure> {
        Ok(self.words(password)?.account(self.sealed.account()))
    }

    /// The path of the key under its words.
    pub(crate) fn derivation_path(&self) -> String {
        format!("m/44'/1'/{}'/0'/0'", self.sealed.account())
    }
}

impl Keystore {
    /// The keystore in `directory`, which need not exist.
    pub(crate) fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Where it lies.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Fails when `name` is not a key name or is taken; asked before any password.
    ///
    /// # Errors
    /// [`Exit::Usage`] for a bad name, [`Exit::Key`] for one that is taken.
    pub(crate) fn check_free(&self, name: &str) -> Result<(), Failure> {
        check_name(name)?;
        if self.path(name).symlink_metadata().is_ok() {
            return Err(taken(name));
        }
        Ok(())
    }

    /// Seals words into a new file.
    ///
    /// # Errors
    /// As [`Keystore::check_free`], and [`Exit::Fault`] when the file cannot be written.
    pub(crate) fn add(
        &self,
        name: &str,
        words: &Words,
        account: u32,
        password: &str,
        cost: Cost,
    ) -> Result<StoredKey, Failure> {
        self.check_free(name)?;
        let mut fresh = Fresh { salt: [0; 16], nonce: [0; 24] };
        fill(&mut fresh.salt)?;
        fill(&mut fresh.nonce)?;
        let sealed = SealedKey::seal(words, account, password, cost, fresh)
            .map_err(|cause| Failure::fault("cannot seal the key", cause))?;
        private_file::create_directory(&self.directory)
            .map_err(|cause| Failure::fault("cannot create the keystore", cause))?;
        let path = self.path(name);
        private_file::create(&path, &sealed.to_bytes()).map_err(|cause| match cause {
            PrivateFileError::Exists(_) => taken(name),
            PrivateFileError::Missing(_)
            | PrivateFileError::Open { .. }
            | PrivateFileError::NotAFile(_)
            | PrivateFileError::TooLong { .. }
            | PrivateFileError::System { .. } => Failure::fault("cannot write the key", cause),
        })?;
        Ok(StoredKey { name: name.to_owned(), path, sealed })
    }

    /// The key of that name, `None` when there is none.
    ///
    /// # Errors
    /// [`Exit::Key`] for a file that others may read or that is no key file.
    pub(crate) fn find(&self, name: &str) -> Result<Option<StoredKey>, Failure> {
        if check_name(name).is_err() {
            return Ok(None);
        }
        let path = self.path(name);
        let bytes = match private_file::read(&path, SEALED_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(PrivateFileError::Missing(_)) => return Ok(None),
            Err(cause) => return Err(Failure::key(format!("cannot use the key {name}: {cause}"))),
        };
        let sealed = SealedKey::parse(&bytes)
            .map_err(|cause| Failure::key(format!("{}: {cause}", path.display())))?;
        Ok(Some(StoredKey { name: name.to_owned(), path, sealed }))
    }

    /// The key of that name.
    ///
    /// # Errors
    /// [`Exit::NotFound`] when there is none; else as [`Keystore::find`].
    pub(crate) fn get(&self, name: &str) -> Result<StoredKey, Failure> {
        self.find(name)?.ok_or_else(|| {
            let directory = self.directory.display();
            Failure::not_found(format!("there is no key {name} in {directory}"))
                .with_hint("`logothete-wallet keys list` shows the keys there are")
        })
    }

    /// The names of all keys, sorted. A directory that is not there has none.
    ///
    /// # Errors
    /// [`Exit::Fault`] when the directory cannot be read.
    pub(crate) fn names(&self) -> Result<Vec<String>, Failure> {
        let fault = |cause| {
            Failure::fault(format!("cannot read the keystore {}", self.directory.display()), cause)
        };
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(cause) => return Err(fault(cause)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let file = entry.map_err(fault)?.file_name();
            let name = file.to_str().and_then(|file| file.strip_suffix(".key"));
            names.extend(name.filter(|name| check_name(name).is_ok()).map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.key"))
    }
}

/// Entropy of new words: 12 words take 16 bytes, 24 take 32.
///
/// # Errors
/// [`Exit::Fault`] when the system has no randomness, [`Exit::Usage`] for another number of words.
pub(crate) fn new_words(count: u8) -> Result<Words, Failure> {
    let mut entropy = zeroize::Zeroizing::new([0; 32]);
    fill(entropy.as_mut_slice())?;
    let bytes = match count {
        12 => entropy.first_chunk::<16>().map(<[u8; 16]>::as_slice),
        24 => Some(entropy.as_slice()),
        _ => None,
    };
    let bytes = bytes.ok_or_else(|| Failure::usage("a new key has 12 or 24 words"))?;
    sealed::words_of(bytes).map_err(|cause| Failure::fault("cannot make words", cause))
}

fn fill(bytes: &mut [u8]) -> Result<(), Failure> {
    getrandom::fill(bytes).map_err(|cause| Failure::fault("the system has no randomness", cause))
}

fn taken(name: &str) -> Failure {
    Failure::new(Exit::Key, "key-exists", format!("there is a key {name} already"))
        .with_hint("choose another name; a key is never written over")
}

fn check_name(name: &str) -> Result<(), Failure> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let starts = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if plain && starts && name.len() <= NAME_BYTES_MAX {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{name:?} is no name for a key: 1 to {NAME_BYTES_MAX} letters, digits, dots, dashes and \
         underscores, the first a letter or digit"
    )))
}

#[cfg(test)]
mod tests;
