//! Transactions on their way into the pool: from our clients, from gossip, and directly from peers
//! that waited long. Signatures are checked here in batches, each transaction's once in the life of
//! the process.
//!
//! Clients have a queue of their own, and peers a [`Lane`] in which they take turns and of which
//! each has the same share. A batch has of each peer only a few deliveries, so clients wait for no
//! more than that, whatever peers send. Every honest peer checks what it hands on: one that
//! delivers a transaction with a signature that does not hold is cut off.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use crypto::encoding::{from_wire, to_wire};
use crypto::signed::{Authenticated, ChainId, Signed, Unverified};
use crypto::verify::{Claim, check_each};
use ledger::{Admission, Origin};
use network::{GossipVerdict, Held, Network, Payload, Topic};
use rayon::prelude::*;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use types::door::CheckedTransactions;
use types::rejection::Rejection;
use types::replica::ReplicaId;
use types::transaction::SignedTransaction;

use crate::core::Request;
use crate::door::{Checked, CutOff};
use crate::error::NodeError;
use crate::lane::Lane;
use crate::metrics::DoorMetrics;
use crate::wire::{BATCH_BYTES_MAX, REQUESTS_BYTES_MAX};

/// The most deliveries of clients verified as one batch.
const BATCH_MAX: usize = 64;
/// The most deliveries of one peer verified with them.
const PEER_BATCH_MAX: usize = 4;
/// The most deliveries of one peer that wait; more are dropped. Of gossip nothing comes again, but
/// whoever still waits for it sends it directly.
const PEER_WAITING_MAX: usize = 64;
/// How many claims one thread checks as one batch: larger ones gain little.
const CLAIMS_PER_THREAD: usize = 512;
/// How long admitted requests gather while others were gossiped a moment ago.
const GATHER: Duration = Duration::from_millis(4);

/// Deliveries of peers that wait for the request door.
#[derive(Clone, Default)]
pub(crate) struct Offered(Arc<Lane<Delivery>>);

impl Offered {
    /// Takes a delivery of a peer, unless too many of this peer wait: then it is dropped, and with
    /// it its verdict, which means ignored.
    pub(crate) fn offer(&self, from: ReplicaId, delivery: Delivery) {
        drop(self.0.offer(from, delivery, PEER_WAITING_MAX));
    }

    /// What waits, for tests that look at it without a door.
    #[cfg(test)]
    pub(crate) fn take(&self) -> Option<(ReplicaId, Delivery)> {
        self.0.take_now(1).pop()
    }
}

/// Transactions and who brought them.
pub(crate) enum Delivery {
    /// By the HTTP API; the results go back in order.
    Client {
        /// What was submitted.
        transactions: Vec<Unverified<SignedTransaction>>,
        /// Where the results go.
        answer: oneshot::Sender<Vec<Result<Admission, Rejection>>>,
    },
    /// By gossip; the mesh wants to know whether to pass it on, which is of use when anything of it
    /// is news here.
    Gossip {
        /// As published.
        bytes: Payload,
        /// What the mesh is told.
        verdict: GossipVerdict,
    },
    /// Directly from another validator.
    Peer {
        /// What it sent.
        transactions: Vec<Unverified<SignedTransaction>>,
        /// What its bytes count for.
        held: Held,
    },
}

/// The door for transactions.
pub(crate) struct RequestDoor {
    /// The chain that transactions must be signed for.
    pub(crate) chain: ChainId,
    /// What need not be checked again.
    pub(crate) checked: Checked,
    /// What peers deliver.
    pub(crate) offered: Offered,
    /// To the core.
    pub(crate) requests: mpsc::Sender<Request>,
    /// What is done with a peer that delivers what is forged.
    pub(crate) cut_off: CutOff,
    /// What is counted.
    pub(crate) metrics: DoorMetrics,
}

/// A delivery behind the door: who asked for what, with the outcome of the signature check.
struct Checkable {
    transactions: Vec<Unverified<SignedTransaction>>,
    /// The peer that delivered it; none for a client.
    from: Option<ReplicaId>,
    answer: Option<oneshot::Sender<Vec<Result<Admission, Rejection>>>>,
    verdict: Option<GossipVerdict>,
    held: Held,
}

/// What came of each transaction of a delivery.
type Checks = Vec<Result<Signed<SignedTransaction>, Rejection>>;

impl RequestDoor {
    /// Works until every client is gone.
    ///
    /// # Errors
    ///
    /// Fails when a batch could not be verified at all, which is a bug.
    pub(crate) async fn run(self, mut clients: mpsc::Receiver<Delivery>) -> Result<(), NodeError> {
        while let Some(batch) = self.gather(&mut clients).await {
            let items: Vec<_> = batch
                .into_iter()
                .filter_map(|(from, delivery)| self.open(from, delivery))
                .collect();
            let (chain, checked) = (self.chain, self.checked.clone());
            let (items, results) = tokio::task::spawn_blocking(move || {
                let results = check(&items, &chain, &checked);
                (items, results)
            })
            .await
            .map_err(|_| NodeError::Ended("the request door"))?;
            self.cut_off_liars(&items, &results);
            for (item, transactions) in items.into_iter().zip(results) {
                if self.pass(item, transactions).await.is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Waits for deliveries and takes those of one batch: of clients as many as there are, of each
    /// peer a few. `None` when there are no clients any more.
    async fn gather(
        &self,
        clients: &mut mpsc::Receiver<Delivery>,
    ) -> Option<Vec<(Option<ReplicaId>, Delivery)>> {
        let lane = &self.offered.0;
        let mut batch = Vec::new();
        tokio::select! {
            delivery = clients.recv() => batch.push((None, delivery?)),
            () = lane.filled() => {}
        }
        while batch.len() < BATCH_MAX
            && let Ok(delivery) = clients.try_recv()
        {
            batch.push((None, delivery));
        }
        let offered = lane.take_of_each(PEER_BATCH_MAX);
        batch.extend(offered.into_iter().map(|(from, delivery)| (Some(from), delivery)));
        Some(batch)
    }

    /// What there is to check of a delivery; a peer's that holds no transactions is refused.
    fn open(&self, from: Option<ReplicaId>, delivery: Delivery) -> Option<Checkable> {
        let opened = match delivery {
            Delivery::Client { transactions, answer } => Checkable {
                transactions,
                from,
                answer: Some(answer),
                verdict: None,
                held: Held::default(),
            },
            Delivery::Peer { transactions, held } => {
                Checkable { transactions, from, answer: None, verdict: None, held }
            }
            Delivery::Gossip { bytes, verdict } => {
                match from_wire::<Vec<Unverified<SignedTransaction>>>(&bytes, BATCH_BYTES_MAX) {
                    Ok(transactions) => Checkable {
                        transactions,
                        from,
                        answer: None,
                        verdict: Some(verdict),
                        held: bytes.into_held(),
                    },
                    Err(error) => {
                        self.refuse(from, &error);
                        verdict.reject();
                        return None;
                    }
                }
            }
        };
        if from.is_some() && opened.transactions.is_empty() {
            self.refuse(from, &"it is empty");
            if let Some(verdict) = opened.verdict {
                verdict.reject();
            }
            return None;
        }
        Some(opened)
    }

    fn refuse(&self, from: Option<ReplicaId>, why: &dyn Display) {
        if let Some(from) = from {
            self.metrics.refuse(from, "batch of transactions", why);
        }
    }

    /// Every honest peer has checked what it delivers.
    fn cut_off_liars(&self, items: &[Checkable], results: &[Checks]) {
        let forged = |results: &Checks| {
            results
                .iter()
                .flat_map(|result| result.as_ref().err())
                .any(|rejection| *rejection == Rejection::BadSignature)
        };
        let forgeries = items.iter().zip(results).filter(|(_, results)| forged(results));
        let liars: BTreeSet<_> = forgeries.filter_map(|(item, _)| item.from).collect();
        for liar in liars {
            self.refuse(Some(liar), &Rejection::BadSignature);
            (self.cut_off)(liar);
            self.offered.0.forget(liar);
        }
    }

    /// Hands one delivery to the core. `Err` when the core is gone.
    async fn pass(&self, item: Checkable, transactions: Checks) -> Result<(), ()> {
        let refused = transactions.iter().filter(|result| result.is_err()).count();
        self.metrics.requests_refused.inc_by(u64::try_from(refused).unwrap_or(u64::MAX));
        let Checkable { from, answer, verdict, held, transactions: _ } = item;
        let verdict = match verdict {
            Some(verdict) if refused > 0 => {
                verdict.reject();
                None
            }
            undecided => undecided,
        };
        let origin = if from.is_some() { Origin::Peer } else { Origin::Client };
        let request = Request::Admit { transactions, origin, answer, verdict, held };
        self.requests.send(request).await.map_err(|_| ())
    }
}

/// Checks every transaction of a batch that was not checked before.
fn check(items: &[Checkable], chain: &ChainId, checked: &Checked) -> Vec<Checks> {
    let mut claims: Vec<Claim> = Vec::new();
    let mut outcomes = Vec::new();
    for transaction in items.iter().flat_map(|item| &item.transactions).map(Unverified::get) {
        outcomes.push(if checked.is_checked(&transaction.id(), &transaction.signature) {
            Ok(0)
        } else {
            let before = claims.len();
            transaction.claims(chain, &mut claims).map(|()| claims.len() - before)
        });
    }
    let held: Vec<bool> = claims.par_chunks(CLAIMS_PER_THREAD).flat_map_iter(check_each).collect();
    let mut held = held.into_iter();
    let mut outcomes = outcomes.into_iter();
    items
        .iter()
        .map(|item| {
            let results = item
                .transactions
                .iter()
                .map(|transaction| {
                    let count = outcomes.next().unwrap_or(Err(Rejection::BadSignature))?;
                    // Every claim is taken: stopping early would leave the rest to the next one.
                    let failed = held.by_ref().take(count).filter(|held| !held).count();
                    if failed > 0 {
                        return Err(Rejection::BadSignature);
                    }
                    Ok(Signed::vouched(transaction.get().clone()))
                })
                .collect::<Vec<_>>();
            checked.remember(results.iter().flatten().map(Signed::get));
            results
        })
        .collect()
}

/// Gossips admitted requests of our clients: the first of a quiet time at once, what follows in
/// batches.
pub(crate) async fn spread(
    network: Network,
    mut admitted: mpsc::Receiver<SignedTransaction>,
) -> Result<(), NodeError> {
    let mut last = Instant::now() - GATHER;
    while let Some(first) = admitted.recv().await {
        let mut bytes = first.encoded_bytes();
        let mut batch = vec![first];
        let until = sleep_until(last + GATHER);
        tokio::pin!(until);
        while bytes < REQUESTS_BYTES_MAX / 2 {
            tokio::select! {
                biased;
                next = admitted.recv() => match next {
                    Some(next) => {
                        bytes += next.encoded_bytes();
                        batch.push(next);
                    }
                    None => break,
                },
                () = &mut until => break,
            }
        }
        if let Err(error) = network.publish(Topic::Transactions, to_wire(&batch)) {
            // Not lost: what waits for long is sent directly.
            tracing::debug!(%error, "requests not gossiped");
        }
        last = Instant::now();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
