//! Where the newest incoming stream of a peer waits for its reader.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use libp2p::Stream;
use tokio::sync::Notify;

/// Holds at most one stream; a newer one replaces it. One task takes.
#[derive(Default)]
pub(crate) struct Slot {
    newest: Mutex<Option<Stream>>,
    filled: Notify,
}

impl Slot {
    /// Replaces what is there.
    pub(crate) fn put(&self, stream: Stream) {
        *self.lock() = Some(stream);
        self.filled.notify_one();
    }

    /// Waits until there is a stream, without taking it.
    pub(crate) async fn filled(&self) {
        while self.lock().is_none() {
            self.filled.notified().await;
        }
    }

    /// Takes what is there.
    pub(crate) fn take(&self) -> Option<Stream> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Stream>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Slot")
    }
}
