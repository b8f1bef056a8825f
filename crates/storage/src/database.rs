//! Keys and values in sled 0.34.7: the only module that names it.
//!
//! Every rule here was measured and none may be relaxed for convenience. sled's `flush` hands data to the
//! system without `fsync`, so durability is `flush` and then `sync_data` on a second descriptor of its file.
//! A file `snap.*.generating` left by a kill keeps it from ever opening again and holds nothing, so it is
//! removed first. Some damage makes it panic, so every call is made inside `catch_unwind` (a build that
//! aborts on panic loses that). Values above a limit would go to files that are never synced; ours stay far
//! below, and that directory is asserted to stay empty: listed when it opens, and after every sync asked
//! whether it has changed since, which takes no file descriptor. Clients of the API may have used up all of
//! them, and what is on disk must not depend on that.
//!
//! What the values mean, and their checksums, are the business of the callers.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, SystemTime};

use sled::{Config, Db, IVec, Mode};

use crate::error::StorageError;
use crate::files;

/// Longest value, in bytes.
pub(crate) const VALUE_BYTES_MAX: usize = 32 << 10;

/// sled's page cache, in bytes.
const CACHE_BYTES: u64 = 64 << 20;

/// Unit of sled's log, in bytes: the greatest there is, so that a page of large values fits in.
const SEGMENT_BYTES: usize = 16 << 20;

/// How often an open that finds sled's own lock held is tried again: after a close within this
/// process, sled lets go of it a little later.
const OPEN_ATTEMPTS: u32 = 100;

/// Pause between two attempts.
const OPEN_PAUSE: Duration = Duration::from_millis(20);

/// An open database. Reads and writes may come from any thread.
#[derive(Debug)]
pub(crate) struct Database {
    db: Db,
    /// sled's file once more: what is synced.
    file: File,
    /// What it is called in errors: of a copy, the original.
    name: PathBuf,
    blobs: PathBuf,
    /// When the directory of blobs, found empty at the opening, last changed.
    blobs_changed: SystemTime,
    /// The first failed write or sync; nothing is written after it.
    failure: OnceLock<String>,
}

/// A value's bytes, cheap to hold.
pub(crate) type Value = IVec;

/// One step of an atomic change.
#[derive(Debug)]
pub(crate) enum Change {
    /// Sets a key.
    Put(Vec<u8>, Vec<u8>),
    /// Removes a key.
    Remove(Vec<u8>),
}

impl Database {
    #[cfg(test)]
    pub(crate) fn open(path: &Path) -> Result<Self, StorageError> {
        Self::open_as(path, path)
    }

    /// Opens or creates the database in `path`, a directory that exists. Anything that keeps it from
    /// opening other than the operating system is [`StorageError::DamagedStore`], of what `name` says.
    pub(crate) fn open_as(path: &Path, name: &Path) -> Result<Self, StorageError> {
        let leftovers = remove_unfinished(path)?;
        if leftovers > 0 {
            tracing::info!(path = %path.display(), leftovers, "removed an unfinished file of sled");
        }
        let db = open_patiently(path, name)?;
        let file_path = path.join("db");
        let file = File::open(&file_path).map_err(StorageError::io("open", &file_path))?;
        let blobs = path.join("blobs");
        // Noted before it is listed: what comes later changes it.
        let blobs_changed = last_changed(&blobs)?;
        let database = Self {
            db,
            file,
            name: name.to_owned(),
            blobs,
            blobs_changed,
            failure: OnceLock::new(),
        };
        // Created or recovered, its files must be found by their names after a power cut.
        let settings = path.join("conf");
        File::open(&settings)
            .and_then(|settings| settings.sync_all())
            .map_err(StorageError::io("sync", &settings))?;
        files::sync_directory(path)?;
        files::sync_parent(path)?;
        database.must_have_no_blobs()?;
        Ok(database)
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Value>, Broken> {
        guarded(|| self.db.get(key))
    }

    /// The least key that starts with `prefix` and is at or above `from`, with its value.
    pub(crate) fn first(
        &self,
        prefix: &[u8],
        from: &[u8],
    ) -> Result<Option<(Value, Value)>, Broken> {
        let found = guarded(|| self.db.range(from.to_vec()..).next().transpose())?;
        Ok(found.filter(|(key, _)| key.starts_with(prefix)))
    }

    /// The greatest key that starts with `prefix`, with its value.
    pub(crate) fn last(&self, prefix: &[u8]) -> Result<Option<(Value, Value)>, Broken> {
        let range = (Bound::Included(prefix.to_vec()), after(prefix));
        guarded(|| self.db.range(range).next_back().transpose())
    }

    /// Sets a key. Not durable before [`Database::make_durable`].
    pub(crate) fn put(&self, key: &[u8], value: &[u8]) -> Result<(), StorageError> {
        assert!(
            value.len() <= VALUE_BYTES_MAX,
            "a value of {} bytes would leave the log that is synced",
            value.len()
        );
        self.write("write", || self.db.insert(key, value).map(drop))
    }

    /// Removes a key, which need not exist.
    pub(crate) fn remove(&self, key: &[u8]) -> Result<(), StorageError> {
        self.write("remove a value", || self.db.remove(key).map(drop))
    }

    /// Makes all changes or none, whenever the power fails.
    pub(crate) fn change(&self, changes: Vec<Change>) -> Result<(), StorageError> {
        let mut batch = sled::Batch::default();
        for change in changes {
            match change {
                Change::Put(key, value) => {
                    assert!(
                        value.len() <= VALUE_BYTES_MAX,
                        "a value of {} bytes would leave the log that is synced",
                        value.len()
                    );
                    batch.insert(key, value);
                }
                Change::Remove(key) => batch.remove(key),
            }
        }
        self.write("write", || self.db.apply_batch(batch))
    }

    /// Removes every key that starts with `prefix`.
    pub(crate) fn remove_all(&self, prefix: &[u8]) -> Result<(), StorageError> {
        while let Some((key, _)) =
            self.first(prefix, prefix).map_err(|broken| self.damaged(broken))?
        {
            self.remove(&key)?;
        }
        Ok(())
    }

    /// Makes everything written before durable. A failure is final.
    pub(crate) fn make_durable(&self) -> Result<(), StorageError> {
        self.write("flush", || self.db.flush().map(drop))?;
        let synced = self.file.sync_data().map_err(StorageError::io("sync", &self.name.join("db")));
        self.poison_on_error(synced)?;
        let no_blobs = self.must_have_no_new_blobs();
        self.poison_on_error(no_blobs)
    }

    /// Refuses when a write or sync failed before.
    pub(crate) fn refuse_after_failure(&self) -> Result<(), StorageError> {
        match self.failure.get() {
            None => Ok(()),
            Some(first) => Err(StorageError::Poisoned { first: first.clone() }),
        }
    }

    /// A read that failed, as damage of the store as a whole.
    pub(crate) fn damaged(&self, broken: Broken) -> StorageError {
        StorageError::DamagedStore { path: self.name.clone(), reason: broken.reason }
    }

    fn write(
        &self,
        action: &'static str,
        call: impl FnOnce() -> sled::Result<()>,
    ) -> Result<(), StorageError> {
        self.refuse_after_failure()?;
        let written = guarded(call)
            .map_err(|broken| StorageError::Database { action, reason: broken.reason });
        self.poison_on_error(written)
    }

    /// Passes a result on; after an error nothing is written any more.
    pub(crate) fn poison_on_error(
        &self,
        result: Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        if let Err(error) = &result {
            // A second failure changes nothing: the first is the one to tell.
            self.failure.get_or_init(|| error.full_text());
        }
        result
    }

    /// As [`Database::must_have_no_blobs`], looking only when something has changed.
    fn must_have_no_new_blobs(&self) -> Result<(), StorageError> {
        if last_changed(&self.blobs)? == self.blobs_changed {
            return Ok(());
        }
        self.must_have_no_blobs()
    }

    fn must_have_no_blobs(&self) -> Result<(), StorageError> {
        let mut entries =
            fs::read_dir(&self.blobs).map_err(StorageError::io("list", &self.blobs))?;
        match entries.next() {
            None => Ok(()),
            Some(_) => Err(StorageError::DamagedStore {
                path: self.name.clone(),
                reason: "a value was kept outside the log that is synced".to_owned(),
            }),
        }
    }
}

/// A call that sled refused or did not survive.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    /// sled's words, or better ones.
    pub(crate) reason: String,
    /// Whether the operating system refused: a full disk or a missing permission is no damage.
    system: bool,
}

/// Calls sled and survives its panics. After one in a write nothing more is written (the caller poisons); reads
/// of other keys go on, each with its own answer.
fn guarded<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, Broken> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Broken {
            reason: words(&error),
            system: matches!(&error, sled::Error::Io(error) if is_refusal(error)),
        }),
        Err(panic) => {
            let text = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "no reason given".to_owned());
            Err(Broken { reason: format!("sled panicked: {text}"), system: false })
        }
    }
}

/// What an error says. For damage sled prints its own types.
fn words(error: &sled::Error) -> String {
    if matches!(error, sled::Error::Corruption { .. }) {
        return "what is read is not what was written".to_owned();
    }
    error.to_string()
}

/// Whether an error of the operating system is one of its own, and not the consequence of an offset or length
/// that was read from damaged bytes.
fn is_refusal(error: &std::io::Error) -> bool {
    match error.raw_os_error() {
        Some(_) => error.kind() != ErrorKind::InvalidInput,
        // sled copies errors, and only the kind survives that.
        None => [
            ErrorKind::PermissionDenied,
            ErrorKind::StorageFull,
            ErrorKind::QuotaExceeded,
            ErrorKind::ReadOnlyFilesystem,
        ]
        .contains(&error.kind()),
    }
}

fn open_patiently(path: &Path, name: &Path) -> Result<Db, StorageError> {
    let config = Config::new()
        .path(path)
        .mode(Mode::LowSpace)
        .cache_capacity(CACHE_BYTES)
        .segment_size(SEGMENT_BYTES)
        // Every write of ours is flushed by its caller; a thread that syncs twice a second would only be in
        // the way of the vote journal's syncs.
        .flush_every_ms(None);
    let mut attempts = OPEN_ATTEMPTS;
    loop {
        let broken = match guarded(|| config.open()) {
            Ok(db) => return Ok(db),
            Err(broken) => broken,
        };
        let busy = broken.reason.contains("could not acquire lock");
        if !busy && !broken.system {
            return Err(StorageError::DamagedStore {
                path: name.to_owned(),
                reason: broken.reason,
            });
        }
        if !busy || attempts == 0 {
            return Err(StorageError::Database { action: "open", reason: broken.reason });
        }
        attempts = attempts.saturating_sub(1);
        thread::sleep(OPEN_PAUSE);
    }
}

/// When a file was last made in a directory, or removed.
fn last_changed(path: &Path) -> Result<SystemTime, StorageError> {
    fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .map_err(StorageError::io("look at", path))
}

/// Removes what a kill left of a file that sled was about to rename. Says how many.
fn remove_unfinished(path: &Path) -> Result<usize, StorageError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(StorageError::io("list", path)(error)),
    };
    let mut removed: usize = 0;
    for entry in entries {
        let entry = entry.map_err(StorageError::io("list", path))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(entry.path()).map_err(StorageError::io("remove", &entry.path()))?;
            removed = removed.saturating_add(1);
        }
    }
    Ok(removed)
}

/// The bound above every key that starts with `prefix`.
fn after(prefix: &[u8]) -> Bound<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Bound::Excluded(end);
        }
    }
    Bound::Unbounded
}

#[cfg(test)]
mod tests;
