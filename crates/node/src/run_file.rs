//! `run.json`: where a running validator is reached. Written once it listens, removed at a clean
//! end; tools find it beside the configuration.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The name of the file, in the folder of the configuration.
pub const RUN_FILE: &str = "run.json";

/// Where a running validator is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// The operating system's number of the process.
    pub pid: u32,
    /// The validator's name in the genesis.
    pub name: String,
    /// Its number in the genesis, from 0.
    pub replica: u16,
    /// The base URL of its HTTP API.
    pub api: String,
    /// Its libp2p address, peer id included.
    pub p2p: String,
}

impl RunFile {
    /// Writes the file whole or not at all: a reader never sees half of it.
    ///
    /// # Errors
    ///
    /// Fails when the folder cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let temporary = folder.join(format!("{RUN_FILE}.{}", self.pid));
        let mut file = File::create(&temporary)?;
        file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&temporary, folder.join(RUN_FILE))
    }

    /// Reads the file of a folder; `None` where there is none.
    ///
    /// # Errors
    ///
    /// Fails when the file is there and cannot be read or is no run file.
    pub fn read(folder: &Path) -> io::Result<Option<Self>> {
        match fs::read(folder.join(RUN_FILE)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes the file of a folder if this process wrote it.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be read or removed.
    pub fn remove(&self, folder: &Path) -> io::Result<()> {
        match Self::read(folder)? {
            Some(found) if found.pid == self.pid => fs::remove_file(folder.join(RUN_FILE)),
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
