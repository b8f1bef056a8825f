//! What came off a wire, what was checked, and what exactly is signed.
//!
//! [`Unverified`] is the only one of the two that decodes, [`Signed`] the only one that the engines
//! take; between them stands one check of every signature claim that the message makes. A message
//! says which claims those are ([`Authenticated`]); it never checks them itself, so many messages
//! share one batch.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::digest::{Digest, Domain, digest};
use crate::encoding::{self, Decode, Encode};
use crate::hex::HexError;
use crate::verify::{Claim, batch_holds, check_each};

/// The name of a network: the digest of its genesis. It is in everything signed, so nothing signed
/// for one network means anything on another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[bincode(crate = "crate::encoding")]
pub struct ChainId(Digest);

impl ChainId {
    /// The chain whose genesis has this digest.
    pub const fn new(digest: Digest) -> Self {
        Self(digest)
    }

    /// The digest of the genesis.
    pub const fn digest(&self) -> &Digest {
        &self.0
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl fmt::Debug for ChainId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl FromStr for ChainId {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        text.parse().map(Self)
    }
}

/// Something that keys sign, under a domain that nothing else is signed under.
pub trait Signable: Encode {
    /// The domain of its signatures; no two signable types share one.
    const DOMAIN: Domain;
}

/// What is signed for `message` on `chain`: the digest, in its domain, of the 32 bytes of the chain
/// id and the canonical bytes of the message.
pub fn signing_digest<M: Signable>(chain: &ChainId, message: &M) -> Digest {
    digest(M::DOMAIN, &encoding::encode(&(chain, message)))
}

/// A message whose authenticity is a list of signature claims.
pub trait Authenticated {
    /// What one must know to tell whose signatures are needed, such as the validators.
    type Context: ?Sized;
    /// Why a message is refused before any signature is looked at.
    type Malformed;

    /// Appends every claim the message makes. It is authentic when all of them hold and there is at
    /// least one: a message that makes no claim is vouched for by nobody and counts as forged.
    ///
    /// # Errors
    ///
    /// When the message's structure rules it out already; what was appended until then is ignored.
    fn claims(
        &self,
        context: &Self::Context,
        claims: &mut Vec<Claim>,
    ) -> Result<(), Self::Malformed>;
}

/// What came off a wire: decoded, and not yet believed. Its bytes are those of the message.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::encoding")]
pub struct Unverified<M>(M);

impl<M> Unverified<M> {
    /// A message that nobody has checked.
    pub const fn new(message: M) -> Self {
        Self(message)
    }

    /// The message, to look at and not to act on.
    pub const fn get(&self) -> &M {
        &self.0
    }
}

impl<M: Authenticated> Unverified<M> {
    /// Checks every claim the message makes.
    ///
    /// # Errors
    ///
    /// [`Forged::Malformed`] before any signature is checked, [`Forged::Signature`] when a claim
    /// does not hold or there is none.
    pub fn verify(self, context: &M::Context) -> Result<Signed<M>, Forged<M::Malformed>> {
        let mut claims = Vec::new();
        self.0.claims(context, &mut claims).map_err(Forged::Malformed)?;
        if claims.is_empty() || !batch_holds(&claims) {
            return Err(Forged::Signature);
        }
        Ok(Signed(self.0))
    }
}

/// A message whose every claim was checked, or that this process vouches for. Never decoded.
#[derive(Debug, Clone, PartialEq, Eq, Encode)]
#[bincode(crate = "crate::encoding")]
pub struct Signed<M>(M);

impl<M> Signed<M> {
    /// For what this process signed itself, or reads back from its own checksummed journal.
    /// Anything else comes through [`Unverified::verify`].
    pub const fn vouched(message: M) -> Self {
        Self(message)
    }

    /// The message.
    pub const fn get(&self) -> &M {
        &self.0
    }

    /// The message, without the knowledge that it was checked.
    pub fn into_inner(self) -> M {
        self.0
    }
}

/// Why a message is not authentic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Forged<E> {
    /// Its structure rules it out; no signature was checked.
    #[error("malformed: {0}")]
    Malformed(E),
    /// A signature does not hold, or there is none.
    #[error("a signature does not hold")]
    Signature,
}

/// Checks many messages in one batch; the answers are in the order of the messages.
pub fn verify_all<M: Authenticated>(
    messages: Vec<Unverified<M>>,
    context: &M::Context,
) -> Vec<Result<Signed<M>, Forged<M::Malformed>>> {
    let mut claims = Vec::new();
    let structures: Vec<Result<usize, M::Malformed>> = messages
        .iter()
        .map(|message| {
            let before = claims.len();
            match message.get().claims(context, &mut claims) {
                Ok(()) => Ok(claims.len().saturating_sub(before)),
                Err(malformed) => {
                    claims.truncate(before);
                    Err(malformed)
                }
            }
        })
        .collect();
    let mut verdicts = check_each(&claims).into_iter();
    messages
        .into_iter()
        .zip(structures)
        .map(|(message, structure)| match structure {
            Err(malformed) => Err(Forged::Malformed(malformed)),
            Ok(count) => {
                let held = verdicts.by_ref().take(count).filter(|held| *held).count();
                if held == count && count > 0 {
                    Ok(Signed(message.0))
                } else {
                    Err(Forged::Signature)
                }
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
