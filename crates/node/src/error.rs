//! Why a validator does not start or stops: faults of its disk, its sockets, its configuration.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

use crate::config::ConfigError;

/// A fault that ends the process. Nothing is sent after one, and nothing is guessed.
#[derive(Debug, Error)]
pub enum NodeError {
    /// The configuration does not hold.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Journal or store refused, failed, or is damaged.
    #[error(transparent)]
    Storage(#[from] storage::StorageError),
    /// What the journal says cannot be rebuilt into a replica.
    #[error("journal: {0}")]
    Recovery(#[from] pbft::RecoveryError),
    /// A stored snapshot does not hold.
    #[error("snapshot: {0}")]
    Snapshot(#[from] ledger::RestoreError),
    /// A stored block does not follow from the state before it.
    #[error("stored block at height {height}: {reason}")]
    StoredBlock {
        /// The height of the block.
        height: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The libp2p side did not start.
    #[error(transparent)]
    Network(#[from] network::NetworkError),
    /// The HTTP API cannot listen.
    #[error("cannot listen for the HTTP API on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file of the validator's folder cannot be written.
    #[error("cannot write {what}: {source}")]
    Write {
        /// The file.
        what: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// A thread or task of this process ended although it must not.
    #[error("{0} ended unexpectedly; this is a bug")]
    Ended(&'static str),
}
