//! Peer ids, and which member has which.

use std::collections::{BTreeMap, HashMap};

use libp2p::PeerId;
use libp2p::identity::Keypair;
use types::replica::ReplicaId;
use zeroize::Zeroizing;

use crate::error::NetworkError;
use crate::settings::Settings;

/// The peer id of the node key with this seed, as it stands in a genesis.
pub fn peer_id_of(node_seed: &[u8; 32]) -> String {
    keypair(node_seed).public().to_peer_id().to_string()
}

/// Whether the text is a peer id.
pub fn peer_id_valid(text: &str) -> bool {
    text.parse::<PeerId>().is_ok()
}

/// The libp2p key pair of a seed.
pub(crate) fn keypair(node_seed: &[u8; 32]) -> Keypair {
    // libp2p wipes what it is given; the copy is for that.
    let mut seed = Zeroizing::new(*node_seed);
    Keypair::ed25519_from_bytes(&mut *seed).expect("any 32 bytes are an Ed25519 seed")
}

/// Who the members are. The own one is not among [`Members::others`].
#[derive(Debug)]
pub(crate) struct Members {
    pub(crate) own: ReplicaId,
    pub(crate) own_peer: PeerId,
    peers: BTreeMap<ReplicaId, PeerId>,
    replicas: HashMap<PeerId, ReplicaId>,
}

impl Members {
    /// Reads the peer ids of the validators, and checks that the keys of the settings are this
    /// validator's.
    pub(crate) fn new(settings: &Settings, own_peer: PeerId) -> Result<Self, NetworkError> {
        let own = settings.replica;
        let validators = &settings.validators;
        let Some(me) = validators.get(own) else {
            return Err(NetworkError::NoSuchReplica { replica: own, validators: validators.len() });
        };
        if settings.chain != *validators.chain() {
            return Err(NetworkError::WrongChain {
                expected: validators.chain().to_string(),
                found: settings.chain.to_string(),
            });
        }
        if me.key != settings.signer.public_key() {
            return Err(NetworkError::WrongValidatorKey {
                expected: me.key.to_string(),
                found: settings.signer.public_key().to_string(),
            });
        }
        let mut members = Self { own, own_peer, peers: BTreeMap::new(), replicas: HashMap::new() };
        for (replica, validator) in validators.iter() {
            members.add(replica, &validator.peer_id)?;
        }
        if members.peers.remove(&own) != Some(own_peer) {
            return Err(NetworkError::WrongNodeKey {
                expected: me.peer_id.clone(),
                found: own_peer.to_string(),
            });
        }
        members.replicas.remove(&own_peer);
        Ok(members)
    }

    fn add(&mut self, replica: ReplicaId, text: &str) -> Result<(), NetworkError> {
        let fault =
            |reason: String| NetworkError::PeerId { replica, peer_id: text.to_owned(), reason };
        let peer: PeerId =
            text.parse().map_err(|error| fault(format!("not a peer id: {error}")))?;
        if let Some(other) = self.replicas.insert(peer, replica) {
            return Err(fault(format!("is also that of replica {other}")));
        }
        self.peers.insert(replica, peer);
        Ok(())
    }

    /// The other members, in order.
    pub(crate) fn others(&self) -> impl Iterator<Item = (ReplicaId, PeerId)> + '_ {
        self.peers.iter().map(|(replica, peer)| (*replica, *peer))
    }

    /// How many other members there are.
    pub(crate) fn others_count(&self) -> usize {
        self.peers.len()
    }

    /// The peer id of another member.
    pub(crate) fn peer(&self, replica: ReplicaId) -> Option<PeerId> {
        self.peers.get(&replica).copied()
    }

    /// Which other member has this peer id.
    pub(crate) fn replica(&self, peer: &PeerId) -> Option<ReplicaId> {
        self.replicas.get(peer).copied()
    }
}
