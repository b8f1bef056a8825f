use tokio::net::TcpSocket;
use tokio::runtime::Builder;

use super::*;
use crate::testnet::relays::faults::{Effect, LinkFault};

/// Long enough for anything on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection that validator 0 made to validator 1 through its relay.
struct Link {
    near: TcpStream,
    far: TcpStream,
    faults: watch::Sender<LinkFaults>,
}

fn on(effects: &[(usize, Effect)]) -> LinkFaults {
    let on = effects.iter().map(|(node, effect)| LinkFault { node: *node, effect: *effect });
    LinkFaults { generation: 1, on: on.collect() }
}

fn here() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Runs a story in bounded time.
fn run(story: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { time::timeout(PATIENCE, story).await.expect("it ends in time") });
}

/// The relay of validator 1, and a socket of validator 0 that dials from where it listens.
async fn relayed(
    patience: Duration,
) -> (SocketAddr, TcpListener, TcpSocket, watch::Sender<LinkFaults>) {
    let (faults, following) = watch::channel(LinkFaults::default());
    let dialler = TcpSocket::new_v4().unwrap();
    dialler.bind(here()).unwrap();
    let target = TcpListener::bind(here()).await.unwrap();
    let relay = TcpListener::bind(here()).await.unwrap();
    let place = relay.local_addr().unwrap();
    let listens = vec![dialler.local_addr().unwrap(), target.local_addr().unwrap()];
    tokio::spawn(accept(relay, 1, Arc::new(listens), following, patience));
    (place, target, dialler, faults)
}

impl Link {
    async fn new() -> Self {
        Self::with_patience(DARK_PATIENCE).await
    }

    async fn with_patience(patience: Duration) -> Self {
        let (place, target, dialler, faults) = relayed(patience).await;
        let near = dialler.connect(place).await.unwrap();
        let (far, _) = target.accept().await.unwrap();
        Self { near, far, faults }
    }
}

/// Reads so many bytes.
async fn read(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

/// Whether nothing has come, and no end, after a relay had its turn many times.
async fn is_silent(stream: &TcpStream) -> bool {
    let mut byte = [0; 1];
    time::timeout(Duration::from_millis(100), stream.peek(&mut byte)).await.is_err()
}

#[test]
fn what_either_end_sends_reaches_the_other_in_order_and_so_does_its_end() {
    run(async {
        let mut link = Link::new().await;
        let much: Vec<u8> = (0..=250).cycle().take(1 << 20).collect();

        let (to_far, from_near) = tokio::join!(
            async { link.near.write_all(&much).await },
            read(&mut link.far, much.len())
        );
        to_far.unwrap();
        link.far.write_all(b"and back").await.unwrap();
        link.near.shutdown().await.unwrap();

        assert!(from_near == much);
        assert_eq!(read(&mut link.near, 8).await, b"and back");
        assert_eq!(link.far.read(&mut [0; 1]).await.unwrap(), 0);
        link.far.write_all(b"still").await.unwrap();
        assert_eq!(read(&mut link.near, 5).await, b"still");
    });
}

#[test]
fn a_byte_leaves_no_earlier_than_its_delay_and_those_behind_it_do_not_add_up() {
    run(async {
        let mut link = Link::new().await;
        let delay = Duration::from_millis(150);
        link.faults.send_replace(on(&[(0, Effect::DelayTo(delay, 1))]));

        let begin = Instant::now();
        for piece in 0..20_u8 {
            link.near.write_all(&[piece]).await.unwrap();
            time::sleep(Duration::from_millis(5)).await;
        }
        let sent = begin.elapsed();
        assert_eq!(read(&mut link.far, 1).await, [0]);
        let first = begin.elapsed();
        assert_eq!(read(&mut link.far, 19).await, (1..20).collect::<Vec<u8>>());
        let last = begin.elapsed();

        assert!(first >= delay, "{first:?}");
        assert!(last >= sent.saturating_sub(Duration::from_millis(5)), "{last:?}");
        assert!(last < delay * 10, "one delay for each piece: {last:?}");
        link.far.write_all(b"at once").await.unwrap();
        assert_eq!(read(&mut link.near, 7).await, b"at once");
    });
}

#[test]
fn a_dark_direction_holds_back_bytes_and_the_end_until_it_is_cleared() {
    run(async {
        let mut link = Link::new().await;
        link.faults.send_replace(on(&[(0, Effect::OmitSend)]));

        link.near.write_all(b"held back").await.unwrap();
        link.near.shutdown().await.unwrap();
        link.far.write_all(b"passes").await.unwrap();

        assert_eq!(read(&mut link.near, 6).await, b"passes");
        assert!(is_silent(&link.far).await);
        link.faults.send_replace(LinkFaults::default());
        assert_eq!(read(&mut link.far, 9).await, b"held back");
        assert_eq!(link.far.read(&mut [0; 1]).await.unwrap(), 0);
    });
}

#[test]
fn a_delay_that_is_cleared_no_longer_holds_anything() {
    run(async {
        let mut link = Link::new().await;
        link.faults.send_replace(on(&[(1, Effect::Delay(PATIENCE * 2))]));

        link.near.write_all(b"slow").await.unwrap();
        assert!(is_silent(&link.far).await);
        link.faults.send_replace(LinkFaults::default());

        assert_eq!(read(&mut link.far, 4).await, b"slow");
    });
}

#[test]
fn a_connection_that_breaks_is_broken_at_the_other_end_once_the_link_is_open() {
    run(async {
        let mut link = Link::new().await;
        link.faults.send_replace(on(&[(0, Effect::Cut(1))]));

        link.near.set_zero_linger().unwrap();
        drop(link.near);

        assert!(is_silent(&link.far).await);
        link.faults.send_replace(LinkFaults::default());
        assert!(matches!(link.far.read(&mut [0; 1]).await, Ok(0) | Err(_)));
    });
}

#[test]
fn who_dials_from_a_port_of_nobody_is_refused() {
    run(async {
        let (place, _target, _dialler, _faults) = relayed(DARK_PATIENCE).await;

        let mut stranger = TcpStream::connect(place).await.unwrap();

        assert!(matches!(stranger.read(&mut [0; 1]).await, Ok(0) | Err(_)));
    });
}

#[test]
fn an_end_that_waits_in_the_dark_for_too_long_drops_the_connection() {
    run(async {
        let mut link = Link::with_patience(Duration::from_millis(50)).await;
        link.faults.send_replace(on(&[(0, Effect::OmitSend)]));

        link.near.write_all(b"lost").await.unwrap();
        link.near.shutdown().await.unwrap();

        assert!(matches!(link.near.read(&mut [0; 1]).await, Ok(0) | Err(_)));
        assert!(matches!(link.far.read(&mut [0; 1]).await, Ok(0) | Err(_)));
    });
}

#[test]
fn a_connection_in_the_dark_that_nobody_ended_is_kept() {
    run(async {
        let mut link = Link::with_patience(Duration::ZERO).await;
        link.faults.send_replace(on(&[(0, Effect::OmitSend)]));

        link.near.write_all(b"held back").await.unwrap();
        assert!(is_silent(&link.far).await);
        link.faults.send_replace(LinkFaults::default());

        assert_eq!(read(&mut link.far, 9).await, b"held back");
    });
}

/// The same port at another address of this computer is the same validator.
#[cfg(target_os = "linux")]
#[test]
fn who_dials_again_takes_the_place_of_what_ended_in_the_dark() {
    run(async {
        let (place, target, dialler, faults) = relayed(PATIENCE * 2).await;
        let port = dialler.local_addr().unwrap().port();
        let mut old = dialler.connect(place).await.unwrap();
        let (mut old_far, _) = target.accept().await.unwrap();
        faults.send_replace(on(&[(0, Effect::OmitSend)]));
        old.shutdown().await.unwrap();
        assert!(is_silent(&old_far).await);

        let again = TcpSocket::new_v4().unwrap();
        again.bind(SocketAddr::from(([127, 0, 0, 2], port))).unwrap();
        let mut new = again.connect(place).await.unwrap();
        let (mut new_far, _) = target.accept().await.unwrap();

        assert!(matches!(old.read(&mut [0; 1]).await, Ok(0) | Err(_)));
        assert!(matches!(old_far.read(&mut [0; 1]).await, Ok(0) | Err(_)));
        new_far.write_all(b"passes").await.unwrap();
        assert_eq!(read(&mut new, 6).await, b"passes");
    });
}
