//! Catch-up: committed blocks that this validator missed are asked of peers, with their
//! certificates, and checked like blocks agreed here.
//!
//! Blocks are asked for in ranges, of up to [`plan::ASKED_MAX`] peers at once, and checked beside
//! the core while it executes earlier ones. The core is given them in order. Near the newest block
//! that is one small question now and then.
//!
//! A peer's claim about height is only a reason to ask: it neither bounds nor promises anything.
//! A peer that answers badly or too late costs one bounded question and rests ([`standing`]); the
//! heights are asked of the next one. Every block has its own proof, so the newest one is fetched
//! like any other.
//!
//! **Memory.** There are at most [`plan::RANGES_MAX`] ranges from the question until their blocks
//! are durable, and an answer has at most `response_bytes_max` bytes, of an honest peer at most
//! [`RESPONSE_BYTES`] or one block. While it is checked an answer is in memory about three times:
//! its blocks, what their signatures cover, and an allocator's slack. With the default parameters
//! that is about 48 MiB of honest answers and 96 MiB of the longest ones. An answer that claims
//! more than it holds reserves addresses for a moment and no memory, see
//! [`crypto::encoding::decode`]. One that comes after its time is dropped unread.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crypto::encoding::{encoded_bytes, from_wire, to_wire};
use network::{Network, RequestError};
use storage::{StorageError, Store};
use tokio::sync::{mpsc, watch};
use types::door::Door;
use types::number::Height;
use types::proof::ProvedBlock;
use types::replica::ReplicaId;

use self::errand::Errand;
use crate::core::{Arrived, View};
use crate::error::NodeError;
use crate::metrics::CatchUpMetrics;
use crate::wire::{BLOCKS_MAX, BlocksRequest, RESPONSE_BYTES};

mod errand;
mod plan;
mod question;
mod standing;

/// How long catch-up waits for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// How often a peer is asked without a reason: a commit may have been missed in silence.
    pub(crate) period: Duration,
    /// The least time between two looks at what peers seem to have.
    pub(crate) hint_gap: Duration,
    /// How long an answer is waited for at first, at most eight times as long later; the network
    /// has a limit of its own.
    pub(crate) patience: Duration,
    /// How long the core may go without a commit while it has blocks to commit.
    pub(crate) core_patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            period: Duration::from_secs(1),
            hint_gap: Duration::from_millis(50),
            patience: Duration::from_secs(2),
            core_patience: Duration::from_secs(5),
        }
    }
}

/// Who can be asked.
pub(crate) trait Peers: Send + Sync {
    /// The replicas that are connected.
    fn connected(&self) -> BTreeSet<ReplicaId>;

    /// Asks one of them and waits for its answer.
    fn ask(
        &self,
        peer: ReplicaId,
        request: Vec<u8>,
    ) -> impl Future<Output = Result<Vec<u8>, RequestError>> + Send;
}

impl Peers for Network {
    fn connected(&self) -> BTreeSet<ReplicaId> {
        self.peers().borrow().connected.clone()
    }

    fn ask(
        &self,
        peer: ReplicaId,
        request: Vec<u8>,
    ) -> impl Future<Output = Result<Vec<u8>, RequestError>> + Send {
        self.request(peer, request)
    }
}

/// What catch-up needs.
pub(crate) struct CatchUp<P> {
    /// Whom to ask.
    pub(crate) peers: P,
    /// Who this is.
    pub(crate) replica: ReplicaId,
    /// Whose certificates count, and which transactions need not be checked again.
    pub(crate) door: Door,
    /// To the core.
    pub(crate) inputs: mpsc::Sender<Arrived>,
    /// To the alarm for forks.
    pub(crate) rivals: mpsc::Sender<ProvedBlock>,
    /// What the core has committed.
    pub(crate) view: watch::Receiver<View>,
    /// The height up to which blocks are durable.
    pub(crate) durable: watch::Receiver<Height>,
    /// A height that peers seem to have reached, repeated as long as it holds.
    pub(crate) behind: watch::Receiver<Height>,
    /// A replica whose connection has just opened.
    pub(crate) connected: mpsc::Receiver<ReplicaId>,
    /// Becomes true once t + 1 replicas, one of them honest, have had nothing that this validator
    /// lacks: until then it is not ready.
    pub(crate) caught_up: watch::Sender<bool>,
    /// The largest response, in bytes.
    pub(crate) response_bytes_max: usize,
    /// What is counted.
    pub(crate) metrics: CatchUpMetrics,
    /// How long it waits.
    pub(crate) pace: Pace,
}

impl<P: Peers + 'static> CatchUp<P> {
    /// Works until the core is gone.
    pub(crate) async fn run(self) -> Result<(), NodeError> {
        Errand::new(self).run().await
    }
}

/// Answers one request for blocks; `None` when the request makes no sense.
pub(crate) fn answer(store: &Store, request: &[u8]) -> Option<Vec<u8>> {
    let request: BlocksRequest = from_wire(request, 64).ok()?;
    match blocks(store, request) {
        Ok(blocks) => Some(to_wire(&blocks)),
        Err(error) => {
            tracing::error!(%error, "cannot read blocks for a peer");
            None
        }
    }
}

/// The blocks asked for that are there, as many as fit, but one at least if there is any.
///
/// # Errors
///
/// The first one cannot be read. A later one ends the answer: whoever asks for it is told.
fn blocks(store: &Store, request: BlocksRequest) -> Result<Vec<Arc<ProvedBlock>>, StorageError> {
    let mut found = Vec::new();
    let mut bytes_sum: usize = 0;
    let mut height = request.from;
    for _ in 0..request.count.min(BLOCKS_MAX) {
        let block = match store.block(height) {
            Ok(Some(block)) => block,
            Ok(None) => break,
            Err(error) if found.is_empty() => return Err(error),
            Err(_) => break,
        };
        bytes_sum = bytes_sum.saturating_add(encoded_bytes(&*block));
        if bytes_sum > RESPONSE_BYTES && !found.is_empty() {
            break;
        }
        found.push(block);
        height = height.next();
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
