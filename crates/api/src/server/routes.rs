//! The table of endpoints, and what all handlers share.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use tokio::sync::watch;

use crate::backend::{Backend, Fault};
use crate::problem::{Code, Problem};
use crate::server::answer::{method_not_allowed, route_not_found};
use crate::server::connection::until_stopped;
use crate::server::gate::Gates;
use crate::server::{Limits, reads, streams, submits};

/// What all handlers share; cheap to clone.
pub(crate) struct App<B> {
    pub(crate) backend: Arc<B>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) gates: Arc<Gates>,
    pub(crate) stopped: watch::Receiver<bool>,
}

impl<B> Clone for App<B> {
    fn clone(&self) -> Self {
        Self {
            backend: Arc::clone(&self.backend),
            limits: Arc::clone(&self.limits),
            gates: Arc::clone(&self.gates),
            stopped: self.stopped.clone(),
        }
    }
}

impl<B: Backend> App<B> {
    pub(crate) fn new(backend: Arc<B>, limits: Limits, stopped: watch::Receiver<bool>) -> Self {
        Self { backend, gates: Arc::new(Gates::new(&limits)), limits: Arc::new(limits), stopped }
    }

    /// Asks the backend within the time for an answer and the bound on look-ups at work.
    pub(crate) async fn read<T>(
        &self,
        asked: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Problem> {
        let _place = self.gates.reads.enter()?;
        Ok(self.in_time(asked, std::time::Duration::ZERO).await??)
    }

    /// Waits for the backend as long as an answer may take and `patience` more, and not when the
    /// server stops.
    pub(crate) async fn in_time<T>(
        &self,
        asked: impl Future<Output = T>,
        patience: std::time::Duration,
    ) -> Result<T, Problem> {
        let limit = self.limits.answer_timeout.saturating_add(patience);
        let mut stopped = self.stopped.clone();
        tokio::select! {
            answered = tokio::time::timeout(limit, asked) => answered.map_err(|_| {
                Problem::new(
                    Code::AnswerTimeout,
                    format!("no answer after {} ms", limit.as_millis()),
                )
            }),
            () = until_stopped(&mut stopped) => Err(Problem::new(
                Code::Stopping,
                "the validator is stopping; what was submitted may have been taken in",
            )),
        }
    }
}

/// Every endpoint.
pub(crate) fn router<B: Backend>(app: App<B>) -> Router {
    Router::new()
        .route("/v1/status", get(reads::status::<B>))
        .route("/v1/genesis", get(reads::genesis::<B>))
        .route("/v1/validators", get(reads::validators::<B>))
        .route("/v1/blocks", get(reads::blocks::<B>))
        .route("/v1/blocks/{block}", get(reads::block::<B>))
        .route("/v1/blocks/{block}/certificate", get(reads::certificate::<B>))
        .route("/v1/blocks/{block}/wire", get(reads::wire::<B>))
        .route("/v1/transactions", post(submits::submit::<B>))
        .route("/v1/transactions/batch", post(submits::submit_batch::<B>))
        .route("/v1/transactions/{id}", get(reads::transaction::<B>))
        .route("/v1/accounts/{address}", get(reads::account::<B>))
        .route("/v1/accounts/{address}/history", get(reads::history::<B>))
        .route("/v1/events", get(streams::events::<B>))
        .route("/livez", get(reads::livez))
        .route("/readyz", get(reads::readyz::<B>))
        .route("/metrics", get(reads::metrics::<B>))
        .route("/openapi.json", get(reads::openapi))
        .fallback(route_not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app)
}
