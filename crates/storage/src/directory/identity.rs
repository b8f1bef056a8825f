//! The identity file: a few lines that a person can read, and no other bytes than these.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crypto::digest::{Domain, digest};
use crypto::keys::PublicKey;
use crypto::signed::ChainId;

use crate::error::StorageError;
use crate::files;

/// Format of the directory that this program writes and reads.
pub const FORMAT: u32 = 1;

/// First words of the file, before the format's number.
const TITLE: &str = "logothete data directory, format ";

/// Longest identity file that is looked at, in bytes.
const BYTES_MAX: u64 = 1024;

/// Whose directory it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The chain whose blocks and votes it holds.
    pub chain: ChainId,
    /// The key whose votes it holds.
    pub key: PublicKey,
}

impl Identity {
    /// Reads the identity of the directory at `path`; `None` when it has none.
    ///
    /// # Errors
    ///
    /// [`StorageError::NewerFormat`], [`StorageError::DamagedDirectory`] for any byte that differs
    /// from what was written, [`StorageError::Io`].
    pub fn read(path: &Path) -> Result<Option<Self>, StorageError> {
        let name = file(path);
        let damaged = |reason: &str| StorageError::DamagedDirectory {
            path: name.clone(),
            reason: reason.to_owned(),
        };
        match fs::metadata(&name) {
            Ok(metadata) if metadata.len() > BYTES_MAX => {
                return Err(damaged("it is too long for an identity file"));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StorageError::io("look at", &name)(error)),
        }
        let bytes = fs::read(&name).map_err(StorageError::io("read", &name))?;
        let text = String::from_utf8(bytes).map_err(|_| damaged("it is not text"))?;
        let format = text
            .strip_prefix(TITLE)
            .and_then(|rest| rest.lines().next())
            .and_then(|number| number.parse::<u32>().ok())
            .ok_or_else(|| damaged("its first line is not an identity's"))?;
        let identity = Self::parse(&text);
        match identity {
            Some(identity) if identity.text() == text => Ok(Some(identity)),
            // A later format may look different after the first line, so only its number is believed.
            _ if format > FORMAT => {
                Err(StorageError::NewerFormat { path: name, found: format, known: FORMAT })
            }
            _ => Err(damaged("its checksum does not match its content")),
        }
    }

    /// Writes it so that it is there after a power cut.
    pub(super) fn write(&self, path: &Path) -> Result<(), StorageError> {
        files::replace_file(&file(path), self.text().as_bytes())
    }

    /// Refuses a directory that is another's.
    pub(crate) fn must_be(&self, expected: &Self, path: &Path) -> Result<(), StorageError> {
        let foreign = |what, expected: String, found: String| {
            Err(StorageError::Foreign { path: path.to_owned(), what, expected, found })
        };
        if self.chain != expected.chain {
            foreign("chain", expected.chain.to_string(), self.chain.to_string())
        } else if self.key != expected.key {
            foreign("validator key", expected.key.to_string(), self.key.to_string())
        } else {
            Ok(())
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines().skip(1);
        let chain = lines.next()?.strip_prefix("chain ")?.parse().ok()?;
        let key = lines.next()?.strip_prefix("validator ")?.parse().ok()?;
        Some(Self { chain, key })
    }

    fn text(&self) -> String {
        let content = format!("{TITLE}{FORMAT}\nchain {}\nvalidator {}\n", self.chain, self.key);
        let checksum = digest(Domain::StoredRecord, content.as_bytes());
        format!("{content}checksum {checksum}\n")
    }
}

fn file(path: &Path) -> PathBuf {
    path.join("identity")
}
