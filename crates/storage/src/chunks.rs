//! Values longer than sled keeps in its log: bytes under one checksum, cut into parts.
//!
//! The first part carries the checksum and the length and is written last, so a value whose first part is there is there
//! as a whole, and what an interrupted write leaves is parts without a first one.

use crypto::digest::Digest;

use crate::database::{Database, VALUE_BYTES_MAX, Value};
use crate::error::StorageError;
use crate::sealed::checksum;

/// Checksum and length in front of the first part.
pub(crate) const HEAD_BYTES: usize = 32 + 4;

/// Longest value that is written or read, in bytes: far above anything that there is, below what the length field
/// holds.
pub(crate) const BYTES_MAX: usize = 256 << 20;

/// Writes a value under a key. Not durable yet.
pub(crate) fn write(database: &Database, key: &[u8], bytes: &[u8]) -> Result<(), StorageError> {
    assert!(bytes.len() <= BYTES_MAX, "a value of {} bytes is beyond everything", bytes.len());
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let (first, rest) = bytes.split_at(bytes.len().min(VALUE_BYTES_MAX - HEAD_BYTES));
    for (number, part) in (1_u32..).zip(rest.chunks(VALUE_BYTES_MAX)) {
        database.put(&part_key(key, number), part)?;
    }
    let mut head = Vec::with_capacity(first.len().saturating_add(HEAD_BYTES));
    head.extend_from_slice(checksum(key, bytes).as_bytes());
    head.extend_from_slice(&length.to_le_bytes());
    head.extend_from_slice(first);
    database.put(&part_key(key, 0), &head)
}

/// Reads the value that must be under a key; the reason when it is missing or damaged.
pub(crate) fn read(database: &Database, key: &[u8]) -> Result<Vec<u8>, String> {
    let head = read_part(database, key, 0)?;
    let too_short = || "its first part is too short".to_owned();
    let (stored_sum, rest) = head.split_first_chunk::<32>().ok_or_else(too_short)?;
    let (length, first) = rest.split_first_chunk::<4>().ok_or_else(too_short)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    if length > BYTES_MAX {
        return Err(format!("it claims {length} bytes"));
    }
    let mut bytes = first.to_vec();
    for number in 1_u32.. {
        if bytes.len() >= length {
            break;
        }
        let part = read_part(database, key, number)?;
        if part.is_empty() {
            return Err(format!("part {number} is empty"));
        }
        bytes.extend_from_slice(&part);
    }
    if bytes.len() != length || checksum(key, &bytes) != Digest::from_bytes(*stored_sum) {
        return Err("its checksum does not match".to_owned());
    }
    Ok(bytes)
}

/// Reads one part of the value that must be under a key.
pub(crate) fn read_part(database: &Database, key: &[u8], number: u32) -> Result<Value, String> {
    match database.get(&part_key(key, number)) {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(format!("part {number} is missing")),
        Err(broken) => Err(format!("part {number} cannot be read: {}", broken.reason)),
    }
}

/// The key of a part.
pub(crate) fn part_key(key: &[u8], number: u32) -> Vec<u8> {
    [key, &number.to_be_bytes()].concat()
}
