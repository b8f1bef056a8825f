//! A connection that is cut when its reader takes too little for too long.
//!
//! Without it a client that never reads its answer, or reads a byte of it now and then, would hold its
//! connection, its place and the answer's memory for ever. Reading needs no such guard: headers and
//! bodies have time-outs of their own.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// `S`, failing a write that waits for longer than its reader has deserved.
#[derive(Debug)]
pub(super) struct Timed<S> {
    inner: S,
    patience: Patience,
    /// A write that waits.
    waiting: Option<Waiting>,
}

/// How much longer a reader may keep us waiting: less by every wait, more by every byte it takes, and
/// never more than at the beginning. While there is nothing to write nobody waits.
#[derive(Debug)]
pub(super) struct Patience {
    left: Duration,
    most: Duration,
    bytes_per_second: u32,
}

/// A write that waits, and until when.
#[derive(Debug)]
struct Waiting {
    since: Instant,
    end: Pin<Box<Sleep>>,
}

impl Patience {
    /// Patience for so long with a reader that takes nothing, and without end for one that takes so many
    /// bytes in every second of waiting.
    pub(super) fn new(most: Duration, bytes_per_second: u32) -> Self {
        Self { left: most, most, bytes_per_second: bytes_per_second.max(1) }
    }

    fn waited(&mut self, time: Duration) {
        self.left = self.left.saturating_sub(time);
    }

    fn taken(&mut self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let earned = Duration::from_secs(bytes.into()) / self.bytes_per_second;
        self.left = self.left.saturating_add(earned).min(self.most);
    }
}

impl<S> Timed<S> {
    pub(super) fn new(inner: S, patience: Patience) -> Self {
        Self { inner, patience, waiting: None }
    }

    /// Passes on what a write says; when it waits, fails it once patience is over.
    fn guard<T>(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            if let Some(waiting) = self.waiting.take() {
                self.patience.waited(waiting.since.elapsed());
            }
            return polled;
        }
        let left = self.patience.left;
        let waiting = self
            .waiting
            .get_or_insert_with(|| Waiting { since: Instant::now(), end: Box::pin(sleep(left)) });
        match waiting.end.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }

    /// As [`Timed::guard`], for a write that says how many bytes were taken.
    fn guard_bytes(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let polled = self.guard(context, polled);
        if let Poll::Ready(Ok(bytes)) = &polled {
            self.patience.taken(*bytes);
        }
        polled
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_write(context, bytes);
        this.guard_bytes(context, polled)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_flush(context);
        this.guard(context, polled)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_shutdown(context);
        this.guard(context, polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_write_vectored(context, slices);
        this.guard_bytes(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests;
