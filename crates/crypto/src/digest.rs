//! BLAKE3 digests, each under the key of a domain.
//!
//! A digest of one kind of thing is never a digest of another: every kind hashes under its own
//! 32-byte key, itself derived from a fixed text (BLAKE3's key derivation mode). So a block id
//! never equals a transaction id, and a signature made over one kind of digest means nothing for
//! another.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use crate::encoding::{self, Decode, Encode};
use crate::hex::{self, HexError};

/// 32 bytes of BLAKE3. The text form is 64 lower-case hexadecimal characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[bincode(crate = "crate::encoding")]
pub struct Digest([u8; 32]);

impl Digest {
    /// All zero: the parent of the first block, and the root of nothing.
    pub const ZERO: Self = Self([0; 32]);

    /// A digest made elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 8 hexadecimal characters, for people; never for comparing.
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(8);
        text
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&hex::format(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Digest {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        hex::parse(text).map(Self)
    }
}

/// Declares the domains with the text each key is derived from.
macro_rules! domains {
    ($($(#[$meta:meta])* $name:ident => $context:literal,)+) => {
        /// What a digest is of. Each has a key of its own, fixed for ever: a new meaning takes a
        /// new domain.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Domain {
            $($(#[$meta])* $name,)+
        }

        impl Domain {
            /// Every domain, in order of declaration.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The text its key is derived from.
            pub const fn context(self) -> &'static str {
                match self {
                    $(Self::$name => $context,)+
                }
            }

            /// Its 32-byte key, derived once.
            pub fn key(self) -> &'static [u8; 32] {
                match self {
                    $(Self::$name => {
                        static KEY: LazyLock<[u8; 32]> =
                            LazyLock::new(|| blake3::derive_key($context, &[]));
                        &KEY
                    })+
                }
            }
        }
    };
}

domains! {
    /// The checked content of a genesis document.
    ChainId => "logothete v1 chain id",
    /// A block's header.
    BlockId => "logothete v1 block id",
    /// A transaction without its signature.
    TransactionId => "logothete v1 transaction id",
    /// A signed transaction, as a leaf of a block's body.
    TransactionLeaf => "logothete v1 transaction leaf",
    /// An inner node of a block's body.
    TransactionNode => "logothete v1 transaction node",
    /// An account, as a leaf of the state.
    AccountLeaf => "logothete v1 account leaf",
    /// An inner node of the state.
    AccountNode => "logothete v1 account node",
    /// The number of accounts and the root of their tree.
    StateRoot => "logothete v1 state root",
    /// The number of transactions and the root of their tree.
    BodyRoot => "logothete v1 body root",
    /// A page of a stored snapshot.
    SnapshotPage => "logothete v1 snapshot page",
    /// The checksum of a stored record.
    StoredRecord => "logothete v1 stored record",
    /// What a sender signs.
    SignedTransaction => "logothete v1 signed transaction",
    /// What a replica signs when it votes.
    SignedVote => "logothete v1 signed vote",
    /// What a replica signs when it asks for a view.
    SignedViewChange => "logothete v1 signed view change",
    /// What the primary of a view signs when it enters it.
    SignedNewView => "logothete v1 signed new view",
    /// What a replica signs when it says where it stands.
    SignedStatus => "logothete v1 signed status",
    /// What a replica signs when it hands over a block.
    SignedHandover => "logothete v1 signed handover",
    /// The name of a piece of evidence.
    EvidenceId => "logothete v1 evidence id",
    /// What a replica signs when a block is committed.
    SignedReply => "logothete v1 signed reply",
    /// What a validator signs to say where it can be reached.
    SignedAnnouncement => "logothete v1 signed announcement",
    /// Secrets of test networks, derived from a seed.
    SeedDerivation => "logothete v1 seed derivation",
    /// The coefficients of a batch of signature checks.
    BatchCoefficients => "logothete v1 batch coefficients",
}

/// The digest of `bytes` in `domain`.
pub fn digest(domain: Domain, bytes: &[u8]) -> Digest {
    Digest(*blake3::keyed_hash(domain.key(), bytes).as_bytes())
}

/// The digest of the canonical bytes of `value` in `domain`.
pub fn digest_of<T: Encode>(domain: Domain, value: &T) -> Digest {
    digest(domain, &encoding::encode(value))
}

/// The digest of two digests: exactly 64 bytes, one compression.
pub fn digest_pair(domain: Domain, left: &Digest, right: &Digest) -> Digest {
    let mut bytes = [0; 64];
    let (first, second) = bytes.split_at_mut(32);
    first.copy_from_slice(&left.0);
    second.copy_from_slice(&right.0);
    digest(domain, &bytes)
}

#[cfg(test)]
mod tests;
