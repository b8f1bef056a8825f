//! A folder for one run, where everybody may write: nobody else's is ever taken for it, or deleted.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// How many names are tried.
const NAMES: u32 = 1_000;
/// Who may look into it: its owner.
const MODE: u32 = 0o700;

/// A folder that this process made, deleted with it unless it is kept.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
    kept: bool,
}

impl Scratch {
    /// Makes a folder of a new name in `parent`.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be made.
    pub(crate) fn new(parent: &Path, purpose: &str) -> Result<Self, Failure> {
        let parent =
            fs::canonicalize(parent).map_err(|cause| Failure::file("find", parent, &cause))?;
        let first = parent.join(format!("logothete-{purpose}-{}", std::process::id()));
        let mut path = first.clone();
        for number in 1..=NAMES {
            // It makes a folder or fails: what exists is not taken, and no link is followed.
            match DirBuilder::new().mode(MODE).create(&path) {
                Ok(()) => return Ok(Self { path, kept: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    path.clone_from(&first);
                    path.as_mut_os_string().push(format!("-{number}"));
                }
                Err(error) => return Err(Failure::file("make", &path, &error)),
            }
        }
        Err(Failure::file("make", &first, &io::ErrorKind::AlreadyExists.into()))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it there.
    pub(crate) fn keep(mut self) -> PathBuf {
        self.kept = true;
        self.path.clone()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.kept {
            // What a run leaves behind is of no use to anybody.
            drop(fs::remove_dir_all(&self.path));
        }
    }
}

#[cfg(test)]
mod tests;
