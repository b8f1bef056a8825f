//! The directory of one validator: whose it is, and that only one process works in it.
//!
//! ```text
//! DIR/lock       held by the running process, with its process id inside
//! DIR/identity   format, chain and validator key; written last when a directory is made
//! DIR/journal    the vote journal
//! DIR/store/     blocks, index, snapshots
//! DIR/evidence/  proofs that a validator's key lied
//! ```
//!
//! The identity is written after the journal, so where there is an identity there must be a journal:
//! a journal that vanished is noticed, and the one that takes its place says that this replica never
//! votes again under its key (protocol, §5). Where all of it vanished, what lies beside the key tells
//! ([`UsedKey`]).
//! What is in the journal and in the store is not looked at here.

mod identity;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crypto::keys::PublicKey;
use crypto::signed::ChainId;

use crate::error::StorageError;
use crate::used::UsedKey;
use crate::{files, journal};

pub use identity::{FORMAT, Identity};

/// How often a held lock is tried again before it counts as held. A tool that merely asks whether the
/// directory is in use holds the lock for a moment.
const LOCK_ATTEMPTS: u32 = 10;

/// Pause between two attempts.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// An opened directory: locked by this process until this, its journal and its store are dropped.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    identity: Identity,
    created: bool,
    lock: Lock,
}

/// Held for its lock by everything that is open in a directory; the system gives the lock back when the last of
/// them is dropped or the process ends, however it ends.
pub(crate) type Lock = Arc<File>;

impl Directory {
    /// Opens the directory of validator `key` on `chain`, making it (mode 0700) when it does not exist
    /// or is empty, and locks it.
    ///
    /// # Errors
    ///
    /// [`StorageError::Locked`] with the process that holds it, [`StorageError::Foreign`] for another
    /// chain or key, [`StorageError::NewerFormat`], [`StorageError::DamagedDirectory`] when the identity
    /// is unreadable or parts are missing, [`StorageError::Io`].
    pub fn open(path: &Path, chain: ChainId, key: PublicKey) -> Result<Self, StorageError> {
        Self::open_or_make(path, Identity { chain, key }, false)
    }

    /// As [`Directory::open`], for a key that was perhaps used before: a directory that is made for one
    /// that signed on this chain has a journal that says so, and its owner never votes again. From
    /// then on the key counts as used.
    ///
    /// # Errors
    ///
    /// As [`Directory::open`], and those of [`UsedKey::names`].
    pub fn open_for(
        used: &UsedKey,
        path: &Path,
        chain: ChainId,
        key: PublicKey,
    ) -> Result<Self, StorageError> {
        let known = used.names(&chain)?;
        // In this order: a creation that is interrupted is none, and nothing is signed before both.
        let directory = Self::open_or_make(path, Identity { chain, key }, known)?;
        if !known {
            used.note(&chain)?;
        }
        Ok(directory)
    }

    fn open_or_make(path: &Path, expected: Identity, used: bool) -> Result<Self, StorageError> {
        files::create_directory(path)?;
        let lock = lock(path)?;
        let created = match Identity::read(path)? {
            Some(found) => {
                found.must_be(&expected, path)?;
                false
            }
            None => {
                create(path, &expected, used)?;
                true
            }
        };
        if journal_is_gone(path)? {
            tracing::error!(
                path = %path.display(),
                "the vote journal is gone: this validator follows and serves the others and never \
                 votes again under its key"
            );
            journal::create_retired(path, expected.chain)?;
        }
        Ok(Self { path: path.to_owned(), identity: expected, created, lock: Arc::new(lock) })
    }

    /// The lock, to be held on to.
    pub(crate) fn lock(&self) -> Lock {
        Arc::clone(&self.lock)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whose it is.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether this opening made it: nothing was ever stored or voted here.
    pub const fn created(&self) -> bool {
        self.created
    }

    /// What it takes on disk, in bytes.
    pub fn disk_bytes(&self) -> u64 {
        files::disk_bytes(&self.path)
    }
}

/// Whether a process works in the directory, for tools: its id when its lock file tells, `None` when
/// nobody does. Nothing is changed; a directory that does not exist is not locked.
///
/// # Errors
///
/// [`StorageError::Io`] when the lock file exists and cannot be opened.
pub fn is_locked(path: &Path) -> Result<Option<Holder>, StorageError> {
    match hold_shared(path) {
        Ok(_) => Ok(None),
        Err(StorageError::Locked { pid, .. }) => Ok(Some(Holder { pid })),
        Err(error) => Err(error),
    }
}

/// Who works in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Its process id, when the lock file tells.
    pub pid: Option<u32>,
}

/// Keeps validators out of a directory while a tool reads it; changes nothing in it. `None` when there
/// is no lock file, as in a partial copy.
pub(crate) fn hold_shared(path: &Path) -> Result<Option<File>, StorageError> {
    let name = lock_path(path);
    let file = match File::open(&name) {
        Ok(file) => file,
        Err(error) if is_not_found(&error) => return Ok(None),
        Err(error) => return Err(StorageError::io("open", &name)(error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            Err(StorageError::Locked { path: path.to_owned(), pid: written_pid(&file) })
        }
        Err(TryLockError::Error(error)) => Err(StorageError::io("lock", &name)(error)),
    }
}

fn lock_path(path: &Path) -> PathBuf {
    path.join("lock")
}

fn lock(path: &Path) -> Result<File, StorageError> {
    let name = lock_path(path);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&name)
        .map_err(StorageError::io("open", &name))?;
    let mut attempts = LOCK_ATTEMPTS;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if attempts > 0 => {
                attempts = attempts.saturating_sub(1);
                thread::sleep(LOCK_PAUSE);
            }
            Err(TryLockError::WouldBlock) => {
                return Err(StorageError::Locked {
                    path: path.to_owned(),
                    pid: written_pid(&file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(StorageError::io("lock", &name)(error)),
        }
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(StorageError::io("write", &name))?;
    Ok(file)
}

/// The process id in a lock file, when it is a number.
fn written_pid(mut file: &File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Whether there is no journal. Only a name that is not there counts: one that the system does not
/// let us look at, or a link that leads nowhere, may come back with the votes that are in it.
pub(crate) fn journal_is_gone(path: &Path) -> Result<bool, StorageError> {
    let name = journal::path(path);
    match fs::metadata(&name) {
        Ok(_) => Ok(false),
        Err(error) if is_not_found(&error) && is_no_name(&name) => Ok(true),
        Err(error) => Err(StorageError::io("look at the vote journal", &name)(error)),
    }
}

fn is_not_found(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

fn is_no_name(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| is_not_found(&error))
}

/// Fills a new directory: the journal first, the identity last. For a key that was used before, the
/// journal is as gone as any that vanished, and one that lies there is no word of its owner: an
/// interrupted creation may have left it before the key was used elsewhere.
fn create(path: &Path, identity: &Identity, used: bool) -> Result<(), StorageError> {
    for entry in fs::read_dir(path).map_err(StorageError::io("list", path))? {
        let entry = entry.map_err(StorageError::io("list", path))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !["lock", "journal", "journal.new", "identity.new"].contains(&name.as_str()) {
            return Err(StorageError::DamagedDirectory {
                path: path.to_owned(),
                reason: format!("it has no identity file and is not empty: {name}"),
            });
        }
    }
    if used {
        tracing::error!(
            path = %path.display(),
            "this key has signed on this chain before, and the directory is new: without its vote \
             journal this validator follows and serves the others and never votes again under its key"
        );
        journal::create_retired(path, identity.chain)?;
    } else {
        journal::create(path, identity.chain)?;
    }
    identity.write(path)
}

#[cfg(test)]
mod tests;
