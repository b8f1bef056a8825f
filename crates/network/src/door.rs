//! Who is let in: members, unless they were cut off for a while.
//!
//! It is the first part of the behaviour, so a connection is refused right after the handshake and
//! before any other part has taken notice of it.
//!
//! Before the handshake nobody knows who it is. So that a stranger who opens connections and says
//! nothing does not take the places of all, one source has a few only: an IPv4 address, or 64 bits
//! of an IPv6 address, which is the least that a host is given.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::multiaddr::Protocol;
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
    /// Too many connections from the same source are in the handshake.
    #[error("too many connections from there are in the handshake")]
    TooManyPending,
}

impl Refused {
    fn name(self) -> &'static str {
        match self {
            Self::Stranger => "no_member",
            Self::CutOff => "cut_off",
            Self::TooManyPending => "too_many_pending",
        }
    }
}

/// The list of members, who is cut off, and from where connections are in the handshake.
pub(crate) struct Door {
    members: Arc<Members>,
    metrics: Metrics,
    cut_off: HashMap<PeerId, (Instant, Duration)>,
    /// Incoming connections in the handshake. There are never more entries than the bound on all of
    /// them allows.
    pending: HashMap<ConnectionId, IpAddr>,
    /// The most of those from one source.
    pending_max: usize,
}

impl Door {
    pub(crate) fn new(members: Arc<Members>, metrics: Metrics, pending_max: usize) -> Self {
        Self { members, metrics, cut_off: HashMap::new(), pending: HashMap::new(), pending_max }
    }

    /// Whether one more connection from there may begin its handshake.
    fn begin(&mut self, id: ConnectionId, remote: &Multiaddr) -> Result<(), ConnectionDenied> {
        let Some(source) = source(remote) else {
            return Ok(());
        };
        let pending = self.pending.values().filter(|other| **other == source).count();
        if pending >= self.pending_max {
            return Err(self.refuse(Refused::TooManyPending));
        }
        self.pending.insert(id, source);
        Ok(())
    }

    fn refuse(&self, reason: Refused) -> ConnectionDenied {
        self.metrics.refused(reason.name());
        ConnectionDenied::new(reason)
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
            Some(reason) => Err(self.refuse(reason)),
        }
    }
}

/// What counts as one source: an IPv4 address, or the first half of an IPv6 address.
fn source(remote: &Multiaddr) -> Option<IpAddr> {
    let v6 = |address: Ipv6Addr| match address.to_ipv4_mapped() {
        Some(address) => IpAddr::V4(address),
        None => {
            let network = address.to_bits() & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
    };
    let first = remote.iter().next()?;
    if let Protocol::Ip4(address) = first {
        Some(IpAddr::V4(address))
    } else if let Protocol::Ip6(address) = first {
        Some(v6(address))
    } else {
        None
    }
}

impl NetworkBehaviour for Door {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.begin(id, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.pending.remove(&id);
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

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ListenFailure(failure) = event {
            self.pending.remove(&failure.connection_id);
        }
    }

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

#[cfg(test)]
mod tests;
