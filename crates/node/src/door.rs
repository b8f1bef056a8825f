//! The door: bytes from peers become checked messages here, off the core's thread and in batches.
//!
//! Everything a peer sent is [`Unverified`] before and [`Signed`] behind the door; the core takes
//! nothing else. There are two [lanes](Lane), in each of which the peers take turns:
//!
//! - the short one for what makes one claim: votes and statuses. While one batch is verified the
//!   next one gathers, so the batch grows with the load and a lone message waits for nobody;
//! - the long one for blocks, view changes and new views, [`LONG_WORKERS`] at a time and of each
//!   peer one at a time. A vote never waits behind a block, and a block only behind those that its
//!   own peer sent before and one of each other peer. A view change or new view comes before the
//!   blocks of the same peer, and a new view before the blocks that follow from it.
//!
//! A block that the core would have no use for is dropped when its turn comes, before its
//! signatures are looked at: see [`worth`].
//!
//! Every honest peer checks what it hands on, so a message with a signature that does not hold
//! comes from a peer that lies, whoever is named as its author. That peer is cut off for a while,
//! and what else it sent is forgotten. What is refused for its form alone costs little and has no
//! such consequence: validators of another version may think otherwise of forms.
//!
//! Nothing here is unbounded: what a message's bytes count for against the allowance of the peer
//! that sent it stays with it until the core takes it, so the lanes hold of each peer what it may
//! have undelivered, and when the core is busy the door waits, the peers' streams wait with it, and
//! TCP tells the peers.

pub(crate) mod evidence;
pub(crate) mod worth;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crypto::keys::Signature;
use crypto::signed::{Authenticated, Forged, Signed, Unverified, verify_all};
use network::Held;
use pbft::{Input, Message};
use tokio::sync::mpsc;
use types::door::{CheckedTransactions, Door};
use types::replica::ReplicaId;
use types::transaction::{SignedTransaction, TransactionId};

use crate::core::Arrived;
use crate::door::worth::Worth;
use crate::error::NodeError;
use crate::lane::Lane;
use crate::metrics::DoorMetrics;

/// The most short messages verified as one batch, and taken at once from the dispatcher.
const BATCH_MAX: usize = 256;
/// How many long messages are verified at once, of different peers: one that lies and sends junk
/// without end holds up nobody.
const LONG_WORKERS: usize = 2;
/// How many transactions one generation of [`Checked`] remembers: about 13 MB each.
const GENERATION_MAX: usize = 100_000;

/// Cuts off a peer that lied, for as long as the network does that.
pub(crate) type CutOff = Arc<dyn Fn(ReplicaId) + Send + Sync>;

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
            generations.note(transaction.id(), transaction.signature, GENERATION_MAX);
        }
    }
}

impl Generations {
    /// Adds one, in generations of so many.
    fn note(&mut self, id: TransactionId, signature: Signature, generation_max: usize) {
        if self.young.len() >= generation_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id, signature);
    }

    /// Whether it is among the younger ones, or the older ones, with this signature.
    fn knows(&self, id: &TransactionId, signature: &Signature) -> bool {
        self.young.get(id).or_else(|| self.old.get(id)) == Some(signature)
    }
}

impl CheckedTransactions for Checked {
    fn is_checked(&self, id: &TransactionId, signature: &Signature) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).knows(id, signature)
    }
}

/// The door for messages of the protocol.
pub(crate) struct ConsensusDoor {
    /// Who may speak, and which transactions need not be checked again.
    pub(crate) door: Door,
    /// Where transactions of accepted proposals are remembered.
    pub(crate) checked: Checked,
    /// What blocks are worth a look.
    pub(crate) worth: Worth,
    /// To the core.
    pub(crate) inputs: mpsc::Sender<Arrived>,
    /// What is done with a peer that hands on what is forged.
    pub(crate) cut_off: CutOff,
    /// What is counted.
    pub(crate) metrics: DoorMetrics,
}

/// A message in a lane.
struct Waiting {
    message: Unverified<Message>,
    held: Held,
}

/// What waits at the door.
#[derive(Default)]
struct Lanes {
    short: Lane<Waiting>,
    long: Lane<Waiting>,
}

/// What came of a message.
type Verdict = Result<Signed<Message>, Forged<<Message as Authenticated>::Malformed>>;

/// What follows for the peer that delivered a message.
#[derive(PartialEq, Eq)]
enum Due {
    Nothing,
    CutOff,
}

impl ConsensusDoor {
    /// Works until every sender of messages is gone.
    ///
    /// # Errors
    ///
    /// Fails when a batch could not be verified at all, which is a bug.
    pub(crate) async fn run(self, messages: mpsc::Receiver<Delivered>) -> Result<(), NodeError> {
        let lanes = Lanes::default();
        let workers: [_; LONG_WORKERS] = [self.pass_long(&lanes), self.pass_long(&lanes)];
        let [first, second] = workers;
        let work = async {
            tokio::try_join!(self.sort(messages, &lanes), self.pass_short(&lanes), first, second)
        };
        tokio::select! {
            done = work => done.map(|_| ()),
            // The core is gone: the process ends.
            () = self.inputs.closed() => Ok(()),
        }
    }

    /// Puts every message into its lane. It never waits for the lanes, so it never makes one peer
    /// wait for another.
    async fn sort(
        &self,
        mut messages: mpsc::Receiver<Delivered>,
        lanes: &Lanes,
    ) -> Result<(), NodeError> {
        let mut batch = Vec::new();
        while messages.recv_many(&mut batch, BATCH_MAX).await > 0 {
            for Delivered { from, message, held } in batch.drain(..) {
                if !message.get().is_deliverable_by(from) {
                    self.metrics.refuse(from, "message", &"only its author may deliver it");
                    continue;
                }
                match message.get() {
                    Message::Prepare(_) | Message::Commit(_) | Message::Status(_) => {
                        lanes.short.push(from, Waiting { message, held });
                    }
                    Message::ViewChange(_) | Message::NewView(_) => {
                        lanes.long.push_urgent(from, Waiting { message, held });
                    }
                    Message::PrePrepare(_) | Message::Handover(_) => {
                        lanes.long.push(from, Waiting { message, held });
                    }
                }
            }
        }
        lanes.short.close();
        lanes.long.close();
        Ok(())
    }

    /// Verifies votes and statuses.
    async fn pass_short(&self, lanes: &Lanes) -> Result<(), NodeError> {
        loop {
            let taken = lanes.short.take_some(BATCH_MAX).await;
            if taken.is_empty() {
                return Ok(());
            }
            let (origins, messages): (Vec<_>, Vec<_>) = taken
                .into_iter()
                .map(|(from, Waiting { message, held })| ((from, held), message))
                .unzip();
            let door = self.door.clone();
            let verdicts = tokio::task::spawn_blocking(move || verify_all(messages, &door))
                .await
                .map_err(|_| NodeError::Ended("the door"))?;
            let mut liars = BTreeSet::new();
            for ((from, held), verdict) in origins.into_iter().zip(verdicts) {
                if self.settle(from, held, verdict).await == Due::CutOff {
                    liars.insert(from);
                }
            }
            for liar in liars {
                self.cut_off(lanes, liar);
            }
        }
    }

    /// Verifies what takes longer.
    async fn pass_long(&self, lanes: &Lanes) -> Result<(), NodeError> {
        while let Some((from, Waiting { message, held })) = lanes.long.take().await {
            if let Err(useless) = self.worth.judge(message.get()) {
                self.metrics.passed_over(useless.name());
                tracing::debug!(replica = from.get(), reason = useless.name(), "passed over");
            } else {
                let (door, checked) = (self.door.clone(), self.checked.clone());
                let verdict = tokio::task::spawn_blocking(move || verify(message, &door, &checked))
                    .await
                    .map_err(|_| NodeError::Ended("the door"))?;
                if self.settle(from, held, verdict).await == Due::CutOff {
                    self.cut_off(lanes, from);
                }
            }
            lanes.long.done(from);
        }
        Ok(())
    }

    /// Hands a message to the core, or says what is due to the peer that delivered it.
    async fn settle(&self, from: ReplicaId, held: Held, verdict: Verdict) -> Due {
        match verdict {
            Ok(signed) => {
                self.worth.note(signed.get());
                let input = Input::Message(signed);
                // It fails when the core is gone, which ends the door.
                drop(self.inputs.send(Arrived { input, held }).await);
                Due::Nothing
            }
            Err(forged) => {
                self.metrics.refuse(from, "message", &forged);
                match forged {
                    Forged::Signature => Due::CutOff,
                    Forged::Malformed(_) => Due::Nothing,
                }
            }
        }
    }

    fn cut_off(&self, lanes: &Lanes, liar: ReplicaId) {
        (self.cut_off)(liar);
        lanes.short.forget(liar);
        lanes.long.forget(liar);
    }
}

/// Checks one long message as one batch: which of its claims is the false one does not matter.
fn verify(message: Unverified<Message>, door: &Door, checked: &Checked) -> Verdict {
    let signed = message.verify(door)?;
    if let Message::PrePrepare(pre_prepare) = signed.get() {
        checked.remember(pre_prepare.block.body.transactions().iter());
    }
    Ok(signed)
}

#[cfg(test)]
mod tests;
