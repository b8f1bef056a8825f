//! The parts of libp2p that are used, and how each is set.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use libp2p::gossipsub::{
    self, IdentTopic, IdentityTransform, MaxCountSubscriptionFilter, MessageAuthenticity,
    MessageId, TopicHash, ValidationMode, WhitelistSubscriptionFilter,
};
use libp2p::identity::Keypair;
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{StreamProtocol, connection_limits, identify, ping};
use prometheus_client::registry::Registry;

use crate::codec::Codec;
use crate::door::Door;
use crate::error::NetworkError;
use crate::gossip::{self, Gossip, Pace};
use crate::identity::Members;
use crate::metrics::Metrics;
use crate::settings::{Limits, Settings};

/// What gossipsub needs around the largest message.
const GOSSIP_MARGIN_BYTES: usize = 64 << 10;
/// The control messages of an RPC: ours have one entry of a hundred bytes, or a few on a new
/// connection. More than this ends the stream, and five streams that ended mute the connection.
/// What is decoded takes up to forty times as much memory, for eight RPCs at a time.
const CONTROL_BYTES_MAX: usize = 4 << 10;
/// Messages of an RPC: ours have one.
const MESSAGES_PER_RPC_MAX: usize = 16;
/// What a neighbour may send in RPCs, and their entries, for each validator: twice what one can
/// publish per second, which has a batch each 4 ms, were each batch announced as well.
const GOSSIP_ITEMS_PER_VALIDATOR: u32 = 1_000;
/// Messages of full length that a neighbour may send per second in the long run.
const GOSSIP_FULL_PER_SECOND: u32 = 32;
/// Bytes of gossip that it may send per second however short the longest message is: so that what
/// an RPC counts at most is soon there.
const GOSSIP_BYTES_PER_SECOND_MIN: u32 = 4 << 20;
/// RPCs that wait for one slow neighbour; more are dropped by gossipsub.
const GOSSIP_QUEUE_MAX: usize = 512;
/// Up to so many validators everybody is a neighbour of everybody.
const FULL_MESH_MAX: usize = 20;
/// Connections from one source that may be in the handshake at once; more where more validators may
/// stand behind one address.
const PENDING_PER_SOURCE_MIN: usize = 16;
/// From so many sources that take all they may, connections may be in the handshake at once.
const PENDING_SOURCES_MAX: usize = 16;
/// Streams of requests on one connection: in flight both ways, with room.
const REQUEST_STREAMS_MAX: usize = 64;

/// The parts. The door comes first: what it refuses, no other part hears of.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) door: Door,
    limits: connection_limits::Behaviour,
    pub(crate) gossip: Gossip,
    pub(crate) requests: request_response::Behaviour<Codec>,
    pub(crate) streams: libp2p_stream::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    #[cfg(feature = "mdns")]
    mdns: libp2p::swarm::behaviour::toggle::Toggle<libp2p::mdns::tokio::Behaviour>,
}

/// The names of one chain's topics and protocols.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) announcements: TopicHash,
    pub(crate) transactions: TopicHash,
    pub(crate) direct: StreamProtocol,
    pub(crate) requests: StreamProtocol,
}

impl Names {
    /// The names of the chain of the settings.
    pub(crate) fn new(settings: &Settings) -> Result<Self, NetworkError> {
        let chain = settings.chain;
        let protocol = |kind: &str| {
            StreamProtocol::try_from_owned(format!("/logothete/{kind}/1/{chain}"))
                .map_err(|error| libp2p_fault(&error))
        };
        Ok(Self {
            announcements: topic("announcements", &chain.to_string()).hash(),
            transactions: topic("transactions", &chain.to_string()).hash(),
            direct: protocol("direct")?,
            requests: protocol("request")?,
        })
    }

    /// Every topic.
    pub(crate) fn topics(&self) -> [&TopicHash; 2] {
        [&self.announcements, &self.transactions]
    }
}

/// A topic of a chain.
pub(crate) fn topic(kind: &str, chain: &str) -> IdentTopic {
    IdentTopic::new(format!("/logothete/{kind}/1/{chain}"))
}

/// Builds all parts.
pub(crate) fn build(
    settings: &Settings,
    names: &Names,
    members: &Arc<Members>,
    keypair: &Keypair,
    metrics: &Metrics,
    registry: &mut Registry,
) -> Result<Behaviour, NetworkError> {
    let limits = &settings.limits;
    let requests = request_response::Config::default()
        .with_request_timeout(limits.request_timeout)
        .with_max_concurrent_streams(REQUEST_STREAMS_MAX);
    let codec = Codec {
        request_bytes_max: limits.request_bytes_max,
        response_bytes_max: limits.response_bytes_max,
    };
    let identity = identify::Config::new("/logothete/1".to_owned(), keypair.public())
        .with_agent_version(format!("logothete/{}", env!("CARGO_PKG_VERSION")))
        .with_push_listen_addr_updates(true)
        // Whoever names what others are to dial has a reason not to name where it listens.
        .with_hide_listen_addrs(!settings.announce.is_empty())
        .with_cache_size(0);
    Ok(Behaviour {
        door: Door::new(
            Arc::clone(members),
            metrics.clone(),
            pending_per_source(members.others_count()),
        ),
        limits: connection_limits::Behaviour::new(connections(members.others_count())),
        gossip: gossip(settings, names, members.others_count(), metrics, registry)?,
        requests: request_response::Behaviour::with_codec(
            codec,
            [(names.requests.clone(), ProtocolSupport::Full)],
            requests,
        ),
        streams: libp2p_stream::Behaviour::new(),
        identify: identify::Behaviour::new(identity),
        ping: ping::Behaviour::new(
            ping::Config::new()
                .with_interval(limits.ping_interval)
                .with_timeout(limits.ping_timeout),
        ),
        #[cfg(feature = "mdns")]
        mdns: mdns(settings, members)?,
    })
}

/// How many incoming connections from one source may be in the handshake. A whole network on one
/// host, or behind one address, comes up all the same.
fn pending_per_source(others: usize) -> usize {
    others.max(PENDING_PER_SOURCE_MIN)
}

/// Two connections per peer: both sides may have dialled at once.
fn connections(others: usize) -> connection_limits::ConnectionLimits {
    let pending = pending_per_source(others).saturating_mul(PENDING_SOURCES_MAX);
    let pending = u32::try_from(pending).unwrap_or(u32::MAX);
    let others = u32::try_from(others).unwrap_or(u32::MAX);
    connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(pending))
        .with_max_pending_outgoing(Some(pending))
        .with_max_established_per_peer(Some(2))
        .with_max_established(Some(others.saturating_mul(2).max(2)))
}

fn gossip(
    settings: &Settings,
    names: &Names,
    others: usize,
    metrics: &Metrics,
    registry: &mut Registry,
) -> Result<Gossip, NetworkError> {
    let config = gossip_config(&settings.limits, others)?;
    let filter = MaxCountSubscriptionFilter {
        filter: WhitelistSubscriptionFilter(HashSet::from(names.topics().map(TopicHash::clone))),
        max_subscribed_topics: 8,
        max_subscriptions_per_request: 64,
    };
    let gossip = gossip::Inner::new_with_subscription_filter_and_transform(
        MessageAuthenticity::Anonymous,
        config,
        filter,
        IdentityTransform,
    )
    .map_err(|error| libp2p_fault(&error))?;
    let mut gossip = gossip.with_metrics(
        registry.sub_registry_with_prefix("gossipsub"),
        gossipsub::MetricsConfig::default(),
    );
    let chain = settings.chain.to_string();
    for kind in ["announcements", "transactions"] {
        gossip.subscribe(&topic(kind, &chain)).map_err(|error| libp2p_fault(&error))?;
    }
    Ok(Gossip::new(gossip, pace(&settings.limits, others), metrics.clone()))
}

/// How fast a neighbour's gossip is read.
fn pace(limits: &Limits, others: usize) -> Pace {
    let validators = u32::try_from(others).unwrap_or(u32::MAX).saturating_add(1);
    let bytes_max = u32::try_from(limits.gossip_bytes_max).unwrap_or(u32::MAX);
    let bytes = bytes_max.saturating_mul(GOSSIP_FULL_PER_SECOND);
    Pace {
        items_per_second: GOSSIP_ITEMS_PER_VALIDATOR.saturating_mul(validators),
        bytes_per_second: bytes.max(GOSSIP_BYTES_PER_SECOND_MIN),
        burst_seconds: limits.burst_seconds,
    }
}

/// Messages are anonymous, because what they carry is signed inside and libp2p's signature would be
/// checked for every copy. A message is then known by its content: the id has 20 bytes of a hash of
/// topic and data.
pub(crate) fn gossip_config(
    limits: &Limits,
    others: usize,
) -> Result<gossipsub::Config, NetworkError> {
    let mesh = mesh(others);
    let hasher = blake3::Hasher::new_derive_key("logothete v1 gossip message id");
    let message_id = move |message: &gossipsub::Message| {
        let mut hasher = hasher.clone();
        let topic = message.topic.as_str();
        hasher.update(&u64::try_from(topic.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(topic.as_bytes());
        hasher.update(&message.data);
        let digest = hasher.finalize();
        let (id, _) = digest.as_bytes().split_at(20);
        MessageId::from(id.to_vec())
    };
    let transmit = limits.gossip_bytes_max.saturating_add(GOSSIP_MARGIN_BYTES);
    gossipsub::ConfigBuilder::default()
        .validation_mode(ValidationMode::Anonymous)
        .message_id_fn(message_id)
        .validate_messages()
        .max_transmit_size(transmit)
        .max_control_message_size(CONTROL_BYTES_MAX)
        .max_publish_messages(MESSAGES_PER_RPC_MAX)
        .gossip_lazy(0)
        .gossip_factor(0.0)
        .max_ihave_messages_heartbeat(0)
        // Nobody is told what is here already: it would be told of whatever anybody sends, before it
        // is looked at, and count for the pace of whoever tells it.
        .idontwant_message_size_threshold(usize::MAX)
        .connection_handler_queue_len(GOSSIP_QUEUE_MAX)
        .heartbeat_initial_delay(Duration::from_millis(500))
        .flood_publish(false)
        .mesh_n(mesh.target)
        .mesh_n_low(mesh.low)
        .mesh_n_high(mesh.high)
        .mesh_outbound_min(mesh.outbound_min)
        .build()
        .map_err(|error| libp2p_fault(&error))
}

/// How many neighbours gossip keeps. Nobody checks that the numbers fit together: the tests here
/// do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mesh {
    target: usize,
    low: usize,
    high: usize,
    outbound_min: usize,
}

/// How many neighbours gossip has, for so many other validators: all of them while that is cheap.
fn mesh(others: usize) -> Mesh {
    if others < FULL_MESH_MAX {
        Mesh {
            target: others,
            low: others,
            high: others.saturating_add(1),
            outbound_min: (others / 2).min(1),
        }
    } else {
        Mesh { target: 8, low: 6, high: 12, outbound_min: 2 }
    }
}

#[cfg(feature = "mdns")]
fn mdns(
    settings: &Settings,
    members: &Members,
) -> Result<libp2p::swarm::behaviour::toggle::Toggle<libp2p::mdns::tokio::Behaviour>, NetworkError>
{
    let behaviour = if settings.mdns {
        let config = libp2p::mdns::Config::default();
        let behaviour = libp2p::mdns::tokio::Behaviour::new(config, members.own_peer);
        Some(behaviour.map_err(|error| NetworkError::Mdns { reason: error.to_string() })?)
    } else {
        None
    };
    Ok(behaviour.into())
}

/// A setting that libp2p refused.
pub(crate) fn libp2p_fault(error: &impl ToString) -> NetworkError {
    NetworkError::Libp2p { reason: error.to_string() }
}

#[cfg(test)]
mod tests;
