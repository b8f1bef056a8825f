//! The bounds of the server, with defaults for a validator on a small machine.

use std::time::Duration;

/// Bounds of the server. Memory is bounded by their products: a body of each kind for each request
/// of that kind at work, an answer for each connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once; more wait in the system's queue until one closes.
    pub connections_max: usize,
    /// Time for a request's header, and for the next one on a connection kept open.
    pub header_timeout: Duration,
    /// Time for a request's body.
    pub body_timeout: Duration,
    /// Time after which a reader that does not take its answer is cut off: without progress, or with
    /// less than [`Limits::bytes_per_second_min`] of it.
    pub write_timeout: Duration,
    /// Bytes of an answer that a reader takes in a second of waiting for it, in the mean.
    pub bytes_per_second_min: u32,
    /// Time for an answer, a wait for a commit not included.
    pub answer_timeout: Duration,
    /// Time for answers under way when the server stops.
    pub drain_timeout: Duration,
    /// Largest header, in bytes.
    pub header_bytes_max: usize,
    /// Largest body of one transaction, in bytes.
    pub single_bytes_max: usize,
    /// Largest body of a batch, in bytes.
    pub batch_bytes_max: usize,
    /// Longest wait for a commit; a request that asks for more gets this.
    pub wait_max: Duration,
    /// Look-ups with small answers at work or being answered at once.
    pub reads_max: usize,
    /// Look-ups whose answer may be as large as a block, at work or being answered at once.
    pub large_reads_max: usize,
    /// Single submissions at work or being answered at once, those that wait for a commit included.
    pub submits_max: usize,
    /// Batches at work or being answered at once.
    pub batches_max: usize,
    /// Event streams open at once.
    pub subscribers_max: usize,
    /// How often an event stream says the validator's status, which also keeps it open.
    pub status_interval: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(15),
            bytes_per_second_min: 64 << 10,
            answer_timeout: Duration::from_secs(15),
            drain_timeout: Duration::from_secs(3),
            header_bytes_max: 16 << 10,
            single_bytes_max: 64 << 10,
            batch_bytes_max: 2 << 20,
            wait_max: Duration::from_secs(60),
            reads_max: 64,
            large_reads_max: 32,
            submits_max: 512,
            batches_max: 16,
            subscribers_max: 64,
            status_interval: Duration::from_secs(3),
        }
    }
}
