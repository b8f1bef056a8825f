//! One `testnet up` at a time for each testnet: a lock on `up.lock`, held while it works or
//! follows.
//!
//! Other commands work beside it; `down` ends it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use crate::failure::Failure;
use crate::testnet::layout::Layout;
use crate::testnet::process::Process;

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
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let by =
                    written(&mut file).map_or(String::new(), |pid| format!(" (process {pid})"));
                let root = layout.root().display();
                return Err(Failure::refused(format!(
                    "another `logothete testnet up`{by} works on {root}"
                ))
                .with_hint(
                    "`logothete testnet status` shows it, `logothete testnet down` ends it",
                ));
            }
            Err(TryLockError::Error(cause)) => return Err(fault(cause)),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(fault)?;
        Ok(Self { _file: file })
    }

    /// The `testnet up` that has the lock, if one has.
    ///
    /// # Errors
    ///
    /// Fails when the lock cannot be looked at.
    pub(crate) fn holder(layout: &Layout) -> Result<Option<Process>, Failure> {
        let path = layout.up_lock();
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::file("open", &path, &error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(written(&mut file).and_then(Process::of)),
            Err(TryLockError::Error(cause)) => Err(Failure::file("lock", &path, &cause)),
        }
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
