//! Values with their checksum in front, bound to their key: neither a flipped bit nor a value that turns up
//! under another key goes unnoticed.

use crypto::digest::{Digest, Domain, digest, digest_pair};

use crate::database::VALUE_BYTES_MAX;

/// Bytes of the checksum.
pub(crate) const SEAL_BYTES: usize = 32;

/// Longest content of a sealed value, in bytes.
pub(crate) const CONTENT_BYTES_MAX: usize = VALUE_BYTES_MAX - SEAL_BYTES;

/// The checksum of `content` under `key`.
pub(crate) fn checksum(key: &[u8], content: &[u8]) -> Digest {
    digest_pair(
        Domain::StoredRecord,
        &digest(Domain::StoredRecord, key),
        &digest(Domain::StoredRecord, content),
    )
}

/// The value to store: checksum and content.
pub(crate) fn seal(key: &[u8], content: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(content.len().saturating_add(SEAL_BYTES));
    value.extend_from_slice(checksum(key, content).as_bytes());
    value.extend_from_slice(content);
    value
}

/// The content of a stored value, `None` when the checksum does not match.
pub(crate) fn unseal<'value>(key: &[u8], value: &'value [u8]) -> Option<&'value [u8]> {
    let (seal, content) = value.split_first_chunk::<SEAL_BYTES>()?;
    (checksum(key, content) == Digest::from_bytes(*seal)).then_some(content)
}
