//! Proofs that a validator's key lied, one file each.
//!
//! One for each kind and accused replica is enough, which bounds them: a key that lied once is never trusted again.
//! They are rare, so each is a file, written whole and durable. Of each a few words are kept
//! in memory, so that a list of them costs no look at the disk.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use crypto::encoding::{from_wire, to_wire};
use types::evidence::{Evidence, EvidenceId, Outline};
use types::replica::ReplicaId;
use types::validators::ValidatorSet;

use crate::directory::{Directory, Lock, hold_shared};
use crate::error::StorageError;
use crate::files;
use crate::sealed::{seal, unseal};

/// Longest file that is read, in bytes: two new views of the largest network fit.
const BYTES_MAX: usize = 8 << 20;

/// The evidence that a validator keeps. Cheap to clone; all clones are the same store.
#[derive(Debug, Clone)]
pub struct EvidenceStore(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    validators: ValidatorSet,
    kept: Mutex<BTreeMap<EvidenceId, Kept>>,
    _lock: Lock,
}

/// A piece of evidence that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What it is about.
    pub outline: Outline,
    /// When it was stored, in milliseconds since 1970 (UTC), when the file system tells.
    pub stored_ms: Option<u64>,
    file: PathBuf,
}

impl EvidenceStore {
    /// The evidence of a locked directory against these validators, kept in a folder that is made when it is not
    /// there. A damaged file is logged and counts as none: the others accuse no less for it, and the next piece of its
    /// kind takes its place.
    ///
    /// # Errors
    ///
    /// [`StorageError::Io`].
    pub fn open(directory: &Directory, validators: &ValidatorSet) -> Result<Self, StorageError> {
        let path = folder(directory.path());
        files::create_directory(&path)?;
        let mut kept = BTreeMap::new();
        for file in names(&path)? {
            match read(&file) {
                Ok(evidence) => note(&mut kept, evidence.outline(validators), file),
                Err(error) => tracing::error!(%error, "a piece of evidence cannot be used"),
            }
        }
        let (validators, kept) = (validators.clone(), Mutex::new(kept));
        Ok(Self(Arc::new(Shared { path, validators, kept, _lock: directory.lock() })))
    }

    /// Keeps a proof, durable when this returns, unless one of the same kind against the same replica is kept. Whether
    /// it was new.
    ///
    /// # Errors
    ///
    /// [`StorageError::Io`].
    pub fn save(&self, evidence: &Evidence, accused: ReplicaId) -> Result<bool, StorageError> {
        let name = format!("{}-{accused}", evidence.name());
        let file = self.0.path.join(&name);
        if self.kept().values().any(|kept| kept.file == file) {
            return Ok(false);
        }
        files::replace_file(&file, &seal(name.as_bytes(), &to_wire(evidence)))?;
        note(&mut self.kept(), evidence.outline(&self.0.validators), file);
        Ok(true)
    }

    /// What is kept, by ascending id, strictly after `after` (from the first for none), at most `limit`.
    pub fn list(&self, after: Option<EvidenceId>, limit: usize) -> Vec<Kept> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let kept = self.kept();
        kept.range((from, Bound::Unbounded)).take(limit).map(|(_, kept)| kept.clone()).collect()
    }

    /// A piece that is kept, read from its file.
    ///
    /// # Errors
    ///
    /// [`StorageError::Io`], [`StorageError::DamagedDirectory`] for a file that is not what was written.
    pub fn find(&self, id: &EvidenceId) -> Result<Option<(Evidence, Kept)>, StorageError> {
        let kept = self.kept().get(id).cloned();
        kept.map(|kept| Ok((read(&kept.file)?, kept))).transpose()
    }

    /// All evidence in the directory of a stopped validator, or in a copy of one, with the times at which it was
    /// stored, in milliseconds since 1970 (UTC), by name of the file. Nothing is changed. Whether it accuses rightly
    /// is asked of [`Evidence`] itself.
    ///
    /// # Errors
    ///
    /// [`StorageError::Locked`] while a validator runs in it, [`StorageError::Io`],
    /// [`StorageError::DamagedDirectory`] for a file that is not what was written.
    pub fn read_stopped(directory: &Path) -> Result<Vec<(Evidence, Option<u64>)>, StorageError> {
        let _lock = hold_shared(directory)?;
        let path = folder(directory);
        if !path.is_dir() {
            return Ok(Vec::new());
        }
        names(&path)?.iter().map(|file| Ok((read(file)?, stored_ms(file)))).collect()
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<EvidenceId, Kept>> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn folder(directory: &Path) -> PathBuf {
    directory.join("evidence")
}

fn note(kept: &mut BTreeMap<EvidenceId, Kept>, outline: Outline, file: PathBuf) {
    let stored_ms = stored_ms(&file);
    kept.insert(outline.id, Kept { outline, stored_ms, file });
}

/// The files with evidence, in order; what an interrupted write left has an ending and is none.
fn names(path: &Path) -> Result<Vec<PathBuf>, StorageError> {
    let mut names: Vec<PathBuf> = fs::read_dir(path)
        .map_err(StorageError::io("list", path))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_none())
        .collect();
    names.sort();
    Ok(names)
}

fn read(file: &Path) -> Result<Evidence, StorageError> {
    let value = fs::read(file).map_err(StorageError::io("read", file))?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
    let content = unseal(name.unwrap_or_default().as_bytes(), &value);
    let evidence = content.and_then(|content| from_wire::<Evidence>(content, BYTES_MAX).ok());
    evidence.ok_or_else(|| StorageError::DamagedDirectory {
        path: file.parent().unwrap_or(file).to_owned(),
        reason: format!("the evidence {} is not what was written", file.display()),
    })
}

fn stored_ms(file: &Path) -> Option<u64> {
    let modified = fs::metadata(file).ok()?.modified().ok()?;
    u64::try_from(modified.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

#[cfg(test)]
mod tests;
