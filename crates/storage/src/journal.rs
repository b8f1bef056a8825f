//! The vote journal's file: what was said, durable before it is said (protocol, §5).
//!
//! A file header (magic, chain, checksum) and behind it the frames of `pbft::journal`, one for each
//! flush. What a record is, and how a torn tail is told from damage, is decided there; here are the file,
//! `fdatasync`, and the rule that any failure is final: after one nobody knows what is on disk, so
//! nothing is appended any more, and the validator stops.
//!
//! Opening is where such a failure is met again: records may have been written and never flushed,
//! and after a flush that failed the kernel may show pages that it will never write, so that a
//! later flush proves nothing. What is read is about to be believed and said again. It is therefore
//! written to a fresh file, which takes the journal's place; the old one is only read.
//!
//! The file is written ahead with zeros in steps of [`STEP_BYTES`], durable before the first record that needs
//! the room: overwriting allocated blocks makes `fdatasync` of small records about a fifth faster and its
//! slowest hundredth several times, because no metadata changes. And it tells a file that was cut from one
//! whose writing was interrupted: behind the records of ours there is always [`ROOM_BYTES`] of room, so a
//! file that ends within a record, right behind one, or before its first step was cut by somebody, and
//! votes that were sent may be gone. It is refused.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::slice;

use crypto::digest::{Domain, digest};
use crypto::encoding::encoded_bytes;
use crypto::signed::ChainId;
use pbft::journal::{Contents, Damage, append_frame, live, read};
use pbft::record::{Record, Retirement};
use types::number::Height;

use crate::directory::{Directory, Lock};
use crate::error::StorageError;
use crate::files;

/// First bytes of the file; the last of them is the format.
const MAGIC: &[u8; 8] = b"lgtvote\x01";

/// Magic, chain id, checksum.
const HEADER_BYTES: u64 = 8 + 32 + 32;

/// The file's length is a multiple of this, and never none of it. A growth that was interrupted adds zeros
/// to that, and nothing else.
const STEP_BYTES: u64 = 4 << 20;

/// There is always this much of zeros behind the last frame: the header of the next one.
const ROOM_BYTES: u64 = 44;

/// The journal is rewritten only when it is longer than this,
const REWRITE_BYTES: u64 = 64 << 20;

/// and longer than so many times what is still needed of it.
const REWRITE_FACTOR: u64 = 4;

/// What pruning lets the records in memory grow by, beyond twice the needed ones, before it looks for
/// those that may be forgotten.
const THIN_BYTES: u64 = 8 << 20;

/// An open vote journal, positioned at its end. One owner: the thread that runs consensus.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    chain: ChainId,
    file: File,
    /// Bytes of whole frames behind the file header.
    frames_bytes: u64,
    /// Length of the file: whole frames and zeros behind them.
    file_bytes: u64,
    /// Every record that may still be needed, and some that are not, in order of writing.
    records: Vec<Record>,
    /// About the encoded length of `records`.
    records_bytes: u64,
    /// `records_bytes` when they were last thinned.
    thinned_bytes: u64,
    /// The first failure; nothing is written after it.
    failure: Option<String>,
    _lock: Option<Lock>,
}

impl Journal {
    /// Opens the journal of a locked directory and gives back its records, oldest first, all of
    /// them durable in a file written just now. An interrupted write at the end is left out:
    /// nothing was ever sent on its strength.
    ///
    /// # Errors
    ///
    /// [`StorageError::CutJournal`] when its end is missing, [`StorageError::DamagedJournal`] when
    /// anything else is wrong with it, [`StorageError::Foreign`] for another chain's,
    /// [`StorageError::Io`]. A damaged journal is never repaired; whatever the error, what was
    /// there can be opened again.
    pub fn open(directory: &Directory) -> Result<(Self, Vec<Record>), StorageError> {
        let path = path(directory.path());
        let chain = directory.identity().chain;
        let found = load(&path, chain)?;
        let records = found.contents.records;
        if found.torn_bytes > 0 {
            tracing::warn!(
                path = %path.display(),
                torn_bytes = found.torn_bytes,
                "left an interrupted write out of the vote journal"
            );
        }
        let fresh = put(&path, chain, &records)?;
        let mut journal = Self::over(fresh.file, path, chain);
        journal.frames_bytes = fresh.frames_bytes;
        journal.file_bytes = fresh.file_bytes;
        journal._lock = Some(directory.lock());
        journal.remember(&records);
        Ok((journal, records))
    }

    /// Appends records as one frame, durable when this returns. Nothing for no records.
    ///
    /// # Errors
    ///
    /// [`StorageError::Io`] for a failed write or sync, which is final: every later call answers
    /// [`StorageError::Poisoned`]. What the records permit to send must not be sent.
    pub fn append(&mut self, records: &[Record]) -> Result<(), StorageError> {
        self.refuse_after_failure()?;
        let mut frame = Vec::new();
        append_frame(&mut frame, self.frames_bytes, records);
        if frame.is_empty() {
            return Ok(());
        }
        let frame_bytes = length(&frame);
        let end = self.end();
        let grown = self.make_room(end.saturating_add(frame_bytes));
        self.poison_on_error(grown)?;
        let written = self.write_durably(&frame, end);
        self.poison_on_error(written)?;
        self.frames_bytes = self.frames_bytes.saturating_add(frame_bytes);
        self.remember(records);
        Ok(())
    }

    /// Forgets what is no longer needed, when that is worth it: a journal longer than 64 MiB, and than four
    /// times what is still needed, is rewritten to a new file that takes its place. `committed` is the
    /// height up to which every block is **durable in the store**. Cheap when there is nothing to do:
    /// call it after every commit.
    ///
    /// # Errors
    ///
    /// As [`Journal::append`]: any failure is final.
    pub fn prune(&mut self, committed: Height) -> Result<(), StorageError> {
        self.prune_beyond(committed, REWRITE_BYTES, THIN_BYTES)
    }

    /// Bytes of records and frames in the file, its header included and the zeros behind them not.
    pub const fn bytes(&self) -> u64 {
        self.end()
    }

    /// Lengthens the file when frames up to `end` would leave no room behind them. Durable before any of them
    /// is begun: where a frame is, there was room for it.
    fn make_room(&mut self, end: u64) -> Result<(), StorageError> {
        let file_bytes = with_room(end);
        if file_bytes <= self.file_bytes {
            return Ok(());
        }
        let zeros = file_bytes.saturating_sub(self.file_bytes);
        let zeros = vec![0; usize::try_from(zeros).unwrap_or(0)];
        self.write_durably(&zeros, self.file_bytes)?;
        self.file_bytes = file_bytes;
        Ok(())
    }

    fn write_durably(&self, bytes: &[u8], offset: u64) -> Result<(), StorageError> {
        self.file
            .write_all_at(bytes, offset)
            .map_err(StorageError::io("append to", &self.path))
            .and_then(|()| self.file.sync_data().map_err(StorageError::io("sync", &self.path)))
    }

    /// A journal over any file, empty as far as it knows.
    fn over(file: File, path: PathBuf, chain: ChainId) -> Self {
        Self {
            path,
            chain,
            file,
            frames_bytes: 0,
            file_bytes: 0,
            records: Vec::new(),
            records_bytes: 0,
            thinned_bytes: 0,
            failure: None,
            _lock: None,
        }
    }

    /// Where the next frame goes, in bytes from the start of the file.
    const fn end(&self) -> u64 {
        HEADER_BYTES.saturating_add(self.frames_bytes)
    }

    fn prune_beyond(
        &mut self,
        committed: Height,
        rewrite_bytes: u64,
        thin_bytes: u64,
    ) -> Result<(), StorageError> {
        self.refuse_after_failure()?;
        let thick_bytes = self.thinned_bytes.saturating_mul(2).saturating_add(thin_bytes);
        if self.records_bytes <= thick_bytes && !self.is_worth_a_rewrite(rewrite_bytes) {
            return Ok(());
        }
        self.records = live(&self.records, committed);
        self.records_bytes = bytes_of(&self.records);
        self.thinned_bytes = self.records_bytes;
        if self.is_worth_a_rewrite(rewrite_bytes) {
            let rewritten = self.rewrite();
            self.poison_on_error(rewritten)?;
        }
        Ok(())
    }

    /// Whether the file is long, also beside what is, or may be, still needed of it.
    const fn is_worth_a_rewrite(&self, rewrite_bytes: u64) -> bool {
        self.end() > rewrite_bytes && self.end() > self.records_bytes.saturating_mul(REWRITE_FACTOR)
    }

    /// Goes on in a fresh file with the needed records.
    fn rewrite(&mut self) -> Result<(), StorageError> {
        let before = self.end();
        let fresh = put(&self.path, self.chain, &self.records)?;
        self.file = fresh.file;
        self.frames_bytes = fresh.frames_bytes;
        self.file_bytes = fresh.file_bytes;
        tracing::debug!(before, after = self.end(), "rewrote the vote journal");
        Ok(())
    }

    fn remember(&mut self, records: &[Record]) {
        self.records.extend_from_slice(records);
        self.records_bytes = self.records_bytes.saturating_add(bytes_of(records));
    }

    fn refuse_after_failure(&self) -> Result<(), StorageError> {
        match &self.failure {
            None => Ok(()),
            Some(first) => Err(StorageError::Poisoned { first: first.clone() }),
        }
    }

    fn poison_on_error(&mut self, result: Result<(), StorageError>) -> Result<(), StorageError> {
        if let Err(error) = &result {
            self.failure = Some(error.full_text());
        }
        result
    }
}

/// What a journal's file holds.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Its records and the length of its whole frames.
    pub(crate) contents: Contents,
    /// Bytes behind the whole frames up to the last that is not zero.
    pub(crate) torn_bytes: u64,
}

/// A journal's file that was written as a whole.
#[derive(Debug)]
struct Fresh {
    file: File,
    frames_bytes: u64,
    file_bytes: u64,
}

/// Where the journal of a directory is.
pub(crate) fn path(directory: &Path) -> PathBuf {
    directory.join("journal")
}

/// Makes an empty journal, or replaces one that an interrupted creation left.
pub(crate) fn create(directory: &Path, chain: ChainId) -> Result<(), StorageError> {
    put(&path(directory), chain, &[]).map(drop)
}

/// Makes a journal in the place of one that is gone: it says that its owner never votes again.
pub(crate) fn create_retired(directory: &Path, chain: ChainId) -> Result<(), StorageError> {
    let retired = Record::Retired { reason: Retirement::JournalGone };
    put(&path(directory), chain, &[retired]).map(drop)
}

/// Puts a fresh file with these records, and room behind them, in the journal's place. All of it is
/// durable when this returns; whenever it is interrupted, the old file or the new one is there as a
/// whole.
fn put(path: &Path, chain: ChainId, records: &[Record]) -> Result<Fresh, StorageError> {
    let mut content = file_header(chain);
    let mut frames_bytes = 0;
    for record in records {
        // A frame of its own each: damage of the last frame is taken for an interrupted write, so
        // the last must not hold them all.
        let before = length(&content);
        append_frame(&mut content, frames_bytes, slice::from_ref(record));
        let frame_bytes = length(&content).saturating_sub(before);
        frames_bytes = frames_bytes.saturating_add(frame_bytes);
    }
    let file_bytes = with_room(length(&content));
    content.resize(usize::try_from(file_bytes).unwrap_or(usize::MAX), 0);
    let beside = files::beside(path);
    let file = files::write_new(&beside, &content)?;
    files::rename(&beside, path)?;
    Ok(Fresh { file, frames_bytes, file_bytes })
}

/// Length of a file with frames up to `end`.
const fn with_room(end: u64) -> u64 {
    end.saturating_add(ROOM_BYTES).div_ceil(STEP_BYTES).saturating_mul(STEP_BYTES)
}

/// Reads a journal and changes nothing.
pub(crate) fn load(path: &Path, chain: ChainId) -> Result<Loaded, StorageError> {
    load_in_steps(path, chain, STEP_BYTES)
}

/// As [`load`], for a file that grows in steps of so many bytes.
fn load_in_steps(path: &Path, chain: ChainId, step_bytes: u64) -> Result<Loaded, StorageError> {
    let bytes = fs::read(path).map_err(StorageError::io("read", path))?;
    let cut = || StorageError::CutJournal { path: path.to_owned(), bytes: length(&bytes) };
    if length(&bytes) < step_bytes {
        return Err(cut());
    }
    let damaged = |offset, reason: String| StorageError::DamagedJournal {
        path: path.to_owned(),
        offset,
        reason,
    };
    let header_bytes = usize::try_from(HEADER_BYTES).unwrap_or(usize::MAX);
    let (Some(header), Some(frames)) = (bytes.get(..header_bytes), bytes.get(header_bytes..))
    else {
        return Err(damaged(0, "it is shorter than its header".to_owned()));
    };
    if header != file_header(chain) {
        return Err(match other_chain(header) {
            Some(found) => StorageError::Foreign {
                path: path.to_owned(),
                what: "chain",
                expected: chain.to_string(),
                found: found.to_string(),
            },
            None => damaged(0, "its header is not a journal's".to_owned()),
        });
    }
    let contents = read(frames).map_err(|damage| {
        let (Damage::Frame { offset } | Damage::Records { offset, .. }) = &damage;
        let offset = HEADER_BYTES.saturating_add(u64::try_from(*offset).unwrap_or(u64::MAX));
        damaged(offset, damage.to_string())
    })?;
    if is_cut(frames, &contents, step_bytes) {
        return Err(cut());
    }
    let whole = usize::try_from(contents.whole_bytes).unwrap_or(usize::MAX);
    let tail = frames.get(whole..).unwrap_or_default();
    let torn = tail.iter().rposition(|byte| *byte != 0);
    Ok(Loaded {
        contents,
        torn_bytes: torn
            .map_or(0, |last| u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1)),
    })
}

/// Whether the file ends where none of ours does. Room is made and durable before a frame is begun that needs it,
/// so every frame, whole or interrupted, has room behind it in whole steps; what an interrupted growth adds to
/// them is zeros.
fn is_cut(frames: &[u8], contents: &Contents, step_bytes: u64) -> bool {
    let file_bytes = HEADER_BYTES.saturating_add(length(frames));
    let steps_end = file_bytes.saturating_sub(file_bytes.checked_rem(step_bytes).unwrap_or(0));
    let begun_end = HEADER_BYTES.saturating_add(contents.begun_bytes);
    let growth = usize::try_from(steps_end.saturating_sub(HEADER_BYTES)).unwrap_or(usize::MAX);
    begun_end.saturating_add(ROOM_BYTES) > steps_end
        || frames.get(growth..).is_some_and(|growth| growth.iter().any(|byte| *byte != 0))
}

fn file_header(chain: ChainId) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.extend_from_slice(chain.digest().as_bytes());
    let checksum = digest(Domain::StoredRecord, &header);
    header.extend_from_slice(checksum.as_bytes());
    header
}

/// The chain of a header that is whole and another chain's.
fn other_chain(header: &[u8]) -> Option<ChainId> {
    let bytes: [u8; 32] = header.get(8..40)?.try_into().ok()?;
    let chain = ChainId::new(crypto::digest::Digest::from_bytes(bytes));
    (header == file_header(chain)).then_some(chain)
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn bytes_of(records: &[Record]) -> u64 {
    records
        .iter()
        .map(|record| u64::try_from(encoded_bytes(record)).unwrap_or(u64::MAX))
        .fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests;
