//! What validators say to each other beside gossip, as bytes: frames of the direct streams, and the
//! request and response of catch-up.

use crypto::encoding::{Decode, DecodeError, Encode, FORMAT_VERSION, from_wire};
use crypto::signed::Unverified;
use pbft::Message;
use types::evidence::Evidence;
use types::number::Height;
use types::proof::ProvedBlock;
use types::transaction::SignedTransaction;

/// One frame of a direct stream.
#[expect(clippy::large_enum_variant, reason = "nearly every frame is the large one")]
#[derive(Clone, Debug, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub enum Frame {
    /// A message of the consensus protocol.
    Consensus(Unverified<Message>),
    /// Requests that wait here for long: gossip may have lost them.
    Requests(Vec<Unverified<SignedTransaction>>),
    /// Proof that a key lied.
    Evidence(Box<Unverified<Evidence>>),
}

/// How a frame of the consensus protocol begins: the format version and the number of its variant.
const CONSENSUS: [u8; 5] = [FORMAT_VERSION, 0, 0, 0, 0];

/// How a frame with evidence begins.
const EVIDENCE: [u8; 5] = [FORMAT_VERSION, 2, 0, 0, 0];

impl Frame {
    /// Reads a frame of at most `bytes_max` bytes. Only a message of the consensus protocol, which can
    /// hold a block, and evidence may be that long. Any other is refused by its length before
    /// anything is decoded.
    ///
    /// # Errors
    ///
    /// What is wrong with the bytes.
    pub(crate) fn read(bytes: &[u8], bytes_max: usize) -> Result<Self, DecodeError> {
        let long = bytes.starts_with(&CONSENSUS) || bytes.starts_with(&EVIDENCE);
        from_wire(bytes, if long { bytes_max } else { bytes_max.min(BATCH_BYTES_MAX) })
    }
}

/// One frame to be sent. Its bytes are those of the [`Frame`] that a receiver decodes.
#[derive(Clone, Debug, Encode)]
#[bincode(crate = "crypto::encoding")]
pub enum FrameRef<'a> {
    /// See [`Frame::Consensus`].
    Consensus(&'a Message),
    /// See [`Frame::Requests`].
    Requests(&'a [SignedTransaction]),
    /// See [`Frame::Evidence`].
    Evidence(&'a Evidence),
}

/// Asks for committed blocks, the lowest first.
#[derive(Clone, Copy, Debug, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct BlocksRequest {
    /// The height of the first block asked for.
    pub from: Height,
    /// The most blocks wanted. More than [`BLOCKS_MAX`] are not given.
    pub count: u32,
}

/// The most blocks of one response.
pub const BLOCKS_MAX: u32 = 512;

/// Committed blocks in ascending order from the height asked for, without gap: as many as are
/// wanted, are there, and fit into [`RESPONSE_BYTES`]. Empty when there are none.
pub type BlocksResponse = Vec<Unverified<ProvedBlock>>;

/// The most bytes of blocks in one response; at least one block is always sent.
pub const RESPONSE_BYTES: usize = 2 << 20;

/// The most bytes of one batch of requests, by gossip or directly. It fits the frames of any
/// network, however small its blocks: a frame may always be 64 KiB longer than a block.
pub const REQUESTS_BYTES_MAX: usize = 56 << 10;

/// The same with what encoding puts around it.
pub(crate) const BATCH_BYTES_MAX: usize = REQUESTS_BYTES_MAX + 64;

#[cfg(test)]
mod tests;
