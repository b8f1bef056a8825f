use std::future::poll_fn;

use futures::io::Cursor;

use super::*;

/// A connection on which the peer opens streams without end.
struct Endless;

impl StreamMuxer for Endless {
    type Substream = Cursor<Vec<u8>>;
    type Error = io::Error;

    fn poll_inbound(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<io::Result<Self::Substream>> {
        Poll::Ready(Ok(Cursor::new(Vec::new())))
    }

    fn poll_outbound(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<io::Result<Self::Substream>> {
        Poll::Pending
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn a_connection_has_so_many_streams_at_once_and_no_more() {
    let mut connection = Bounded::new(Endless);
    let mut open = Vec::new();
    let mut next =
        async || poll_fn(|context| Pin::new(&mut connection).poll_inbound(context)).await;

    // Streams that are closed again do not count.
    for _ in 0..STREAMS_MAX * 3 {
        next().await.unwrap();
    }
    for _ in 0..STREAMS_MAX {
        open.push(next().await.unwrap());
    }

    assert!(next().await.is_err());
    drop(open.pop());
    next().await.unwrap();
}

/// Yamux asserts that what its streams need at least is within what it may give all of them.
#[test]
fn the_settings_leave_windows_little_to_grow() {
    let text = format!("{:?}", config());

    let streams =
        WINDOWS_BYTES_MAX / STREAM_WINDOW_BYTES - WINDOWS_GROWTH_BYTES / STREAM_WINDOW_BYTES;
    assert!(text.contains(&format!("max_num_streams: {streams}")), "{text}");
    let all = format!("max_connection_receive_window: Some({WINDOWS_BYTES_MAX})");
    assert!(text.contains(&all), "{text}");
}
