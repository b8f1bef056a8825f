//! A connection that closes in a bounded time.
//!
//! libp2p closes a connection by flushing what waits to be sent, and until that is done the peer
//! counts as connected and is not dialled again. A stopped peer or a dark link never takes those
//! bytes. So closing has a deadline here, after which the connection is dropped.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use tokio::time::{Sleep, sleep};

pub(crate) mod bounded;

/// How long closing may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A multiplexed connection whose closing has a deadline.
pub(crate) struct Deadline<M> {
    inner: M,
    closing: Option<Pin<Box<Sleep>>>,
}

impl<M> Deadline<M> {
    pub(crate) fn new(inner: M) -> Self {
        Self { inner, closing: None }
    }
}

impl<M> StreamMuxer for Deadline<M>
where
    M: StreamMuxer + Unpin,
    M::Error: Into<io::Error>,
{
    type Substream = M::Substream;
    type Error = io::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<M::Substream>> {
        Pin::new(&mut self.inner).poll_inbound(context).map_err(Into::into)
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<M::Substream>> {
        Pin::new(&mut self.inner).poll_outbound(context).map_err(Into::into)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(closed) = Pin::new(&mut self.inner).poll_close(context) {
            return Poll::Ready(closed.map_err(Into::into));
        }
        let deadline = self.closing.get_or_insert_with(|| Box::pin(sleep(CLOSE_TIMEOUT)));
        deadline.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<StreamMuxerEvent>> {
        Pin::new(&mut self.inner).poll(context).map_err(Into::into)
    }
}

#[cfg(test)]
mod tests;
