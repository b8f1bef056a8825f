//! Reading a stopped validator's directory, or a copy of one, without changing a byte of it.
//!
//! sled cannot open a database without writing to it (it cleans its log's end and may write files), so the store
//! is copied to a scratch directory and opened there; identity and journal are read where they are. While
//! the archive is open, a validator that starts in the directory is kept out by a shared lock.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use pbft::record::Record;
use types::genesis::Genesis;

use crate::directory::{Identity, hold_shared, journal_is_gone};
use crate::error::StorageError;
use crate::store::{self, OpenReport, Store};
use crate::{files, journal};

/// What a directory held when it was opened.
#[derive(Debug)]
pub struct Archive {
    identity: Identity,
    records: Vec<Record>,
    journal_torn_bytes: u64,
    store: Store,
    report: OpenReport,
    /// Dropped after the store that lies in it.
    _scratch: Scratch,
    _lock: Option<File>,
}

impl Archive {
    /// Opens the directory at `path` for reading. `scratch` is where the copy of its store is made, in a
    /// directory of its own that is removed with the archive; it takes as much room as the store.
    ///
    /// # Errors
    ///
    /// [`StorageError::Locked`] while a validator runs in it, [`StorageError::Foreign`] when it belongs to
    /// another chain than this genesis', every kind of damage, [`StorageError::Io`].
    pub fn open(path: &Path, genesis: &Genesis, scratch: &Path) -> Result<Self, StorageError> {
        Self::open_unless(path, genesis, scratch, &|| false)
    }

    /// As [`Archive::open`], for somebody who may be told to stop meanwhile: a store takes a while to copy.
    ///
    /// # Errors
    ///
    /// As [`Archive::open`], and [`StorageError::Interrupted`] soon after `is_told_to_stop` says so. No copy stays.
    pub fn open_unless(
        path: &Path,
        genesis: &Genesis,
        scratch: &Path,
        is_told_to_stop: &dyn Fn() -> bool,
    ) -> Result<Self, StorageError> {
        let lock = hold_shared(path)?;
        let Some(identity) = Identity::read(path)? else {
            return Err(StorageError::DamagedDirectory {
                path: path.to_owned(),
                reason: "it has no identity file: it is not a validator's data directory"
                    .to_owned(),
            });
        };
        let expected = Identity { chain: *genesis.chain(), key: identity.key };
        identity.must_be(&expected, path)?;
        if journal_is_gone(path)? {
            return Err(StorageError::NoJournal { path: journal::path(path) });
        }
        let journal = journal::load(&journal::path(path), identity.chain)?;
        let scratch = Scratch::new(scratch)?;
        let copy = scratch.path.join("store");
        let original = store::path(path);
        if original.is_dir() {
            files::copy_directory(&original, &copy, is_told_to_stop)?;
        }
        let (store, report) = store::open_copy(&copy, &original, genesis)?;
        Ok(Self {
            identity,
            records: journal.contents.records,
            journal_torn_bytes: journal.torn_bytes,
            store,
            report,
            _scratch: scratch,
            _lock: lock,
        })
    }

    /// Whose directory it is.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The journal's records, oldest first.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Bytes of an interrupted write at the journal's end, which the next start would leave out.
    /// Not 0 after a crash, and perhaps after damage to the very last frame: the two look alike.
    pub const fn journal_torn_bytes(&self) -> u64 {
        self.journal_torn_bytes
    }

    /// The store, to read.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// What opening the copy of the store found. There was no store when it was [made](OpenReport::created).
    pub const fn report(&self) -> &OpenReport {
        &self.report
    }
}

/// A directory that is removed when this is dropped.
#[derive(Debug)]
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new(parent: &Path) -> Result<Self, StorageError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("logothete-archive-{}-{number}", std::process::id());
        let path = parent.join(name);
        // Never an existing one: in a shared directory somebody else may have made it.
        fs::create_dir(&path).map_err(StorageError::io("create the directory", &path))?;
        Ok(Self { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove a scratch directory");
        }
    }
}

#[cfg(test)]
mod tests;
