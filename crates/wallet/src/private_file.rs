//! Files that hold secrets, and files that must be there whole or not at all.
//!
//! Written as temporary file, fsync, rename (or link, when nothing may be replaced), fsync of the
//! directory; read through one descriptor, so that what was checked is what is read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

/// The bits of a mode that let group and others do anything.
const OTHERS: u32 = 0o077;

/// Why a secret file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrivateFileError {
    /// The file is not there.
    #[error("{0} does not exist")]
    Missing(PathBuf),
    /// Somebody else may read or change it.
    #[error("{path} may be used by others (mode {mode:04o}); a file with secrets must be 0600")]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A directory, a pipe or a device.
    #[error("{0} is not a regular file")]
    NotAFile(PathBuf),
    /// Larger than anything that was ever written there.
    #[error("{path} has {bytes} bytes, at most {bytes_max} are expected")]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The bound.
        bytes_max: u64,
    },
    /// The name is taken and nothing may be replaced.
    #[error("{0} exists already")]
    Exists(PathBuf),
    /// The operating system said no.
    #[error("{path}: {source}")]
    System {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
}

impl PrivateFileError {
    fn system(path: &Path, source: io::Error) -> Self {
        Self::System { path: path.to_path_buf(), source }
    }
}

/// Reads a secret file of at most `bytes_max` bytes that only its owner may use.
///
/// # Errors
/// Every way in which the file is missing, not private, not a file or too long.
pub(crate) fn read(path: &Path, bytes_max: u64) -> Result<Zeroizing<Vec<u8>>, PrivateFileError> {
    let file = File::open(path).map_err(|cause| {
        if cause.kind() == io::ErrorKind::NotFound {
            PrivateFileError::Missing(path.to_path_buf())
        } else {
            PrivateFileError::system(path, cause)
        }
    })?;
    let metadata = file.metadata().map_err(|cause| PrivateFileError::system(path, cause))?;
    if !metadata.is_file() {
        return Err(PrivateFileError::NotAFile(path.to_path_buf()));
    }
    if metadata.mode() & OTHERS != 0 {
        let mode = metadata.mode() & 0o7777;
        return Err(PrivateFileError::Open { path: path.to_path_buf(), mode });
    }
    read_bounded(file, path, bytes_max)
}

/// Reads at most `bytes_max` bytes of anything that can be read.
///
/// # Errors
/// [`PrivateFileError::TooLong`] and what the operating system says.
pub(crate) fn read_bounded(
    source: impl Read,
    path: &Path,
    bytes_max: u64,
) -> Result<Zeroizing<Vec<u8>>, PrivateFileError> {
    // The whole room is there from the start: a vector that grows leaves copies of the secret
    // behind.
    let room = usize::try_from(bytes_max.min(64 * 1024)).unwrap_or(64 * 1024);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room.saturating_add(1)));
    source
        .take(bytes_max.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|cause| PrivateFileError::system(path, cause))?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if length > bytes_max {
        let path = path.to_path_buf();
        return Err(PrivateFileError::TooLong { path, bytes: length, bytes_max });
    }
    Ok(bytes)
}

/// Creates a directory that only its owner may use, with its parents.
///
/// # Errors
/// What the operating system says.
pub(crate) fn create_directory(path: &Path) -> Result<(), PrivateFileError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|cause| PrivateFileError::system(path, cause))
}

/// Creates `path` with mode 0600, whole or not at all, and never replaces a file that is there.
///
/// # Errors
/// [`PrivateFileError::Exists`] and what the operating system says.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<(), PrivateFileError> {
    let temporary = write_temporary(path, bytes)?;
    // A link, unlike a rename, fails when the name is taken: no key is ever written over.
    let linked = fs::hard_link(&temporary, path);
    let removed = fs::remove_file(&temporary);
    linked.map_err(|cause| {
        if cause.kind() == io::ErrorKind::AlreadyExists {
            PrivateFileError::Exists(path.to_path_buf())
        } else {
            PrivateFileError::system(path, cause)
        }
    })?;
    removed.map_err(|cause| PrivateFileError::system(&temporary, cause))?;
    sync_directory_of(path)
}

/// Writes `path` with mode 0600, whole or not at all, in place of what was there.
///
/// # Errors
/// What the operating system says.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), PrivateFileError> {
    let temporary = write_temporary(path, bytes)?;
    fs::rename(&temporary, path).map_err(|cause| PrivateFileError::system(path, cause))?;
    sync_directory_of(path)
}

/// Fails when [`replace`] would fail now: the directory is not there, or nothing can be put in it.
///
/// # Errors
/// What the operating system says.
pub(crate) fn can_replace(path: &Path) -> Result<(), PrivateFileError> {
    if path.file_name().is_none() {
        return Err(PrivateFileError::NotAFile(path.to_path_buf()));
    }
    let temporary = write_temporary(path, &[])?;
    fs::remove_file(&temporary).map_err(|cause| PrivateFileError::system(&temporary, cause))
}

/// The directory that a file is in.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn write_temporary(path: &Path, bytes: &[u8]) -> Result<PathBuf, PrivateFileError> {
    let temporary = temporary_name(path)?;
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    if let Err(cause) = written {
        drop(fs::remove_file(&temporary));
        return Err(PrivateFileError::system(&temporary, cause));
    }
    Ok(temporary)
}

fn temporary_name(path: &Path) -> Result<PathBuf, PrivateFileError> {
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .map_err(|cause| PrivateFileError::system(path, io::Error::other(cause.to_string())))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(path.with_file_name(format!(".{name}.{}.tmp", HEXLOWER.encode(&random))))
}

/// A name is durable when its directory is.
fn sync_directory_of(path: &Path) -> Result<(), PrivateFileError> {
    let parent = directory_of(path);
    File::open(parent)
        .and_then(|directory| directory.sync_all())
        .map_err(|cause| PrivateFileError::system(parent, cause))
}

#[cfg(test)]
mod tests;
