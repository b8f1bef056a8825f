//! Lost proposals, kept over restarts: one file, written as a whole.
//!
//! Nothing depends on them: they are what a validator has seen, for people who ask. So they are written from time to
//! time and not before anything is sent, a crash may lose the newest, and a damaged file counts as none.

mod book;

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use crypto::encoding::{from_wire, to_wire};
use types::lost::LostProposal;

use crate::directory::{Directory, Lock};
use crate::error::StorageError;
use crate::files;
use crate::sealed::{seal, unseal};

pub use book::{LOST_AT_PLACE_MAX, LOST_MAX, LOST_OF_ONE_MIN, LostProposals};

/// Longest file that is read, in bytes: as many proposals as are kept, each with two votes of 128 validators.
const BYTES_MAX: usize = 32 << 20;

/// What the file is sealed under.
const NAME: &str = "lost-proposals";

/// Where a validator keeps lost proposals. Cheap to clone; all clones are the same file.
#[derive(Debug, Clone)]
pub struct LostProposalStore(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    _lock: Lock,
}

impl LostProposalStore {
    /// The file of a locked directory, whether or not it is there.
    pub fn of(directory: &Directory) -> Self {
        let path = directory.path().join(NAME);
        Self(Arc::new(Shared { path, _lock: directory.lock() }))
    }

    /// What was kept last; nothing when there is no file, or a damaged one, which is logged.
    ///
    /// # Errors
    ///
    /// [`StorageError::Io`].
    pub fn read(&self) -> Result<Vec<LostProposal>, StorageError> {
        let path = &self.0.path;
        let value = match fs::read(path) {
            Ok(value) => value,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StorageError::io("read", path)(error)),
        };
        let content = unseal(NAME.as_bytes(), &value);
        let kept = content.and_then(|content| from_wire(content, BYTES_MAX).ok());
        if kept.is_none() {
            tracing::error!(path = %path.display(), "the lost proposals are not what was written");
        }
        Ok(kept.unwrap_or_default())
    }

    /// Keeps these in place of what was kept, durable when this returns.
    ///
    /// # Errors
    ///
    /// [`StorageError::Io`].
    pub fn write(&self, kept: &Vec<LostProposal>) -> Result<(), StorageError> {
        files::replace_file(&self.0.path, &seal(NAME.as_bytes(), &to_wire(kept)))
    }
}

#[cfg(test)]
mod tests;
