//! What the event stream carries.

use crypto::digest::Digest;
use serde::{Deserialize, Serialize};
use types::block::{Block, BlockId};
use types::number::Height;
use types::rejection::Rejection;
use types::reply::BlockReply;
use types::transaction::TransactionId;
use utoipa::ToSchema;

use super::fork::LostEvent;
use super::scalar::{self, Integer};
use super::status::Status;

/// One server-sent event; its kind is the event's name on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// `block`: a block was committed and is durable here. Its id on the wire is its height.
    Block(BlockEvent),
    /// `status`: how the validator is, at the start of the stream and from time to time.
    Status(Box<Status>),
    /// `refused`: a transaction that was pending here has left the pool and was not committed.
    Refused(RefusedEvent),
    /// `lost`: a proposal has lost for good to another block.
    Lost(LostEvent),
}

/// A block was committed and is durable at the answering validator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockEvent {
    /// Its height.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub height: Height,
    /// Its id.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub block: BlockId,
    /// Id of its parent.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub parent: BlockId,
    /// State root after its execution.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub state_root: Digest,
    /// When it was first proposed, in milliseconds since 1970 (UTC).
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub timestamp_ms: u64,
    /// How many transactions it holds.
    pub transactions: u32,
    /// Their ids, in order.
    #[serde(with = "scalar::text_list")]
    #[schema(value_type = Vec<String>)]
    pub transaction_ids: Vec<TransactionId>,
    /// The validator's signed reply for the block, as hexadecimal wire bytes.
    #[serde(with = "scalar::wire")]
    #[schema(value_type = String)]
    pub reply: BlockReply,
}

impl BlockEvent {
    /// What is said about `block`, with this validator's reply for it.
    pub fn new(block: &Block, reply: BlockReply) -> Self {
        Self {
            height: block.header.height,
            block: block.id(),
            parent: block.header.parent,
            state_root: block.header.state_root,
            timestamp_ms: block.header.timestamp_ms,
            transactions: block.header.transactions,
            transaction_ids: block.body.transactions().iter().map(|signed| signed.id()).collect(),
            reply,
        }
    }
}

/// A transaction that was pending has left the pool and was not committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedEvent {
    /// Its id.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub id: TransactionId,
    /// The code of the reason, one of those of problem documents.
    #[serde(deserialize_with = "scalar::readable::deserialize")]
    #[schema(example = "expired")]
    pub code: String,
    /// The reason with its values, for reading only.
    #[serde(deserialize_with = "scalar::readable::deserialize")]
    pub detail: String,
}

impl RefusedEvent {
    /// What is said about transaction `id`.
    pub fn new(id: TransactionId, rejection: &Rejection) -> Self {
        Self { id, code: rejection.code().to_owned(), detail: rejection.to_string() }
    }
}
