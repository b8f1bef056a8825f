//! Catch-up: committed blocks that this validator missed are asked of peers, with their
//! certificates, and checked like blocks agreed here.
//!
//! A peer's claim about height is only a reason to ask. A peer that answers badly costs one bounded
//! request; the next one is asked instead. No more than one answer waits for the core.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crypto::encoding::{from_wire, to_wire};
use crypto::signed::{Signed, verify_all};
use network::{Network, RequestError};
use pbft::Input;
use storage::Store;
use tokio::sync::{Semaphore, mpsc, watch};
use types::door::Door;
use types::number::Height;
use types::proof::ProvedBlock;
use types::replica::ReplicaId;

use crate::core::{Arrived, View};
use crate::error::NodeError;
use crate::metrics::CatchUpMetrics;
use crate::wire::{BlocksRequest, BlocksResponse, RESPONSE_BYTES};

/// How often a peer is asked without a reason: a commit may have been missed in silence.
const PERIOD: Duration = Duration::from_secs(1);

/// How often one peer is asked in a row.
const ASKS_MAX: usize = 64;

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
    /// What the core has committed.
    pub(crate) view: watch::Receiver<View>,
    /// A height that peers seem to have reached.
    pub(crate) behind: watch::Receiver<Height>,
    /// A replica whose connection has just opened.
    pub(crate) connected: mpsc::Receiver<ReplicaId>,
    /// Becomes true once t + 1 replicas, one of them honest, have had nothing that this validator
    /// lacks: until then it is not ready.
    pub(crate) caught_up: watch::Sender<bool>,
    /// The replicas that have had nothing, since the start.
    pub(crate) had_nothing: BTreeSet<ReplicaId>,
    /// One permit: for the answer that waits for the core.
    pub(crate) unread: Arc<Semaphore>,
    /// The largest response, in bytes.
    pub(crate) response_bytes_max: usize,
    /// What is counted.
    pub(crate) metrics: CatchUpMetrics,
}

impl<P: Peers> CatchUp<P> {
    /// Works until the core is gone.
    pub(crate) async fn run(mut self) -> Result<(), NodeError> {
        let mut asked = self.replica;
        loop {
            let fresh = tokio::select! {
                connected = self.connected.recv() => match connected {
                    Some(replica) => Some(replica),
                    None => return Ok(()),
                },
                changed = self.behind.changed() => match changed {
                    Ok(()) => None,
                    Err(_) => return Ok(()),
                },
                () = tokio::time::sleep(PERIOD) => None,
            };
            asked = match fresh.or_else(|| self.next_after(asked)) {
                Some(peer) => peer,
                None => continue,
            };
            self.fetch(asked).await;
            if self.inputs.is_closed() {
                return Ok(());
            }
        }
    }

    /// Asks one peer as long as it has something for us, but not for ever: others may have more.
    async fn fetch(&mut self, peer: ReplicaId) {
        for _ in 0..ASKS_MAX {
            if self.ask(peer).await != Some(true) {
                break;
            }
        }
    }

    /// The connected replica after this one, in a circle.
    fn next_after(&self, asked: ReplicaId) -> Option<ReplicaId> {
        let connected = self.peers.connected();
        let after = connected.iter().copied().find(|replica| *replica > asked);
        after.or_else(|| connected.iter().copied().next())
    }

    /// Asks one peer once. `Some(true)` when its blocks moved this validator forward.
    async fn ask(&mut self, peer: ReplicaId) -> Option<bool> {
        let unread = Arc::clone(&self.unread).acquire_owned().await.ok()?;
        let from = self.view.borrow_and_update().protocol.committed.next();
        let request = to_wire(&BlocksRequest { from });
        let response = match self.peers.ask(peer, request).await {
            Ok(response) => response,
            Err(error) => {
                tracing::debug!(%peer, %error, "a peer did not answer a request for blocks");
                return None;
            }
        };
        let blocks = from_wire::<BlocksResponse>(&response, self.response_bytes_max);
        let Ok(blocks) = blocks else {
            self.metrics.refused.inc();
            tracing::warn!(%peer, "a peer sent something else than blocks");
            return None;
        };
        if blocks.is_empty() {
            self.had_nothing_for_us(peer);
            return Some(false);
        }
        // Genuine blocks that nobody asked for would look like progress for ever.
        if !are_asked_for(&blocks, from) {
            self.metrics.refused.inc();
            tracing::warn!(%peer, "a peer sent other blocks than were asked for");
            return None;
        }
        let blocks = self.verify(peer, blocks).await?;
        let last = blocks.last()?.get().block.header.height;
        self.metrics.fetched.inc_by(u64::try_from(blocks.len()).unwrap_or(u64::MAX));
        let arrived = Arrived { input: Input::Blocks(blocks), held: unread.into() };
        self.inputs.send(arrived).await.ok()?;
        self.reached(last, from).await
    }

    /// Notes that a peer had nothing that this validator lacks. One may lie; of t + 1 one does not.
    fn had_nothing_for_us(&mut self, peer: ReplicaId) {
        self.had_nothing.insert(peer);
        if self.had_nothing.len() >= self.door.validators().quorum().reply() {
            self.caught_up.send_if_modified(|caught_up| !std::mem::replace(caught_up, true));
        }
    }

    async fn verify(
        &self,
        peer: ReplicaId,
        blocks: BlocksResponse,
    ) -> Option<Vec<Signed<ProvedBlock>>> {
        let door = self.door.clone();
        let results = tokio::task::spawn_blocking(move || verify_all(blocks, &door)).await.ok()?;
        let mut good = Vec::new();
        for result in results {
            match result {
                Ok(block) => good.push(block),
                Err(forged) => {
                    self.metrics.refused.inc();
                    tracing::warn!(%peer, %forged, "a peer sent a block without a valid proof");
                    break;
                }
            }
        }
        Some(good)
    }

    /// Waits until the core has looked at the blocks: it committed the last of them, or something
    /// else happened and it did not.
    async fn reached(&mut self, last: Height, from: Height) -> Option<bool> {
        let look = self.view.wait_for(|view| view.protocol.committed >= last);
        let looked = tokio::time::timeout(PERIOD, look).await.map(|result| result.is_ok());
        match looked {
            Ok(true) => Some(true),
            Ok(false) => None,
            Err(_) => Some(self.view.borrow().protocol.committed >= from),
        }
    }
}

/// Whether these are the blocks from this height upwards, without gap.
fn are_asked_for(blocks: &BlocksResponse, from: Height) -> bool {
    let heights = blocks.iter().map(|block| block.get().block.header.height.get());
    heights.zip(from.get()..).all(|(height, asked)| height == asked)
}

/// Answers one request for blocks; `None` when the request makes no sense.
pub(crate) fn answer(store: &Store, request: &[u8]) -> Option<Vec<u8>> {
    let request: BlocksRequest = from_wire(request, 64).ok()?;
    match store.blocks(request.from, RESPONSE_BYTES) {
        Ok(blocks) => Some(to_wire(&blocks)),
        Err(error) => {
            tracing::error!(%error, "cannot read blocks for a peer");
            None
        }
    }
}

#[cfg(test)]
mod tests;
