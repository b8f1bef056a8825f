//! Evidence in files: the hexadecimal text of its wire bytes, on one line.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use api::hex;
use api::types::scalar::wire::WIRE_BYTES_MAX;
use serde::Deserialize;
use types::evidence::Evidence;

use crate::failure::Failure;

/// What of an answer of the API is read.
#[derive(Deserialize)]
struct Answer {
    evidence: String,
}

/// Reads a file: the text that [`write()`] writes, or an answer of the API with that text in it. A file that holds no
/// evidence is a result, with the reason.
///
/// # Errors
///
/// Fails when the file cannot be read.
pub(super) fn read(path: &Path) -> Result<Result<Evidence, String>, Failure> {
    let bytes = fs::read(path).map_err(|cause| Failure::file("read", path, &cause))?;
    Ok(parse(&bytes).map_err(|reason| format!("it holds no evidence: {reason}")))
}

fn parse(bytes: &[u8]) -> Result<Evidence, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?.trim();
    if text.starts_with('{') {
        let answer: Answer = serde_json::from_str(text).map_err(|error| error.to_string())?;
        return decode(&answer.evidence);
    }
    decode(text)
}

fn decode(text: &str) -> Result<Evidence, String> {
    hex::from_hex_wire(text, WIRE_BYTES_MAX).map_err(|error| error.to_string())
}

/// Writes a piece to a new file.
///
/// # Errors
///
/// [`Exit::Refused`](crate::failure::Exit::Refused) when the file exists; fails when it cannot be written.
pub(crate) fn write(path: &Path, evidence: &Evidence) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.map_err(|cause| {
        if cause.kind() == ErrorKind::AlreadyExists {
            return Failure::refused(format!("{} exists already", path.display()))
                .with_hint("name another file");
        }
        Failure::file("create", path, &cause)
    })?;
    writeln!(file, "{}", hex::to_hex_wire(evidence))
        .map_err(|cause| Failure::file("write", path, &cause))
}
