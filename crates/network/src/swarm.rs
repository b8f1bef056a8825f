//! The task that drives libp2p's swarm.
//!
//! It does no work and never waits: what comes is handed on at once or dropped, what is to be done
//! comes through bounded channels. Whatever takes time (checking an announcement, delivering to a
//! slow taker, writing to a slow peer) happens in other tasks.

mod incoming;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use libp2p::gossipsub::{PublishError as GossipError, TopicHash};
use libp2p::request_response::{InboundRequestId, OutboundRequestId};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{DialError, SwarmEvent};
use libp2p::{Multiaddr, Swarm};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::timeout;
use types::replica::ReplicaId;

use crate::behaviour::Behaviour;
use crate::discovery::Note;
use crate::error::RequestError;
use crate::event::{Event, Response, Verdict};
use crate::hub::Hub;

/// How long connections may take to close when the network ends.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// Listening addresses that wait to be told.
const LISTENING_MAX: usize = 64;

/// Where an answer goes.
pub(crate) type Answer = oneshot::Sender<Result<Vec<u8>, RequestError>>;

/// What the swarm is to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Publish a message.
    Publish { topic: TopicHash, bytes: Vec<u8> },
    /// Ask another member.
    Request { to: ReplicaId, bytes: Vec<u8>, answer: Answer },
    /// Dial another member, unless it is connected or being dialled.
    Dial { replica: ReplicaId, addresses: Vec<Multiaddr> },
    /// Close the connections of another member; it is dialled again.
    Disconnect(ReplicaId),
    /// Close the connections of another member and refuse it for a while.
    CutOff(ReplicaId),
}

/// What one neighbour may have open here.
struct Allowance {
    gossip: Arc<Semaphore>,
    gossip_bytes: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    /// Our requests to it without an answer.
    asked: usize,
    /// The topics it takes part in.
    topics: BTreeSet<TopicHash>,
}

/// A request of ours without an answer.
struct Asked {
    to: ReplicaId,
    answer: Answer,
}

/// The swarm and everything it hands on to.
pub(crate) struct Driver {
    swarm: Swarm<Behaviour>,
    libp2p_metrics: libp2p::metrics::Metrics,
    hub: Arc<Hub>,
    allowances: BTreeMap<ReplicaId, Allowance>,
    asked: HashMap<OutboundRequestId, Asked>,
    /// Who is dialled next from another port than the one that is listened on.
    other_port: BTreeSet<ReplicaId>,
    /// Answers of ours that are not sent yet, each with its place among those of its peer.
    answering: HashMap<InboundRequestId, OwnedSemaphorePermit>,
    /// To discovery.
    notes: mpsc::Sender<Note>,
    /// To the courier of gossip.
    gossip: mpsc::Sender<Event>,
    /// To the courier of requests and addresses.
    other: mpsc::Sender<Event>,
    verdicts: mpsc::Sender<Verdict>,
    verdicts_inbox: mpsc::Receiver<Verdict>,
    responses: mpsc::Sender<Response>,
    responses_inbox: mpsc::Receiver<Response>,
}

impl Driver {
    /// A driver, and the two channels whose events are to be delivered.
    pub(crate) fn new(
        swarm: Swarm<Behaviour>,
        libp2p_metrics: libp2p::metrics::Metrics,
        notes: mpsc::Sender<Note>,
        hub: Arc<Hub>,
    ) -> (Self, [mpsc::Receiver<Event>; 2]) {
        let limits = &hub.limits;
        // So many permits exist in all, so the channels are never full.
        let others = hub.members.others_count().max(1);
        let gossip_max = limits.gossip_pending_max.saturating_mul(others);
        let requests_max = limits.requests_in_flight_max.saturating_mul(others);
        let (gossip, gossip_courier) = mpsc::channel(gossip_max);
        let (other, other_courier) = mpsc::channel(requests_max.saturating_add(LISTENING_MAX));
        let (verdicts, verdicts_inbox) = mpsc::channel(gossip_max);
        let (responses, responses_inbox) = mpsc::channel(requests_max);
        let allowance = || Allowance {
            gossip: Arc::new(Semaphore::new(limits.gossip_pending_max)),
            gossip_bytes: Arc::new(Semaphore::new(limits.gossip_pending_bytes_max)),
            requests: Arc::new(Semaphore::new(limits.requests_in_flight_max)),
            asked: 0,
            topics: BTreeSet::new(),
        };
        let allowances = hub.members.others().map(|(replica, _)| (replica, allowance())).collect();
        let driver = Self {
            swarm,
            libp2p_metrics,
            allowances,
            hub,
            asked: HashMap::new(),
            other_port: BTreeSet::new(),
            answering: HashMap::new(),
            notes,
            gossip,
            other,
            verdicts,
            verdicts_inbox,
            responses,
            responses_inbox,
        };
        (driver, [gossip_courier, other_courier])
    }
}

/// Drives the swarm until the network ends.
pub(crate) async fn run(
    mut driver: Driver,
    mut commands: mpsc::Receiver<Command>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            event = driver.swarm.select_next_some() => driver.on_event(event),
            Some(command) = commands.recv() => driver.on_command(command),
            Some(verdict) = driver.verdicts_inbox.recv() => driver.on_verdict(&verdict),
            Some(response) = driver.responses_inbox.recv() => driver.on_response(response),
            _ = stopped.wait_for(|stop| *stop) => break,
        }
    }
    // Nobody gets an answer any more.
    drop(commands);
    driver.asked.clear();
    driver.close().await;
}

impl Driver {
    /// Closes every connection, so that the peers notice at once.
    async fn close(&mut self) {
        let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // It fails for a peer that is gone already.
            self.swarm.disconnect_peer_id(peer).ok();
        }
        let closed = async {
            while self.swarm.network_info().num_peers() > 0 {
                if let SwarmEvent::ConnectionClosed { peer_id, num_established, .. } =
                    self.swarm.select_next_some().await
                {
                    self.hub.disconnected(&peer_id, num_established);
                }
            }
        };
        // What has not closed by then is dropped.
        timeout(CLOSE_TIMEOUT, closed).await.ok();
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Publish { topic, bytes } => self.publish(topic, bytes),
            Command::Request { to, bytes, answer } => self.ask(to, bytes, answer),
            Command::Dial { replica, addresses } => self.dial(replica, addresses),
            Command::Disconnect(replica) => self.disconnect(replica),
            Command::CutOff(replica) => {
                if let Some(peer) = self.hub.members.peer(replica) {
                    let time = self.hub.limits.cut_off;
                    self.swarm.behaviour_mut().door.cut_off(peer, time);
                }
                self.disconnect(replica);
            }
        }
    }

    fn publish(&mut self, topic: TopicHash, bytes: Vec<u8>) {
        let outcome = match self.swarm.behaviour_mut().gossip.publish(topic, bytes) {
            Ok(_) => "published",
            Err(GossipError::Duplicate) => "published_before",
            Err(GossipError::NoPeersSubscribedToTopic) => "nobody_subscribed",
            Err(GossipError::AllQueuesFull(_)) => "queues_full",
            Err(
                error @ (GossipError::MessageTooLarge
                | GossipError::SigningError(_)
                | GossipError::TransformFailed(_)),
            ) => {
                tracing::warn!(%error, "cannot publish");
                "failed"
            }
        };
        self.hub.metrics.gossip(outcome);
    }

    fn ask(&mut self, to: ReplicaId, bytes: Vec<u8>, answer: Answer) {
        // A canceled answer means that the asker gave up, which is its own affair.
        let refuse = |answer: Answer, error| drop(answer.send(Err(error)));
        let peer = self.hub.members.peer(to);
        let connected = peer.filter(|peer| self.swarm.is_connected(peer));
        let (Some(peer), Some(allowance)) = (connected, self.allowances.get_mut(&to)) else {
            return refuse(answer, RequestError::NotConnected(to));
        };
        if allowance.asked >= self.hub.limits.requests_in_flight_max {
            return refuse(answer, RequestError::Busy(to));
        }
        allowance.asked = allowance.asked.saturating_add(1);
        let requests = &mut self.swarm.behaviour_mut().requests;
        let id = requests.send_request(&peer, bytes);
        self.asked.insert(id, Asked { to, answer });
        self.hub.metrics.request("sent");
    }

    fn dial(&mut self, replica: ReplicaId, addresses: Vec<Multiaddr>) {
        let Some(peer) = self.hub.members.peer(replica) else {
            return;
        };
        let options = DialOpts::peer_id(peer)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(addresses);
        // From the port that it listens on no dial succeeds while the system lends that number to
        // another connection, for as long as that lasts: so where one has failed, another port is
        // tried next.
        let other_port = self.other_port.contains(&replica);
        let options = if other_port { options.allocate_new_port() } else { options };
        match self.swarm.dial(options.build()) {
            Ok(()) | Err(DialError::DialPeerConditionFalse(_)) => {}
            Err(error) => {
                tracing::debug!(replica = replica.get(), %error, "cannot dial");
            }
        }
    }

    fn disconnect(&mut self, replica: ReplicaId) {
        if let Some(peer) = self.hub.members.peer(replica) {
            // It fails for a peer that is not connected.
            self.swarm.disconnect_peer_id(peer).ok();
        }
    }

    fn on_verdict(&mut self, verdict: &Verdict) {
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        let known = gossip.judge(&verdict.message, &verdict.neighbour, verdict.acceptance);
        if !known {
            self.hub.metrics.gossip("verdict_too_late");
        }
    }

    fn on_response(&mut self, response: Response) {
        let Response { request, channel, bytes, permit } = response;
        let requests = &mut self.swarm.behaviour_mut().requests;
        let sent = requests.send_response(channel, bytes).is_ok();
        if sent {
            // It is in memory until the peer has read it, or its time is over.
            self.answering.insert(request, permit);
        }
        self.hub.metrics.request(if sent { "answered" } else { "answered_too_late" });
    }
}
