//! Ed25519 keys and signatures (RFC 8032), as bytes with names.
//!
//! Public keys and signatures are bytes and nothing more: any 32 or 64 bytes decode, so that a
//! decoder never does curve arithmetic and every validator agrees on what was said. Whether a key
//! is sound is asked once, where it enters the system ([`PublicKey::check`]); whether a signature
//! holds is the business of [`verify`](mod@crate::verify).

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
    /// Under a small-order key a signature can be made for any message by anyone, and a key with
    /// two encodings would be two accounts with one secret.
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

    /// [`PublicKey::check`] for a key whose signature is verified as well: by its bytes alone,
    /// without decoding the point.
    ///
    /// It says the same of every key that is a point of the curve. Of one that is not it may say
    /// nothing, because no signature holds under such a key.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotCanonical`] or [`KeyError::SmallOrder`].
    pub fn check_bytes(&self) -> Result<(), KeyError> {
        let mut y = self.0;
        if let Some(last) = y.last_mut() {
            *last &= 0x7f;
        }
        if SMALL_ORDER_Y.contains(&y) {
            return Err(KeyError::SmallOrder);
        }
        // Little endian: the bytes are compared from the most significant one down.
        if y.iter().rev().ge(FIELD_PRIME.iter().rev()) {
            // The non-canonical forms of 0 and 1 are the only points of small order up here.
            let low = y.first().copied().unwrap_or_default();
            let small = low == 0xed || low == 0xee;
            return Err(if small { KeyError::SmallOrder } else { KeyError::NotCanonical });
        }
        Ok(())
    }
}

/// 2²⁵⁵ − 19, little endian.
const FIELD_PRIME: [u8; 32] = {
    let mut prime = [0xff; 32];
    let [low, .., high] = &mut prime;
    *low = 0xed;
    *high = 0x7f;
    prime
};

/// The canonical y coordinates, little endian, of the eight points whose order divides 8: 0 (order
/// 4), 1 (order 1), −1 (order 2), and the two of order 8.
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    [0; 32],
    {
        let mut one = [0; 32];
        let [low, ..] = &mut one;
        *low = 1;
        one
    },
    {
        let mut minus_one = FIELD_PRIME;
        let [low, ..] = &mut minus_one;
        *low = 0xec;
        minus_one
    },
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
];

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
