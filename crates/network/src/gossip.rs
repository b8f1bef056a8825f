//! Gossipsub within bounds: what one neighbour may have it do.
//!
//! libp2p's gossipsub takes what comes as fast as it comes, on the one task that serves everybody.
//! Here a neighbour that sends more than all validators together may have to say is read more
//! slowly, which slows down this neighbour and nobody else. It is not cut off for that: much of
//! what an honest one sends, it passes on.
//!
//! Messages reach everybody by being passed on. That they are also offered by id (IHAVE) and asked
//! for (IWANT) adds nothing where neighbours are many and what must arrive is sent directly, and
//! costs a lot: gossipsub keeps every id that was offered and not delivered until the process ends,
//! unless peers are scored, and copies a message each time that it is asked for before it looks how
//! often. So nothing is offered, no offer is taken, and nobody is answered who asks.

mod pace;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Instant;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::gossipsub::{
    self, IdentityTransform, MaxCountSubscriptionFilter, MessageAcceptance, MessageId,
    PublishError, TopicHash, WhitelistSubscriptionFilter,
};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

use crate::gossip::pace::Paced;
use crate::metrics::Metrics;
use crate::rate::Rate;

/// libp2p's part: it knows the topics of this chain only.
pub(crate) type Inner = gossipsub::Behaviour<
    IdentityTransform,
    MaxCountSubscriptionFilter<WhitelistSubscriptionFilter>,
>;

/// How much one neighbour may send in the long run, and how many seconds' worth at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// RPCs, and the entries that they have, per second.
    pub(crate) items_per_second: u32,
    /// Bytes per second; see [`pace::CONTROL_FACTOR`].
    pub(crate) bytes_per_second: u32,
    /// For how many seconds a neighbour may save up.
    pub(crate) burst_seconds: u32,
}

/// Gossipsub whose neighbours are read at a bounded pace.
pub(crate) struct Gossip {
    inner: Inner,
    pace: Pace,
    metrics: Metrics,
    /// What is left of each neighbour's pace. It outlives connections: whoever connects anew has
    /// no more for it. There are never more entries than members, since the door is before this.
    rates: HashMap<PeerId, Arc<Mutex<Rate>>>,
}

impl Gossip {
    pub(crate) fn new(inner: Inner, pace: Pace, metrics: Metrics) -> Self {
        Self { inner, pace, metrics, rates: HashMap::new() }
    }

    /// Publishes a message.
    pub(crate) fn publish(
        &mut self,
        topic: TopicHash,
        bytes: Vec<u8>,
    ) -> Result<MessageId, PublishError> {
        self.inner.publish(topic, bytes)
    }

    /// Says what becomes of a message; false if it is not known any more.
    pub(crate) fn judge(
        &mut self,
        message: &MessageId,
        neighbour: &PeerId,
        acceptance: MessageAcceptance,
    ) -> bool {
        self.inner.report_message_validation_result(message, neighbour, acceptance)
    }

    fn paced(&mut self, peer: PeerId, handler: THandler<Inner>) -> Paced {
        let Pace { items_per_second, bytes_per_second, burst_seconds } = self.pace;
        let rate = self.rates.entry(peer).or_insert_with(|| {
            let now = Instant::now();
            let rate = Rate::new(items_per_second, bytes_per_second, burst_seconds, now);
            Arc::new(Mutex::new(rate))
        });
        Paced::new(handler, Arc::clone(rate), self.metrics.clone())
    }
}

impl NetworkBehaviour for Gossip {
    type ConnectionHandler = Paced;
    type ToSwarm = gossipsub::Event;

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<Paced, ConnectionDenied> {
        let handler = self.inner.handle_established_inbound_connection(id, peer, local, remote)?;
        Ok(self.paced(peer, handler))
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<Paced, ConnectionDenied> {
        let handler =
            self.inner.handle_established_outbound_connection(id, peer, address, role, port)?;
        Ok(self.paced(peer, handler))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        self.inner.on_connection_handler_event(peer, connection, event);
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<ToSwarm<gossipsub::Event, THandlerInEvent<Self>>> {
        self.inner.poll(context)
    }
}
