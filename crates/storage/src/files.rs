//! Small operations on files that survive a power cut when they return.
//!
//! A file that was created or renamed is only there after a power cut when its directory was synced
//! too; every function here that changes a name does so.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::StorageError;

/// A copy can be stopped between two pieces of so many bytes.
const PIECE_BYTES: u64 = 16 << 20;

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> Result<(), StorageError> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(StorageError::io("sync the directory", path))
}

/// Makes the name of `path` durable in the directory that holds it.
pub(crate) fn sync_parent(path: &Path) -> Result<(), StorageError> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => sync_directory(Path::new(".")),
        Some(parent) => sync_directory(parent),
        None => Ok(()),
    }
}

/// Creates a directory that only its owner may enter, and makes its name durable. Parents are
/// created as needed, and their names made durable too. Says whether it was created; one that exists
/// is left as it is.
pub(crate) fn create_directory(path: &Path) -> Result<bool, StorageError> {
    create_missing(path, &mut sync_parent)
}

/// As [`create_directory`], with what makes a name durable.
fn create_missing(
    path: &Path,
    make_durable: &mut impl FnMut(&Path) -> Result<(), StorageError>,
) -> Result<bool, StorageError> {
    if path.is_dir() {
        return Ok(false);
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_missing(parent, make_durable)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        // Another was faster, and may not have made the name durable yet.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
        Err(error) => return Err(StorageError::io("create the directory", path)(error)),
    }
    make_durable(path)?;
    Ok(true)
}

/// Creates or replaces a file as a whole: after a crash the old content or the new one is there.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> Result<(), StorageError> {
    let fresh = beside(path);
    write_new(&fresh, content)?;
    rename(&fresh, path)
}

/// Writes a file of ours from scratch and makes its content (not yet its name) durable. A leftover
/// of an interrupted attempt is overwritten.
pub(crate) fn write_new(path: &Path, content: &[u8]) -> Result<File, StorageError> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(StorageError::io("create", path))?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .map_err(StorageError::io("write", path))?;
    Ok(file)
}

/// Renames within one directory and makes it durable.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), StorageError> {
    fs::rename(from, to).map_err(StorageError::io("rename", from))?;
    sync_parent(to)
}

/// The name under which the next content of `path` is prepared.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// What the files under `path` take on disk, in bytes: blocks allocated, not lengths, because the
/// database's file has holes. A file that vanishes meanwhile counts as nothing.
pub(crate) fn disk_bytes(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => disk_bytes(&entry.path()),
            // The unit of `blocks` is 512 bytes on every Linux file system.
            Ok(metadata) => metadata.blocks().saturating_mul(512),
            Err(_) => 0,
        })
        .fold(0, u64::saturating_add)
}

/// Copies a directory with everything in it. `to` must not exist. What was copied so far stays when it is told
/// to stop, and must be removed by the caller, as after any error.
pub(crate) fn copy_directory(
    from: &Path,
    to: &Path,
    is_told_to_stop: &dyn Fn() -> bool,
) -> Result<(), StorageError> {
    fs::DirBuilder::new()
        .mode(0o700)
        .create(to)
        .map_err(StorageError::io("create the directory", to))?;
    let entries = fs::read_dir(from).map_err(StorageError::io("list", from))?;
    for entry in entries {
        let entry = entry.map_err(StorageError::io("list", from))?;
        let target = to.join(entry.file_name());
        let metadata = entry.metadata().map_err(StorageError::io("look at", &entry.path()))?;
        if metadata.is_dir() {
            copy_directory(&entry.path(), &target, is_told_to_stop)?;
        } else {
            copy_file(&entry.path(), &target, is_told_to_stop)?;
        }
    }
    Ok(())
}

/// Copies a file piece by piece.
fn copy_file(
    from: &Path,
    to: &Path,
    is_told_to_stop: &dyn Fn() -> bool,
) -> Result<(), StorageError> {
    let source = File::open(from).map_err(StorageError::io("open", from))?;
    let mut target = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(StorageError::io("create", to))?;
    loop {
        if is_told_to_stop() {
            return Err(StorageError::Interrupted);
        }
        let copied = io::copy(&mut (&source).take(PIECE_BYTES), &mut target)
            .map_err(StorageError::io("copy the store to", to))?;
        if copied == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
