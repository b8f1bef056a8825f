//! What the swarm reports.

use std::sync::Arc;

use libp2p::core::transport::ListenerId;
use libp2p::gossipsub::{self, Message, MessageAcceptance, MessageId, TopicHash};
use libp2p::metrics::Recorder;
use libp2p::request_response::{
    self, InboundRequestId, OutboundFailure, OutboundRequestId, ResponseChannel,
};
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId, identify, ping};
use types::replica::ReplicaId;

use crate::behaviour::BehaviourEvent;
use crate::discovery::Note;
use crate::error::RequestError;
use crate::event::{Event, GossipVerdict, Payload, Responder, Topic};
use crate::hub::Hub;
use crate::swarm::Driver;

impl Driver {
    pub(super) fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        self.libp2p_metrics.record(&event);
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::ConnectionEstablished { peer_id, .. } => self.hub.connected(&peer_id),
            SwarmEvent::ConnectionClosed { peer_id, num_established, cause, .. } => {
                tracing::debug!(%peer_id, num_established, ?cause, "connection closed");
                self.on_closed(&peer_id, num_established);
            }
            SwarmEvent::NewListenAddr { address, .. } => self.on_listening(address),
            SwarmEvent::ExpiredListenAddr { address, .. } => self.hub.forget_address(&address),
            SwarmEvent::ListenerClosed { listener_id, addresses, reason } => {
                self.on_listener_closed(listener_id, &addresses, &reason)
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "listener error");
            }
            SwarmEvent::IncomingConnectionError { error, peer_id, .. } => {
                tracing::debug!(?peer_id, %error, "incoming connection refused or failed");
            }
            SwarmEvent::OutgoingConnectionError { error, peer_id, .. } => {
                tracing::debug!(?peer_id, %error, "dial refused or failed");
                let replica = peer_id.and_then(|peer| self.hub.members.replica(&peer));
                if let Some(replica) = replica
                    && !self.other_port.remove(&replica)
                {
                    self.other_port.insert(replica);
                }
            }
            // Nothing follows from these; libp2p's metrics count them. The enum may grow.
            SwarmEvent::IncomingConnection { .. }
            | SwarmEvent::Dialing { .. }
            | SwarmEvent::NewExternalAddrCandidate { .. }
            | SwarmEvent::ExternalAddrConfirmed { .. }
            | SwarmEvent::ExternalAddrExpired { .. }
            | SwarmEvent::NewExternalAddrOfPeer { .. }
            | _ => {}
        }
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Gossip(event) => {
                self.libp2p_metrics.record(&event);
                self.on_gossip(event);
            }
            BehaviourEvent::Requests(event) => self.on_requests(event),
            BehaviourEvent::Identify(event) => {
                self.libp2p_metrics.record(&event);
                self.on_identify(event);
            }
            BehaviourEvent::Ping(event) => {
                self.libp2p_metrics.record(&event);
                self.on_ping(&event);
            }
            BehaviourEvent::Streams(()) => {}
            BehaviourEvent::Door(never) | BehaviourEvent::Limits(never) => match never {},
            #[cfg(feature = "mdns")]
            BehaviourEvent::Mdns(event) => self.on_mdns(event),
        }
    }

    fn on_closed(&mut self, peer: &PeerId, remaining: u32) {
        self.hub.disconnected(peer, remaining);
        if remaining > 0 {
            return;
        }
        if let Some(replica) = self.hub.members.replica(peer)
            && let Some(allowance) = self.allowances.get_mut(&replica)
        {
            allowance.topics.clear();
            self.hub.subscribed(replica, false);
        }
    }

    fn on_listening(&mut self, address: Multiaddr) {
        tracing::info!(%address, "listening");
        let full = self.hub.full_address(&address);
        self.hub.addresses.send_modify(|addresses| {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        });
        // The addresses can be asked for as well, should so many wait that this one is not told.
        self.other.try_send(Event::Listening { address: full }).ok();
    }

    fn on_listener_closed(
        &mut self,
        listener: ListenerId,
        addresses: &[Multiaddr],
        reason: &std::io::Result<()>,
    ) {
        tracing::error!(?listener, ?addresses, ?reason, "no longer listening");
        for address in addresses {
            self.hub.forget_address(address);
        }
    }

    fn on_gossip(&mut self, event: gossipsub::Event) {
        match event {
            gossipsub::Event::Message { propagation_source, message_id, message } => {
                self.on_message(propagation_source, message_id, message)
            }
            gossipsub::Event::Subscribed { peer_id, topic, .. } => {
                self.on_subscription(&peer_id, topic, true);
            }
            gossipsub::Event::Unsubscribed { peer_id, topic } => {
                self.on_subscription(&peer_id, topic, false);
            }
            gossipsub::Event::GossipsubNotSupported { peer_id } => {
                tracing::warn!(%peer_id, "a member without gossipsub");
            }
            gossipsub::Event::SlowPeer { peer_id, .. } => {
                tracing::debug!(%peer_id, "slow to take gossip");
                self.hub.metrics.gossip("slow_peer");
            }
        }
    }

    fn on_subscription(&mut self, peer: &PeerId, topic: TopicHash, subscribed: bool) {
        let Some(replica) = self.hub.members.replica(peer) else {
            return;
        };
        let names = self.hub.names.topics();
        let Some(allowance) = self.allowances.get_mut(&replica) else {
            return;
        };
        let news = if subscribed {
            names.contains(&&topic) && allowance.topics.insert(topic)
        } else {
            allowance.topics.remove(&topic)
        };
        let all = allowance.topics.len() == names.len();
        if news {
            self.hub.subscribed(replica, all);
            if all {
                self.notes.try_send(Note::Subscribed).ok();
            }
        }
    }

    /// A message is handed on if its neighbour has not too many open already; otherwise it is
    /// ignored.
    fn on_message(&mut self, neighbour: PeerId, id: MessageId, message: Message) {
        let Some((from, payload, verdict)) = self.admit(neighbour, &id, message.data) else {
            self.hub.metrics.gossip("ignored_too_many");
            self.judge(&id, &neighbour, MessageAcceptance::Ignore);
            return;
        };
        self.hub.hear(from);
        // Dropped with its verdict, a message that does not fit is ignored.
        let taken = if message.topic == self.hub.names.announcements {
            let note = Note::Announced { bytes: payload, verdict };
            self.notes.try_send(note).is_ok()
        } else {
            let event = Event::Gossip { topic: Topic::Transactions, bytes: payload, from, verdict };
            self.gossip.try_send(event).is_ok()
        };
        self.hub.metrics.gossip(if taken { "received" } else { "ignored_full" });
    }

    /// Takes the permits for a message.
    fn admit(
        &self,
        neighbour: PeerId,
        id: &MessageId,
        data: Vec<u8>,
    ) -> Option<(ReplicaId, Payload, GossipVerdict)> {
        let from = self.hub.members.replica(&neighbour)?;
        let allowance = self.allowances.get(&from)?;
        if data.len() > self.hub.limits.gossip_bytes_max {
            return None;
        }
        let message = Arc::clone(&allowance.gossip).try_acquire_owned().ok()?;
        let cost = u32::try_from(data.len()).ok()?;
        let bytes = Arc::clone(&allowance.gossip_bytes).try_acquire_many_owned(cost).ok()?;
        let verdict = GossipVerdict::new(id.clone(), neighbour, message, self.verdicts.clone());
        Some((from, Payload::new(data, Some(bytes)), verdict))
    }

    fn judge(&mut self, id: &MessageId, neighbour: &PeerId, acceptance: MessageAcceptance) {
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        // It is in the cache: it came this moment.
        gossip.judge(id, neighbour, acceptance);
    }

    fn on_requests(&mut self, event: request_response::Event<Vec<u8>, Vec<u8>>) {
        match event {
            request_response::Event::Message { peer, message, .. } => match message {
                request_response::Message::Request { request_id, request, channel } => {
                    self.on_request(&peer, request_id, request, channel)
                }
                request_response::Message::Response { request_id, response } => {
                    self.on_answer(request_id, Ok(response))
                }
            },
            request_response::Event::OutboundFailure { request_id, error, .. } => {
                let error = match error {
                    OutboundFailure::Timeout => RequestError::Timeout,
                    OutboundFailure::DialFailure
                    | OutboundFailure::ConnectionClosed
                    | OutboundFailure::UnsupportedProtocols
                    | OutboundFailure::Io(_) => RequestError::Failed { reason: error.to_string() },
                };
                self.on_answer(request_id, Err(error));
            }
            request_response::Event::InboundFailure { peer, error, request_id, .. } => {
                self.answering.remove(&request_id);
                tracing::debug!(%peer, %error, "a request was not answered");
                self.hub.metrics.request("not_answered");
            }
            request_response::Event::ResponseSent { request_id, .. } => {
                self.answering.remove(&request_id);
            }
        }
    }

    /// A request that does not fit is declined by dropping its channel.
    fn on_request(
        &mut self,
        peer: &PeerId,
        id: InboundRequestId,
        bytes: Vec<u8>,
        channel: ResponseChannel<Vec<u8>>,
    ) {
        let permit = self.hub.members.replica(peer).and_then(|from| {
            let allowance = self.allowances.get(&from)?;
            let permit = Arc::clone(&allowance.requests).try_acquire_owned().ok()?;
            Some((from, permit))
        });
        let Some((from, permit)) = permit else {
            self.hub.metrics.request("declined");
            return;
        };
        let bytes_max = self.hub.limits.response_bytes_max;
        let reply = Responder::new(id, channel, permit, bytes_max, self.responses.clone());
        let event = Event::Request { from, bytes: Payload::new(bytes, None), reply };
        let taken = self.other.try_send(event).is_ok();
        self.hub.metrics.request(if taken { "received" } else { "declined" });
    }

    fn on_answer(&mut self, id: OutboundRequestId, answer: Result<Vec<u8>, RequestError>) {
        let Some(asked) = self.asked.remove(&id) else {
            return;
        };
        if let Some(allowance) = self.allowances.get_mut(&asked.to) {
            allowance.asked = allowance.asked.saturating_sub(1);
        }
        self.hub.metrics.request(if answer.is_ok() { "succeeded" } else { "failed" });
        // The asker may have given up.
        asked.answer.send(answer).ok();
    }

    fn on_identify(&mut self, event: identify::Event) {
        match event {
            identify::Event::Received { peer_id, info, .. } => {
                self.hint(&peer_id, info.listen_addrs);
            }
            identify::Event::Error { peer_id, error, .. } => {
                tracing::debug!(%peer_id, %error, "cannot identify");
            }
            identify::Event::Sent { .. } | identify::Event::Pushed { .. } => {}
        }
    }

    /// Somebody said where a peer listens; for members that is worth a note.
    fn hint(&mut self, peer: &PeerId, addresses: Vec<Multiaddr>) {
        if let Some(replica) = self.hub.members.replica(peer) {
            self.notes.try_send(Note::Hint { replica, addresses }).ok();
        }
    }

    #[cfg(feature = "mdns")]
    fn on_mdns(&mut self, event: libp2p::mdns::Event) {
        match event {
            libp2p::mdns::Event::Discovered(found) => {
                for (peer, address) in found {
                    self.hint(&peer, vec![address]);
                }
            }
            libp2p::mdns::Event::Expired(_) => {}
        }
    }

    /// libp2p keeps the first failure to itself, so whatever is reported is the second in a row.
    fn on_ping(&mut self, event: &ping::Event) {
        if let Err(failure) = &event.result {
            tracing::info!(peer = %event.peer, %failure, "two pings failed, closing the connection");
            self.close_connection(event.connection);
        }
    }

    fn close_connection(&mut self, connection: ConnectionId) {
        self.swarm.close_connection(connection);
    }
}

impl Hub {
    /// A member has a connection.
    fn connected(&self, peer: &PeerId) {
        if let Some(replica) = self.members.replica(peer) {
            self.connections.send_if_modified(|connections| connections.insert(replica));
        }
    }

    /// One of a peer's connections is closed, so many remain.
    pub(super) fn disconnected(&self, peer: &PeerId, remaining: u32) {
        let Some(replica) = self.members.replica(peer) else {
            return;
        };
        if remaining == 0 {
            self.connections.send_if_modified(|connections| connections.remove(&replica));
        }
        if let Some(link) = self.links.get(&replica) {
            link.connection_closed();
        }
    }

    /// A member takes part in all topics, or no longer does.
    fn subscribed(&self, replica: ReplicaId, all: bool) {
        self.peers.send_modify(|peers| {
            if all {
                peers.subscribed.insert(replica);
            } else {
                peers.subscribed.remove(&replica);
            }
            peers.judge(self.others_needed);
        });
    }

    fn forget_address(&self, address: &Multiaddr) {
        self.addresses.send_modify(|addresses| addresses.retain(|known| known != address));
    }
}
