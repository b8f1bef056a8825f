use std::task::Waker;

use super::*;

const MOST: Duration = Duration::from_secs(15);

#[test]
fn a_reader_that_takes_enough_is_waited_for_without_end() {
    let mut patience = Patience::new(MOST, 1_000);

    for _ in 0..1_000 {
        patience.waited(Duration::from_secs(2));
        patience.taken(2_000);
        assert_eq!(patience.left, MOST);
    }
}

#[test]
fn a_reader_that_takes_a_byte_now_and_then_wears_patience_out() {
    let mut patience = Patience::new(MOST, 1_000);

    for _ in 0..7 {
        patience.waited(Duration::from_secs(2));
        assert!(!patience.left.is_zero());
        patience.taken(1);
    }
    patience.waited(Duration::from_secs(2));

    assert!(patience.left.is_zero());
}

#[test]
fn what_is_taken_at_once_is_no_credit_for_later() {
    let mut patience = Patience::new(MOST, 1_000);

    patience.taken(usize::MAX);
    patience.waited(MOST);

    assert!(patience.left.is_zero());
}

/// Takes a byte whenever it is asked, or nothing.
struct Reader {
    takes: bool,
}

impl AsyncWrite for Reader {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        _bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.takes { Poll::Ready(Ok(1)) } else { Poll::Pending }
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What a connection answers to a write while its reader is like that.
fn write(timed: &mut Timed<Reader>, takes: bool) -> Poll<io::Result<usize>> {
    timed.inner.takes = takes;
    Pin::new(timed).poll_write(&mut Context::from_waker(Waker::noop()), b"bytes")
}

#[tokio::test]
async fn waits_add_up_although_every_one_ends_with_a_byte() {
    tokio::time::pause();
    let mut timed = Timed::new(Reader { takes: false }, Patience::new(MOST, 1_000));

    for _ in 0..2 {
        assert!(write(&mut timed, false).is_pending());
        tokio::time::advance(Duration::from_secs(7)).await;
        assert!(matches!(write(&mut timed, true), Poll::Ready(Ok(1))));
        // Nothing is being written: nobody waits.
        tokio::time::advance(Duration::from_secs(100)).await;
    }
    assert!(write(&mut timed, false).is_pending());
    tokio::time::advance(Duration::from_secs(2)).await;

    let Poll::Ready(Err(cut)) = write(&mut timed, false) else {
        panic!("waited on");
    };
    assert_eq!(cut.kind(), io::ErrorKind::TimedOut);
}
