//! Who signs in a run, and how signatures are checked.
//!
//! Identities are real Ed25519 public keys, so a genesis is a genesis. Most runs sign with a keyed
//! hash, which costs a thousandth: whoever has the secret makes the bytes, and the checker, who has
//! all secrets, makes them again. That nobody forges is assumed of Ed25519 anyway; a share of the
//! runs signs with the real thing, so that nothing rests on the difference.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crypto::digest::Digest;
use crypto::keys::{PublicKey, SecretKey, Signature, Signer};
use crypto::verify::{Claim, check_each};
use serde::{Deserialize, Serialize};
use types::peer_id;

/// The most replicas of a run.
pub const REPLICAS_MAX: u16 = 16;

/// The most clients of a run.
pub const CLIENTS_MAX: u16 = 16;

/// How a run signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignerKind {
    /// With a keyed hash, for volume.
    Fast,
    /// With Ed25519.
    Ed25519,
}

/// Whose key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A replica's.
    Replica(u16),
    /// A client's.
    Client(u16),
}

/// The keys are the same in every run: what differs between runs is what is done with them.
static REPLICAS: LazyLock<Vec<PublicKey>> = LazyLock::new(|| public_keys(REPLICAS_MAX, replica));
static CLIENTS: LazyLock<Vec<PublicKey>> = LazyLock::new(|| public_keys(CLIENTS_MAX, client));

/// Nobody dials anybody here, but a genesis wants an address of every node.
static PEER_IDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let key = |number: u16| {
        let secret = blake3::derive_key("logothete v1 lab node", &number.to_le_bytes());
        SecretKey::from_seed(secret).public_key()
    };
    (0..REPLICAS_MAX).map(|number| peer_id::of_key(&key(number))).collect()
});

/// The peer id of a replica's node.
pub(crate) fn peer_id(replica: u16) -> String {
    PEER_IDS.get(usize::from(replica)).cloned().unwrap_or_default()
}

const fn replica(number: u16) -> Owner {
    Owner::Replica(number)
}

const fn client(number: u16) -> Owner {
    Owner::Client(number)
}

fn public_keys(count: u16, owner: fn(u16) -> Owner) -> Vec<PublicKey> {
    (0..count).map(|number| SecretKey::from_seed(owner(number).secret()).public_key()).collect()
}

impl Owner {
    /// The public key.
    ///
    /// # Panics
    ///
    /// Above [`REPLICAS_MAX`] or [`CLIENTS_MAX`].
    pub fn public_key(self) -> PublicKey {
        let (keys, number) = match self {
            Self::Replica(number) => (&REPLICAS, number),
            Self::Client(number) => (&CLIENTS, number),
        };
        *keys.get(usize::from(number)).expect("a plan has no more replicas and clients than keys")
    }

    fn secret(self) -> [u8; 32] {
        let name = match self {
            Self::Replica(number) => format!("replica {number}"),
            Self::Client(number) => format!("client {number}"),
        };
        blake3::derive_key("logothete v1 lab secret", name.as_bytes())
    }

    /// What signs for it.
    pub fn signer(self, kind: SignerKind) -> Arc<dyn Signer> {
        match kind {
            SignerKind::Fast => Arc::new(Fast { public: self.public_key(), secret: self.secret() }),
            SignerKind::Ed25519 => Arc::new(SecretKey::from_seed(self.secret())),
        }
    }
}

/// Signs with a keyed hash.
struct Fast {
    public: PublicKey,
    secret: [u8; 32],
}

impl Signer for Fast {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &Digest) -> Signature {
        keyed(&self.secret, message)
    }
}

fn keyed(secret: &[u8; 32], message: &Digest) -> Signature {
    let mut bytes = [0; 64];
    let mut hasher = blake3::Hasher::new_keyed(secret);
    hasher.update(message.as_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    Signature::from_bytes(bytes)
}

/// Checks the signatures of one run.
#[derive(Debug, Clone)]
pub enum Verifier {
    /// Those of keyed hashes, by the secret of each public key.
    Fast(Arc<BTreeMap<PublicKey, [u8; 32]>>),
    /// Those of Ed25519.
    Ed25519,
}

impl Verifier {
    /// The verifier of runs that sign like this.
    pub fn new(kind: SignerKind) -> Self {
        match kind {
            SignerKind::Fast => {
                let replicas = (0..REPLICAS_MAX).map(replica);
                let owners = replicas.chain((0..CLIENTS_MAX).map(client));
                Self::Fast(Arc::new(
                    owners.map(|owner| (owner.public_key(), owner.secret())).collect(),
                ))
            }
            SignerKind::Ed25519 => Self::Ed25519,
        }
    }

    /// Whether every claim holds. No claims hold.
    pub fn all_hold(&self, claims: &[Claim]) -> bool {
        match self {
            Self::Fast(secrets) => claims.iter().all(|claim| {
                let secret = secrets.get(&claim.key);
                secret.is_some_and(|secret| keyed(secret, &claim.message) == claim.signature)
            }),
            Self::Ed25519 => check_each(claims).into_iter().all(|held| held),
        }
    }
}

#[cfg(test)]
mod tests;
