//! Whether signatures hold: the ZIP 215 rule, everywhere and only.
//!
//! The rule: the key and R are any encodings of points of the curve, s is below the group's order,
//! and \[8\]\[s\]B = \[8\]R + \[8\]\[k\]A. Unlike the rules that most libraries apply, it gives one
//! answer for single and batched checks, so validators that batch differently never disagree.
//!
//! A batch needs coefficients that the makers of the signatures cannot foresee. They come from a
//! hash over the whole batch and not from the system, so this module stays pure: to choose
//! signatures that fail one by one and hold together, one would have to find them under a hash that
//! covers them.
//!
//! Which keys may be used at all is not asked here, but once, by
//! [`PublicKey::check`](crate::keys::PublicKey::check).

use std::convert::Infallible;

use ed25519_zebra::{VerificationKey, VerificationKeyBytes, batch};
use rand_core::{TryCryptoRng, TryRng};

use crate::digest::{Digest, Domain};
use crate::keys::{PublicKey, Signature};

/// Below this many claims single checks are as cheap as finding the culprit by halves.
const HALVING_CLAIMS_MIN: usize = 4;

/// "This key signed this digest": true or not, and checkable by anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Whose signature it is said to be.
    pub key: PublicKey,
    /// What is said to be signed.
    pub message: Digest,
    /// The signature.
    pub signature: Signature,
}

impl Claim {
    /// Whether the claim holds, checked alone.
    pub fn holds(&self) -> bool {
        verify(&self.key, self.message.as_bytes(), &self.signature)
    }
}

/// Whether `signature` is one of `key` over `message`, by the ZIP 215 rule, for any bytes at all.
pub fn verify(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    let signature = ed25519_zebra::Signature::from_bytes(signature.as_bytes());
    VerificationKey::try_from(*key.as_bytes())
        .is_ok_and(|key| key.verify(&signature, message).is_ok())
}

/// Whether every claim holds; about twice as fast as one by one, more when keys repeat. No claims
/// hold.
pub fn batch_holds(claims: &[Claim]) -> bool {
    match claims {
        [] => true,
        [claim] => claim.holds(),
        many => equation_holds(many.iter().map(Item::from)),
    }
}

/// Which claims hold, in order: the whole batch first, then halves to name the culprits.
///
/// Whoever sends many bad claims makes halving useless, so its work is bounded: after about three
/// times the first batch the rest is checked one by one.
pub fn check_each(claims: &[Claim]) -> Vec<bool> {
    let mut verdicts = Vec::with_capacity(claims.len());
    let mut halving = Halving { claims_left: claims.len().saturating_mul(3) };
    halving.check(claims, Known::Nothing, &mut verdicts);
    verdicts
}

/// What is known of a group of claims before it is checked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Nothing: it may hold as a whole.
    Nothing,
    /// At least one of them is bad, because a larger group failed and the rest of it held.
    OneIsBad,
}

/// The search for culprits, with what it may still spend on batches.
struct Halving {
    claims_left: usize,
}

impl Halving {
    /// Appends one verdict per claim and says whether all held.
    fn check(&mut self, claims: &[Claim], known: Known, verdicts: &mut Vec<bool>) -> bool {
        let affordable = self.claims_left >= claims.len();
        if claims.len() < HALVING_CLAIMS_MIN || !affordable {
            let before = verdicts.len();
            verdicts.extend(claims.iter().map(Claim::holds));
            return verdicts.iter().skip(before).all(|held| *held);
        }
        if known == Known::Nothing {
            self.claims_left = self.claims_left.saturating_sub(claims.len());
            if batch_holds(claims) {
                verdicts.extend(claims.iter().map(|_| true));
                return true;
            }
        }
        let (left, right) = claims.split_at(claims.len().div_euclid(2));
        let known_right = if self.check(left, Known::Nothing, verdicts) {
            Known::OneIsBad
        } else {
            Known::Nothing
        };
        self.check(right, known_right, verdicts);
        false
    }
}

/// One signature to check, over a message of any length.
#[derive(Clone, Copy)]
struct Item<'a> {
    key: &'a PublicKey,
    message: &'a [u8],
    signature: &'a Signature,
}

impl<'a> From<&'a Claim> for Item<'a> {
    fn from(claim: &'a Claim) -> Self {
        Self { key: &claim.key, message: claim.message.as_bytes(), signature: &claim.signature }
    }
}

/// The batch equation: the sum of the claims' equations, each times its coefficient.
///
/// The library groups the items by key in an order that differs between processes, so which
/// coefficient meets which item differs too; the answer does not, but for one chance in 2^128.
fn equation_holds<'a>(items: impl Iterator<Item = Item<'a>>) -> bool {
    let mut verifier = batch::Verifier::new();
    let mut hasher = blake3::Hasher::new_keyed(Domain::BatchCoefficients.key());
    for item in items {
        // Keys and signatures have fixed sizes; the message is hashed to one, so the whole reads
        // one way.
        hasher.update(item.key.as_bytes());
        hasher.update(item.signature.as_bytes());
        hasher.update(blake3::hash(item.message).as_bytes());
        verifier.queue((
            VerificationKeyBytes::from(*item.key.as_bytes()),
            ed25519_zebra::Signature::from_bytes(item.signature.as_bytes()),
            item.message,
        ));
    }
    verifier.verify(Coefficients(hasher.finalize_xof())).is_ok()
}

/// The output of a hash over the batch, as the source of numbers that the verifier asks for.
struct Coefficients(blake3::OutputReader);

impl TryRng for Coefficients {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Coefficients {}

#[cfg(test)]
mod tests;
