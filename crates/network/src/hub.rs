//! What the tasks of a network share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use tokio::sync::{mpsc, watch};
use types::replica::ReplicaId;

use crate::behaviour::Names;
use crate::identity::Members;
use crate::link::Link;
use crate::metrics::Metrics;
use crate::settings::{Limits, Settings};
use crate::swarm::Command;

/// Which other members we have what with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peers {
    /// Direct streams are open both ways.
    pub connected: BTreeSet<ReplicaId>,
    /// They take part in all gossip topics.
    pub subscribed: BTreeSet<ReplicaId>,
    /// Both of the above have q − 1 members or more: with us they are a quorum.
    pub ready: bool,
}

impl Peers {
    /// Sets `ready`, when so many others are needed.
    pub(crate) fn judge(&mut self, others_needed: usize) {
        self.ready =
            self.connected.len() >= others_needed && self.subscribed.len() >= others_needed;
    }
}

/// What the tasks of a network share.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) limits: Limits,
    pub(crate) names: Names,
    pub(crate) members: Arc<Members>,
    pub(crate) metrics: Metrics,
    pub(crate) links: BTreeMap<ReplicaId, Arc<Link>>,
    pub(crate) others_needed: usize,
    pub(crate) peers: watch::Sender<Peers>,
    /// The members with a connection, whatever its streams.
    pub(crate) connections: watch::Sender<BTreeSet<ReplicaId>>,
    /// Where we listen.
    pub(crate) addresses: watch::Sender<Vec<Multiaddr>>,
    /// What others are told to dial instead; none for where we listen.
    pub(crate) announced: Vec<Multiaddr>,
    pub(crate) commands: mpsc::Sender<Command>,
    started: Instant,
    /// When gossip came last by or through each other member, in milliseconds since the start.
    heard_ms: BTreeMap<ReplicaId, AtomicU64>,
}

impl Hub {
    /// What is shared, before anything runs.
    pub(crate) fn new(
        settings: &Settings,
        announced: Vec<Multiaddr>,
        names: Names,
        members: Arc<Members>,
        metrics: Metrics,
        commands: mpsc::Sender<Command>,
    ) -> Self {
        let limits = settings.limits.clone();
        let others_needed = settings.validators.quorum().q().saturating_sub(1);
        let links = members.others().map(|(replica, peer)| {
            let frames_max = limits.outgoing_frames_max;
            let bytes_max = limits.outgoing_bytes_max;
            let link = Link::new(replica, peer, metrics.of(replica), frames_max, bytes_max);
            (replica, Arc::new(link))
        });
        let mut peers = Peers::default();
        peers.judge(others_needed);
        Self {
            links: links.collect(),
            heard_ms: members.others().map(|(replica, _)| (replica, AtomicU64::new(0))).collect(),
            limits,
            names,
            members,
            metrics,
            others_needed,
            peers: watch::Sender::new(peers),
            connections: watch::Sender::default(),
            addresses: watch::Sender::default(),
            announced,
            commands,
            started: Instant::now(),
        }
    }

    /// Milliseconds since the start.
    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Gossip came by or through this member just now.
    pub(crate) fn hear(&self, replica: ReplicaId) {
        if let Some(heard) = self.heard_ms.get(&replica) {
            heard.store(self.now_ms(), Ordering::Relaxed);
        }
    }

    /// When gossip came last by or through this member.
    pub(crate) fn heard_ms(&self, replica: ReplicaId) -> u64 {
        let heard = self.heard_ms.get(&replica);
        heard.map_or(0, |heard| heard.load(Ordering::Relaxed))
    }

    /// Disconnects a peer that broke a rule of the wire, and keeps it out for a while.
    pub(crate) async fn cut_off(&self, replica: ReplicaId) {
        // It fails only after a shutdown, when nobody is connected any more.
        self.commands.send(Command::CutOff(replica)).await.ok();
    }

    /// Where others are to dial us.
    pub(crate) fn dialled(&self) -> Vec<Multiaddr> {
        if self.announced.is_empty() {
            self.addresses.borrow().clone()
        } else {
            self.announced.clone()
        }
    }

    /// One of our addresses, with our peer id at its end.
    pub(crate) fn full_address(&self, address: &Multiaddr) -> String {
        let peer = Protocol::P2p(self.members.own_peer);
        address.clone().with(peer).to_string()
    }
}
