//! What can go wrong, told apart by who asked for it.

use thiserror::Error;
use types::replica::ReplicaId;

/// Why a network could not be started.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// The replica is not among the validators.
    #[error("replica {replica} is not among the {validators} validators")]
    NoSuchReplica {
        /// The replica of the settings.
        replica: ReplicaId,
        /// How many validators there are.
        validators: usize,
    },
    /// The validators are those of another chain.
    #[error("the chain is {found}, the validators are of {expected}")]
    WrongChain {
        /// The chain of the validators.
        expected: String,
        /// The chain of the settings.
        found: String,
    },
    /// The node key is not the one that the genesis binds to this validator.
    #[error("the node key has peer id {found}, the genesis binds {expected} to this validator")]
    WrongNodeKey {
        /// The peer id of the genesis.
        expected: String,
        /// The peer id of the key.
        found: String,
    },
    /// The signer's key is not this validator's.
    #[error("the validator key is {found}, the genesis has {expected} for this validator")]
    WrongValidatorKey {
        /// The key of the genesis.
        expected: String,
        /// The key of the signer.
        found: String,
    },
    /// A validator's peer id in the genesis cannot be read, or two validators have the same.
    #[error("peer id `{peer_id}` of replica {replica}: {reason}")]
    PeerId {
        /// Whose peer id it is.
        replica: ReplicaId,
        /// The text of the genesis.
        peer_id: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An address to listen on or a bootstrap address is unusable.
    #[error("address `{address}`: {reason}")]
    Address {
        /// The text of the settings.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Multicast discovery was asked for, and this build has none, or the system refused it.
    #[error("mdns: {reason}")]
    Mdns {
        /// Why not.
        reason: String,
    },
    /// A part of libp2p refused its settings.
    #[error("libp2p: {reason}")]
    Libp2p {
        /// What it said.
        reason: String,
    },
    /// It was started outside of a tokio runtime.
    #[error("no tokio runtime to run on")]
    NoRuntime,
}

/// Why a frame was not taken for sending. It is lost; if it still matters when the peer is
/// [connected](crate::Event::Connected) again, it is to be said again then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SendError {
    /// The replica is no other member.
    #[error("replica {0} is no other member")]
    NoSuchPeer(ReplicaId),
    /// No stream to it is open now.
    #[error("no stream to replica {0} is open")]
    NotConnected(ReplicaId),
    /// Its queue was full: the stream is closed, the queue forgotten, and a new stream is opened.
    #[error("the queue for replica {0} is full")]
    QueueFull(ReplicaId),
    /// The frame is longer than the limit.
    #[error("a frame of {bytes} bytes is longer than {bytes_max}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: u32,
    },
}

/// Why a message was not taken for gossip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PublishError {
    /// The message is longer than the limit.
    #[error("a gossip message of {bytes} bytes is longer than {bytes_max}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The swarm has too much to do; try again later.
    #[error("the network is busy")]
    Busy,
    /// The network was shut down.
    #[error("the network is shut down")]
    Stopped,
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    /// The replica is no other member, or not connected.
    #[error("replica {0} is not connected")]
    NotConnected(ReplicaId),
    /// Too many requests to it have no answer yet.
    #[error("too many requests to replica {0} are in flight")]
    Busy(ReplicaId),
    /// The request is longer than the limit.
    #[error("a request of {bytes} bytes is longer than {bytes_max}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: u32,
    },
    /// No answer came in time.
    #[error("no answer in time")]
    Timeout,
    /// The peer declined, broke off, answered too much, or the connection was lost.
    #[error("no answer: {reason}")]
    Failed {
        /// What happened.
        reason: String,
    },
    /// The network was shut down.
    #[error("the network is shut down")]
    Stopped,
}

/// Why a response was not sent. The one who asked is told that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RespondError {
    /// The response is longer than the limit.
    #[error("a response of {bytes} bytes is longer than {bytes_max}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: u32,
    },
    /// It came too late, or the connection or the network is gone.
    #[error("nobody waits for the response any more")]
    TooLate,
}
