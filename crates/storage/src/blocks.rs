//! Blocks by height: the wire bytes of a block and its proof, in [parts](crate::chunks).

use crypto::encoding::{from_wire, to_wire};
use types::block::{BlockId, Header};
use types::number::Height;
use types::proof::ProvedBlock;

use crate::chunks::{self, HEAD_BYTES};
use crate::database::Database;
use crate::error::StorageError;

/// First byte of a block's keys.
const KEY: u8 = b'b';

/// Canonical bytes of a header: numbers and digests, so always as many.
const HEADER_BYTES: usize = 32 + 8 + 32 + 8 + 2 + 8 + 32 + 4 + 32;

/// Writes a block at its height. Not durable yet.
pub(crate) fn write(database: &Database, block: &ProvedBlock) -> Result<(), StorageError> {
    chunks::write(database, &height_key(block.block.header.height), &to_wire(block))
}

/// Reads the block at a height that must have one, with its length in bytes as stored.
pub(crate) fn read(
    database: &Database,
    height: Height,
) -> Result<(ProvedBlock, usize), StorageError> {
    let damaged = |reason: String| StorageError::DamagedBlock { height, reason };
    let bytes = chunks::read(database, &height_key(height)).map_err(damaged)?;
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
    let head = chunks::read_part(database, &height_key(height), 0).map_err(damaged)?;
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
        let first = chunks::part_key(&height_key(height), 0);
        let head = database.get(&first).map_err(|broken| database.damaged(broken))?;
        if head.is_some() {
            return Ok(height);
        }
        tracing::info!(%height, "removed what an interrupted append left of a block");
        database.remove_all(&height_key(height))?;
    }
}

fn height_key(height: Height) -> Vec<u8> {
    let mut key = vec![KEY];
    key.extend_from_slice(&height.get().to_be_bytes());
    key
}

fn height_of_key(key: &[u8]) -> Option<Height> {
    let (kind, rest) = key.split_first()?;
    let (height, number) = rest.split_first_chunk::<8>()?;
    (*kind == KEY && number.len() == 4).then(|| Height::new(u64::from_be_bytes(*height)))
}

#[cfg(test)]
pub(crate) mod tests;
