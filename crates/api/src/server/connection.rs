//! The accept loop: how many connections, for how long, and how they end.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::server::Limits;
use crate::server::timed::{Patience, Timed};

/// Most headers of a request.
const HEADERS_MAX: usize = 64;
/// Pause after a failed `accept`.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections until `stop` resolves, then says so through `stopping` and waits for those
/// under way.
pub(super) async fn accept_all(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    stopping: watch::Sender<bool>,
    stop: impl Future<Output = ()> + Send,
) {
    let places = Arc::new(Semaphore::new(limits.connections_max.clamp(1, Semaphore::MAX_PERMITS)));
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        // Ended connections are collected as we go, so the set holds only open ones.
        while connections.try_join_next().is_some() {}
        tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &places) => match accepted {
                Ok((stream, place)) => {
                    let connection = Connection {
                        stream,
                        place,
                        router: router.clone(),
                        limits: limits.clone(),
                        stopped: stopping.subscribe(),
                    };
                    connections.spawn(connection.run());
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection to the API could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    stopping.send_replace(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain_timeout, drained).await.is_err() {
        connections.shutdown().await;
    }
}

/// The next connection, taken from the system's queue only when there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

/// One connection, and everything it needs until it is closed.
struct Connection {
    stream: TcpStream,
    place: OwnedSemaphorePermit,
    router: Router,
    limits: Limits,
    stopped: watch::Receiver<bool>,
}

impl Connection {
    async fn run(self) {
        let Self { stream, place, router, limits, mut stopped } = self;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection to the API was gone at once");
            return;
        }
        let patience = Patience::new(limits.write_timeout, limits.bytes_per_second_min);
        let stream = TokioIo::new(Timed::new(stream, patience));
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_buf_size(limits.header_bytes_max.max(8 << 10))
            .max_headers(HEADERS_MAX)
            .serve_connection(stream, TowerToHyperService::new(router));
        let mut served = pin!(served);
        let ended = tokio::select! {
            ended = served.as_mut() => ended,
            () = until_stopped(&mut stopped) => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        };
        // What clients break off is their business: one event for the operator who looks for it.
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection to the API ended early");
        }
        drop(place);
    }
}

/// Resolves when the server stops.
pub(super) async fn until_stopped(stopped: &mut watch::Receiver<bool>) {
    // The sender is dropped only after it has said so, and either means the end.
    drop(stopped.wait_for(|stopped| *stopped).await);
}
