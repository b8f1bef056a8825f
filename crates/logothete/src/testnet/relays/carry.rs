//! What a relay does with the connections through it.
//!
//! Every byte leaves in the order in which it came, never before its delay is over, and not while its direction is
//! dark: it waits then, and so does the end of a connection. That is what TCP makes of packets that are lost and sent
//! again. A connection that waits for long is given up by its ends, and comes again when somebody dials. What is left of
//! it here is dropped after a while in the dark, at the latest when the next one comes: it holds two sockets.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{self, Instant};

use crate::testnet::relays::faults::{LinkFaults, Passage};

/// Most bytes that are read at a time.
const PIECE_BYTES_MAX: usize = 16 << 10;
/// Most pieces of one direction that wait; then its sender waits, too.
const PIECES_WAITING_MAX: usize = 4_096;
/// How long an end waits in the dark before the connection is dropped, as TCP gives up in the end.
pub(super) const DARK_PATIENCE: Duration = Duration::from_secs(60);
/// Pause after a connection that could not be taken: the system is out of something.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// From one validator to another.
#[derive(Debug, Clone, Copy)]
struct Direction {
    from: usize,
    to: usize,
}

/// What came from one end, and when.
struct Piece {
    came: Instant,
    /// Nothing is left to come after an end, which may be an error.
    what: Result<Vec<u8>, End>,
}

/// How what one end sends ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It sends no more.
    Closed,
    /// The connection broke.
    Broken,
}

/// What ends the wait of a connection whose end does not come through.
#[derive(Clone)]
struct Limits {
    /// How long it may wait in the dark.
    patience: Duration,
    /// Changes when the same validator dials the same one again.
    newest: watch::Receiver<()>,
}

/// Takes the connections to validator `to` for ever. Who dials is told by the port it comes from, since libp2p dials
/// from the port that it listens on; whoever comes from another port is refused, and dials again later.
pub(super) async fn accept(
    listener: TcpListener,
    to: usize,
    listens: Arc<Vec<SocketAddr>>,
    faults: watch::Receiver<LinkFaults>,
    patience: Duration,
) {
    let mut diallers: BTreeMap<usize, watch::Sender<()>> = BTreeMap::new();
    loop {
        let Ok((near, peer)) = listener.accept().await else {
            time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let from = listens.iter().position(|listens| listens.port() == peer.port());
        if let (Some(from), Some(target)) = (from, listens.get(to)) {
            let newest = diallers.entry(from).or_default();
            newest.send_replace(());
            let limits = Limits { patience, newest: newest.subscribe() };
            tokio::spawn(relay(near, Direction { from, to }, *target, faults.clone(), limits));
        }
    }
}

/// Joins a connection to a validator with one of our own to it, until both ends are closed, or one breaks or is given up.
async fn relay(
    near: TcpStream,
    direction: Direction,
    target: SocketAddr,
    faults: watch::Receiver<LinkFaults>,
    limits: Limits,
) {
    let Ok(far) = TcpStream::connect(target).await else { return };
    for stream in [&near, &far] {
        // It is a matter of speed alone.
        drop(stream.set_nodelay(true));
    }
    let back = Direction { from: direction.to, to: direction.from };
    let (near_source, near_sink) = near.into_split();
    let (far_source, far_sink) = far.into_split();
    let there = carry(near_source, far_sink, direction, faults.clone(), limits.clone());
    let back = carry(far_source, near_sink, back, faults, limits);
    // What broke one way has broken the other: both streams are dropped.
    drop(tokio::try_join!(there, back));
}

/// Carries what one end sends to the other.
async fn carry(
    source: OwnedReadHalf,
    sink: OwnedWriteHalf,
    direction: Direction,
    faults: watch::Receiver<LinkFaults>,
    limits: Limits,
) -> io::Result<()> {
    let (pieces, waiting) = mpsc::channel(PIECES_WAITING_MAX);
    let (stuck, is_stuck) = watch::channel(false);
    let carried = async {
        let release = release(waiting, sink, direction, faults.clone());
        let ((), written) = tokio::join!(take(source, pieces, &stuck), release);
        written
    };
    tokio::select! {
        written = carried => written,
        () = given_up(is_stuck, direction, faults.clone(), limits) => {
            Err(io::ErrorKind::TimedOut.into())
        }
    }
}

/// Takes what comes, with the moment at which it came. It is stuck while it takes nothing more: after the end, and as long
/// as too much waits.
async fn take(mut source: OwnedReadHalf, pieces: mpsc::Sender<Piece>, stuck: &watch::Sender<bool>) {
    let mut bytes = vec![0; PIECE_BYTES_MAX];
    loop {
        let what = match source.read(&mut bytes).await {
            Ok(0) => Err(End::Closed),
            Ok(count) => Ok(bytes.get(..count).unwrap_or_default().to_vec()),
            Err(_) => Err(End::Broken),
        };
        let ended = what.is_err();
        let piece = Piece { came: Instant::now(), what };
        let full = pieces.capacity() == 0;
        if ended || full {
            stuck.send_replace(true);
        }
        let sent = pieces.send(piece).await;
        // Where nobody takes it any more the other end is gone, which is heard from there.
        if ended || sent.is_err() {
            return;
        }
        if full {
            stuck.send_replace(false);
        }
    }
}

/// Comes when what is stuck has waited in the dark for too long, or the connection has a successor.
async fn given_up(
    mut stuck: watch::Receiver<bool>,
    direction: Direction,
    mut faults: watch::Receiver<LinkFaults>,
    Limits { patience, mut newest }: Limits,
) {
    let is_dark =
        |faults: &LinkFaults| matches!(faults.passage(direction.from, direction.to), Passage::Dark);
    loop {
        let is_stuck = stuck.wait_for(|stuck| *stuck).await.is_ok();
        // Without them the process or the connection ends anyway.
        if !is_stuck || faults.wait_for(is_dark).await.is_err() {
            return std::future::pending().await;
        }
        tokio::select! {
            () = time::sleep(patience) => return,
            _ = newest.changed() => return,
            _ = faults.wait_for(|faults| !is_dark(faults)) => {}
            _ = stuck.wait_for(|stuck| !stuck) => {}
        }
    }
}

/// Lets it go when it may.
async fn release(
    mut pieces: mpsc::Receiver<Piece>,
    mut sink: OwnedWriteHalf,
    direction: Direction,
    mut faults: watch::Receiver<LinkFaults>,
) -> io::Result<()> {
    while let Some(piece) = pieces.recv().await {
        until_it_may_pass(piece.came, direction, &mut faults).await;
        match piece.what {
            Ok(bytes) => {
                if sink.write_all(&bytes).await.is_err() {
                    return Ok(());
                }
            }
            Err(End::Closed) => return sink.shutdown().await.or(Ok(())),
            Err(End::Broken) => return Err(io::ErrorKind::ConnectionReset.into()),
        }
    }
    Ok(())
}

/// Waits until what came at this moment may leave.
async fn until_it_may_pass(
    came: Instant,
    direction: Direction,
    faults: &mut watch::Receiver<LinkFaults>,
) {
    loop {
        let passage = faults.borrow_and_update().passage(direction.from, direction.to);
        let changed = faults.changed();
        let gone = match passage {
            Passage::Dark => changed.await.is_err(),
            Passage::After(delay) => match came.checked_add(delay) {
                Some(due) if Instant::now() < due => {
                    time::timeout_at(due, changed).await.is_ok_and(|changed| changed.is_err())
                }
                Some(_) | None => return,
            },
        };
        // Nobody changes faults any more: the process ends.
        if gone {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
