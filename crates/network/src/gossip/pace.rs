//! Reads a neighbour's gossip no faster than it may send it.

use std::fmt::{self, Debug, Write};
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use libp2p::swarm::handler::{
    ConnectionEvent, ConnectionHandler, ConnectionHandlerEvent, SubstreamProtocol,
};
use libp2p::swarm::{THandler, THandlerInEvent, THandlerOutEvent};
use tokio::time::{Sleep, sleep};

use crate::gossip::Inner;
use crate::metrics::Metrics;
use crate::rate::Rate;

/// A byte of a control message counts like so many of a message: an id of a few bytes costs a
/// look-up or more.
pub(crate) const CONTROL_FACTOR: u64 = 64;
/// How long a neighbour waits that has used up what it may send, before it is looked at again.
const PAUSE: Duration = Duration::from_millis(20);

type Handler = THandler<Inner>;
type FromNeighbour = THandlerOutEvent<Inner>;
type Inbound = <Handler as ConnectionHandler>::InboundProtocol;
type Outbound = <Handler as ConnectionHandler>::OutboundProtocol;

/// One connection with a neighbour.
pub(crate) struct Paced {
    inner: Handler,
    /// Shared by the connections of the neighbour.
    rate: Arc<Mutex<Rate>>,
    metrics: Metrics,
    /// What was read and may not go on yet.
    held: Option<(FromNeighbour, Weight)>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    pub(crate) fn new(inner: Handler, rate: Arc<Mutex<Rate>>, metrics: Metrics) -> Self {
        Self { inner, rate, metrics, held: None, pause: None }
    }

    fn may(&self, weight: Weight) -> bool {
        let mut rate = self.rate.lock().unwrap_or_else(PoisonError::into_inner);
        rate.take(weight.items, weight.bytes, Instant::now())
    }
}

impl ConnectionHandler for Paced {
    type FromBehaviour = THandlerInEvent<Inner>;
    type ToBehaviour = FromNeighbour;
    type InboundProtocol = Inbound;
    type OutboundProtocol = Outbound;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Inbound> {
        self.inner.listen_protocol()
    }

    fn connection_keep_alive(&self) -> bool {
        self.inner.connection_keep_alive()
    }

    /// While the neighbour has to wait nothing is read from it, and nothing is said to it: both
    /// are one thing in libp2p.
    fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Outbound, (), FromNeighbour>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            if let Some((event, weight)) = self.held.take() {
                if self.may(weight) {
                    return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(event));
                }
                self.held = Some((event, weight));
                self.pause = Some(Box::pin(sleep(PAUSE)));
                self.metrics.gossip("neighbour_waits");
                continue;
            }
            let event = ready!(self.inner.poll(context));
            let ConnectionHandlerEvent::NotifyBehaviour(mut event) = event else {
                return Poll::Ready(event);
            };
            let weight = admit(&mut event);
            self.held = Some((event, weight));
        }
    }

    fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<Option<FromNeighbour>> {
        self.inner.poll_close(context)
    }

    fn on_behaviour_event(&mut self, event: Self::FromBehaviour) {
        self.inner.on_behaviour_event(event);
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Inbound, Outbound>) {
        self.inner.on_connection_event(event);
    }
}

/// What an RPC counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Weight {
    items: u64,
    bytes: u64,
}

/// Takes out of an RPC what nobody is answered, and weighs it as it came.
fn admit(event: &mut FromNeighbour) -> Weight {
    let FromNeighbour::Message { rpc, invalid_messages } = event else {
        // What our own side of the connection has to say.
        return Weight { items: 0, bytes: 0 };
    };
    let entries = [
        rpc.messages.len(),
        invalid_messages.len(),
        rpc.subscriptions.len(),
        // One of them says of every RPC which extensions its sender has.
        rpc.control_msgs.len().saturating_sub(1),
    ];
    let items = entries.into_iter().fold(0, |sum: u64, count| sum.saturating_add(long(count)));
    let mut messages = Scale(0);
    rpc.messages.hash(&mut messages);
    for (message, _) in &*invalid_messages {
        message.hash(&mut messages);
    }
    let mut control = Scale(0);
    rpc.subscriptions.hash(&mut control);
    rpc.control_msgs.hash(&mut control);
    rpc.control_msgs.retain(|message| !is_wanting(message));
    Weight {
        items: items.max(1),
        bytes: control.0.saturating_mul(CONTROL_FACTOR).saturating_add(messages.0),
    }
}

/// Counts the bytes that are hashed, which is what something has in memory: libp2p keeps the ids of
/// a control message to itself.
struct Scale(u64);

impl Hasher for Scale {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = self.0.saturating_add(long(bytes.len()));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn long(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Whether a control message is an IWANT. libp2p keeps its kinds to itself as well, but not their
/// names.
fn is_wanting(message: &impl Debug) -> bool {
    let mut name = Name(None);
    // It fails after the name, which spares us the rest.
    write!(name, "{message:?}").ok();
    name.0 == Some(true)
}

/// Compares the first piece of text with a name, and takes no second.
struct Name(Option<bool>);

impl Write for Name {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.is_some() {
            return Err(fmt::Error);
        }
        self.0 = Some(text == "IWant");
        Ok(())
    }
}
