//! Where the validator publishes what event streams carry.
//!
//! The hub is bounded: it keeps the last [`BLOCKS_KEPT`] blocks for readers that are a little
//! behind. A reader further behind is cut off and told to reconnect; what it missed it gets from
//! stored blocks. Publishing never waits, and costs next to nothing while nobody listens.

use std::sync::{Arc, OnceLock};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use types::lost::LostProposal;
use types::proof::ProvedBlock;
use types::rejection::Rejection;
use types::reply::BlockReply;
use types::transaction::TransactionId;

use crate::types::{BlockEvent, LostEvent, RefusedEvent};

/// Blocks kept for readers that are behind: a block may hold megabytes, so they are few.
pub const BLOCKS_KEPT: usize = 64;
/// Refusals kept for readers that are behind; a commit may drop many transactions at once.
pub const REFUSALS_KEPT: usize = 1_024;

/// Lost proposals kept for readers that are behind; a height has few.
pub const LOST_KEPT: usize = 256;

/// The publishing end; one for each validator, shared by everyone who publishes or listens.
#[derive(Debug)]
pub struct EventHub {
    blocks: broadcast::Sender<Arc<PublishedBlock>>,
    refusals: broadcast::Sender<Arc<RefusedEvent>>,
    lost: broadcast::Sender<Arc<LostEvent>>,
}

/// A committed block whose JSON is made by the first reader that needs it, once for all.
#[derive(Debug)]
pub(crate) struct PublishedBlock {
    proved: Arc<ProvedBlock>,
    reply: BlockReply,
    json: OnceLock<String>,
}

impl EventHub {
    /// A hub without readers.
    pub fn new() -> Self {
        Self {
            blocks: broadcast::channel(BLOCKS_KEPT).0,
            refusals: broadcast::channel(REFUSALS_KEPT).0,
            lost: broadcast::channel(LOST_KEPT).0,
        }
    }

    /// Publishes a block that is committed and durable here, with this validator's reply for it.
    /// Call it once for each block, in the order of heights.
    pub fn block(&self, proved: Arc<ProvedBlock>, reply: BlockReply) {
        publish(&self.blocks, || PublishedBlock::new(proved, reply));
    }

    /// Publishes that a pending transaction has left the pool and was not committed.
    pub fn refused(&self, id: TransactionId, rejection: &Rejection) {
        publish(&self.refusals, || RefusedEvent::new(id, rejection));
    }

    /// Publishes that a proposal has lost for good.
    pub fn lost(&self, lost: &LostProposal) {
        publish(&self.lost, || LostEvent::new(lost));
    }

    /// A reader that sees everything published from now on.
    pub(crate) fn subscribe(&self) -> Subscription {
        Subscription {
            blocks: self.blocks.subscribe(),
            refusals: self.refusals.subscribe(),
            lost: self.lost.subscribe(),
        }
    }
}

fn publish<T>(sender: &broadcast::Sender<Arc<T>>, event: impl FnOnce() -> T) {
    if sender.receiver_count() == 0 {
        return;
    }
    // The last reader may have left since; then nobody misses the event.
    drop(sender.send(Arc::new(event())));
}

/// The reading end.
#[derive(Debug)]
pub(crate) struct Subscription {
    blocks: broadcast::Receiver<Arc<PublishedBlock>>,
    refusals: broadcast::Receiver<Arc<RefusedEvent>>,
    lost: broadcast::Receiver<Arc<LostEvent>>,
}

/// What a reader receives.
#[derive(Debug, Clone)]
pub(crate) enum Received {
    /// A block was committed.
    Block(Arc<PublishedBlock>),
    /// A pending transaction was dropped.
    Refused(Arc<RefusedEvent>),
    /// A proposal has lost for good.
    Lost(Arc<LostEvent>),
    /// The hub has forgotten blocks that this reader has not seen.
    Behind,
    /// Nothing will be published any more.
    Closed,
}

impl Subscription {
    /// Waits for the next event. Refusals and lost proposals that the hub has forgotten are passed over: they are
    /// news, and nobody counts on them.
    pub(crate) async fn next(&mut self) -> Received {
        loop {
            tokio::select! {
                block = self.blocks.recv() => return match block {
                    Ok(block) => Received::Block(block),
                    Err(RecvError::Lagged(_)) => Received::Behind,
                    Err(RecvError::Closed) => Received::Closed,
                },
                refused = self.refusals.recv() => match refused {
                    Ok(refused) => return Received::Refused(refused),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Received::Closed,
                },
                lost = self.lost.recv() => match lost {
                    Ok(lost) => return Received::Lost(lost),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Received::Closed,
                },
            }
        }
    }
}

impl Default for EventHub {
    fn default() -> Self {
        Self::new()
    }
}

impl PublishedBlock {
    pub(crate) fn new(proved: Arc<ProvedBlock>, reply: BlockReply) -> Self {
        Self { proved, reply, json: OnceLock::new() }
    }

    /// The block itself.
    pub(crate) fn proved(&self) -> &ProvedBlock {
        &self.proved
    }

    /// Its event as JSON.
    pub(crate) fn json(&self) -> &str {
        self.json.get_or_init(|| {
            let event = BlockEvent::new(&self.proved.block, self.reply);
            serde_json::to_string(&event)
                .expect("a struct of numbers and texts without maps always serializes")
        })
    }
}

#[cfg(test)]
mod tests;
