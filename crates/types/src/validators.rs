//! The validators of a network, fixed by its genesis, and who is primary when.

use std::collections::BTreeMap;
use std::sync::Arc;

use crypto::encoding::Encode;
use crypto::keys::PublicKey;
use crypto::signed::ChainId;
use thiserror::Error;

use crate::mutant;
use crate::number::View;
use crate::quorum::Quorum;
use crate::replica::ReplicaId;

/// Most validators of a network.
pub const VALIDATORS_MAX: usize = 128;

/// Canonical bytes of one signature of a certificate: a replica's number and 64 bytes.
const SIGNATURE_BYTES: usize = 2 + 64;

/// For the rest of a view change: two statements, its own signature, lengths.
const STATEMENTS_BYTES: usize = 512;

/// A validator as the genesis names it.
#[derive(Debug, Clone, PartialEq, Eq, Encode)]
#[bincode(crate = "crypto::encoding")]
pub struct Validator {
    /// A name for people, unique in the network.
    pub name: String,
    /// The key its votes verify under.
    pub key: PublicKey,
    /// The libp2p peer id of its node.
    pub peer_id: String,
}

/// The validators of one network, in the order of the genesis. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ValidatorSet(Arc<Members>);

#[derive(Debug, PartialEq, Eq)]
struct Members {
    chain: ChainId,
    quorum: Quorum,
    validators: Vec<Validator>,
    by_key: BTreeMap<PublicKey, ReplicaId>,
}

/// Why a list of validators cannot be a network's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ValidatorSetError {
    /// None, or too many.
    #[error("{found} validators, a network has 1 to {VALIDATORS_MAX}")]
    Count {
        /// How many there are.
        found: usize,
    },
    /// Two have one key, so one vote would count twice.
    #[error("replicas {first} and {second} have the same key")]
    DuplicateKey {
        /// The first with the key.
        first: ReplicaId,
        /// The second.
        second: ReplicaId,
    },
}

impl ValidatorSet {
    /// The set of these validators on this chain. Whether keys, names and peer ids are sound is
    /// asked by the genesis, where they enter the system.
    ///
    /// # Errors
    ///
    /// When there are none or too many, or two share a key.
    pub fn new(chain: ChainId, validators: Vec<Validator>) -> Result<Self, ValidatorSetError> {
        if validators.is_empty() || validators.len() > VALIDATORS_MAX {
            return Err(ValidatorSetError::Count { found: validators.len() });
        }
        let mut by_key = BTreeMap::new();
        for (second, validator) in (0..=u16::MAX).map(ReplicaId::new).zip(&validators) {
            if let Some(first) = by_key.insert(validator.key, second) {
                return Err(ValidatorSetError::DuplicateKey { first, second });
            }
        }
        Ok(Self(Arc::new(Members {
            chain,
            quorum: Quorum::of(validators.len()),
            validators,
            by_key,
        })))
    }

    /// The same validators, of whom a [naive majority](Quorum::naive_majority) makes a certificate. **Not safe.**
    #[must_use]
    pub(crate) fn under_naive_majority(&self) -> Self {
        let Members { chain, validators, by_key, .. } = &*self.0;
        Self(Arc::new(Members {
            chain: *chain,
            quorum: Quorum::naive_majority(validators.len()),
            validators: validators.clone(),
            by_key: by_key.clone(),
        }))
    }

    /// The network they are validators of.
    pub fn chain(&self) -> &ChainId {
        &self.0.chain
    }

    /// What is enough among them.
    pub fn quorum(&self) -> Quorum {
        mutant!({ return crate::mutant::quorum(self.0.quorum) });
        self.0.quorum
    }

    /// The validator with this number, `None` when there is none.
    pub fn get(&self, replica: ReplicaId) -> Option<&Validator> {
        self.0.validators.get(replica.index())
    }

    /// All of them with their numbers, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ReplicaId, &Validator)> {
        (0..=u16::MAX).map(ReplicaId::new).zip(&self.0.validators)
    }

    /// How many there are, from 1 to [`VALIDATORS_MAX`].
    #[expect(clippy::len_without_is_empty, reason = "there is always at least one")]
    pub fn len(&self) -> usize {
        self.0.validators.len()
    }

    /// A bound on the bytes of a new view of this network: q to n view changes, each with a certificate.
    pub fn new_view_bytes_max(&self) -> usize {
        let n = self.len();
        let certificate = n.saturating_mul(SIGNATURE_BYTES).saturating_add(STATEMENTS_BYTES);
        certificate.saturating_mul(n).saturating_add(STATEMENTS_BYTES)
    }

    /// The replica that signs with this key.
    pub fn replica_of(&self, key: &PublicKey) -> Option<ReplicaId> {
        self.0.by_key.get(key).copied()
    }

    /// The primary of a view: replica view mod n.
    pub fn primary(&self, view: View) -> ReplicaId {
        let n = u64::try_from(self.len()).unwrap_or(1).max(1);
        ReplicaId::new(u16::try_from(view.get() % n).unwrap_or_default())
    }
}

impl PartialEq for ValidatorSet {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for ValidatorSet {}

#[cfg(test)]
mod tests;
