//! Faults of the disk and of what lies on it, each naming the thing and what to look at.
//!
//! Three kinds are told apart because their cures differ: the machine refuses ([`StorageError::Io`],
//! [`StorageError::Locked`], [`StorageError::Poisoned`]), the directory belongs to something else
//! (`Foreign…`, [`StorageError::NewerFormat`]), and what was written is not what is read (`Damaged…`).

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use types::number::Height;

/// What an operator can do about a journal that cannot be read.
const WITHOUT_JOURNAL: &str = "votes that were sent may be missing from it. No older copy can take its place. \
    Remove the file, and the validator follows and serves the others and never votes again under its key";

/// Why something could not be stored, or why what is stored cannot be used.
#[derive(Debug, Error)]
pub enum StorageError {
    /// The operating system refused an operation on a file or directory.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, as a verb phrase.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Another process works in the directory.
    #[error(
        "{} is in use by {}",
        path.display(),
        pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
    )]
    Locked {
        /// The directory.
        path: PathBuf,
        /// The process, when its lock file says so.
        pid: Option<u32>,
    },
    /// The directory was made for another chain or by another validator key.
    #[error("{} belongs to {what} {found}, not to {expected}", path.display())]
    Foreign {
        /// The directory or file.
        path: PathBuf,
        /// What differs: `chain` or `validator key`.
        what: &'static str,
        /// What this process was started for.
        expected: String,
        /// What the directory says.
        found: String,
    },
    /// A later program wrote the directory.
    #[error("{} has format {found}, this program reads format {known}", path.display())]
    NewerFormat {
        /// The file that says so.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// The directory's identity or lay-out is not what this program left.
    #[error("{} is damaged: {reason}", path.display())]
    DamagedDirectory {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The vote journal is damaged before its end. Votes may have been lost, so it is never repaired:
    /// a replica that guesses here could contradict itself.
    #[error(
        "the vote journal {} is damaged at byte {offset}: {reason}; {WITHOUT_JOURNAL}",
        path.display()
    )]
    DamagedJournal {
        /// The journal.
        path: PathBuf,
        /// Where the first damaged byte or frame begins, in bytes from the start of the file.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// The end of the vote journal is missing, and no interrupted write or growth explains that. Votes may have
    /// been lost with it, so it is never read as a shorter one.
    #[error(
        "the vote journal {} was cut: it ends at byte {bytes}, where no journal ends; {WITHOUT_JOURNAL}",
        path.display()
    )]
    CutJournal {
        /// The journal.
        path: PathBuf,
        /// How long it is, in bytes.
        bytes: u64,
    },
    /// There is no vote journal where one must be.
    #[error(
        "the vote journal {} is missing: the validator follows and serves the others and never votes again \
         under its key",
        path.display()
    )]
    NoJournal {
        /// Where it must be.
        path: PathBuf,
    },
    /// Whoever asked for it has no use for it any more.
    #[error("interrupted before everything was read")]
    Interrupted,
    /// The block store cannot be trusted as a whole: it does not open, it lost blocks that were
    /// durable, or its newest block is unreadable. It can be rebuilt from peers.
    #[error("the block store {} is damaged: {reason}", path.display())]
    DamagedStore {
        /// The store's directory.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A block that must be there is missing or is not what was stored.
    #[error("the stored block at height {height} is damaged: {reason}")]
    DamagedBlock {
        /// Its height.
        height: Height,
        /// What is wrong.
        reason: String,
    },
    /// The index over the blocks is damaged; the blocks are not. It is rebuilt at the next open.
    #[error("the index of transactions is damaged, a restart rebuilds it: {reason}")]
    DamagedIndex {
        /// What is wrong.
        reason: String,
    },
    /// A snapshot is not what was stored. An older one, or the blocks, give the same state.
    #[error("the stored snapshot at height {height} is damaged: {reason}")]
    DamagedSnapshot {
        /// Its height.
        height: Height,
        /// What is wrong.
        reason: String,
    },
    /// The database refused an operation for a reason that is not damage.
    #[error("the block store cannot {action}: {reason}")]
    Database {
        /// What was tried, as a verb phrase.
        action: &'static str,
        /// The database's answer.
        reason: String,
    },
    /// An earlier write failed. What is on disk since is unknown, so nothing is written any more.
    #[error("nothing is written any more since an earlier failure: {first}")]
    Poisoned {
        /// The first failure.
        first: String,
    },
}

impl StorageError {
    /// For `map_err`: an operation on `path` that the system refused.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    /// The text with every cause behind it, for a place that keeps only a text.
    pub(crate) fn full_text(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
