//! A mark beside the database: the newest block that was reported durable.
//!
//! sled answers some damage by quietly opening at an older state, or at none. So after every sync the height
//! and id of the newest durable block are noted in a small file of our own; a database that opens below
//! the mark has lost what it had promised, and is refused. The mark itself is not synced: after a power cut it may
//! be older than the database, never newer.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crypto::digest::{Digest, Domain, digest};
use types::block::BlockId;
use types::number::Height;

use crate::error::StorageError;
use crate::files;

/// Height, block id, checksum.
const MARK_BYTES: usize = 8 + 32 + 32;

/// Two marks are written in turn, each in a place of its own, so one of them is always whole.
const PLACE_BYTES: usize = 512;

/// The file of the mark.
#[derive(Debug)]
pub(crate) struct Tip {
    path: PathBuf,
    file: File,
    /// Which of the two places is written next.
    second: bool,
}

/// A block that was durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    /// Its height.
    pub(crate) height: Height,
    /// The block.
    pub(crate) block: BlockId,
}

impl Tip {
    /// Makes the file for a new store, before the database.
    pub(crate) fn create(store: &Path, genesis: Mark) -> Result<Self, StorageError> {
        let path = path(store);
        let mut content = encode(&genesis);
        content.resize(PLACE_BYTES.saturating_mul(2), 0);
        files::replace_file(&path, &content)?;
        Self::over(path)
    }

    /// Opens the file and reads the greater of its marks; `None` when there is no file, and
    /// no mark when neither place holds one.
    pub(crate) fn open(store: &Path) -> Result<Option<(Self, Option<Mark>)>, StorageError> {
        let path = path(store);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StorageError::io("read", &path)(error)),
        };
        let first = decode(&bytes);
        let second = bytes.get(PLACE_BYTES..).and_then(decode);
        let mut tip = Self::over(path)?;
        tip.second = first > second;
        Ok(Some((tip, first.max(second))))
    }

    /// Notes that this block is durable.
    pub(crate) fn write(&mut self, mark: &Mark) -> Result<(), StorageError> {
        let place = if self.second { PLACE_BYTES } else { 0 };
        self.file
            .write_all_at(&encode(mark), u64::try_from(place).unwrap_or(0))
            .map_err(StorageError::io("write", &self.path))?;
        self.second = !self.second;
        Ok(())
    }

    fn over(path: PathBuf) -> Result<Self, StorageError> {
        let file =
            File::options().write(true).open(&path).map_err(StorageError::io("open", &path))?;
        Ok(Self { path, file, second: true })
    }
}

fn path(store: &Path) -> PathBuf {
    store.join("tip")
}

fn encode(mark: &Mark) -> Vec<u8> {
    let mut bytes = mark.height.get().to_le_bytes().to_vec();
    bytes.extend_from_slice(mark.block.digest().as_bytes());
    let checksum = digest(Domain::StoredRecord, &bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    bytes
}

fn decode(place: &[u8]) -> Option<Mark> {
    let bytes: &[u8; MARK_BYTES] = place.first_chunk()?;
    let (height, rest) = bytes.split_first_chunk::<8>()?;
    let (block, _) = rest.split_first_chunk::<32>()?;
    let mark = Mark {
        height: Height::new(u64::from_le_bytes(*height)),
        block: BlockId::new(Digest::from_bytes(*block)),
    };
    (encode(&mark) == bytes).then_some(mark)
}

#[cfg(test)]
mod tests;
