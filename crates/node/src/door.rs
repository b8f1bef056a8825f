//! The door: bytes from peers become checked messages here, off the core's thread and in batches.
//!
//! Everything a peer sent is [`Unverified`] before and [`Signed`] behind the door; the core takes
//! nothing else. While one batch is verified the next one gathers, so the batch grows with the load
//! and a lone message waits for nobody. Nothing here is unbounded: when the core is busy the door
//! waits, the peers' streams wait with it, and TCP tells the peers. What a message's bytes count
//! for against their sender's allowance stays with it until the core takes it, so a queue of so
//! many messages is not one of so many blocks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crypto::keys::Signature;
use crypto::signed::{Unverified, verify_all};
use network::Held;
use pbft::{Input, Message};
use tokio::sync::mpsc;
use types::door::{CheckedTransactions, Door};
use types::replica::ReplicaId;
use types::transaction::{SignedTransaction, TransactionId};

use crate::core::Arrived;
use crate::error::NodeError;
use crate::metrics::DoorMetrics;

/// The most messages verified as one batch.
const BATCH_MAX: usize = 256;
/// How many transactions one generation of [`Checked`] remembers: about 13 MB each.
const GENERATION_MAX: usize = 100_000;

/// A message on its way to the door.
pub(crate) struct Delivered {
    /// The peer that delivered it, not necessarily its author.
    pub(crate) from: ReplicaId,
    /// What it says.
    pub(crate) message: Unverified<Message>,
    /// What its bytes count for.
    pub(crate) held: Held,
}

/// Transactions whose signatures this process has checked.
///
/// A transaction id does not cover the signature, so what is remembered is the pair: another
/// signature under a known id is checked like any other. Two generations bound the memory; the
/// older one is forgotten when the younger is full.
#[derive(Clone, Default)]
pub(crate) struct Checked(Arc<Mutex<Generations>>);

#[derive(Default)]
struct Generations {
    young: HashMap<TransactionId, Signature>,
    old: HashMap<TransactionId, Signature>,
}

impl Checked {
    /// Remembers transactions whose signatures hold.
    pub(crate) fn remember<'a>(&self, checked: impl Iterator<Item = &'a SignedTransaction>) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for transaction in checked {
            if generations.young.len() >= GENERATION_MAX {
                generations.old = std::mem::take(&mut generations.young);
            }
            generations.young.insert(transaction.id(), transaction.signature);
        }
    }
}

impl CheckedTransactions for Checked {
    fn is_checked(&self, id: &TransactionId, signature: &Signature) -> bool {
        let generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = generations.young.get(id).or_else(|| generations.old.get(id));
        known == Some(signature)
    }
}

/// The door for messages of the protocol.
pub(crate) struct ConsensusDoor {
    /// Who may speak, and which transactions need not be checked again.
    pub(crate) door: Door,
    /// Where transactions of accepted proposals are remembered.
    pub(crate) checked: Checked,
    /// To the core.
    pub(crate) inputs: mpsc::Sender<Arrived>,
    /// What is counted.
    pub(crate) metrics: DoorMetrics,
}

impl ConsensusDoor {
    /// Works until every sender of messages is gone.
    ///
    /// # Errors
    ///
    /// Fails when the core is gone while the process is not ending.
    pub(crate) async fn run(
        self,
        mut messages: mpsc::Receiver<Delivered>,
    ) -> Result<(), NodeError> {
        let mut batch = Vec::new();
        while messages.recv_many(&mut batch, BATCH_MAX).await > 0 {
            let (origins, unverified): (Vec<_>, Vec<_>) = batch
                .drain(..)
                .map(|Delivered { from, message, held }| ((from, held), message))
                .unzip();
            let (door, checked) = (self.door.clone(), self.checked.clone());
            let results = tokio::task::spawn_blocking(move || {
                let results = verify_all(unverified, &door);
                for signed in results.iter().flatten() {
                    if let Message::PrePrepare(pre_prepare) = signed.get() {
                        checked.remember(pre_prepare.block.body.transactions().iter());
                    }
                }
                results
            })
            .await
            .map_err(|_| NodeError::Ended("the door"))?;
            for ((peer, held), result) in origins.into_iter().zip(results) {
                match result {
                    Ok(signed) => {
                        let input = Input::Message(signed);
                        if self.inputs.send(Arrived { input, held }).await.is_err() {
                            return Ok(());
                        }
                    }
                    Err(forged) => {
                        self.metrics.forged.inc();
                        tracing::warn!(%peer, %forged, "refused a message at the door");
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
