//! `logothete keys`: key files of validators and nodes. No secret is ever printed.
//!
//! A key file holds one Ed25519 seed. As a validator key its public key stands in the genesis, as a
//! node key its peer id; one file must not serve as both, which the genesis refuses.

use std::io::{self, Write};
use std::path::Path;

use crypto::keys::SecretKey;
use node::key_file::{self, KeyFileError};
use serde::Serialize;
use types::peer_id;
use zeroize::Zeroizing;

use crate::cli::KeysCommand;
use crate::failure::{Exit, Failure};
use crate::output::{Output, Report};

#[derive(Debug, Serialize)]
struct KeyReport {
    file: String,
    public_key: String,
    peer_id: String,
}

impl Report for KeyReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "file        {}", self.file)?;
        writeln!(out, "public key  {}   (of a validator key)", self.public_key)?;
        writeln!(out, "peer id     {}   (of a node key)", self.peer_id)
    }
}

/// Makes or shows a key file.
///
/// # Errors
///
/// [`Exit::Refused`] when the file exists already; fails when it cannot be written or used.
pub(crate) fn run(command: &KeysCommand, output: &mut Output) -> Result<Exit, Failure> {
    let report = match command {
        KeysCommand::New(arguments) => new(&arguments.file)?,
        KeysCommand::Show(arguments) => show(&arguments.file)?,
    };
    output.result(&report)?;
    Ok(Exit::Done)
}

fn new(path: &Path) -> Result<KeyReport, Failure> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed)
        .map_err(|cause| Failure::fault("the system gives no randomness", &cause))?;
    key_file::create(path, &seed).map_err(|cause| match &cause {
        KeyFileError::Io { path, source } if source.kind() == io::ErrorKind::AlreadyExists => {
            Failure::refused(format!("{} exists already", path.display()))
                .with_hint("a key is never written over; name another file")
        }
        KeyFileError::Io { .. } | KeyFileError::Exposed { .. } | KeyFileError::Malformed { .. } => {
            Failure::fault("cannot make a key", &cause)
        }
    })?;
    Ok(report(path, *seed))
}

fn show(path: &Path) -> Result<KeyReport, Failure> {
    let seed =
        key_file::read(path).map_err(|cause| Failure::fault("cannot show the key", &cause))?;
    Ok(report(path, *seed))
}

fn report(path: &Path, seed: [u8; 32]) -> KeyReport {
    let public_key = SecretKey::from_seed(seed).public_key();
    KeyReport {
        file: path.display().to_string(),
        public_key: public_key.to_string(),
        peer_id: peer_id::of_key(&public_key),
    }
}

#[cfg(test)]
mod tests;
