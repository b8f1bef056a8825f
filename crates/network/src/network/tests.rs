//! Whole networks over loopback, in one process. Nothing here waits for a time: every wait is for
//! something to be seen, and bounded.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test waits for one kind of event and passes over the others"
)]

mod discovery;
mod floods;
mod frames;
mod gossip;
mod liars;
mod lifetime;
mod members;
mod requests;

use std::sync::Arc;
use std::time::Duration;

use crypto::digest::Digest;
use crypto::keys::SecretKey;
use crypto::signed::ChainId;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::sync::mpsc;
use tokio::time::timeout;
use types::replica::ReplicaId;
use types::validators::{Validator, ValidatorSet};
use zeroize::Zeroizing;

use super::{Network, start};
use crate::event::Event;
use crate::hub::Peers;
use crate::identity::peer_id_of;
use crate::settings::{Limits, Settings};

/// No wait is longer; a test that needs it has failed.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A running network with its events.
pub(super) struct Node {
    pub(super) network: Network,
    pub(super) events: mpsc::Receiver<Event>,
    pub(super) registry: Registry,
}

pub(super) fn replica(number: u16) -> ReplicaId {
    ReplicaId::new(number)
}

fn seed(kind: u8, number: u16) -> [u8; 32] {
    let mut seed = [kind; 32];
    seed[..2].copy_from_slice(&number.to_be_bytes());
    seed
}

/// The identity of this number in the test that calls, and in no other. A test dials where a peer
/// of its own was a moment ago, and the system may have given that port to another test by then:
/// were it a peer of the same identity, two networks would become one.
pub(super) fn node_seed(number: u16) -> [u8; 32] {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or_default();
    assert!(!test.starts_with("tokio"), "only the test's own thread knows which test it is");
    let mut hasher = blake3::Hasher::new();
    hasher.update(test.as_bytes());
    hasher.update(&std::process::id().to_be_bytes());
    hasher.update(&seed(1, number));
    hasher.finalize().into()
}

pub(super) fn validator_key(number: u16) -> SecretKey {
    SecretKey::from_seed(seed(2, number))
}

/// Validators with the keys of these numbers, on a chain of this number.
pub(crate) fn validators(chain: u8, numbers: &[u16]) -> ValidatorSet {
    let validators = numbers.iter().map(|number| Validator {
        name: format!("validator {number}"),
        key: validator_key(*number).public_key(),
        peer_id: peer_id_of(&node_seed(*number)),
    });
    let chain = ChainId::new(Digest::from_bytes([chain; 32]));
    ValidatorSet::new(chain, validators.collect()).unwrap()
}

/// Bounds that make a test quick; connections are never given up for silence.
pub(super) fn quick() -> Limits {
    Limits {
        announce_interval: Duration::from_secs(2),
        dial_delay_min: Duration::from_millis(100),
        dial_delay_max: Duration::from_millis(500),
        ..Limits::default()
    }
}

/// The settings of the validator whose keys have this number.
pub(crate) fn settings(validators: &ValidatorSet, number: u16, bootstrap: &[String]) -> Settings {
    let key = validator_key(number);
    Settings {
        node_seed: Zeroizing::new(node_seed(number)),
        chain: *validators.chain(),
        replica: validators.replica_of(&key.public_key()).unwrap(),
        validators: validators.clone(),
        signer: Arc::new(key),
        listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
        announce: Vec::new(),
        bootstrap: bootstrap.to_vec(),
        mdns: false,
        limits: quick(),
    }
}

impl Node {
    pub(super) fn start(settings: Settings) -> Self {
        let mut registry = Registry::default();
        let (network, events) = start(settings, &mut registry).unwrap();
        Self { network, events, registry }
    }

    /// The next event that `pick` takes; others are dropped.
    pub(super) async fn next<T>(&mut self, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        let found = async {
            loop {
                let event = self.events.recv().await.unwrap();
                if let Some(found) = pick(event) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, found).await.expect("the event comes in time")
    }

    pub(super) async fn address(&mut self) -> String {
        let addresses = self.network.addresses();
        if let Some(address) = addresses.first() {
            return address.clone();
        }
        self.next(|event| match event {
            Event::Listening { address } => Some(address),
            _ => None,
        })
        .await
    }

    pub(super) async fn connected(&mut self, to: u16) {
        self.next(|event| match event {
            Event::Connected(found) if found == replica(to) => Some(()),
            _ => None,
        })
        .await;
    }

    pub(super) async fn disconnected(&mut self, from: u16) {
        self.next(|event| match event {
            Event::Disconnected(found) if found == replica(from) => Some(()),
            _ => None,
        })
        .await;
    }

    pub(super) async fn frame(&mut self) -> (ReplicaId, Vec<u8>) {
        self.next(|event| match event {
            Event::Frame { from, bytes } => Some((from, bytes.into_vec())),
            _ => None,
        })
        .await
    }

    /// Waits until the peers are as wanted.
    pub(super) async fn peers(&self, wanted: impl FnMut(&Peers) -> bool) {
        let mut peers = self.network.peers();
        let seen = timeout(PATIENCE, peers.wait_for(wanted)).await;
        seen.expect("the peers are so in time").unwrap();
    }

    /// Waits until a metric, named with its labels, has at least this value.
    pub(super) async fn metric(&self, name: &str, at_least: u64) {
        let seen = async {
            while value(&self.registry, name) < at_least {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, seen).await.expect("the metric is so in time");
    }

    pub(super) fn value(&self, name: &str) -> u64 {
        value(&self.registry, name)
    }
}

fn value(registry: &Registry, name: &str) -> u64 {
    let mut text = String::new();
    encode(&mut text, registry).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0, |value| value.trim().parse().unwrap())
}

/// Starts these validators, each knowing the first only, and waits until all are connected with
/// all.
pub(super) async fn all_connected(numbers: &[u16], limits: &Limits) -> Vec<Node> {
    let validators = validators(1, numbers);
    let mut nodes: Vec<Node> = Vec::new();
    let mut bootstrap = Vec::new();
    for number in numbers {
        let mut node = Node::start(Settings {
            limits: limits.clone(),
            ..settings(&validators, *number, &bootstrap)
        });
        if bootstrap.is_empty() {
            bootstrap.push(node.address().await);
        }
        nodes.push(node);
    }
    let others = numbers.len() - 1;
    for node in &nodes {
        node.peers(|peers| peers.connected.len() == others && peers.subscribed.len() == others)
            .await;
    }
    nodes
}
