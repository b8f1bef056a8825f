//! What the network counts, beside libp2p's own metrics.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use types::replica::ReplicaId;

/// Which peer a figure is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PeerLabels {
    replica: u64,
}

/// Why something happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

/// Which peer, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResetLabels {
    replica: u64,
    reason: &'static str,
}

/// The counters of all peers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics {
    frames_sent: Family<PeerLabels, Counter>,
    frames_received: Family<PeerLabels, Counter>,
    frame_bytes_sent: Family<PeerLabels, Counter>,
    frame_bytes_received: Family<PeerLabels, Counter>,
    queue_frames: Family<PeerLabels, Gauge>,
    queue_bytes: Family<PeerLabels, Gauge>,
    stream_resets: Family<ResetLabels, Counter>,
    refused: Family<ReasonLabels, Counter>,
    gossip: Family<ReasonLabels, Counter>,
    announcements: Family<ReasonLabels, Counter>,
    requests: Family<ReasonLabels, Counter>,
}

/// The counters of one peer, ready to count.
#[derive(Debug, Clone)]
pub(crate) struct PeerMetrics {
    pub(crate) frames_sent: Counter,
    pub(crate) frames_received: Counter,
    pub(crate) frame_bytes_sent: Counter,
    pub(crate) frame_bytes_received: Counter,
    pub(crate) queue_frames: Gauge,
    pub(crate) queue_bytes: Gauge,
}

impl Metrics {
    /// Registers all of them.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let registry = registry.sub_registry_with_prefix("network");
        registry.register(
            "frames_sent",
            "Frames written to a peer's direct stream",
            metrics.frames_sent.clone(),
        );
        registry.register(
            "frames_received",
            "Frames read from a peer's direct stream",
            metrics.frames_received.clone(),
        );
        registry.register_with_unit(
            "frame_sent",
            "Bytes of frames written to a peer's direct stream",
            Unit::Bytes,
            metrics.frame_bytes_sent.clone(),
        );
        registry.register_with_unit(
            "frame_received",
            "Bytes of frames read from a peer's direct stream",
            Unit::Bytes,
            metrics.frame_bytes_received.clone(),
        );
        registry.register(
            "queue_frames",
            "Frames that wait to be sent to a peer",
            metrics.queue_frames.clone(),
        );
        registry.register_with_unit(
            "queue",
            "Bytes that wait to be sent to a peer",
            Unit::Bytes,
            metrics.queue_bytes.clone(),
        );
        metrics.register_reasons(registry);
        metrics
    }

    fn register_reasons(&self, registry: &mut Registry) {
        registry.register(
            "stream_resets",
            "Direct streams to or from a peer that broke or were closed, by reason",
            self.stream_resets.clone(),
        );
        registry.register(
            "refused_connections",
            "Connections refused right after the handshake or before a dial, by reason",
            self.refused.clone(),
        );
        registry.register(
            "gossip_messages",
            "Gossip messages received and published, by what became of them",
            self.gossip.clone(),
        );
        registry.register(
            "announcements",
            "Announcements of other validators, by what became of them",
            self.announcements.clone(),
        );
        registry.register(
            "requests",
            "Requests sent and received, by what became of them",
            self.requests.clone(),
        );
    }

    /// The counters of one peer.
    pub(crate) fn of(&self, replica: ReplicaId) -> PeerMetrics {
        let labels = PeerLabels { replica: u64::from(replica.get()) };
        PeerMetrics {
            frames_sent: self.frames_sent.get_or_create_owned(&labels),
            frames_received: self.frames_received.get_or_create_owned(&labels),
            frame_bytes_sent: self.frame_bytes_sent.get_or_create_owned(&labels),
            frame_bytes_received: self.frame_bytes_received.get_or_create_owned(&labels),
            queue_frames: self.queue_frames.get_or_create_owned(&labels),
            queue_bytes: self.queue_bytes.get_or_create_owned(&labels),
        }
    }

    /// A direct stream ended.
    pub(crate) fn stream_reset(&self, replica: ReplicaId, reason: &'static str) {
        let replica = u64::from(replica.get());
        self.stream_resets.get_or_create(&ResetLabels { replica, reason }).inc();
    }

    /// A connection was refused.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// A gossip message came or went.
    pub(crate) fn gossip(&self, reason: &'static str) {
        self.gossip.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// An announcement was judged.
    pub(crate) fn announcement(&self, reason: &'static str) {
        self.announcements.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// A request came or went.
    pub(crate) fn request(&self, reason: &'static str) {
        self.requests.get_or_create(&ReasonLabels { reason }).inc();
    }
}
