//! The journal and the network as the core uses them. That records are durable before anything is sent is a
//! promise about the order of these calls, and a test has to see it.

use std::sync::Arc;

use network::Network;
use pbft::record::Record;
use storage::{Journal, StorageError};
use types::number::Height;
use types::replica::ReplicaId;

/// Where it is written what this replica says, before it says it.
pub(crate) trait VoteJournal {
    /// Appends records, durable when this returns.
    fn append(&mut self, records: &[Record]) -> Result<(), StorageError>;

    /// Forgets what is not needed once every block up to this height is durable.
    fn prune(&mut self, committed: Height) -> Result<(), StorageError>;
}

impl VoteJournal for Journal {
    fn append(&mut self, records: &[Record]) -> Result<(), StorageError> {
        Self::append(self, records)
    }

    fn prune(&mut self, committed: Height) -> Result<(), StorageError> {
        Self::prune(self, committed)
    }
}

/// The way to the other replicas.
pub(crate) trait Outbox {
    /// Sends a frame to everybody who is connected.
    fn broadcast(&self, frame: Arc<[u8]>);

    /// Sends a frame to one replica; says whether its queue took it.
    fn send(&self, to: ReplicaId, frame: Arc<[u8]>) -> bool;
}

impl Outbox for Network {
    fn broadcast(&self, frame: Arc<[u8]>) {
        Self::broadcast(self, frame);
    }

    fn send(&self, to: ReplicaId, frame: Arc<[u8]>) -> bool {
        Self::send(self, to, frame).is_ok()
    }
}
