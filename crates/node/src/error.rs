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
    /// What the store holds is not one history of this network.
    #[error("store: {0}")]
    Replay(#[from] ledger::ReplayError),
    /// The store says that it has a block, and has it not.
    #[error("store: the block at height {height} is missing")]
    MissingBlock {
        /// The height of the block.
        height: types::number::Height,
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
