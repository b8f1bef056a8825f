//! Why a transaction is refused.
//!
//! One transaction can be wrong in many ways at once; everybody names the same: the first of this
//! order that applies.
//!
//! 1. Whatever the state: [`ForeignChain`](Rejection::ForeignChain),
//!    [`WeakKey`](Rejection::WeakKey), [`MemoTooLong`](Rejection::MemoTooLong),
//!    [`ZeroAmount`](Rejection::ZeroAmount), [`BadSignature`](Rejection::BadSignature). Such a
//!    transaction never applies anywhere.
//! 2. On a state: [`Expired`](Rejection::Expired), [`UnknownSender`](Rejection::UnknownSender),
//!    [`NonceTooLow`](Rejection::NonceTooLow) or [`NonceTooHigh`](Rejection::NonceTooHigh),
//!    [`Overdraft`](Rejection::Overdraft), [`Overflow`](Rejection::Overflow).
//! 3. By this validator's pool, which says nothing about the transaction itself:
//!    [`AlreadyPending`](Rejection::AlreadyPending),
//!    [`ConflictingNonce`](Rejection::ConflictingNonce), [`AccountFull`](Rejection::AccountFull),
//!    [`PoolFull`](Rejection::PoolFull).
//!
//! The codes are part of the public interface and never change; the texts may.

use crypto::signed::Forged;
use thiserror::Error;

use crate::amount::Amount;
use crate::memo::MEMO_BYTES_MAX;
use crate::number::{Height, Nonce};

/// A reason to refuse a transaction, declared in the order in which they apply. Amounts are base
/// units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Rejection {
    /// It names another network.
    #[error("the transaction is for another network")]
    ForeignChain,
    /// Its sender's key has small order, so that anyone could sign for it, or is not canonically
    /// encoded.
    #[error("the sender's key is not a sound key")]
    WeakKey,
    /// Its memo has too many bytes.
    #[error("the memo has {bytes} bytes, at most {MEMO_BYTES_MAX} are allowed")]
    MemoTooLong {
        /// Bytes of the memo.
        bytes: u64,
    },
    /// It moves nothing.
    #[error("the amount is zero")]
    ZeroAmount,
    /// Its signature is not the sender's.
    #[error("the signature is not the sender's")]
    BadSignature,
    /// Its time is over.
    #[error("valid until height {valid_until}, the block has height {height}")]
    Expired {
        /// The last height at which it was valid.
        valid_until: Height,
        /// The height at which it would apply.
        height: Height,
    },
    /// There is no account of its sender.
    #[error("the sender has no account")]
    UnknownSender,
    /// The nonce was used already.
    #[error("nonce {found} was used already, the next one is {expected}")]
    NonceTooLow {
        /// The nonce that comes next.
        expected: Nonce,
        /// The transaction's.
        found: Nonce,
    },
    /// Transactions before it are missing.
    #[error("nonce {found} comes too early, the next one is {expected}")]
    NonceTooHigh {
        /// The nonce that comes next.
        expected: Nonce,
        /// The transaction's.
        found: Nonce,
    },
    /// The sender has less.
    #[error("the balance of {balance} base units is less than the amount of {amount}")]
    Overdraft {
        /// What the sender has.
        balance: Amount,
        /// What would be taken.
        amount: Amount,
    },
    /// The recipient's balance or the sender's nonce would exceed the greatest number there is.
    #[error("the recipient's balance or the sender's nonce would overflow")]
    Overflow,
    /// This very transaction waits in the pool already.
    #[error("the transaction is pending already")]
    AlreadyPending,
    /// Another transaction of the sender with this nonce waits in the pool.
    #[error("another transaction with nonce {nonce} is pending")]
    ConflictingNonce {
        /// The nonce of both.
        nonce: Nonce,
    },
    /// Too many transactions of this sender wait in the pool.
    #[error("the sender has {pending} pending transactions, the most allowed")]
    AccountFull {
        /// How many wait.
        pending: u64,
    },
    /// The pool is full.
    #[error("the pool is full, try again later")]
    PoolFull,
}

impl Rejection {
    /// Every code there is, in the order in which they apply.
    pub const CODES: [&'static str; 15] = [
        "foreign-chain",
        "weak-key",
        "memo-too-long",
        "zero-amount",
        "bad-signature",
        "expired",
        "unknown-sender",
        "nonce-too-low",
        "nonce-too-high",
        "overdraft",
        "overflow",
        "already-pending",
        "conflicting-nonce",
        "account-full",
        "pool-full",
    ];

    /// The stable name of the reason.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ForeignChain => "foreign-chain",
            Self::WeakKey => "weak-key",
            Self::MemoTooLong { .. } => "memo-too-long",
            Self::ZeroAmount => "zero-amount",
            Self::BadSignature => "bad-signature",
            Self::Expired { .. } => "expired",
            Self::UnknownSender => "unknown-sender",
            Self::NonceTooLow { .. } => "nonce-too-low",
            Self::NonceTooHigh { .. } => "nonce-too-high",
            Self::Overdraft { .. } => "overdraft",
            Self::Overflow => "overflow",
            Self::AlreadyPending => "already-pending",
            Self::ConflictingNonce { .. } => "conflicting-nonce",
            Self::AccountFull { .. } => "account-full",
            Self::PoolFull => "pool-full",
        }
    }

    /// What kind of reason it is.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::ForeignChain
            | Self::WeakKey
            | Self::MemoTooLong { .. }
            | Self::ZeroAmount
            | Self::BadSignature => Cause::Form,
            Self::Expired { .. }
            | Self::UnknownSender
            | Self::NonceTooLow { .. }
            | Self::NonceTooHigh { .. }
            | Self::Overdraft { .. }
            | Self::Overflow => Cause::State,
            Self::AlreadyPending
            | Self::ConflictingNonce { .. }
            | Self::AccountFull { .. }
            | Self::PoolFull => Cause::Pool,
        }
    }
}

/// What a rejection depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The transaction alone: it is refused by everybody and for ever.
    Form,
    /// The state it would apply to.
    State,
    /// What else waits at this validator.
    Pool,
}

impl From<Forged<Self>> for Rejection {
    fn from(forged: Forged<Self>) -> Self {
        match forged {
            Forged::Malformed(rejection) => rejection,
            Forged::Signature => Self::BadSignature,
        }
    }
}

#[cfg(test)]
mod tests;
