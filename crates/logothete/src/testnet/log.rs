//! The last lines of a log, and what is written to it from now on.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Most bytes looked at for the last lines.
const TAIL_BYTES_MAX: u64 = 4 << 20;

/// Most bytes read at once while following.
const CHUNK_BYTES_MAX: u64 = 1 << 20;

/// The last `lines` lines at or after byte `from`, oldest first, and where the file ends. A file
/// that does not exist has none.
///
/// # Errors
///
/// Fails when the file cannot be read.
pub(crate) fn tail(path: &Path, from: u64, lines: usize) -> io::Result<(Vec<String>, u64)> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(error) => return Err(error),
    };
    let end = file.metadata()?.len();
    let begin = from.max(end.saturating_sub(TAIL_BYTES_MAX));
    file.seek(SeekFrom::Start(begin))?;
    let mut bytes = Vec::new();
    file.take(end.saturating_sub(begin)).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    let first = all.len().saturating_sub(lines);
    Ok((all.into_iter().skip(first).map(str::to_owned).collect(), end))
}

/// What is written to a log after a point.
#[derive(Debug)]
pub(crate) struct Follower {
    path: PathBuf,
    at: u64,
    unfinished: Vec<u8>,
}

impl Follower {
    /// Follows a log from this byte on.
    pub(crate) fn new(path: PathBuf, at: u64) -> Self {
        Self { path, at, unfinished: Vec::new() }
    }

    /// The whole lines written since the last call. A log that became shorter is read from its
    /// start.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be read.
    pub(crate) fn lines(&mut self) -> io::Result<Vec<String>> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        if file.metadata()?.len() < self.at {
            self.at = 0;
            self.unfinished.clear();
        }
        file.seek(SeekFrom::Start(self.at))?;
        let read = file.take(CHUNK_BYTES_MAX).read_to_end(&mut self.unfinished)?;
        self.at = self.at.saturating_add(u64::try_from(read).unwrap_or_default());
        let Some(last) = self.unfinished.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(Vec::new());
        };
        let rest = self.unfinished.split_off(last.saturating_add(1));
        let whole = std::mem::replace(&mut self.unfinished, rest);
        Ok(String::from_utf8_lossy(&whole).lines().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests;
