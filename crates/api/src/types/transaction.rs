//! Submitting transactions and asking what became of them.

use std::fmt;

use crypto::keys::Signature;
use serde::{Deserialize, Serialize};
use types::amount::Amount;
use types::block::BlockId;
use types::genesis::Genesis;
use types::number::{Height, Nonce};
use types::receipt::Receipt;
use types::transaction::{Action, SignedTransaction, TransactionId};
use utoipa::ToSchema;

use super::scalar::{self, Integer};
use crate::backend::Submission;

/// One signed transaction to submit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitRequest {
    /// Hexadecimal wire bytes of the signed transaction.
    pub transaction: String,
}

/// What happened to a submitted transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubmitStatus {
    /// Accepted into the pool; it may commit until its height of validity has passed.
    Pending,
    /// It was in the pool before: submitting again is harmless.
    AlreadyPending,
    /// Committed while this request waited.
    Committed,
    /// It was committed before: submitting again is harmless.
    AlreadyCommitted,
}

impl SubmitStatus {
    /// Whether a block holds it.
    pub fn is_committed(self) -> bool {
        match self {
            Self::Committed | Self::AlreadyCommitted => true,
            Self::Pending | Self::AlreadyPending => false,
        }
    }
}

impl fmt::Display for SubmitStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Pending => "pending",
            Self::AlreadyPending => "already pending",
            Self::Committed => "committed",
            Self::AlreadyCommitted => "already committed",
        })
    }
}

/// The answer to a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubmitAnswer {
    /// Id of the transaction.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub id: TransactionId,
    /// What happened to it.
    pub status: SubmitStatus,
    /// When committed: this validator's signed reply with the transaction's path in its block, as
    /// hexadecimal wire bytes.
    #[serde(with = "scalar::wire_option", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub receipt: Option<Receipt>,
}

impl SubmitAnswer {
    /// What the backend said about transaction `id`.
    pub fn new(id: TransactionId, submission: Submission) -> Self {
        let (status, receipt) = match submission {
            Submission::Pending => (SubmitStatus::Pending, None),
            Submission::AlreadyPending => (SubmitStatus::AlreadyPending, None),
            Submission::Committed(receipt) => (SubmitStatus::Committed, Some(*receipt)),
            Submission::AlreadyCommitted(receipt) => {
                (SubmitStatus::AlreadyCommitted, receipt.map(|receipt| *receipt))
            }
        };
        Self { id, status, receipt }
    }
}

/// Up to 1,000 signed transactions to submit at once, without waiting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    /// Hexadecimal wire bytes of each signed transaction.
    #[schema(max_items = 1000)]
    pub transactions: Vec<String>,
}

/// What happened to each transaction of a batch, in the order of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchAnswer {
    /// One result for each transaction.
    pub results: Vec<BatchResult>,
}

/// What happened to one transaction of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchResult {
    /// Its id; absent when its bytes are not a transaction.
    #[serde(with = "scalar::text_option", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub id: Option<TransactionId>,
    /// What happened to it.
    pub status: BatchStatus,
    /// When refused: the code of the reason, one of those of problem documents.
    #[serde(
        default,
        deserialize_with = "scalar::readable_option::deserialize",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(example = "overdraft")]
    pub code: Option<String>,
    /// When refused: the reason with its values, for reading only.
    #[serde(
        default,
        deserialize_with = "scalar::readable_option::deserialize",
        skip_serializing_if = "Option::is_none"
    )]
    pub detail: Option<String>,
}

/// What happened to one transaction of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatchStatus {
    /// Accepted into the pool.
    Pending,
    /// It was in the pool before.
    AlreadyPending,
    /// Committed while the batch was taken in.
    Committed,
    /// It was committed before.
    AlreadyCommitted,
    /// Refused; the code says why.
    Refused,
}

impl From<SubmitStatus> for BatchStatus {
    fn from(status: SubmitStatus) -> Self {
        match status {
            SubmitStatus::Pending => Self::Pending,
            SubmitStatus::AlreadyPending => Self::AlreadyPending,
            SubmitStatus::Committed => Self::Committed,
            SubmitStatus::AlreadyCommitted => Self::AlreadyCommitted,
        }
    }
}

/// What a validator knows about a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionAnswer {
    /// Its id.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub id: TransactionId,
    /// `pending` or `committed`.
    pub status: SubmitStatus,
    /// When committed: the height of its block.
    #[serde(with = "scalar::whole_option", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Integer>)]
    pub height: Option<Height>,
    /// When committed: the id of its block.
    #[serde(with = "scalar::text_option", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub block: Option<BlockId>,
    /// When committed: its place in the block, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// What it says.
    pub transaction: TransactionText,
    /// When committed: the validator's signed reply with the transaction's path in its block, as
    /// hexadecimal wire bytes.
    #[serde(with = "scalar::wire_option", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub receipt: Option<Receipt>,
}

/// A transaction for reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionText {
    /// Its id, which does not cover the signature.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub id: TransactionId,
    /// Address of the sender.
    pub sender: String,
    /// Its place among the sender's transactions, counted from 0.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub nonce: Nonce,
    /// Last height at which it may be committed.
    #[serde(with = "scalar::whole")]
    #[schema(value_type = Integer)]
    pub valid_until: Height,
    /// What it does; `transfer` is the only kind.
    #[schema(example = "transfer")]
    pub action: String,
    /// Address of the recipient.
    pub recipient: String,
    /// What is transferred, in base units.
    #[serde(with = "scalar::base_units")]
    #[schema(value_type = String, example = "1250")]
    pub amount: Amount,
    /// The same for reading.
    #[schema(example = "12.50 LGT")]
    pub amount_text: String,
    /// The sender's note, at most 64 bytes, empty for none. Anyone's text: escape it where it is
    /// shown.
    pub memo: String,
    /// The sender's signature.
    #[serde(with = "scalar::text")]
    #[schema(value_type = String)]
    pub signature: Signature,
}

impl TransactionText {
    /// `signed` in the prefix and denomination of its network.
    pub fn new(genesis: &Genesis, signed: &SignedTransaction) -> Self {
        let transaction = &signed.transaction;
        let Action::Transfer(transfer) = &transaction.action;
        Self {
            id: signed.id(),
            sender: transaction.sender.to_text(genesis.prefix()),
            nonce: transaction.nonce,
            valid_until: transaction.valid_until,
            action: "transfer".to_owned(),
            recipient: transfer.recipient.to_text(genesis.prefix()),
            amount: transfer.amount,
            amount_text: genesis.denomination().format_with_symbol(transfer.amount),
            memo: transfer.memo.text().to_owned(),
            signature: signed.signature,
        }
    }
}
