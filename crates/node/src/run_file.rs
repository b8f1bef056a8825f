//! `run.json`, where a running validator is reached: written once it listens, removed at a clean end. Tools
//! find it beside the configuration; its shape and its reader are in `api`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use api::client::network::{RUN_FILE, RunFile};

/// Writes the file of a folder whole or not at all: a reader never sees half of it.
///
/// # Errors
///
/// Fails when the folder cannot be written.
pub fn write(file: &RunFile, folder: &Path) -> io::Result<()> {
    let temporary = folder.join(format!("{RUN_FILE}.{}", file.pid));
    let mut text = File::create(&temporary)?;
    text.write_all(serde_json::to_string_pretty(file)?.as_bytes())?;
    text.write_all(b"\n")?;
    text.sync_all()?;
    fs::rename(&temporary, folder.join(RUN_FILE))
}

/// Removes the file of a folder if it is about the same process.
///
/// # Errors
///
/// Fails when the file is there and cannot be removed.
pub fn remove(file: &RunFile, folder: &Path) -> io::Result<()> {
    match RunFile::read(folder) {
        Some(found) if found.pid == file.pid => fs::remove_file(folder.join(RUN_FILE)),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
