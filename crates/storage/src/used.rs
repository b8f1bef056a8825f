//! What a key was used for, beside the key: a few lines that a person can read.
//!
//! A directory that is empty may be a new validator's, or one whose journal was lost with all the rest; what
//! its key has signed must not be contradicted (protocol, §5), so the two are told apart by what lies
//! beside the key, which is never lost alone.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crypto::signed::ChainId;

use crate::error::StorageError;
use crate::files;

/// First line of the file.
const TITLE: &str =
    "this key signs on these chains; without their journals it never votes there again\n";

/// Longest file that is looked at, in bytes.
const BYTES_MAX: u64 = 64 * 1024;

/// The chains that a key has a journal for, or had.
#[derive(Debug)]
pub struct UsedKey {
    path: PathBuf,
}

impl UsedKey {
    /// Of the key in this file: `KEY.used` is beside it.
    pub fn beside(key: &Path) -> Self {
        let mut path = key.as_os_str().to_owned();
        path.push(".used");
        Self { path: PathBuf::from(path) }
    }

    /// Where it is written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the key was used on a chain.
    ///
    /// # Errors
    ///
    /// [`StorageError::DamagedDirectory`] for a file that was not written here, [`StorageError::Io`].
    pub fn names(&self, chain: &ChainId) -> Result<bool, StorageError> {
        Ok(self.chains()?.contains(chain))
    }

    /// Writes that it is used on a chain, so that it is there after a power cut.
    ///
    /// # Errors
    ///
    /// As [`UsedKey::names`].
    pub fn note(&self, chain: &ChainId) -> Result<(), StorageError> {
        let mut chains = self.chains()?;
        if chains.contains(chain) {
            return Ok(());
        }
        chains.push(*chain);
        let lines: String = chains.iter().map(|chain| format!("{chain}\n")).collect();
        files::replace_file(&self.path, format!("{TITLE}{lines}").as_bytes())
    }

    fn chains(&self) -> Result<Vec<ChainId>, StorageError> {
        let damaged = |reason: &str| StorageError::DamagedDirectory {
            path: self.path.clone(),
            reason: reason.to_owned(),
        };
        match fs::metadata(&self.path) {
            Ok(metadata) if metadata.len() > BYTES_MAX => return Err(damaged("it is too long")),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StorageError::io("look at", &self.path)(error)),
        }
        let bytes = fs::read(&self.path).map_err(StorageError::io("read", &self.path))?;
        let text = String::from_utf8(bytes).map_err(|_| damaged("it is not text"))?;
        let lines = text.strip_prefix(TITLE).ok_or_else(|| damaged("its first line is changed"))?;
        let parsed: Result<Vec<ChainId>, StorageError> = lines
            .lines()
            .map(|line| line.parse().map_err(|_| damaged("it has a line that is no chain id")))
            .collect();
        parsed
    }
}

#[cfg(test)]
mod tests;
