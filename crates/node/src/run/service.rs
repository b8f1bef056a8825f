//! The HTTP API on threads of its own.
//!
//! Anybody may ask it for work: for answers of megabytes to be written as JSON, for blocks to be found
//! and decoded. Its tasks and look-ups wait for one another and not between a consensus message and
//! the thread that checks it.

use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use api::backend::Backend;
use api::server::{self, Limits};
use tokio::net::TcpListener;

use super::sentinel::Sentinel;
use crate::error::NodeError;
use crate::gateway::LOOKUPS_MAX;

/// Threads for tasks.
const WORKERS: usize = 2;

/// How long look-ups that still run at the end are waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Serves the API until `stop` resolves; the thread ends when everything of it has.
///
/// # Errors
///
/// Those of the operating system.
pub(super) fn start<B: Backend>(
    listener: TcpListener,
    gateway: B,
    limits: Limits,
    stop: impl Future<Output = ()> + Send + 'static,
    sentinel: Sentinel,
) -> io::Result<JoinHandle<()>> {
    // It belongs to the runtime on which it was opened until it is taken from there.
    let listener = listener.into_std()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(LOOKUPS_MAX)
        .thread_name("api")
        .enable_all()
        .build()?;
    Builder::new().name("api".to_owned()).spawn(move || {
        let served = runtime.block_on(async {
            let listener = TcpListener::from_std(listener)?;
            server::serve(listener, Arc::new(gateway), limits, stop).await;
            Ok::<(), io::Error>(())
        });
        runtime.shutdown_timeout(PATIENCE);
        sentinel.ended(served.map_err(|_| NodeError::Ended("the API server")));
    })
}
