//! What all handlers share, and how they ask the backend.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::backend::{Backend, Fault};
use crate::problem::{Code, Problem};
use crate::server::Limits;
use crate::server::connection::until_stopped;
use crate::server::gate::Gates;

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

    /// Asks the backend within the time for an answer. How many look-ups are at work is bounded where
    /// they come in.
    pub(crate) async fn read<T>(
        &self,
        asked: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Problem> {
        Ok(self.in_time(asked, Duration::ZERO).await??)
    }

    /// Waits for the backend as long as an answer may take and `patience` more, and not when the
    /// server stops.
    pub(crate) async fn in_time<T>(
        &self,
        asked: impl Future<Output = T>,
        patience: Duration,
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
