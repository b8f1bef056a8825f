//! The door for proofs that a key lied.
//!
//! They are rare and any of them may be long, so they have a way of their own, on which nothing else waits. Peers take
//! turns, and one piece is looked at at a time; a kind that is known of a replica is dropped unread, which bounds how
//! many pass: five for each replica.

use std::collections::BTreeSet;
use std::sync::Arc;

use crypto::signed::{Forged, Unverified};
use network::Held;
use pbft::Input;
use tokio::sync::mpsc;
use types::evidence::Evidence;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;

use super::CutOff;
use crate::core::Arrived;
use crate::error::NodeError;
use crate::lane::Lane;
use crate::metrics::DoorMetrics;

/// Pieces of one peer that wait; more are dropped. One against each validator of the largest network.
const WAITING_MAX: usize = 128;

/// What peers have brought.
#[derive(Clone, Default)]
pub(crate) struct Brought(Arc<Lane<Piece>>);

struct Piece {
    evidence: Unverified<Evidence>,
    held: Held,
}

impl Brought {
    /// A peer brings a piece of evidence; what does not fit into its share is dropped.
    pub(crate) fn bring(&self, from: ReplicaId, evidence: Unverified<Evidence>, held: Held) {
        self.0.offer(from, Piece { evidence, held }, WAITING_MAX).ok();
    }
}

/// The door for evidence.
pub(crate) struct EvidenceDoor {
    pub(crate) validators: ValidatorSet,
    pub(crate) brought: Brought,
    /// To the core.
    pub(crate) inputs: mpsc::Sender<Arrived>,
    /// What is done with a peer that brings what is forged.
    pub(crate) cut_off: CutOff,
    /// What is counted.
    pub(crate) metrics: DoorMetrics,
}

impl EvidenceDoor {
    /// Works until the core is gone.
    ///
    /// # Errors
    ///
    /// Fails when a piece could not be verified at all, which is a bug.
    pub(crate) async fn run(self) -> Result<(), NodeError> {
        tokio::select! {
            done = self.work() => done,
            () = self.inputs.closed() => Ok(()),
        }
    }

    async fn work(&self) -> Result<(), NodeError> {
        let mut known: BTreeSet<(ReplicaId, &'static str)> = BTreeSet::new();
        while let Some((from, Piece { evidence, held })) = self.brought.0.take().await {
            let about = evidence.get();
            let lie = (about.accused(&self.validators), about.name());
            if known.contains(&lie) {
                self.metrics.passed_over("known-evidence");
            } else {
                let validators = self.validators.clone();
                let verdict = tokio::task::spawn_blocking(move || evidence.verify(&validators))
                    .await
                    .map_err(|_| NodeError::Ended("the door for evidence"))?;
                match verdict {
                    Ok(evidence) => {
                        known.insert(lie);
                        let input = Input::Evidence(Box::new(evidence));
                        if self.inputs.send(Arrived { input, held }).await.is_err() {
                            return Ok(());
                        }
                    }
                    Err(forged) => {
                        self.metrics.refuse(from, "evidence", &forged);
                        if matches!(forged, Forged::Signature) {
                            (self.cut_off)(from);
                            self.brought.0.forget(from);
                        }
                    }
                }
            }
            self.brought.0.done(from);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
