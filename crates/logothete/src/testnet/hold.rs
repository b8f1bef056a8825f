//! One `testnet up` at a time for each testnet: a lock on `up.lock`, held while it works or
//! follows.
//!
//! Other commands work beside it; `down` ends it.

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

impl Hold {
    /// Takes the lock.
    ///
    /// # Errors
    ///
    /// [`crate::failure::Exit::Refused`] when another `testnet up` has it.
    pub(crate) fn take(layout: &Layout) -> Result<Self, Failure> {
        let path = layout.up_lock();
        let fault = |cause| Failure::file("lock", &path, &cause);
        let mut file = open(&path).map_err(fault)?;
        for _ in 0..HOLDER_ATTEMPTS {
            match file.try_lock() {
                Ok(()) => {
                    file.set_len(0)
                        .and_then(|()| writeln!(file, "{}", std::process::id()))
                        .map_err(fault)?;
                    return Ok(Self { _file: file });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(cause)) => return Err(fault(cause)),
            }
            if let Some(up) = written(&mut file).and_then(Process::of) {
                return Err(refused(layout, &format!(" (process {})", up.id())));
            }
            // It was taken a moment ago, its holder ends just now, or somebody only looks whether it is held.
            thread::sleep(HOLDER_PAUSE);
        }
        Err(refused(layout, ""))
    }

    /// The `testnet up` that has the lock, if one has.
    ///
    /// # Errors
    ///
    /// Fails when the lock cannot be looked at.
    pub(crate) fn holder(layout: &Layout) -> Result<Option<Process>, Failure> {
        Ok(held(layout)?.and_then(|mut file| written(&mut file)).and_then(Process::of))
    }

    /// Whether nothing is left of a `testnet up` that had the lock: it has ended, and the lock is free or somebody
    /// else's.
    ///
    /// # Errors
    ///
    /// Fails when the lock cannot be looked at.
    pub(crate) fn is_free_of(layout: &Layout, up: &Process) -> Result<bool, Failure> {
        if up.condition() != Condition::Gone {
            return Ok(false);
        }
        Ok(held(layout)?.is_none_or(|mut file| !up.holds(written(&mut file))))
    }
}

fn refused(layout: &Layout, by: &str) -> Failure {
    let root = layout.root().display();
    Failure::refused(format!("another `logothete testnet up`{by} works on {root}"))
        .with_hint("`logothete testnet status` shows it, `logothete testnet down` ends it")
}

/// The lock file, if somebody holds the lock.
fn held(layout: &Layout) -> Result<Option<File>, Failure> {
    let path = layout.up_lock();
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::file("open", &path, &error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(file)),
        Err(TryLockError::Error(cause)) => Err(Failure::file("lock", &path, &cause)),
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
