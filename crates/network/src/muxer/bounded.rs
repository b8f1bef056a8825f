//! A connection with a bounded number of streams, and yamux set so that they take a bounded memory.
//!
//! What a peer sends on a stream that we do not read waits here up to the window of the stream.
//! Yamux gives every stream 256 KiB and lets windows grow on a link with a long delay, all of them
//! together up to 1 GiB for each connection less 256 KiB for every stream that it would allow. That
//! 1 GiB cannot be set through libp2p, the number of streams can: it is set so high that only
//! [`WINDOWS_GROWTH_BYTES`] are left to grow, and the streams are counted here.
//!
//! So one connection buffers at most 112 MiB for a peer that does its worst: 256 KiB for each of
//! [`STREAMS_MAX`] open streams and of the 256 that libp2p keeps before it takes notice of them, and
//! what windows may grow. A peer has at most two connections.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use libp2p::yamux;

/// Streams on one connection: those of requests, and a few for everything else.
const STREAMS_MAX: usize = 128;
/// What yamux gives every stream.
const STREAM_WINDOW_BYTES: usize = 256 << 10;
/// What yamux gives all streams of a connection.
const WINDOWS_BYTES_MAX: usize = 1 << 30;
/// How much the windows of a connection may grow in all: a stream with a delay of a quarter of a
/// second there and back still takes 64 MiB a second.
const WINDOWS_GROWTH_BYTES: usize = 16 << 20;

/// The settings of yamux.
pub(crate) fn config() -> yamux::Config {
    let mut config = yamux::Config::default();
    let streams = (WINDOWS_BYTES_MAX - WINDOWS_GROWTH_BYTES).div_euclid(STREAM_WINDOW_BYTES);
    config.set_max_num_streams(streams);
    config
}

/// A multiplexed connection that ends with the first stream too many.
pub(crate) struct Bounded<M> {
    inner: M,
    /// Held by the connection and by every stream.
    open: Arc<()>,
}

impl<M> Bounded<M> {
    pub(crate) fn new(inner: M) -> Self {
        Self { inner, open: Arc::new(()) }
    }

    fn count<S>(&self, stream: S) -> io::Result<Counted<S>> {
        if Arc::strong_count(&self.open) > STREAMS_MAX {
            return Err(io::Error::other(format!("more than {STREAMS_MAX} streams")));
        }
        Ok(Counted { stream, _open: Arc::clone(&self.open) })
    }
}

/// A stream that counts as open until it is dropped.
pub(crate) struct Counted<S> {
    stream: S,
    _open: Arc<()>,
}

impl<M> StreamMuxer for Bounded<M>
where
    M: StreamMuxer + Unpin,
    M::Substream: Unpin,
    M::Error: Into<io::Error>,
{
    type Substream = Counted<M::Substream>;
    type Error = io::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Self::Substream>> {
        let polled = Pin::new(&mut self.inner).poll_inbound(context);
        polled.map(|stream| self.count(stream.map_err(Into::<io::Error>::into)?))
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Self::Substream>> {
        let polled = Pin::new(&mut self.inner).poll_outbound(context);
        polled.map(|stream| self.count(stream.map_err(Into::<io::Error>::into)?))
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(context).map_err(Into::into)
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<StreamMuxerEvent>> {
        Pin::new(&mut self.inner).poll(context).map_err(Into::into)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_read(context, bytes)
    }

    fn poll_read_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &mut [io::IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_read_vectored(context, slices)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(context)
    }
}

#[cfg(test)]
mod tests;
