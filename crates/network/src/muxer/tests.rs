use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::io::Cursor;
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use tokio::time::timeout;

use super::Deadline;

/// A connection that closes at once or never.
struct Connection {
    closes: bool,
}

impl StreamMuxer for Connection {
    type Substream = Cursor<Vec<u8>>;
    type Error = io::Error;

    fn poll_inbound(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<io::Result<Self::Substream>> {
        Poll::Pending
    }

    fn poll_outbound(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<io::Result<Self::Substream>> {
        Poll::Pending
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closes { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        Poll::Pending
    }
}

async fn close(closes: bool) -> io::Result<()> {
    let mut connection = Deadline::new(Connection { closes });
    let closed = poll_fn(|context| Pin::new(&mut connection).poll_close(context));
    timeout(Duration::from_secs(30), closed).await.unwrap()
}

#[tokio::test]
async fn a_connection_that_cannot_flush_is_given_up() {
    assert_eq!(close(false).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_connection_that_closes_is_closed() {
    close(true).await.unwrap();
}
