//! The disk thread: committed blocks become durable here, in groups, and only then is anybody told.
//!
//! Consensus never waits for it, unless it is [`JOBS_MAX`] jobs behind.

use std::sync::Arc;

use api::events::EventHub;
use crypto::keys::Signer;
use crypto::signed::ChainId;
use storage::{EvidenceStore, LostProposalStore, Store};
use tokio::sync::{mpsc, watch};
use types::account::Snapshot;
use types::evidence::Evidence;
use types::lost::LostProposal;
use types::number::Height;
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::reply::{BlockReply, CommittedStatement};
use types::view_change::NewView;

use crate::error::NodeError;
use crate::metrics::DiskMetrics;
use crate::receipts::Committed;
use crate::waiters::Waiters;

/// The most jobs that wait for the disk before the core waits too.
pub(crate) const JOBS_MAX: usize = 64;

/// Work for the disk thread.
pub(crate) enum Job {
    /// Blocks that committed, in order, and what may be said about them once they are durable.
    Blocks {
        /// Ascending, each the child of the one before.
        blocks: Vec<ProvedBlock>,
        /// One statement for each block.
        replies: Vec<CommittedStatement>,
    },
    /// The whole committed state.
    Snapshot(Snapshot),
    /// New views that the core accepted.
    NewViews(Vec<NewView>),
    /// All lost proposals that are known.
    Lost(Vec<LostProposal>),
    /// A proof that a key lied.
    Evidence {
        /// The proof.
        evidence: Box<Evidence>,
        /// Whose key.
        accused: ReplicaId,
    },
}

/// The disk thread's part of the process.
pub(crate) struct Disk {
    /// Where blocks are kept.
    pub(crate) store: Store,
    /// Where proofs of lies are kept.
    pub(crate) evidence: EvidenceStore,
    /// Where lost proposals are kept.
    pub(crate) lost: LostProposalStore,
    /// Signs replies.
    pub(crate) signer: Arc<dyn Signer>,
    /// The chain that replies are for.
    pub(crate) chain: ChainId,
    /// Who replies.
    pub(crate) replica: ReplicaId,
    /// Carries every durable block to event streams.
    pub(crate) hub: Arc<EventHub>,
    /// Clients that wait for transactions.
    pub(crate) waiters: Waiters,
    /// The height up to which blocks are durable.
    pub(crate) durable: watch::Sender<Height>,
    /// What is counted.
    pub(crate) metrics: DiskMetrics,
}

impl Disk {
    /// Works until every sender of jobs is gone, then has written everything.
    ///
    /// # Errors
    ///
    /// A failed write is final: the process ends.
    pub(crate) fn run(self, mut jobs: mpsc::Receiver<Job>) -> Result<(), NodeError> {
        while let Some(first) = jobs.blocking_recv() {
            let mut group = vec![first];
            while let Ok(job) = jobs.try_recv() {
                group.push(job);
            }
            self.perform(group)?;
        }
        Ok(())
    }

    fn perform(&self, group: Vec<Job>) -> Result<(), NodeError> {
        let mut blocks = Vec::new();
        let mut replies = Vec::new();
        let mut snapshot = None;
        let mut new_views = Vec::new();
        let mut lost = None;
        let mut evidence = Vec::new();
        for job in group {
            match job {
                Job::Blocks { blocks: mut more, replies: mut said } => {
                    blocks.append(&mut more);
                    replies.append(&mut said);
                }
                Job::Snapshot(newer) => snapshot = Some(newer),
                Job::NewViews(mut more) => new_views.append(&mut more),
                Job::Lost(newer) => lost = Some(newer),
                Job::Evidence { evidence: proof, accused } => evidence.push((proof, accused)),
            }
        }
        // First: once blocks are durable the journal may let go of new views.
        self.store.keep_new_views(&new_views)?;
        let begin = std::time::Instant::now();
        self.store.append(&blocks)?;
        self.metrics.append_seconds.observe(begin.elapsed().as_secs_f64());
        for (block, statement) in blocks.into_iter().zip(replies) {
            let height = statement.height;
            let reply = BlockReply::sign(statement, self.replica, &self.chain, &*self.signer);
            self.durable.send_replace(height);
            let block = Arc::new(block);
            self.waiters.committed(&Arc::new(Committed::new(block.clone(), reply)));
            self.hub.block(block, reply);
        }
        if let Some(snapshot) = snapshot {
            self.store.save_snapshot(&snapshot)?;
        }
        if let Some(lost) = lost {
            self.lost.write(&lost)?;
        }
        for (proof, accused) in evidence {
            self.evidence.save(&proof, accused)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
