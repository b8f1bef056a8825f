//! Clients that wait for the end of one transaction.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;
use types::rejection::Rejection;
use types::transaction::TransactionId;

use crate::receipts::Committed;

/// The most transactions that are waited for at a time.
const WAITED_MAX: usize = 16_384;
/// The most clients that wait for one transaction.
const CLIENTS_PER_TRANSACTION_MAX: usize = 64;

/// What became of a transaction that a client waits for.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It is in this durable block, at this position.
    Committed(Arc<Committed>, u32),
    /// It left the pool and can never be executed.
    Dropped(Rejection),
}

/// The registry. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Waiters(Arc<Mutex<HashMap<TransactionId, Vec<oneshot::Sender<Outcome>>>>>);

impl Waiters {
    /// Waits for one transaction; `None` when too many wait already.
    pub(crate) fn wait_for(&self, id: TransactionId) -> Option<oneshot::Receiver<Outcome>> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITED_MAX {
            // Clients that gave up leave their place behind; it is cleared when space is short.
            waiting.retain(|_, clients| {
                clients.retain(|client| !client.is_closed());
                !clients.is_empty()
            });
        }
        if waiting.len() >= WAITED_MAX {
            return None;
        }
        let clients = waiting.entry(id).or_default();
        clients.retain(|client| !client.is_closed());
        if clients.len() >= CLIENTS_PER_TRANSACTION_MAX {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        clients.push(sender);
        Some(receiver)
    }

    /// Answers everybody who waits for a transaction of this block.
    pub(crate) fn committed(&self, committed: &Arc<Committed>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            return;
        }
        for (index, transaction) in (0..).zip(committed.block().block.body.transactions()) {
            for client in waiting.remove(&transaction.id()).into_iter().flatten() {
                // A client that went away does not want its answer.
                drop(client.send(Outcome::Committed(committed.clone(), index)));
            }
        }
    }

    /// Answers everybody who waits for a transaction that left the pool uncommitted.
    pub(crate) fn dropped(&self, id: TransactionId, rejection: &Rejection) {
        let clients = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        for client in clients.into_iter().flatten() {
            drop(client.send(Outcome::Dropped(*rejection)));
        }
    }
}

#[cfg(test)]
mod tests;
