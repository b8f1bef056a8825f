//! Secret keys on disk: one line of hexadecimal seed, readable by its owner only.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crypto::digest::Digest;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why a key file was not used.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// The file is missing or cannot be read or written.
    #[error("key file {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Someone other than its owner may read the file.
    #[error(
        "key file {path} may be read by others (mode {mode:04o}): run `chmod 600 {path}` and consider the key known to them"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The content is not 64 hexadecimal digits.
    #[error("key file {path} does not hold one line of 64 hexadecimal digits")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// Reads the 32-byte seed of a secret key.
///
/// # Errors
///
/// Refuses a file that anybody but its owner may read, and anything but 64 hexadecimal digits.
pub fn read(path: &Path) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    let io = |source| KeyFileError::Io { path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Exposed { path: path.to_owned(), mode });
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(io)?);
    // A digest is the house's 32 bytes with a strict hexadecimal form.
    let seed: Digest =
        text.trim_end().parse().map_err(|_| KeyFileError::Malformed { path: path.to_owned() })?;
    Ok(Zeroizing::new(*seed.as_bytes()))
}

/// Writes a new key file with mode 0600; an existing file is never overwritten.
///
/// # Errors
///
/// Fails when the file exists or cannot be written.
pub fn create(path: &Path, seed: &[u8; 32]) -> Result<(), KeyFileError> {
    let io = |source| KeyFileError::Io { path: path.to_owned(), source };
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(io)?;
    let text = Zeroizing::new(format!("{}\n", Digest::from_bytes(*seed)));
    file.write_all(text.as_bytes()).map_err(io)?;
    file.sync_all().map_err(io)
}

#[cfg(test)]
mod tests;
