//! What clients ask, answered from the committed state, the store and the pool.

mod lookups;

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::backend::{
    AccountState, AccountView, Backend, Fault, Happened, KeptEvidence, Known, Submission,
    SubmitError,
};
use api::events::EventHub;
use api::types::{Live, Position, SaidStatus};
use crypto::keys::Signer;
use crypto::signed::Unverified;
use ledger::{Admission, Ledger};
use network::Network;
use prometheus_client::registry::Registry;
use storage::{StorageError, Store};
use tokio::sync::{mpsc, oneshot, watch};
use types::account::ProvedAccount;
use types::address::Address;
use types::block::{BlockId, Header};
use types::evidence::{Evidence, EvidenceId};
use types::genesis::Genesis;
use types::lost::{LostProposal, ProposalPlace};
use types::number::Height;
use types::proof::ProvedBlock;
use types::receipt::Receipt;
use types::rejection::Rejection;
use types::replica::ReplicaId;
use types::reply::{BlockReply, CommittedStatement};
use types::transaction::{SignedTransaction, TransactionId};

use crate::core::{Request, View};
use crate::metrics::StateMetrics;
use crate::observer::Observer;
use crate::receipts::Committed;
use crate::requests::Delivery;
use crate::waiters::{Outcome, Waiters};

pub(crate) use lookups::{LOOKUPS_MAX, Lookups};

/// How long an account is waited for to be durable before it is shown.
const DURABLE_TIMEOUT: Duration = Duration::from_secs(5);

/// The validator behind the HTTP API.
pub struct Gateway {
    /// The network that it is part of.
    pub(crate) genesis: Arc<Genesis>,
    /// The genesis as the operator wrote it.
    pub(crate) genesis_text: String,
    /// Which validator this is.
    pub(crate) replica: ReplicaId,
    /// Signs replies.
    pub(crate) signer: Arc<dyn Signer>,
    /// Where durable blocks are published.
    pub(crate) hub: Arc<EventHub>,
    /// Clients that wait.
    pub(crate) waiters: Waiters,
    /// What the core shows.
    pub(crate) view: watch::Receiver<View>,
    /// The height up to which blocks are durable.
    pub(crate) durable: watch::Receiver<Height>,
    /// Who is connected.
    pub(crate) network: Network,
    /// Whether a peer had nothing that this validator lacks, once since the start.
    pub(crate) caught_up: watch::Receiver<bool>,
    /// The lowest height at which another chain is known to be committed.
    pub(crate) fork: watch::Receiver<Option<Height>>,
    /// To the request door.
    pub(crate) deliveries: mpsc::Sender<Delivery>,
    /// To the core.
    pub(crate) requests: mpsc::Sender<Request>,
    /// What was seen in passing.
    pub(crate) observer: Observer,
    /// Blocks and indexes.
    pub(crate) lookups: Lookups,
    /// Every metric of the process.
    pub(crate) registry: Registry,
    /// Those that are set when they are read.
    pub(crate) state: StateMetrics,
    /// When the process began.
    pub(crate) started: Instant,
}

impl Gateway {
    /// Reads the store off the async tasks.
    async fn stored<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Store) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, Fault> {
        self.lookups.run(read).await
    }

    /// Looks at the ledger between two steps of the core.
    async fn ledger<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Ledger) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let (sender, receiver) = oneshot::channel();
        let request = Request::Read(Box::new(move |ledger| {
            // A client that went away does not want its answer.
            if !sender.is_closed() {
                drop(sender.send(read(ledger)));
            }
        }));
        self.requests.try_send(request).map_err(overloaded)?;
        receiver.await.map_err(|_| Fault::Stopping)
    }

    /// Hands transactions to the request door and waits for the results, in order.
    async fn deliver(
        &self,
        transactions: Vec<Unverified<SignedTransaction>>,
    ) -> Result<Vec<Result<Admission, Rejection>>, Fault> {
        let (answer, results) = oneshot::channel();
        let delivery = Delivery::Client { transactions, answer };
        self.deliveries.try_send(delivery).map_err(overloaded)?;
        results.await.map_err(|_| Fault::Stopping)
    }

    /// The receipt of a committed transaction, if it is one.
    async fn receipt(&self, id: TransactionId) -> Result<Option<Receipt>, Fault> {
        let found = self
            .stored(move |store| {
                let Some((height, index)) = store.transaction(&id)? else {
                    return Ok(None);
                };
                Ok(store.block(height)?.map(|block| (block, index)))
            })
            .await?;
        Ok(found.and_then(|(block, index)| {
            let reply = self.reply(&block.block.header);
            Committed::new(block, reply).receipt(index)
        }))
    }

    /// What a refusal means to a client: a used nonce may be this very transaction, committed.
    async fn explain(
        &self,
        id: TransactionId,
        rejection: Rejection,
    ) -> Result<Submission, SubmitError> {
        if let Rejection::NonceTooLow { .. } = rejection
            && let Some(receipt) = self.receipt(id).await?
        {
            return Ok(Submission::AlreadyCommitted(Some(Box::new(receipt))));
        }
        Err(rejection.into())
    }

    /// Waits for the end of a transaction that is in the pool.
    async fn outcome(
        &self,
        id: TransactionId,
        waiting: oneshot::Receiver<Outcome>,
        wait: Duration,
    ) -> Result<Submission, SubmitError> {
        match tokio::time::timeout(wait, waiting).await {
            Err(_) => Ok(Submission::Pending),
            Ok(Err(_)) => Err(Fault::Stopping.into()),
            Ok(Ok(Outcome::Dropped(rejection))) => self.explain(id, rejection).await,
            Ok(Ok(Outcome::Committed(committed, index))) => {
                let receipt = committed
                    .receipt(index)
                    .ok_or_else(|| Fault::Internal(format!("block has no transaction {index}")))?;
                Ok(Submission::Committed(Box::new(receipt)))
            }
        }
    }
}

impl Backend for Gateway {
    fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    fn genesis_text(&self) -> &str {
        &self.genesis_text
    }

    fn events(&self) -> &EventHub {
        &self.hub
    }

    async fn live(&self) -> Result<Live, Fault> {
        let view = self.view.borrow().clone();
        let peers = self.network.peers().borrow().clone();
        // The core is a moment ahead of the disk; what is shown is durable.
        let newest = self.lookups.store().newest_header();
        Ok(Live {
            replica: self.replica,
            height: newest.height,
            block: newest.id(),
            state_root: newest.state_root,
            supply: view.supply,
            accounts: view.accounts,
            view: view.protocol.view,
            primary: view.protocol.primary,
            entered: view.protocol.entered,
            voting: view.protocol.voting,
            retired: view.protocol.retired,
            convicted: view.convicted,
            fork: *self.fork.borrow(),
            timeout_ms: view.protocol.timeout_ms,
            in_flight: u32::try_from(view.protocol.in_flight).unwrap_or(u32::MAX),
            pending: view.pending,
            connected: peers.connected.into_iter().collect(),
            ready: peers.ready && *self.caught_up.borrow() && !view.protocol.retired,
            uptime_seconds: self.started.elapsed().as_secs(),
        })
    }

    async fn metrics(&self) -> Result<String, Fault> {
        self.state.set(&self.view.borrow());
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .map_err(|error| Fault::Internal(error.to_string()))?;
        Ok(text)
    }

    async fn block(&self, height: Height) -> Result<Option<Arc<ProvedBlock>>, Fault> {
        self.stored(move |store| store.block(height)).await
    }

    async fn height_of(&self, block: BlockId) -> Result<Option<Height>, Fault> {
        if block == self.genesis.block().id() {
            return Ok(Some(Height::GENESIS));
        }
        self.stored(move |store| store.height_of(&block)).await
    }

    async fn headers(&self, before: Option<Height>, limit: usize) -> Result<Vec<Header>, Fault> {
        self.stored(move |store| store.headers(before, limit)).await
    }

    fn reply(&self, header: &Header) -> BlockReply {
        let statement = CommittedStatement { height: header.height, block: header.id() };
        BlockReply::sign(statement, self.replica, self.genesis.chain(), &*self.signer)
    }

    async fn submit(
        &self,
        transaction: Unverified<SignedTransaction>,
        wait: Option<Duration>,
    ) -> Result<Submission, SubmitError> {
        let id = transaction.get().id();
        // Whoever waits is registered before the transaction can commit.
        let waiting = match wait {
            Some(wait) => Some((self.waiters.wait_for(id).ok_or(Fault::Overloaded)?, wait)),
            None => None,
        };
        let results = self.deliver(vec![transaction]).await?;
        let result = results.into_iter().next().ok_or(Fault::Stopping)?;
        let admitted = match result {
            Ok(Admission::Pending | Admission::Parked) => Submission::Pending,
            Ok(Admission::AlreadyPending) => Submission::AlreadyPending,
            Err(rejection) => return self.explain(id, rejection).await,
        };
        match waiting {
            Some((waiting, wait)) => self.outcome(id, waiting, wait).await,
            None => Ok(admitted),
        }
    }

    async fn submit_batch(
        &self,
        transactions: Vec<Unverified<SignedTransaction>>,
    ) -> Result<Vec<Result<Submission, Rejection>>, Fault> {
        let ids: Vec<_> = transactions.iter().map(|transaction| transaction.get().id()).collect();
        let admissions = self.deliver(transactions).await?;
        let mut answers = Vec::with_capacity(ids.len());
        for (id, admission) in ids.into_iter().zip(admissions) {
            answers.push(match admission {
                Ok(Admission::Pending | Admission::Parked) => Ok(Submission::Pending),
                Ok(Admission::AlreadyPending) => Ok(Submission::AlreadyPending),
                Err(rejection @ Rejection::NonceTooLow { .. }) => {
                    match self.stored(move |store| store.transaction(&id)).await? {
                        Some(_) => Ok(Submission::AlreadyCommitted(None)),
                        None => Err(rejection),
                    }
                }
                Err(rejection) => Err(rejection),
            });
        }
        Ok(answers)
    }

    async fn transaction(&self, id: TransactionId) -> Result<Option<Known>, Fault> {
        if let Some(receipt) = self.receipt(id).await? {
            return Ok(Some(Known::Committed(Box::new(receipt))));
        }
        let pending = self.ledger(move |ledger| ledger.transaction(&id).cloned()).await?;
        Ok(pending.map(|transaction| Known::Pending(Box::new(transaction))))
    }

    async fn account(&self, address: Address) -> Result<Option<AccountView>, Fault> {
        let (proof, next_nonce, height) = self
            .ledger(move |ledger| {
                (ledger.prove(&address), ledger.next_nonce(&address), ledger.committed().0)
            })
            .await?;
        let Some(account) = proof else {
            return Ok(None);
        };
        if height == Height::GENESIS {
            let state = AccountState::Genesis(account.account);
            return Ok(Some(AccountView { state, next_nonce }));
        }
        // The ledger is a moment ahead of the disk; what is shown is durable.
        let mut durable = self.durable.clone();
        let reached = durable.wait_for(|durable| *durable >= height);
        match tokio::time::timeout(DURABLE_TIMEOUT, reached).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return Err(Fault::Stopping),
            Err(_) => return Err(Fault::Overloaded),
        }
        let block = self.stored(move |store| store.block(height)).await?;
        let stored =
            block.ok_or_else(|| Fault::Internal(format!("no block at height {height}")))?;
        let (header, proof) = (stored.block.header.clone(), stored.proof.clone());
        let proved = ProvedAccount { header, account, proof };
        Ok(Some(AccountView { state: AccountState::Proved(Box::new(proved)), next_nonce }))
    }

    async fn history(
        &self,
        address: Address,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Happened>, Fault> {
        let before = before.map(|position| (position.height, position.index));
        self.stored(move |store| {
            let mut happened = Vec::new();
            for (height, index) in store.history(&address, before, limit)? {
                let Some(proved) = store.block(height)? else {
                    continue;
                };
                let position = usize::try_from(index).unwrap_or(usize::MAX);
                let Some(transaction) = proved.block.body.transactions().get(position) else {
                    continue;
                };
                happened.push(Happened {
                    position: Position { height, index },
                    block: proved.block.id(),
                    timestamp_ms: proved.block.header.timestamp_ms,
                    transaction: transaction.clone(),
                });
            }
            Ok(happened)
        })
        .await
    }

    async fn evidence(
        &self,
        after: Option<EvidenceId>,
        limit: usize,
    ) -> Result<Vec<KeptEvidence>, Fault> {
        let kept = self.lookups.evidence().list(after, limit).into_iter();
        Ok(kept
            .map(|kept| KeptEvidence { outline: kept.outline, stored_ms: kept.stored_ms })
            .collect())
    }

    async fn evidence_piece(
        &self,
        id: EvidenceId,
    ) -> Result<Option<(Evidence, Option<u64>)>, Fault> {
        let evidence = self.lookups.evidence().clone();
        let found = self.stored(move |_| evidence.find(&id)).await?;
        Ok(found.map(|(piece, kept)| (piece, kept.stored_ms)))
    }

    async fn said(&self) -> Result<Vec<SaidStatus>, Fault> {
        Ok(self.observer.said())
    }

    async fn lost(
        &self,
        before: Option<ProposalPlace>,
        limit: usize,
    ) -> Result<(Vec<LostProposal>, u64), Fault> {
        Ok(self.observer.lost(before, limit))
    }
}

fn overloaded<T>(error: mpsc::error::TrySendError<T>) -> Fault {
    match error {
        mpsc::error::TrySendError::Full(_) => Fault::Overloaded,
        mpsc::error::TrySendError::Closed(_) => Fault::Stopping,
    }
}
