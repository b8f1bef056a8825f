//! Proofs that a validator's key lied, one file each.
//!
//! One for each kind and accused replica is enough, which bounds them: a key that lied once is never trusted again.
//! They are rare, so each is a file, written whole and durable before anybody is told.

use std::fs;
use std::path::{Path, PathBuf};

use crypto::encoding::{from_wire, to_wire};
use types::evidence::Evidence;
use types::replica::ReplicaId;

use crate::directory::{Directory, Lock};
use crate::error::StorageError;
use crate::files;
use crate::sealed::{seal, unseal};

/// Longest file that is read, in bytes: two new views of the largest network fit.
const BYTES_MAX: usize = 8 << 20;

/// The evidence that a validator keeps.
#[derive(Debug)]
pub struct EvidenceStore {
    path: PathBuf,
    _lock: Lock,
}

impl EvidenceStore {
    /// The evidence of a locked directory, kept in a folder that is made when it is not there.
    ///
    /// # Errors
    ///
    /// [`StorageError::Io`].
    pub fn open(directory: &Directory) -> Result<Self, StorageError> {
        let path = directory.path().join("evidence");
        files::create_directory(&path)?;
        Ok(Self { path, _lock: directory.lock() })
    }

    /// Keeps a proof, durable when this returns, unless one of the same kind against the same replica is kept. Whether
    /// it was new.
    ///
    /// # Errors
    ///
    /// [`StorageError::Io`].
    pub fn save(&self, evidence: &Evidence, accused: ReplicaId) -> Result<bool, StorageError> {
        let name = format!("{}-{accused}", evidence.name());
        let file = self.path.join(&name);
        if file.is_file() {
            return Ok(false);
        }
        files::replace_file(&file, &seal(name.as_bytes(), &to_wire(evidence)))?;
        Ok(true)
    }

    /// Everything that is kept, by name of the file. Whether it accuses rightly is asked of
    /// [`Evidence`] itself.
    ///
    /// # Errors
    ///
    /// [`StorageError::Io`], [`StorageError::DamagedDirectory`] for a file that is not what was written.
    pub fn all(&self) -> Result<Vec<Evidence>, StorageError> {
        let mut names: Vec<PathBuf> = fs::read_dir(&self.path)
            .map_err(StorageError::io("list", &self.path))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_none())
            .collect();
        names.sort();
        names.iter().map(|file| self.read(file)).collect()
    }

    fn read(&self, file: &Path) -> Result<Evidence, StorageError> {
        let value = fs::read(file).map_err(StorageError::io("read", file))?;
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
        let content = unseal(name.unwrap_or_default().as_bytes(), &value);
        let evidence = content.and_then(|content| from_wire::<Evidence>(content, BYTES_MAX).ok());
        evidence.ok_or_else(|| StorageError::DamagedDirectory {
            path: self.path.clone(),
            reason: format!("the evidence {} is not what was written", file.display()),
        })
    }
}

#[cfg(test)]
mod tests;
