//! What a validator knows of where it and the others stand.

use serde::{Deserialize, Serialize};
use types::block::BlockId;
use types::number::{Height, View};
use utoipa::ToSchema;

use super::scalar::{self, Integer};
use super::status::Status;

/// How a validator is, and what it and the others last said of themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StandingAnswer {
    /// How the validator is, as it sees itself.
    #[serde(flatten)]
    pub status: Status,
    /// The last signed status of every validator heard from since the start, this one among them, by replica.
    pub said: Vec<SaidStatus>,
}

/// What a validator last said of itself, as the answering one heard it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SaidStatus {
    /// Who said it, by place in the genesis.
    pub replica: u16,
    /// How long ago it came in, in milliseconds. The answering validator's word: it is not signed.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub age_ms: u64,
    /// The view it is in, or asks for.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub view: View,
    /// Whether it has accepted the new view of that view.
    pub entered: bool,
    /// The height it has committed.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub committed: Height,
    /// What it has of what it waits for; absent as long as all goes well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Waits>,
    /// The status itself, signature included, as hexadecimal wire bytes: what a checker needs beside the genesis.
    pub status: String,
}

/// What a validator has of what it waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Waits {
    /// Whose view changes for its view, or later ones, it has.
    pub view_changes: Vec<u16>,
    /// The height above its committed one, in its view; absent when it has nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextHeight>,
    /// A block whose body it lacks.
    #[serde(with = "scalar::text_option", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub block: Option<BlockId>,
}

/// What a validator has of the height in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextHeight {
    /// The height.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub height: Height,
    /// Whether it has a proposal.
    pub proposal: bool,
    /// Whose prepare votes it has.
    pub prepares: Vec<u16>,
    /// Whose commit votes it has.
    pub commits: Vec<u16>,
}
