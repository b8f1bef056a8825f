//! A lock on a file that names its holder: one `testnet up` at a time works on a testnet (`up.lock`), one process
//! carries its links (`relays/lock`).

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::thread;

use crate::failure::Failure;
use crate::testnet::layout::Layout;
use crate::testnet::node::{HOLDER_ATTEMPTS, HOLDER_PAUSE};
use crate::testnet::process::{Condition, Process};

/// The lock, given back when dropped or when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Hold {
    _file: File,
}

/// What comes of trying to take a lock.
#[derive(Debug)]
pub(crate) enum Claim {
    /// It is ours now.
    Ours(Hold),
    /// Somebody else has it: this process, if it can be told.
    Theirs(Option<Process>),
}

impl Hold {
    /// Takes the lock on this file, if nobody has it.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be opened or locked.
    pub(crate) fn claim(path: &Path) -> Result<Claim, Failure> {
        let fault = |cause| Failure::file("lock", path, &cause);
        let mut file = open(path).map_err(fault)?;
        for _ in 0..HOLDER_ATTEMPTS {
            match file.try_lock() {
                Ok(()) => {
                    file.set_len(0)
                        .and_then(|()| writeln!(file, "{}", std::process::id()))
                        .map_err(fault)?;
                    return Ok(Claim::Ours(Self { _file: file }));
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(cause)) => return Err(fault(cause)),
            }
            if let Some(holder) = written(&mut file).and_then(Process::of) {
                return Ok(Claim::Theirs(Some(holder)));
            }
            // It was taken a moment ago, its holder ends just now, or somebody only looks whether it is held.
            thread::sleep(HOLDER_PAUSE);
        }
        Ok(Claim::Theirs(None))
    }

    /// Takes the lock of `testnet up`.
    ///
    /// # Errors
    ///
    /// [`crate::failure::Exit::Refused`] when another `testnet up` has it.
    pub(crate) fn of_up(layout: &Layout) -> Result<Self, Failure> {
        let by = match Self::claim(&layout.up_lock())? {
            Claim::Ours(hold) => return Ok(hold),
            Claim::Theirs(Some(up)) => format!(" (process {})", up.id()),
            Claim::Theirs(None) => String::new(),
        };
        let root = layout.root().display();
        Err(Failure::refused(format!("another `logothete testnet up`{by} works on {root}"))
            .with_hint("`logothete testnet status` shows it, `logothete testnet down` ends it"))
    }

    /// The process that has the lock on this file, if one has.
    ///
    /// # Errors
    ///
    /// Fails when the lock cannot be looked at.
    pub(crate) fn holder(path: &Path) -> Result<Option<Process>, Failure> {
        Ok(held(path)?.and_then(|mut file| written(&mut file)).and_then(Process::of))
    }

    /// Whether nothing is left of a process that had the lock: it has ended, and the lock is free or somebody
    /// else's.
    ///
    /// # Errors
    ///
    /// Fails when the lock cannot be looked at.
    pub(crate) fn is_free_of(path: &Path, holder: &Process) -> Result<bool, Failure> {
        if holder.condition() != Condition::Gone {
            return Ok(false);
        }
        Ok(held(path)?.is_none_or(|mut file| !holder.holds(written(&mut file))))
    }
}

/// The lock file, if somebody holds the lock.
fn held(path: &Path) -> Result<Option<File>, Failure> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::file("open", path, &error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(file)),
        Err(TryLockError::Error(cause)) => Err(Failure::file("lock", path, &cause)),
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn written(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
