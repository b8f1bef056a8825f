//! What a stopped validator leaves behind: where its data is, and whose network it was.

use std::fs;
use std::path::{Path, PathBuf};

use storage::{Archive, StorageError};
use types::genesis::Genesis;

use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;

/// The data directory itself, where the folder around it was named.
pub(crate) fn data_directory(named: &Path) -> PathBuf {
    let inner = named.join("data");
    if is_data(&inner) { inner } else { named.to_owned() }
}

/// The same, with whose data it is.
///
/// # Errors
///
/// [`Exit::NotFound`] when there is nothing of the name, or no validator's data.
pub(crate) fn validators_data(named: &Path) -> Result<PathBuf, Failure> {
    let directory = data_directory(named);
    if is_data(&directory) {
        return Ok(directory);
    }
    if !named.exists() {
        let text = format!("there is no {}", named.display());
        return Err(Failure::new(Exit::NotFound, text));
    }
    let text = format!("{} is not a validator's data directory", named.display());
    let failure = Failure::new(Exit::NotFound, text);
    Err(match validator_in(named) {
        Some(folder) => failure.with_hint(format!("name one validator, as {}", folder.display())),
        None => failure,
    })
}

/// The folder of a validator in that of a testnet.
fn validator_in(named: &Path) -> Option<PathBuf> {
    let folders = fs::read_dir(named).ok()?.flatten().map(|entry| entry.path());
    folders.filter(|folder| is_data(&folder.join("data"))).min()
}

fn is_data(path: &Path) -> bool {
    path.join("identity").exists()
}

/// Takes the signals from now on: a copy of a store must not stay behind.
///
/// # Errors
///
/// Fails when the system gives no handler.
pub(crate) fn interrupt() -> Result<Interrupt, Failure> {
    Interrupt::install().map_err(|cause| Failure::fault("cannot wait for signals", &cause))
}

/// Opens a data directory, with a copy of its store among the temporary files.
///
/// # Errors
///
/// [`Exit::Interrupted`] when told to end meanwhile; within it, what is wrong with the directory.
pub(crate) fn archive(
    directory: &Path,
    genesis: &Genesis,
    interrupt: &Interrupt,
) -> Result<Result<Archive, StorageError>, Failure> {
    let scratch = std::env::temp_dir();
    match Archive::open_unless(directory, genesis, &scratch, &|| interrupt.came()) {
        Err(StorageError::Interrupted) => Err(interrupted()),
        opened => Ok(opened),
    }
}

/// What a command says that was told to end.
pub(crate) fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "told to end before everything was read")
}

/// The genesis that was named, else the one above a data directory.
///
/// # Errors
///
/// [`Exit::NotFound`] when there is none; fails when it cannot be read or does not hold.
pub(crate) fn genesis(named: Option<&Path>, directory: &Path) -> Result<Genesis, Failure> {
    match named {
        Some(path) => read_genesis(path),
        None => directory
            .ancestors()
            .skip(1)
            .take(2)
            .map(|above| above.join("genesis.toml"))
            .find(|path| path.exists())
            .ok_or_else(|| {
                let text = format!("there is no genesis.toml above {}", directory.display());
                Failure::new(Exit::NotFound, text).with_hint("name it with --genesis FILE")
            })
            .and_then(|path| read_genesis(&path)),
    }
}

/// Reads a genesis document.
///
/// # Errors
///
/// Fails when it cannot be read or does not hold.
pub(crate) fn read_genesis(path: &Path) -> Result<Genesis, Failure> {
    let text = fs::read_to_string(path).map_err(|cause| Failure::file("read", path, &cause))?;
    Genesis::parse(&text)
        .map_err(|errors| Failure::new(Exit::Fault, format!("{}: {errors}", path.display())))
}

#[cfg(test)]
mod tests;
