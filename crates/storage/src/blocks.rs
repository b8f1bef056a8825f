//! Blocks by height: the wire bytes of a block and its proof under one checksum, cut into values that sled keeps
//! in its log.
//!
//! The first chunk carries the checksum and the length and is written last, so a block whose first chunk is
//! there is there as a whole, and what an interrupted append leaves is chunks without a first one.

use crypto::digest::Digest;
use crypto::encoding::{from_wire, to_wire};
use types::block::{BlockId, Header};
use types::number::Height;
use types::proof::ProvedBlock;

use crate::database::{Database, VALUE_BYTES_MAX, Value};
use crate::error::StorageError;
use crate::sealed::checksum;

/// First byte of a block's keys.
const KEY: u8 = b'b';

/// Checksum and length in front of the first chunk.
const HEAD_BYTES: usize = 32 + 4;

/// Canonical bytes of a header: numbers and digests, so always as many.
const HEADER_BYTES: usize = 32 + 8 + 32 + 8 + 2 + 8 + 32 + 4 + 32;

/// Longest block and proof that is read or written, in bytes: far above what any genesis allows, below what
/// the length field holds.
pub(crate) const BLOCK_BYTES_MAX: usize = 256 << 20;

/// Writes a block at its height. Not durable yet.
pub(crate) fn write(database: &Database, block: &ProvedBlock) -> Result<(), StorageError> {
    let height = block.block.header.height;
    let bytes = to_wire(block);
    assert!(
        bytes.len() <= BLOCK_BYTES_MAX,
        "a block of {} bytes at height {height} is beyond every genesis",
        bytes.len()
    );
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let (first, rest) = bytes.split_at(bytes.len().min(VALUE_BYTES_MAX - HEAD_BYTES));
    for (number, chunk) in (1_u32..).zip(rest.chunks(VALUE_BYTES_MAX)) {
        database.put(&chunk_key(height, number), chunk)?;
    }
    let mut head = Vec::with_capacity(first.len().saturating_add(HEAD_BYTES));
    head.extend_from_slice(checksum(&height_key(height), &bytes).as_bytes());
    head.extend_from_slice(&length.to_le_bytes());
    head.extend_from_slice(first);
    database.put(&chunk_key(height, 0), &head)
}

/// Reads the block at a height that must have one, with its length in bytes as stored.
pub(crate) fn read(
    database: &Database,
    height: Height,
) -> Result<(ProvedBlock, usize), StorageError> {
    let damaged = |reason: String| StorageError::DamagedBlock { height, reason };
    let bytes = read_bytes(database, height)?;
    let block: ProvedBlock = from_wire(&bytes, bytes.len())
        .map_err(|error| damaged(format!("it does not decode: {error}")))?;
    if block.block.header.height != height {
        return Err(damaged(format!("it says it is at height {}", block.block.header.height)));
    }
    Ok((block, bytes.len()))
}

/// Reads the header of the block at a height that must have one, and nothing else of it. The checksum is over the
/// whole block; what tells that the header is the right one is its digest, the block's id.
pub(crate) fn read_header(
    database: &Database,
    height: Height,
    id: BlockId,
) -> Result<Header, StorageError> {
    let damaged = |reason: String| StorageError::DamagedBlock { height, reason };
    let head = read_chunk(database, height, 0)?;
    // The format version stands before the header, and every header has the same length.
    let wire = head.get(HEAD_BYTES..).and_then(|wire| wire.get(..HEADER_BYTES.saturating_add(1)));
    let wire = wire.ok_or_else(|| damaged("its first part is too short".to_owned()))?;
    let header: Header = from_wire(wire, wire.len())
        .map_err(|error| damaged(format!("its header does not decode: {error}")))?;
    if header.height != height || header.id() != id {
        return Err(damaged("its header is not the one that the block above names".to_owned()));
    }
    Ok(header)
}

/// The height of the newest whole block, [`Height::GENESIS`] when there is none. Removes what an interrupted
/// append left above it.
pub(crate) fn newest(database: &Database) -> Result<Height, StorageError> {
    loop {
        let last = database.last(&[KEY]).map_err(|broken| database.damaged(broken))?;
        let Some((key, _)) = last else {
            return Ok(Height::GENESIS);
        };
        let Some(height) = height_of_key(&key) else {
            // No other key starts so; one of another length was never written by this program.
            return Err(StorageError::DamagedBlock {
                height: Height::GENESIS,
                reason: "a key of the blocks is not one".to_owned(),
            });
        };
        let head =
            database.get(&chunk_key(height, 0)).map_err(|broken| database.damaged(broken))?;
        if head.is_some() {
            return Ok(height);
        }
        tracing::info!(%height, "removed what an interrupted append left of a block");
        database.remove_all(&height_key(height))?;
    }
}

fn read_bytes(database: &Database, height: Height) -> Result<Vec<u8>, StorageError> {
    let damaged = |reason: String| StorageError::DamagedBlock { height, reason };
    let head = read_chunk(database, height, 0)?;
    let Some((stored_sum, rest)) = head.split_first_chunk::<32>() else {
        return Err(damaged("its first part is too short".to_owned()));
    };
    let Some((length, first)) = rest.split_first_chunk::<4>() else {
        return Err(damaged("its first part is too short".to_owned()));
    };
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    if length > BLOCK_BYTES_MAX {
        return Err(damaged(format!("it claims {length} bytes")));
    }
    let mut bytes = first.to_vec();
    for number in 1_u32.. {
        if bytes.len() >= length {
            break;
        }
        let part = read_chunk(database, height, number)?;
        if part.is_empty() {
            return Err(damaged(format!("part {number} is empty")));
        }
        bytes.extend_from_slice(&part);
    }
    if bytes.len() != length
        || checksum(&height_key(height), &bytes) != Digest::from_bytes(*stored_sum)
    {
        return Err(damaged("its checksum does not match".to_owned()));
    }
    Ok(bytes)
}

fn read_chunk(database: &Database, height: Height, number: u32) -> Result<Value, StorageError> {
    let damaged = |reason: String| StorageError::DamagedBlock { height, reason };
    match database.get(&chunk_key(height, number)) {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(damaged(format!("part {number} is missing"))),
        Err(broken) => Err(damaged(format!("part {number} cannot be read: {}", broken.reason))),
    }
}

fn height_key(height: Height) -> Vec<u8> {
    let mut key = vec![KEY];
    key.extend_from_slice(&height.get().to_be_bytes());
    key
}

fn chunk_key(height: Height, number: u32) -> Vec<u8> {
    let mut key = height_key(height);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

fn height_of_key(key: &[u8]) -> Option<Height> {
    let (kind, rest) = key.split_first()?;
    let (height, number) = rest.split_first_chunk::<8>()?;
    (*kind == KEY && number.len() == 4).then(|| Height::new(u64::from_be_bytes(*height)))
}

#[cfg(test)]
pub(crate) mod tests;
