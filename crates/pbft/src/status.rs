//! Status: where a replica stands and what it lacks, so that whoever has it says it again (protocol page, section 6).
//!
//! It is a hint and never a fact: what follows from it is at most one bounded answer for each status period.

use std::fmt;

use crypto::digest::Domain;
use crypto::encoding::{Decode, Encode};
use crypto::keys::{Signature, Signer};
use crypto::signed::{ChainId, Signable, signing_digest};
use types::block::BlockId;
use types::number::{Height, View};
use types::replica::ReplicaId;

/// The most heights that a replica says something about: two windows of the largest kind.
pub const HEIGHTS_MAX: usize = 256;

/// Where a replica stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Standpoint {
    /// Whose status it is.
    pub replica: ReplicaId,
    /// The view it is in, or asks for.
    pub view: View,
    /// Whether it has accepted the new view of this view.
    pub entered: bool,
    /// The height it has committed.
    pub committed: Height,
    /// What it lacks, when it has waited for a while; `None` as long as all goes well.
    pub lacks: Option<Lacks>,
}

impl Signable for Standpoint {
    const DOMAIN: Domain = Domain::SignedStatus;
}

/// What a replica has of what it waits for, so that the rest can be sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Lacks {
    /// Whose view changes for its view, or later ones, it has.
    pub view_changes: Members,
    /// What it has of the heights above the committed one, in its view, one by one. At most [`HEIGHTS_MAX`].
    pub heights: Vec<Held>,
    /// A block whose body it lacks, with those below it down to its committed one.
    pub block: Option<BlockId>,
}

/// What a replica has of one height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Held {
    /// Whether it has a proposal.
    pub proposal: bool,
    /// Whose prepare votes it has.
    pub prepares: Members,
    /// Whose commit votes it has.
    pub commits: Members,
}

/// A set of replicas.
#[derive(Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Members(u128);

impl Members {
    /// Whether a replica is one of them.
    pub fn contains(self, replica: ReplicaId) -> bool {
        bit(replica) & self.0 != 0
    }
}

impl FromIterator<ReplicaId> for Members {
    fn from_iter<I: IntoIterator<Item = ReplicaId>>(replicas: I) -> Self {
        Self(replicas.into_iter().fold(0, |set, replica| set | bit(replica)))
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Members({:b})", self.0)
    }
}

/// A network has at most 128 validators, so each has its bit.
fn bit(replica: ReplicaId) -> u128 {
    1_u128.checked_shl(u32::from(replica.get())).unwrap_or(0)
}

/// A signed status.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Status {
    /// What it says.
    pub standpoint: Standpoint,
    /// The signature of the replica that it names.
    pub signature: Signature,
}

impl Status {
    /// Signs a status with the key of the replica that it names.
    pub fn sign(standpoint: Standpoint, chain: &ChainId, signer: &dyn Signer) -> Self {
        let signature = signer.sign(&signing_digest(chain, &standpoint));
        Self { standpoint, signature }
    }
}

#[cfg(test)]
mod tests;
