//! Look-ups in the store: off the async tasks, and never more than a few at work.
//!
//! A look-up that has begun cannot be broken off: it goes on when its client has left. So its place is
//! its own and not its client's, and whoever asks and leaves, again and again, keeps as many at work as
//! everybody else does, and no more. Those that wait for a place have not begun, and end with their
//! clients.

use std::sync::Arc;

use api::backend::Fault;
use storage::{EvidenceStore, StorageError, Store};
use tokio::sync::Semaphore;

/// The most look-ups at work: enough for the disk to do several at once, and few beside the threads
/// that consensus needs.
pub(crate) const LOOKUPS_MAX: usize = 4;

/// The store, as clients may ask it.
pub(crate) struct Lookups {
    store: Store,
    evidence: EvidenceStore,
    places: Arc<Semaphore>,
}

impl Lookups {
    /// Look-ups in this store, and in what is kept beside it.
    pub(crate) fn new(store: Store, evidence: EvidenceStore) -> Self {
        Self { store, evidence, places: Arc::new(Semaphore::new(LOOKUPS_MAX)) }
    }

    /// The store itself, for what costs no look at the disk.
    pub(super) const fn store(&self) -> &Store {
        &self.store
    }

    /// The evidence that is kept; a list of it costs no look at the disk.
    pub(super) const fn evidence(&self) -> &EvidenceStore {
        &self.evidence
    }

    /// Waits for a place and looks something up.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Store) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, Fault> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| Fault::Stopping)?;
        let store = self.store.clone();
        let job = move || {
            let found = read(&store);
            drop(place);
            found
        };
        tokio::task::spawn_blocking(job)
            .await
            .map_err(|_| Fault::Stopping)?
            .map_err(|error| Fault::Internal(error.to_string()))
    }
}

#[cfg(test)]
mod tests;
