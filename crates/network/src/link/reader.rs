//! Reads the stream that a peer opened to us.
//!
//! A frame is read only when its length is within the limit, the peer's rate allows it and its
//! bytes fit into what the peer may have undelivered: all of that before memory is taken. A frame
//! that was read is always delivered, even if the stream has broken or been replaced meanwhile.
//! While the events of the network are not taken, nothing is read, and TCP slows down this peer and
//! no other.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::io::BufReader;
use futures::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use libp2p::Stream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::timeout;

use crate::event::{Event, Payload};
use crate::hub::Hub;
use crate::link::{ACKNOWLEDGED, Link};
use crate::rate::Rate;

const BUFFER_BYTES: usize = 64 << 10;
/// What a frame costs in memory beside its bytes: what it is decoded into, and its places in queues.
const FRAME_OVERHEAD_BYTES: u32 = 1_024;
/// How long the acknowledgement may take to be written; it never waits for the peer's application.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a second a peer may open its stream anew in the long run. Each time everything
/// undecided is said again, so it counts like that part of the frames that the peer may send.
const REOPENINGS_PER_SECOND: u32 = 10;

/// Why reading a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The peer closed it, or the connection was lost.
    Closed,
    /// A connection with the peer was closed.
    ConnectionClosed,
    /// The peer opened a newer one.
    Replaced,
    /// The peer announced a frame above the limit.
    TooLong,
    /// The peer sends more than it may.
    TooFast,
    /// Nobody takes events any more.
    Stopped,
}

impl End {
    fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed_by_peer",
            Self::ConnectionClosed => "connection_closed",
            Self::Replaced => "replaced",
            Self::TooLong => "frame_too_long",
            Self::TooFast => "too_fast",
            Self::Stopped => "stopped",
        }
    }

    fn is_violation(self) -> bool {
        match self {
            Self::TooLong | Self::TooFast => true,
            Self::Closed | Self::ConnectionClosed | Self::Replaced | Self::Stopped => false,
        }
    }
}

/// What outlives a single stream.
struct Reader {
    link: Arc<Link>,
    hub: Arc<Hub>,
    events: mpsc::Sender<Event>,
    rate: Rate,
    allowance: Arc<Semaphore>,
    /// A frame that was read and is not yet delivered.
    undelivered: Option<Event>,
}

/// Reads whatever stream the peer opened last.
pub(crate) async fn run(link: Arc<Link>, hub: Arc<Hub>, events: mpsc::Sender<Event>) {
    let mut reader = Reader::new(Arc::clone(&link), Arc::clone(&hub), events);
    let mut number: u64 = 0;
    loop {
        link.slot.filled().await;
        let closings = link.closings.subscribe();
        let Some(stream) = link.slot.take() else {
            continue;
        };
        number = number.saturating_add(1);
        let end = reader.read(stream, number, closings).await;
        hub.metrics.stream_reset(link.replica, end.name());
        tracing::debug!(replica = link.replica.get(), reason = end.name(), "incoming stream ended");
        if end == End::Stopped || !reader.deliver().await {
            return;
        }
        if end.is_violation() {
            tracing::warn!(replica = link.replica.get(), reason = end.name(), "cut off");
            hub.cut_off(link.replica).await;
        }
    }
}

impl Reader {
    fn new(link: Arc<Link>, hub: Arc<Hub>, events: mpsc::Sender<Event>) -> Self {
        let limits = &hub.limits;
        let rate = Rate::new(
            limits.frames_per_second,
            limits.bytes_per_second,
            limits.burst_seconds,
            Instant::now(),
        );
        let allowance = usize::try_from(limits.incoming_bytes_max).unwrap_or(usize::MAX);
        Self {
            rate,
            allowance: Arc::new(Semaphore::new(allowance.min(Semaphore::MAX_PERMITS))),
            undelivered: None,
            link,
            hub,
            events,
        }
    }

    async fn read(
        &mut self,
        mut stream: Stream,
        number: u64,
        mut closings: watch::Receiver<u64>,
    ) -> End {
        let cost = self.hub.limits.frames_per_second.div_euclid(REOPENINGS_PER_SECOND).max(1);
        if number > 1 && !self.rate.take(u64::from(cost), 0, Instant::now()) {
            return End::TooFast;
        }
        match timeout(ACKNOWLEDGE_TIMEOUT, acknowledge(&mut stream)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return End::Closed,
        }
        let link = Arc::clone(&self.link);
        link.incoming.send_replace(Some(number));
        let end = tokio::select! {
            end = self.read_frames(BufReader::with_capacity(BUFFER_BYTES, stream)) => end,
            () = link.slot.filled() => End::Replaced,
            _ = closings.changed() => End::ConnectionClosed,
        };
        link.incoming.send_replace(None);
        end
    }

    async fn read_frames(&mut self, mut stream: impl AsyncRead + Unpin) -> End {
        loop {
            match self.read_frame(&mut stream).await {
                Ok(frame) => self.undelivered = Some(frame),
                Err(end) => return end,
            }
            if !self.deliver().await {
                return End::Stopped;
            }
        }
    }

    async fn read_frame(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<Event, End> {
        let mut prefix = [0; 4];
        closed(stream.read_exact(&mut prefix).await)?;
        let length = u32::from_be_bytes(prefix);
        if length > self.hub.limits.frame_bytes_max {
            return Err(End::TooLong);
        }
        if !self.rate.take(1, u64::from(length), Instant::now()) {
            return Err(End::TooFast);
        }
        let permit = self.allow(length).await?;
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| End::TooLong)?];
        closed(stream.read_exact(&mut bytes).await)?;
        self.link.metrics.frames_received.inc();
        self.link.metrics.frame_bytes_received.inc_by(u64::from(length));
        Ok(Event::Frame { from: self.link.replica, bytes: Payload::new(bytes, Some(permit)) })
    }

    /// Waits until the peer may have so many more bytes undelivered.
    async fn allow(&self, length: u32) -> Result<OwnedSemaphorePermit, End> {
        let cost =
            length.saturating_add(FRAME_OVERHEAD_BYTES).min(self.hub.limits.incoming_bytes_max);
        Arc::clone(&self.allowance).acquire_many_owned(cost).await.map_err(|_| End::Stopped)
    }

    /// Delivers what was read; it stays here until there is room, so that breaking off loses
    /// nothing.
    async fn deliver(&mut self) -> bool {
        if self.undelivered.is_none() {
            return true;
        }
        let Ok(room) = self.events.reserve().await else {
            return false;
        };
        if let Some(event) = self.undelivered.take() {
            room.send(event);
        }
        true
    }
}

fn closed(result: io::Result<()>) -> Result<(), End> {
    result.map_err(|_| End::Closed)
}

async fn acknowledge(stream: &mut Stream) -> io::Result<()> {
    stream.write_all(&ACKNOWLEDGED).await?;
    stream.flush().await
}

/// Reads frames from bytes, as if a peer had sent them and then closed the stream.
#[cfg(test)]
pub(crate) async fn read_bytes(
    link: Arc<Link>,
    hub: Arc<Hub>,
    events: mpsc::Sender<Event>,
    bytes: &[u8],
) {
    let mut reader = Reader::new(link, hub, events);
    reader.read_frames(bytes).await;
}
