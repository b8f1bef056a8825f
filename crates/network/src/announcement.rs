//! Where a validator can be reached, signed by the validator itself.
//!
//! An announcement binds a validator key to a peer id (the same binding as in the genesis, checked
//! against it) and says the addresses of the moment. A higher sequence number replaces a lower one,
//! so an old announcement that is said again changes nothing; an expiry keeps it from being passed
//! on for ever.

use crypto::digest::Domain;
use crypto::encoding::{Decode, DecodeError, Encode, from_wire, to_wire};
use crypto::keys::{PublicKey, Signature, Signer};
use crypto::signed::{Authenticated, Forged, Signable, Signed, Unverified, signing_digest};
use crypto::verify::Claim;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use thiserror::Error;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;

/// Most addresses of one announcement.
pub(crate) const ADDRESSES_MAX: usize = 8;
/// Most bytes of one address as text.
const ADDRESS_BYTES_MAX: usize = 256;
/// Most bytes of an announcement.
pub(crate) const ANNOUNCEMENT_BYTES_MAX: usize = 4 << 10;
/// How long an announcement is passed on, in milliseconds: clocks may differ by minutes.
pub(crate) const LIFETIME_MS: u64 = 10 * 60 * 1_000;
/// An expiry further ahead than this is not that of an honest clock.
const LIFETIME_MS_MAX: u64 = 2 * LIFETIME_MS;

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub(crate) struct Announcement {
    /// The validator's key.
    pub(crate) key: PublicKey,
    /// Its peer id, as in the genesis.
    pub(crate) peer_id: String,
    /// Multiaddresses, without a peer id at their end.
    pub(crate) addresses: Vec<String>,
    /// Higher than that of any earlier announcement: milliseconds since 1970 at the least.
    pub(crate) sequence: u64,
    /// Milliseconds since 1970 after which nobody passes it on.
    pub(crate) expires_ms: u64,
}

impl Signable for Announcement {
    const DOMAIN: Domain = Domain::SignedAnnouncement;
}

/// An announcement with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub(crate) struct SignedAnnouncement {
    pub(crate) announcement: Announcement,
    pub(crate) signature: Signature,
}

/// Why an announcement is refused (it or its bearer is at fault) or ignored (it is merely of no
/// use).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    /// It cannot be read.
    #[error("{0}")]
    Encoding(DecodeError),
    /// The key is no validator's.
    #[error("the key is no validator's")]
    NoValidator,
    /// The genesis binds another peer id to the key.
    #[error("the genesis binds another peer id to this key")]
    OtherPeer,
    /// Too many addresses, or one that cannot be read or is another peer's.
    #[error("an address is malformed or there are too many")]
    Addresses,
    /// The signature does not hold, be it of another key or for another chain.
    #[error("the signature does not hold")]
    Signature,
    /// A later one is known already.
    #[error("a later one is known")]
    Old,
    /// The one before came a moment ago.
    #[error("too soon after the one before")]
    TooSoon,
    /// It has expired, or claims to last for too long.
    #[error("it has expired or lasts too long")]
    Expired,
    /// It is our own.
    #[error("it is our own")]
    Own,
}

impl Refusal {
    /// Whether whoever passes it on is at fault.
    pub(crate) fn is_fault(&self) -> bool {
        match self {
            Self::Encoding(_)
            | Self::NoValidator
            | Self::OtherPeer
            | Self::Addresses
            | Self::Signature => true,
            Self::Old | Self::TooSoon | Self::Expired | Self::Own => false,
        }
    }

    /// Its name in the metrics.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Encoding(_) => "malformed",
            Self::NoValidator => "no_validator",
            Self::OtherPeer => "other_peer",
            Self::Addresses => "addresses",
            Self::Signature => "signature",
            Self::Old => "old",
            Self::TooSoon => "too_soon",
            Self::Expired => "expired",
            Self::Own => "own",
        }
    }
}

impl SignedAnnouncement {
    /// Signs an announcement.
    pub(crate) fn sign(
        announcement: Announcement,
        validators: &ValidatorSet,
        signer: &dyn Signer,
    ) -> Self {
        let signature = signer.sign(&signing_digest(validators.chain(), &announcement));
        Self { announcement, signature }
    }

    /// Its bytes on the wire.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        to_wire(self)
    }

    /// Who announces itself, if the key is bound to this peer id.
    fn replica(&self, validators: &ValidatorSet) -> Result<ReplicaId, Refusal> {
        let replica = validators.replica_of(&self.announcement.key).ok_or(Refusal::NoValidator)?;
        let bound = validators.get(replica).ok_or(Refusal::NoValidator)?;
        if bound.peer_id == self.announcement.peer_id {
            Ok(replica)
        } else {
            Err(Refusal::OtherPeer)
        }
    }
}

impl Authenticated for SignedAnnouncement {
    type Context = ValidatorSet;
    type Malformed = Refusal;

    fn claims(&self, validators: &ValidatorSet, claims: &mut Vec<Claim>) -> Result<(), Refusal> {
        self.replica(validators)?;
        claims.push(Claim {
            key: self.announcement.key,
            message: signing_digest(validators.chain(), &self.announcement),
            signature: self.signature,
        });
        Ok(())
    }
}

/// An announcement that can be read and is not yet believed.
#[derive(Debug)]
pub(crate) struct Read {
    announcement: Unverified<SignedAnnouncement>,
    pub(crate) replica: ReplicaId,
    pub(crate) sequence: u64,
    pub(crate) addresses: Vec<Multiaddr>,
}

/// Reads an announcement and checks everything that costs nothing; `now_ms` is milliseconds
/// since 1970.
pub(crate) fn read(bytes: &[u8], validators: &ValidatorSet, now_ms: u64) -> Result<Read, Refusal> {
    let announcement: Unverified<SignedAnnouncement> =
        from_wire(bytes, ANNOUNCEMENT_BYTES_MAX).map_err(Refusal::Encoding)?;
    let replica = announcement.get().replica(validators)?;
    let content = &announcement.get().announcement;
    let addresses = addresses(content)?;
    if content.expires_ms <= now_ms || content.expires_ms > now_ms.saturating_add(LIFETIME_MS_MAX) {
        return Err(Refusal::Expired);
    }
    let sequence = content.sequence;
    Ok(Read { announcement, replica, sequence, addresses })
}

impl Read {
    /// Checks the signature, which is what costs.
    pub(crate) fn verify(
        self,
        validators: &ValidatorSet,
    ) -> Result<Signed<SignedAnnouncement>, Refusal> {
        self.announcement.verify(validators).map_err(|forged| match forged {
            Forged::Malformed(refusal) => refusal,
            Forged::Signature => Refusal::Signature,
        })
    }
}

fn addresses(announcement: &Announcement) -> Result<Vec<Multiaddr>, Refusal> {
    if announcement.addresses.len() > ADDRESSES_MAX {
        return Err(Refusal::Addresses);
    }
    let peer = announcement.peer_id.parse().map_err(|_| Refusal::OtherPeer)?;
    announcement
        .addresses
        .iter()
        .map(|text| {
            let short = text.len() <= ADDRESS_BYTES_MAX;
            let address: Option<Multiaddr> = short.then(|| text.parse().ok()).flatten();
            address.and_then(|address| of_peer(address, peer)).ok_or(Refusal::Addresses)
        })
        .collect()
}

/// The address without a peer id at its end; `None` if that is another's, or nothing is left.
pub(crate) fn of_peer(mut address: Multiaddr, peer: PeerId) -> Option<Multiaddr> {
    if let Some(Protocol::P2p(named)) = address.iter().last() {
        if named != peer {
            return None;
        }
        address.pop();
    }
    (!address.is_empty()).then_some(address)
}

#[cfg(test)]
mod tests;
