//! Ed25519 keys and signatures (RFC 8032), as bytes with names.
//!
//! Public keys and signatures are bytes and nothing more: any 32 or 64 bytes decode, so that a
//! decoder never does curve arithmetic and every validator agrees on what was said. Whether a key is sound
//! is asked once, where it enters the system ([`PublicKey::check`]); whether a signature holds is the
//! business of [`verify`](mod@crate::verify).

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::Signer as _;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::digest::Digest;
use crate::encoding::{Decode, Encode};
use crate::hex::{self, HexError};

/// 32 bytes that claim to be an Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[bincode(crate = "crate::encoding")]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// A key from its 32 bytes, unchecked.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether the key may enter the system, as a validator's or as a sender's.
    ///
    /// Under a small-order key a signature can be made for any message by anyone, and a key with two
    /// encodings would be two accounts with one secret.
    ///
    /// # Errors
    ///
    /// The first reason to refuse it, in the order of [`KeyError`].
    pub fn check(&self) -> Result<(), KeyError> {
        let key =
            ed25519_dalek::VerifyingKey::from_bytes(&self.0).map_err(|_| KeyError::NotOnCurve)?;
        if key.is_weak() {
            return Err(KeyError::SmallOrder);
        }
        if key.to_edwards().compress().to_bytes() != self.0 {
            return Err(KeyError::NotCanonical);
        }
        Ok(())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&hex::format(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for PublicKey {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        hex::parse(text).map(Self)
    }
}

/// Why 32 bytes are refused as a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// No point of the curve has this encoding.
    #[error("the key is not a point of the curve")]
    NotOnCurve,
    /// The point has order 1, 2, 4 or 8: anyone can sign for it.
    #[error("the key has small order, anyone can sign for it")]
    SmallOrder,
    /// The point has another, canonical encoding.
    #[error("the key is not canonically encoded")]
    NotCanonical,
}

/// A secret key: 32 bytes of seed. Leaves memory when dropped, and is never shown.
pub struct SecretKey(ed25519_dalek::SigningKey);

impl SecretKey {
    /// The key of a seed; every seed has one.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        Self(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// The seed, to be stored by whoever keeps the key.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// Its public key.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs bytes as RFC 8032 says. Private: what this system signs are digests of a domain.
    fn sign_bytes(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SecretKey(of {})", self.public_key())
    }
}

/// 64 bytes that claim to be an Ed25519 signature.
///
/// The holder of a key can make many signatures for one message: nothing may be told apart by these
/// bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[bincode(crate = "crate::encoding")]
pub struct Signature([u8; 64]);

impl Signature {
    /// A signature from its 64 bytes, unchecked.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Its 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&hex::format(&self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Signature {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        hex::parse(text).map(Self)
    }
}

/// Whoever can sign a digest under one public key.
pub trait Signer: Send + Sync {
    /// The key its signatures verify under.
    fn public_key(&self) -> PublicKey;

    /// A signature over the 32 bytes of `message`; the same message always gets the same bytes.
    fn sign(&self, message: &Digest) -> Signature;
}

impl Signer for SecretKey {
    fn public_key(&self) -> PublicKey {
        Self::public_key(self)
    }

    fn sign(&self, message: &Digest) -> Signature {
        self.sign_bytes(message.as_bytes())
    }
}

#[cfg(test)]
mod tests;
