//! The direct streams with one peer: one that we opened and write to, one that the peer opened and
//! we read.
//!
//! Three tasks per peer: a [`writer`], a [`reader`], and one that tells of the two together. A link
//! counts as connected while both streams are open; each stream has a number, so that one which
//! broke and was opened again between two looks is noticed all the same. A stream is open when its
//! receiver has said so with one byte: libp2p drops an incoming stream silently when two come at
//! once, and the opener would not know.

pub(crate) mod queue;
pub(crate) mod reader;
pub(crate) mod slot;
pub(crate) mod writer;

use std::sync::Arc;

use futures::StreamExt;
use libp2p::PeerId;
use libp2p_stream::IncomingStreams;
use tokio::sync::{mpsc, watch};
use types::replica::ReplicaId;

use crate::event::Event;
use crate::hub::Hub;
use crate::link::queue::Queue;
use crate::link::slot::Slot;
use crate::metrics::PeerMetrics;

/// What the receiver of a stream writes when it begins to read.
const ACKNOWLEDGED: [u8; 1] = [1];

/// What the tasks of one link share.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) replica: ReplicaId,
    pub(crate) peer: PeerId,
    pub(crate) queue: Queue,
    pub(crate) slot: Slot,
    pub(crate) metrics: PeerMetrics,
    /// The number of the stream that we write to, while it is open.
    outgoing: watch::Sender<Option<u64>>,
    /// The number of the stream that we read, while it is open.
    incoming: watch::Sender<Option<u64>>,
    /// How many connections with the peer were closed so far.
    closings: watch::Sender<u64>,
}

impl Link {
    pub(crate) fn new(
        replica: ReplicaId,
        peer: PeerId,
        metrics: PeerMetrics,
        frames_max: usize,
        bytes_max: usize,
    ) -> Self {
        Self {
            replica,
            peer,
            queue: Queue::new(frames_max, bytes_max, metrics.clone()),
            slot: Slot::default(),
            metrics,
            outgoing: watch::Sender::new(None),
            incoming: watch::Sender::new(None),
            closings: watch::Sender::new(0),
        }
    }

    /// A connection with the peer was closed, perhaps that of our streams. Both are given up: a
    /// stream of a connection that this side closed in good order is never woken again, be it for
    /// reading or writing.
    pub(crate) fn connection_closed(&self) {
        self.closings.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// Tells of a link as long as events are taken.
pub(crate) async fn tell(link: Arc<Link>, hub: Arc<Hub>, events: mpsc::Sender<Event>) {
    let mut outgoing = link.outgoing.subscribe();
    let mut incoming = link.incoming.subscribe();
    let mut told: Option<(u64, u64)> = None;
    loop {
        let streams = (*outgoing.borrow_and_update()).zip(*incoming.borrow_and_update());
        if streams != told {
            let before = told.is_some();
            told = streams;
            if hub.tell(&link, before, streams.is_some(), &events).await.is_none() {
                return;
            }
        }
        let changed = tokio::select! {
            changed = outgoing.changed() => changed,
            changed = incoming.changed() => changed,
        };
        if changed.is_err() {
            return;
        }
    }
}

impl Hub {
    /// Tells that a link broke, stands, or both; `None` when nobody listens any more.
    async fn tell(
        &self,
        link: &Link,
        before: bool,
        now: bool,
        events: &mpsc::Sender<Event>,
    ) -> Option<()> {
        self.peers.send_modify(|peers| {
            if now {
                peers.connected.insert(link.replica);
            } else {
                peers.connected.remove(&link.replica);
            }
            peers.judge(self.others_needed);
        });
        if before {
            tracing::info!(replica = link.replica.get(), "disconnected");
            events.send(Event::Disconnected(link.replica)).await.ok()?;
        }
        if now {
            tracing::info!(replica = link.replica.get(), "connected");
            events.send(Event::Connected(link.replica)).await.ok()?;
        }
        Some(())
    }
}

/// Hands every stream that a peer opened to the reader of that peer; the newest replaces the one
/// before.
pub(crate) async fn accept(mut streams: IncomingStreams, hub: Arc<Hub>) {
    while let Some((peer, stream)) = streams.next().await {
        // Whoever is no member has no connection, and so no streams.
        if let Some(link) = hub.members.replica(&peer).and_then(|replica| hub.links.get(&replica)) {
            link.slot.put(stream);
        }
    }
}
