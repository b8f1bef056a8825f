//! Entries of the index: where something with a digest is.

use crypto::digest::{Digest, Domain, digest_of};
use types::address::Address;
use types::block::BlockId;
use types::transaction::TransactionId;

/// Encoded bytes of an entry.
pub(crate) const ENTRY_BYTES: usize = 16 + 8 + 4;

/// The position of an entry that is a block's own and not a transaction's.
pub(crate) const BLOCK: u32 = u32::MAX;

/// The first 16 bytes of a digest: enough to find, not enough to believe.
pub(crate) type Prefix = [u8; 16];

/// The digest with this prefix is of something at this place. Ordered by prefix, height, position, and so are
/// the encoded bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    prefix: Prefix,
    height: u64,
    position: u32,
}

impl Entry {
    /// An entry for a place.
    pub(crate) const fn new(prefix: Prefix, height: u64, position: u32) -> Self {
        Self { prefix, height, position }
    }

    /// The prefix of the digest.
    pub(crate) const fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// The height of the block.
    pub(crate) const fn height(&self) -> u64 {
        self.height
    }

    /// The position of the transaction in the block, from 0; [`BLOCK`] for the block itself.
    pub(crate) const fn position(&self) -> u32 {
        self.position
    }

    /// Appends its bytes, big endian so that they sort as entries do.
    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.prefix);
        bytes.extend_from_slice(&self.height.to_be_bytes());
        bytes.extend_from_slice(&self.position.to_be_bytes());
    }

    /// Reads entries that fill the bytes and ascend strictly; `None` for anything else.
    pub(super) fn decode_all(bytes: &[u8]) -> Option<Vec<Self>> {
        let (chunks, []) = bytes.as_chunks::<ENTRY_BYTES>() else {
            return None;
        };
        let entries: Vec<Self> = chunks.iter().map(Self::decode).collect::<Option<Vec<Self>>>()?;
        entries.is_sorted_by(|a, b| a < b).then_some(entries)
    }

    fn decode(bytes: &[u8; ENTRY_BYTES]) -> Option<Self> {
        let (prefix, rest) = bytes.split_first_chunk::<16>()?;
        let (height, rest) = rest.split_first_chunk::<8>()?;
        let (position, _) = rest.split_first_chunk::<4>()?;
        Some(Self {
            prefix: *prefix,
            height: u64::from_be_bytes(*height),
            position: u32::from_be_bytes(*position),
        })
    }
}

/// Under which prefix a transaction is found.
pub(crate) fn prefix_of_id(id: &TransactionId) -> Prefix {
    prefix(id.digest())
}

/// Under which prefix a block is found.
pub(crate) fn prefix_of_block(id: &BlockId) -> Prefix {
    prefix(id.digest())
}

/// Under which prefix the transactions that touch an address are found.
pub(crate) fn prefix_of_address(address: &Address) -> Prefix {
    prefix(&digest_of(Domain::StoredRecord, address))
}

fn prefix(digest: &Digest) -> Prefix {
    let mut prefix = [0; 16];
    for (to, from) in prefix.iter_mut().zip(digest.as_bytes()) {
        *to = *from;
    }
    prefix
}
