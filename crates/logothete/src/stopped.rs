//! What a stopped validator leaves behind: where its data is, and whose network it was.

use std::fs;
use std::path::{Path, PathBuf};

use types::genesis::Genesis;

use crate::failure::{Exit, Failure};

/// The data directory itself, where the folder around it was named.
pub(crate) fn data_directory(named: &Path) -> PathBuf {
    let inner = named.join("data");
    if inner.join("identity").exists() { inner } else { named.to_owned() }
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
                Failure::new(Exit::NotFound, "no genesis.toml above the directory")
                    .with_hint("name it with --genesis FILE")
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
