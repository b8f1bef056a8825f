//! Every error answer: a problem document (RFC 9457) with a stable code.
//!
//! [`Code`] lists all of them, those of the API itself and those by which the ledger refuses a
//! transaction; `docs/reference/errors.md` says of each what it means and what to do. Codes and
//! their HTTP statuses are part of the public interface; titles and details are for reading and may
//! change.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use types::rejection::Rejection;
use utoipa::ToSchema;

use crate::backend::Fault;
use crate::types::scalar;

/// The media type of problem documents.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What stands before the code in a problem's `type`.
pub const TYPE_PREFIX: &str = "urn:logothete:problem:";

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal;)*) => {
        /// The code of a problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its stable text.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// The HTTP status it is sent with.
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$name => $status,)*
                }
            }

            /// One phrase that is the same for every occurrence.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                }
            }
        }
    };
}

codes! {
    /// A path or query parameter is missing, unknown or not of its form.
    InvalidParameter = "invalid-parameter", 400, "a parameter is not of its form";
    /// An address is not one, or belongs to another network.
    InvalidAddress = "invalid-address", 400, "the address is not one of this network";
    /// The body is not the JSON that the endpoint takes.
    MalformedJson = "malformed-json", 400, "the body is not the JSON expected";
    /// The bytes of a transaction are not one.
    MalformedTransaction = "malformed-transaction", 400, "the bytes are not a transaction";
    /// A batch has more transactions than the endpoint takes.
    TooManyTransactions = "too-many-transactions", 400, "the batch has too many transactions";
    /// There is no such endpoint.
    RouteNotFound = "route-not-found", 404, "there is no such endpoint";
    /// There is no such block here.
    BlockNotFound = "block-not-found", 404, "no such block is committed here";
    /// The block has no certificate.
    CertificateNotFound = "certificate-not-found", 404, "the block has no certificate";
    /// The transaction is not known here.
    TransactionNotFound = "transaction-not-found", 404, "no such transaction is known here";
    /// The account does not exist.
    AccountNotFound = "account-not-found", 404, "the account does not exist";
    /// The evidence is not known here.
    EvidenceNotFound = "evidence-not-found", 404, "no such evidence is known here";
    /// The endpoint does not have this method.
    MethodNotAllowed = "method-not-allowed", 405, "the endpoint does not have this method";
    /// The body did not arrive in time.
    RequestTimeout = "request-timeout", 408, "the request did not arrive in time";
    /// The body is larger than the endpoint takes.
    BodyTooLarge = "body-too-large", 413, "the body is too large";
    /// The body is not declared to be JSON.
    UnsupportedMediaType = "unsupported-media-type", 415, "the body must be application/json";
    /// Something is broken inside the validator.
    Internal = "internal", 500, "internal fault";
    /// Too many requests of this kind are being answered.
    Overloaded = "overloaded", 503, "the validator is overloaded";
    /// As many event streams are open as the validator serves.
    TooManySubscribers = "too-many-subscribers", 503, "too many event streams are open";
    /// The validator does not reach a quorum yet.
    NotReady = "not-ready", 503, "the validator is not ready";
    /// The validator is stopping.
    Stopping = "stopping", 503, "the validator is stopping";
    /// The validator did not answer in time.
    AnswerTimeout = "answer-timeout", 504, "the validator did not answer in time";
    /// The transaction names another network.
    ForeignChain = "foreign-chain", 422, "the transaction is for another network";
    /// The sender's key is not sound.
    WeakKey = "weak-key", 422, "the sender's key is not sound";
    /// The memo has too many bytes.
    MemoTooLong = "memo-too-long", 422, "the memo is too long";
    /// The transaction moves nothing.
    ZeroAmount = "zero-amount", 422, "the amount is zero";
    /// The signature is not the sender's.
    BadSignature = "bad-signature", 422, "the signature is not the sender's";
    /// The transaction's time is over.
    Expired = "expired", 422, "the transaction has expired";
    /// There is no account of the sender.
    UnknownSender = "unknown-sender", 422, "the sender has no account";
    /// The nonce was used already.
    NonceTooLow = "nonce-too-low", 422, "the nonce was used already";
    /// Transactions before it are missing.
    NonceTooHigh = "nonce-too-high", 422, "the nonce comes too early";
    /// The sender has less.
    Overdraft = "overdraft", 422, "the balance is too small";
    /// A balance or nonce would exceed the greatest number.
    Overflow = "overflow", 422, "a balance or nonce would overflow";
    /// This very transaction waits in the pool already.
    AlreadyPending = "already-pending", 422, "the transaction is pending already";
    /// Another transaction with this nonce waits in the pool.
    ConflictingNonce = "conflicting-nonce", 422, "another transaction with this nonce is pending";
    /// Too many transactions of the sender wait in the pool.
    AccountFull = "account-full", 422, "too many transactions of the sender are pending";
    /// The pool is full.
    PoolFull = "pool-full", 503, "the pool is full";
}

impl Code {
    /// Seconds after which asking again makes sense, for problems that pass.
    pub const fn retry_after_seconds(self) -> Option<u32> {
        match self.status() {
            503 => Some(1),
            _ => None,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text is not a code that this version knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a known problem code")]
pub struct UnknownCode;

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text).ok_or(UnknownCode)
    }
}

impl From<&Rejection> for Code {
    fn from(rejection: &Rejection) -> Self {
        match rejection {
            Rejection::ForeignChain => Self::ForeignChain,
            Rejection::WeakKey => Self::WeakKey,
            Rejection::MemoTooLong { .. } => Self::MemoTooLong,
            Rejection::ZeroAmount => Self::ZeroAmount,
            Rejection::BadSignature => Self::BadSignature,
            Rejection::Expired { .. } => Self::Expired,
            Rejection::UnknownSender => Self::UnknownSender,
            Rejection::NonceTooLow { .. } => Self::NonceTooLow,
            Rejection::NonceTooHigh { .. } => Self::NonceTooHigh,
            Rejection::Overdraft { .. } => Self::Overdraft,
            Rejection::Overflow => Self::Overflow,
            Rejection::AlreadyPending => Self::AlreadyPending,
            Rejection::ConflictingNonce { .. } => Self::ConflictingNonce,
            Rejection::AccountFull { .. } => Self::AccountFull,
            Rejection::PoolFull => Self::PoolFull,
        }
    }
}

/// A problem document (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Error)]
#[error("{detail} ({code})")]
pub struct Problem {
    /// A URI that names the kind of problem: [`TYPE_PREFIX`] and the code.
    #[serde(rename = "type", deserialize_with = "scalar::readable::deserialize")]
    #[schema(example = "urn:logothete:problem:overdraft")]
    pub kind: String,
    /// One phrase that is the same for every occurrence of the code.
    #[serde(deserialize_with = "scalar::readable::deserialize")]
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code, to act on.
    #[serde(deserialize_with = "scalar::readable::deserialize")]
    #[schema(example = "overdraft")]
    pub code: String,
    /// What happened this time, for reading only.
    #[serde(deserialize_with = "scalar::readable::deserialize")]
    pub detail: String,
}

impl Problem {
    /// A problem with this code; `detail` says what happened this time.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("{TYPE_PREFIX}{code}"),
            title: code.title().to_owned(),
            status: code.status(),
            code: code.as_str().to_owned(),
            detail: detail.into(),
        }
    }

    /// Its code, when this version knows it.
    pub fn known_code(&self) -> Option<Code> {
        self.code.parse().ok()
    }
}

impl From<&Rejection> for Problem {
    fn from(rejection: &Rejection) -> Self {
        Self::new(Code::from(rejection), rejection.to_string())
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Stopping => Self::new(Code::Stopping, "the validator is stopping"),
            Fault::Overloaded => {
                Self::new(Code::Overloaded, "a queue inside the validator is full")
            }
            Fault::Internal(reason) => {
                // The reason may name files and addresses: it is for the operator's log alone.
                tracing::error!(%reason, "a request failed inside the validator");
                Self::new(
                    Code::Internal,
                    "something failed inside the validator; its log says what",
                )
            }
        }
    }
}

#[cfg(test)]
mod tests;
