//! Transactions on their way into the pool: from our clients, from gossip, and directly from peers
//! that waited long. Signatures are checked here in batches, each transaction's once in the life of
//! the process.

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
use types::transaction::SignedTransaction;

use crate::core::Request;
use crate::door::Checked;
use crate::error::NodeError;
use crate::metrics::DoorMetrics;
use crate::wire::{BATCH_BYTES_MAX, REQUESTS_BYTES_MAX};

/// The most deliveries verified as one batch.
const BATCH_MAX: usize = 64;
/// How many claims one thread checks as one batch: larger ones gain little.
const CLAIMS_PER_THREAD: usize = 512;
/// How long admitted requests gather while others were gossiped a moment ago.
const GATHER: Duration = Duration::from_millis(4);

/// Transactions and who brought them.
pub(crate) enum Delivery {
    /// By the HTTP API; the results go back in order.
    Client {
        /// What was submitted.
        transactions: Vec<Unverified<SignedTransaction>>,
        /// Where the results go.
        answer: oneshot::Sender<Vec<Result<Admission, Rejection>>>,
    },
    /// By gossip; the mesh wants to know whether to pass it on.
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
    /// To the core.
    pub(crate) requests: mpsc::Sender<Request>,
    /// What is counted.
    pub(crate) metrics: DoorMetrics,
}

/// A delivery behind the door: who asked for what, with the outcome of the signature check.
struct Checkable {
    transactions: Vec<Unverified<SignedTransaction>>,
    origin: Origin,
    answer: Option<oneshot::Sender<Vec<Result<Admission, Rejection>>>>,
    verdict: Option<GossipVerdict>,
    held: Held,
}

impl RequestDoor {
    /// Works until every sender of deliveries is gone.
    ///
    /// # Errors
    ///
    /// Fails when a batch could not be verified at all, which is a bug.
    pub(crate) async fn run(
        self,
        mut deliveries: mpsc::Receiver<Delivery>,
    ) -> Result<(), NodeError> {
        let mut batch = Vec::new();
        while deliveries.recv_many(&mut batch, BATCH_MAX).await > 0 {
            let items: Vec<_> =
                batch.drain(..).filter_map(|delivery| self.open(delivery)).collect();
            let (chain, checked) = (self.chain, self.checked.clone());
            let (items, results) = tokio::task::spawn_blocking(move || {
                let results = check(&items, &chain, &checked);
                (items, results)
            })
            .await
            .map_err(|_| NodeError::Ended("the request door"))?;
            for (item, transactions) in items.into_iter().zip(results) {
                if self.pass(item, transactions).await.is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn open(&self, delivery: Delivery) -> Option<Checkable> {
        match delivery {
            Delivery::Client { transactions, answer } => Some(Checkable {
                transactions,
                origin: Origin::Client,
                answer: Some(answer),
                verdict: None,
                held: Held::default(),
            }),
            Delivery::Peer { transactions, held } => Some(Checkable {
                transactions,
                origin: Origin::Peer,
                answer: None,
                verdict: None,
                held,
            }),
            Delivery::Gossip { bytes, verdict } => {
                match from_wire::<Vec<Unverified<SignedTransaction>>>(&bytes, BATCH_BYTES_MAX) {
                    Ok(transactions) => Some(Checkable {
                        transactions,
                        origin: Origin::Peer,
                        answer: None,
                        verdict: Some(verdict),
                        held: bytes.into_held(),
                    }),
                    Err(error) => {
                        self.metrics.forged.inc();
                        tracing::debug!(%error, "refused gossip that is no batch of transactions");
                        verdict.reject();
                        None
                    }
                }
            }
        }
    }

    /// Hands one delivery to the core. `Err` when the core is gone.
    async fn pass(
        &self,
        item: Checkable,
        transactions: Vec<Result<Signed<SignedTransaction>, Rejection>>,
    ) -> Result<(), ()> {
        let forged = transactions.iter().filter(|result| result.is_err()).count();
        self.metrics.requests_refused.inc_by(u64::try_from(forged).unwrap_or(u64::MAX));
        if let Some(verdict) = item.verdict {
            if forged == 0 { verdict.accept() } else { verdict.reject() }
        }
        let Checkable { origin, answer, held, .. } = item;
        let request = Request::Admit { transactions, origin, answer, held };
        self.requests.send(request).await.map_err(|_| ())
    }
}

/// Checks every transaction of a batch that was not checked before.
fn check(
    items: &[Checkable],
    chain: &ChainId,
    checked: &Checked,
) -> Vec<Vec<Result<Signed<SignedTransaction>, Rejection>>> {
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
