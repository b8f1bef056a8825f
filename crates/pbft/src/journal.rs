//! The vote journal as bytes: frames of records, what an interrupted write looks like, and what may be forgotten.
//!
//! Pure functions over bytes (protocol page, section 5); the file is `storage`'s. A journal is frames one behind
//! the other. **A frame holds the records of one flush**: it is appended, made durable, and only then is the
//! next one begun. That is what makes reading decidable. When power fails, what had not been flushed may be there
//! wholly, partly, as zeros, or with later sectors present and earlier ones missing, but all of it belongs to
//! one frame, the last. So:
//!
//! - a bad frame with nothing behind it is an interrupted write: nothing was ever sent on its strength, and it
//!   is cut off;
//! - a bad frame with the beginning of another one behind it was durable when that one was begun: it is damage,
//!   nothing of it may be discarded, and the journal is refused.
//!
//! The header of a frame has a sum of its own, so a damaged length is not mistaken for a frame that ends behind the
//! end of the file. The sum covers the place of the frame, so bytes inside a record, which a peer may have
//! chosen, are not a frame, nor is a frame that a disk put in the wrong place. One thing cannot be told apart:
//! damage of the very last frame from the interrupted write of it.

use crypto::digest::{Digest, Domain, digest};
use crypto::encoding::{DecodeError, from_wire, to_wire};
use thiserror::Error;

use crate::record::Record;

mod live;

pub use live::live;

/// Bytes of a frame before its records: length (4), sum of the header (8), checksum of the records (32).
pub const HEADER_BYTES: usize = 4 + SUM_BYTES + 32;

const SUM_BYTES: usize = 8;

/// What a journal holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The records, in the order in which they were written.
    pub records: Vec<Record>,
    /// How many bytes from the beginning are whole frames. What is behind them is an interrupted write, to be cut
    /// off before anything is appended.
    pub whole_bytes: u64,
    /// Where the interrupted write would have ended, as far as the header of its frame tells; `whole_bytes` when
    /// there is none. A file that ends before that had no room for a frame that was begun.
    pub begun_bytes: u64,
}

/// Why a journal is refused: something that was durable is not there any more, and with it goes the knowledge of
/// what this replica has said.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Damage {
    /// A bad frame that cannot be an interrupted write.
    #[error("the frame at byte {offset} is damaged, and later ones follow it")]
    Frame {
        /// Where it begins, in bytes from the beginning of the journal.
        offset: usize,
    },
    /// A whole frame that does not hold records.
    #[error("the frame at byte {offset} does not hold records: {source}")]
    Records {
        /// Where it begins, in bytes from the beginning of the journal.
        offset: usize,
        /// What is wrong with its content.
        source: DecodeError,
    },
}

/// Appends to `bytes` the frame of one flush; `offset` is the place of its first byte in the journal. No records,
/// no frame.
///
/// # Panics
///
/// When the records encode to 4 GiB or more: one flush never brings more than a few windows of blocks.
pub fn append_frame(bytes: &mut Vec<u8>, offset: u64, records: &[Record]) {
    if records.is_empty() {
        return;
    }
    let payload = to_wire(&records);
    let length = u32::try_from(payload.len()).expect("the records of one flush are below 4 GiB");
    let checksum = digest(Domain::StoredRecord, &payload);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&header_sum(offset, length, &checksum));
    bytes.extend_from_slice(checksum.as_bytes());
    bytes.extend_from_slice(&payload);
}

/// Reads a journal.
///
/// # Errors
///
/// [`Damage`] when anything is wrong that an interrupted write does not explain. Nothing is ever repaired here.
pub fn read(bytes: &[u8]) -> Result<Contents, Damage> {
    let mut records = Vec::new();
    let mut offset = 0;
    while let Some(header) = header_at(bytes, offset)
        && let Some(payload) = bytes.get(header.begin..header.end)
        && digest(Domain::StoredRecord, payload) == header.checksum
    {
        let mut more = from_wire::<Vec<Record>>(payload, payload.len())
            .map_err(|source| Damage::Records { offset, source })?;
        records.append(&mut more);
        offset = header.end;
    }
    if frame_begins_behind(bytes, offset) {
        return Err(Damage::Frame { offset });
    }
    let whole_bytes = u64::try_from(offset).unwrap_or(u64::MAX);
    let begun = header_at(bytes, offset).map_or(offset, |header| header.end);
    let begun_bytes = u64::try_from(begun).unwrap_or(u64::MAX);
    Ok(Contents { records, whole_bytes, begun_bytes })
}

/// The header of a frame, its own sum being right, and where the records are.
struct Header {
    checksum: Digest,
    begin: usize,
    end: usize,
}

fn header_at(bytes: &[u8], offset: usize) -> Option<Header> {
    let rest = bytes.get(offset..)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length);
    if length == 0 {
        return None;
    }
    let (sum, rest) = rest.split_first_chunk::<SUM_BYTES>()?;
    let (checksum, _) = rest.split_first_chunk::<32>()?;
    let checksum = Digest::from_bytes(*checksum);
    if *sum != header_sum(u64::try_from(offset).ok()?, length, &checksum) {
        return None;
    }
    let begin = offset.checked_add(HEADER_BYTES)?;
    let end = begin.checked_add(usize::try_from(length).ok()?)?;
    Some(Header { checksum, begin, end })
}

fn header_sum(offset: u64, length: u32, checksum: &Digest) -> [u8; SUM_BYTES] {
    let mut covered = Vec::with_capacity(HEADER_BYTES);
    covered.extend_from_slice(&offset.to_le_bytes());
    covered.extend_from_slice(&length.to_le_bytes());
    covered.extend_from_slice(checksum.as_bytes());
    let digest = digest(Domain::StoredRecord, &covered);
    let (sum, _) = digest.as_bytes().split_at(SUM_BYTES);
    let mut short = [0; SUM_BYTES];
    short.copy_from_slice(sum);
    short
}

/// Whether another frame was begun behind the bad one at `offset`.
///
/// With a good header the bad frame says itself where that would be; zeros there are space that a file
/// system has reserved. Else any place will do: the sum of a header covers its place, so a header that holds
/// is one.
fn frame_begins_behind(bytes: &[u8], offset: usize) -> bool {
    match header_at(bytes, offset) {
        Some(header) => {
            bytes.get(header.end..).is_some_and(|rest| rest.iter().any(|byte| *byte != 0))
        }
        None => (offset..bytes.len()).any(|place| header_at(bytes, place).is_some()),
    }
}

#[cfg(test)]
mod tests;
