//! The HTTP server: routes over a [`Backend`], within bounds.
//!
//! Anyone who can connect may send anything, so everything is bounded before it costs: connections,
//! the time and size of headers and bodies, requests of each kind at work and answers that are being
//! read, waits, event streams, and the time a reader takes to accept its answer. Errors are problem documents, unknown routes
//! and methods included; only what is no HTTP at all is answered by a bare status and a closed
//! connection.
//!
//! There is no encryption and no authentication here: the server listens on loopback unless its
//! operator decides otherwise, and then stands behind a reverse proxy.

mod answer;
mod app;
mod connection;
mod gate;
mod held;
mod limits;
mod query;
pub(crate) mod reads;
mod request;
mod routes;
pub(crate) mod streams;
pub(crate) mod submits;
mod timed;

use std::sync::Arc;

use tokio::net::TcpListener;

use crate::backend::Backend;

pub use limits::Limits;

/// Serves the API on `listener` until `stop` resolves, then lets answers under way finish within
/// [`Limits::drain_timeout`] and returns with every connection closed.
///
/// The caller binds the listener, so it knows the port before anything is served. A failing
/// `accept` (the process may be out of file descriptors) is waited out and never ends the server.
pub async fn serve<B: Backend>(
    listener: TcpListener,
    backend: Arc<B>,
    limits: Limits,
    stop: impl Future<Output = ()> + Send,
) {
    let (stopping, stopped) = tokio::sync::watch::channel(false);
    let app = app::App::new(backend, limits.clone(), stopped);
    connection::accept_all(listener, routes::router(app), &limits, stopping, stop).await;
}

#[cfg(test)]
mod tests;
