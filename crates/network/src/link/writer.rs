//! Opens our stream to a peer, again and again, and writes its queue to it.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::Stream;
use libp2p_stream::Control;
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::hub::Hub;
use crate::link::{ACKNOWLEDGED, Link};

/// How long a peer may take to begin to read. One that is slow to take its events is slow here too.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);
/// The first pause after a stream that ended or could not be opened; it doubles up to the next. On a
/// new stream everything undecided is said again, so a peer that closes ours at once, again and
/// again, is not to keep us busy with that.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// After a stream that lasted so long the pause is the first again.
const LASTING: Duration = Duration::from_secs(5);
/// Frames that wait are written together up to so many bytes.
const BATCH_BYTES: usize = 64 << 10;
/// A frame of at least so many bytes is not copied into the batch.
const DIRECT_BYTES: usize = 16 << 10;

/// Why a stream could not be opened.
#[derive(Debug, Error)]
enum OpenError {
    #[error("{0}")]
    Open(#[from] libp2p_stream::OpenStreamError),
    #[error("not acknowledged: {0}")]
    Acknowledgement(#[from] io::Error),
    #[error("not acknowledged in time")]
    Timeout,
}

/// Keeps a stream to the peer open while it is connected.
pub(crate) async fn run(link: Arc<Link>, hub: Arc<Hub>, mut control: Control) {
    let mut connections = hub.connections.subscribe();
    let mut pause = PAUSE_MIN;
    let mut number: u64 = 0;
    loop {
        // Without a connection the control would dial by itself, and nobody told it where.
        let connected =
            connections.wait_for(|connected| connected.contains(&link.replica)).await.is_ok();
        if !connected {
            return;
        }
        let closings = link.closings.subscribe();
        match open(&link, &hub, &mut control).await {
            Ok(stream) => {
                let begun = Instant::now();
                number = number.saturating_add(1);
                link.queue.open();
                link.outgoing.send_replace(Some(number));
                let reason = write(&link, stream, closings).await;
                link.queue.close();
                link.outgoing.send_replace(None);
                hub.metrics.stream_reset(link.replica, reason);
                tracing::debug!(replica = link.replica.get(), reason, "outgoing stream ended");
                if begun.elapsed() >= LASTING {
                    pause = PAUSE_MIN;
                }
            }
            Err(error) => {
                tracing::debug!(replica = link.replica.get(), %error, "cannot open a stream");
            }
        }
        sleep(pause).await;
        pause = pause.saturating_mul(2).min(PAUSE_MAX);
    }
}

async fn open(link: &Link, hub: &Hub, control: &mut Control) -> Result<Stream, OpenError> {
    let opened = timeout(OPEN_TIMEOUT, async {
        let mut stream = control.open_stream(link.peer, hub.names.direct.clone()).await?;
        let mut answer = [0; 1];
        stream.read_exact(&mut answer).await?;
        if answer == ACKNOWLEDGED {
            Ok(stream)
        } else {
            Err(io::Error::from(io::ErrorKind::InvalidData).into())
        }
    });
    opened.await.unwrap_or(Err(OpenError::Timeout))
}

/// Writes until the stream ends, and says why it did. Dropping the stream resets it.
async fn write(link: &Link, stream: Stream, mut closings: watch::Receiver<u64>) -> &'static str {
    let (reading, writing) = stream.split();
    tokio::select! {
        () = link.queue.broken() => "queue_full",
        () = closed(reading) => "closed_by_peer",
        _ = closings.changed() => "connection_closed",
        () = write_frames(link, writing) => "write_failed",
    }
}

/// Waits until the peer closes the stream; it has nothing else to say on it.
async fn closed(mut reading: impl AsyncRead + Unpin) {
    // Whatever comes, be it a byte, the stream is no good any more.
    reading.read_exact(&mut [0; 1]).await.ok();
}

async fn write_frames(link: &Link, mut writing: impl AsyncWrite + Unpin) {
    let mut frames = Vec::new();
    let mut buffer = Vec::with_capacity(BATCH_BYTES);
    loop {
        link.queue.take(BATCH_BYTES, &mut frames).await;
        let count = u64::try_from(frames.len()).unwrap_or(u64::MAX);
        let mut bytes: usize = 0;
        for frame in frames.drain(..) {
            bytes = bytes.saturating_add(frame.len());
            if write_frame(&frame, &mut buffer, &mut writing).await.is_err() {
                return;
            }
        }
        if flush(&mut buffer, &mut writing).await.is_err() {
            return;
        }
        link.metrics.frames_sent.inc_by(count);
        link.metrics.frame_bytes_sent.inc_by(u64::try_from(bytes).unwrap_or(u64::MAX));
    }
}

async fn write_frame(
    frame: &[u8],
    buffer: &mut Vec<u8>,
    writing: &mut (impl AsyncWrite + Unpin),
) -> io::Result<()> {
    let length = u32::try_from(frame.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    buffer.extend_from_slice(&length.to_be_bytes());
    if frame.len() < DIRECT_BYTES {
        buffer.extend_from_slice(frame);
        return Ok(());
    }
    writing.write_all(buffer).await?;
    buffer.clear();
    writing.write_all(frame).await
}

async fn flush(buffer: &mut Vec<u8>, writing: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    writing.write_all(buffer).await?;
    buffer.clear();
    writing.flush().await
}
