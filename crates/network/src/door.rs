//! Who is let in: members, unless they were cut off for a while.
//!
//! It is the first part of the behaviour, so a connection is refused right after the handshake and
//! before any other part has taken notice of it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};
use thiserror::Error;

use crate::identity::Members;
use crate::metrics::Metrics;

/// Why a connection was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Refused {
    /// The peer is no other member.
    #[error("the peer is no member")]
    Stranger,
    /// The peer broke a rule of the wire a short while ago.
    #[error("the peer is cut off")]
    CutOff,
}

/// The list of members, and who is cut off.
pub(crate) struct Door {
    members: Arc<Members>,
    metrics: Metrics,
    cut_off: HashMap<PeerId, (Instant, Duration)>,
}

impl Door {
    pub(crate) fn new(members: Arc<Members>, metrics: Metrics) -> Self {
        Self { members, metrics, cut_off: HashMap::new() }
    }

    /// Refuses this member from now on for `time`. There are never more entries than members.
    pub(crate) fn cut_off(&mut self, peer: PeerId, time: Duration) {
        self.cut_off.insert(peer, (Instant::now(), time));
    }

    fn check(&mut self, peer: &PeerId) -> Result<(), ConnectionDenied> {
        let refused = if self.members.replica(peer).is_none() {
            Some(Refused::Stranger)
        } else {
            let cut_off = self.cut_off.get(peer);
            let lasts = cut_off.is_some_and(|(since, time)| since.elapsed() < *time);
            if !lasts {
                self.cut_off.remove(peer);
            }
            lasts.then_some(Refused::CutOff)
        };
        match refused {
            None => Ok(()),
            Some(reason) => {
                self.metrics.refused(match reason {
                    Refused::Stranger => "no_member",
                    Refused::CutOff => "cut_off",
                });
                Err(ConnectionDenied::new(reason))
            }
        }
    }
}

impl NetworkBehaviour for Door {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.check(&peer)?;
        Ok(dummy::ConnectionHandler)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        if let Some(peer) = peer {
            self.check(&peer)?;
        }
        Ok(Vec::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.check(&peer)?;
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}
