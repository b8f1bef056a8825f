//! A validator that answers from a list of blocks and says what it is told to, and the server in
//! front of it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crypto::signed::Unverified;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use types::address::Address;
use types::amount::Amount;
use types::block::{BlockId, Header};
use types::evidence::{Evidence, EvidenceId};
use types::genesis::Genesis;
use types::lost::{LostProposal, ProposalPlace};
use types::number::{Height, Nonce, View};
use types::proof::ProvedBlock;
use types::rejection::Rejection;
use types::reply::BlockReply;
use types::transaction::{SignedTransaction, TransactionId};

use super::network;
use crate::backend::{
    AccountState, AccountView, Backend, Fault, Happened, KeptEvidence, Known, Submission,
    SubmitError,
};
use crate::client::Client;
use crate::events::EventHub;
use crate::server::{self, Limits};
use crate::types::{Live, Position, SaidStatus};

/// What to answer to a submission instead of keeping it pending.
pub(crate) type Script = Result<Submission, SubmitError>;

/// A validator that does what the test says.
pub(crate) struct FakeValidator {
    pub(crate) number: u8,
    pub(crate) genesis: Genesis,
    pub(crate) text: String,
    pub(crate) hub: EventHub,
    pub(crate) blocks: Mutex<Vec<Arc<ProvedBlock>>>,
    pub(crate) pending: Mutex<Vec<SignedTransaction>>,
    /// Answers to the next submissions, first come first served.
    pub(crate) script: Mutex<VecDeque<Script>>,
    /// The evidence that it keeps, with the times of storing.
    pub(crate) evidence: Mutex<Vec<(Evidence, Option<u64>)>>,
    /// The lost proposals that it saw.
    pub(crate) lost: Mutex<Vec<LostProposal>>,
    /// What it and the others said of themselves.
    pub(crate) said: Mutex<Vec<SaidStatus>>,
    /// What it says to who asks for metrics.
    pub(crate) metrics: Mutex<String>,
    /// Every look-up fails so.
    pub(crate) fault: Mutex<Option<Fault>>,
    pub(crate) ready: AtomicBool,
    /// Look-ups never end.
    pub(crate) hangs: AtomicBool,
    /// Look-ups that will never end.
    pub(crate) hung: AtomicUsize,
    /// Transactions taken in or refused.
    pub(crate) submitted: AtomicUsize,
}

impl FakeValidator {
    pub(crate) fn new(number: u8) -> Self {
        let genesis = network::genesis();
        Self {
            number,
            text: genesis.to_toml(),
            genesis,
            hub: EventHub::new(),
            blocks: Mutex::default(),
            pending: Mutex::default(),
            script: Mutex::default(),
            evidence: Mutex::default(),
            lost: Mutex::default(),
            said: Mutex::default(),
            metrics: Mutex::new("# EOF\n".to_owned()),
            fault: Mutex::default(),
            ready: AtomicBool::new(true),
            hangs: AtomicBool::new(false),
            hung: AtomicUsize::new(0),
            submitted: AtomicUsize::new(0),
        }
    }

    /// One with so many blocks, each of one transfer.
    pub(crate) fn with_blocks(number: u8, count: u64) -> Self {
        let validator = Self::new(number);
        for nonce in 0..count {
            validator.commit(vec![network::transfer(0, 1, nonce)]);
        }
        validator
    }

    pub(crate) fn tip(&self) -> Header {
        let blocks = self.blocks.lock().unwrap();
        blocks
            .last()
            .map_or_else(|| self.genesis.header().clone(), |proved| proved.block.header.clone())
    }

    /// Commits a block and publishes it.
    pub(crate) fn commit(&self, transactions: Vec<SignedTransaction>) -> Arc<ProvedBlock> {
        let proved = Arc::new(network::block(&self.tip(), transactions));
        self.commit_block(&proved);
        proved
    }

    /// Commits this very block and publishes it.
    pub(crate) fn commit_block(&self, proved: &Arc<ProvedBlock>) {
        self.blocks.lock().unwrap().push(Arc::clone(proved));
        let reply = network::reply(self.number, &proved.block.header);
        self.hub.block(Arc::clone(proved), reply);
    }

    /// The next submissions are answered so.
    pub(crate) fn answer(&self, scripts: impl IntoIterator<Item = Script>) {
        self.script.lock().unwrap().extend(scripts);
    }

    pub(crate) fn fail(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap() = fault;
    }

    async fn look_up<T>(&self, found: impl FnOnce() -> T) -> Result<T, Fault> {
        if self.hangs.load(Ordering::Relaxed) {
            self.hung.fetch_add(1, Ordering::Relaxed);
            std::future::pending::<()>().await;
        }
        match self.fault.lock().unwrap().clone() {
            Some(fault) => Err(fault),
            None => Ok(found()),
        }
    }

    fn find(&self, height: Height) -> Option<Arc<ProvedBlock>> {
        let index = usize::try_from(height.get()).ok()?.checked_sub(1)?;
        self.blocks.lock().unwrap().get(index).cloned()
    }

    fn positions(&self) -> Vec<(Arc<ProvedBlock>, u32)> {
        let blocks = self.blocks.lock().unwrap();
        blocks
            .iter()
            .flat_map(|proved| {
                (0..proved.block.header.transactions).map(|index| (Arc::clone(proved), index))
            })
            .collect()
    }
}

impl Backend for FakeValidator {
    fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    fn genesis_text(&self) -> &str {
        &self.text
    }

    fn events(&self) -> &EventHub {
        &self.hub
    }

    async fn live(&self) -> Result<Live, Fault> {
        let tip = self.tip();
        self.look_up(|| Live {
            replica: network::replica(self.number),
            height: tip.height,
            block: tip.id(),
            state_root: tip.state_root,
            supply: Amount::new(5_000_000),
            accounts: 5,
            view: View::FIRST,
            primary: network::replica(0),
            entered: true,
            voting: true,
            retired: false,
            convicted: Vec::new(),
            fork: None,
            timeout_ms: 2_000,
            in_flight: 0,
            pending: 0,
            connected: vec![network::replica(1), network::replica(2)],
            ready: self.ready.load(Ordering::Relaxed),
            uptime_seconds: 7,
        })
        .await
    }

    async fn metrics(&self) -> Result<String, Fault> {
        self.look_up(|| self.metrics.lock().unwrap().clone()).await
    }

    async fn block(&self, height: Height) -> Result<Option<Arc<ProvedBlock>>, Fault> {
        self.look_up(|| self.find(height)).await
    }

    async fn height_of(&self, block: BlockId) -> Result<Option<Height>, Fault> {
        self.look_up(|| {
            if block == self.genesis.header().id() {
                return Some(Height::GENESIS);
            }
            let blocks = self.blocks.lock().unwrap();
            let found = blocks.iter().find(|proved| proved.block.id() == block);
            found.map(|proved| proved.block.header.height)
        })
        .await
    }

    async fn headers(&self, before: Option<Height>, limit: usize) -> Result<Vec<Header>, Fault> {
        self.look_up(|| {
            let blocks = self.blocks.lock().unwrap();
            let headers = blocks.iter().rev().map(|proved| proved.block.header.clone());
            headers
                .filter(|header| before.is_none_or(|before| header.height < before))
                .take(limit)
                .collect()
        })
        .await
    }

    fn reply(&self, header: &Header) -> BlockReply {
        network::reply(self.number, header)
    }

    async fn submit(
        &self,
        transaction: Unverified<SignedTransaction>,
        wait: Option<Duration>,
    ) -> Result<Submission, SubmitError> {
        self.submitted.fetch_add(1, Ordering::Relaxed);
        let next = self.script.lock().unwrap().pop_front();
        if let Some(script) = next {
            return script;
        }
        self.pending.lock().unwrap().push(transaction.get().clone());
        if let Some(wait) = wait {
            tokio::time::sleep(wait).await;
        }
        Ok(Submission::Pending)
    }

    async fn submit_batch(
        &self,
        transactions: Vec<Unverified<SignedTransaction>>,
    ) -> Result<Vec<Result<Submission, Rejection>>, Fault> {
        let count = transactions.len();
        self.submitted.fetch_add(count, Ordering::Relaxed);
        self.look_up(|| {
            let mut script = self.script.lock().unwrap();
            (0..count)
                .map(|_| match script.pop_front() {
                    Some(Err(SubmitError::Refused(rejection))) => Err(rejection),
                    Some(Ok(submission)) => Ok(submission),
                    Some(Err(SubmitError::Fault(_))) | None => Ok(Submission::Pending),
                })
                .collect()
        })
        .await
    }

    async fn transaction(&self, id: TransactionId) -> Result<Option<Known>, Fault> {
        self.look_up(|| {
            let pending = self.pending.lock().unwrap();
            if let Some(signed) = pending.iter().find(|signed| signed.id() == id) {
                return Some(Known::Pending(Box::new(signed.clone())));
            }
            self.positions().into_iter().find_map(|(proved, index)| {
                let receipt = network::receipt(self.number, &proved.block, index);
                (receipt.transaction.id() == id).then(|| Known::Committed(Box::new(receipt)))
            })
        })
        .await
    }

    async fn account(&self, address: Address) -> Result<Option<AccountView>, Fault> {
        self.look_up(|| {
            let number = (0..network::ACCOUNTS).find(|it| network::address(*it) == address)?;
            let tip = self.blocks.lock().unwrap().last().cloned();
            let state = match tip {
                Some(proved) => {
                    AccountState::Proved(Box::new(network::proved_account(number, &proved)))
                }
                None => AccountState::Genesis(self.genesis.accounts()[usize::from(number)]),
            };
            Some(AccountView { state, next_nonce: Nonce::new(3) })
        })
        .await
    }

    async fn history(
        &self,
        address: Address,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Happened>, Fault> {
        self.look_up(|| {
            let all = self.positions().into_iter().rev();
            let happened = all.map(|(proved, index)| Happened {
                position: Position { height: proved.block.header.height, index },
                block: proved.block.id(),
                timestamp_ms: proved.block.header.timestamp_ms,
                transaction: proved.block.body.transactions()[usize::try_from(index).unwrap()]
                    .clone(),
            });
            happened
                .filter(|it| it.transaction.transaction.sender == address)
                .filter(|it| before.is_none_or(|before| it.position < before))
                .take(limit)
                .collect()
        })
        .await
    }

    async fn evidence(
        &self,
        after: Option<EvidenceId>,
        limit: usize,
    ) -> Result<Vec<KeptEvidence>, Fault> {
        self.look_up(|| {
            let kept = self.evidence.lock().unwrap();
            let outlines = kept.iter().map(|(piece, stored_ms)| KeptEvidence {
                outline: piece.outline(self.genesis.validators()),
                stored_ms: *stored_ms,
            });
            let mut outlines: Vec<_> = outlines.collect();
            outlines.sort_by_key(|kept| kept.outline.id);
            outlines.retain(|kept| after.is_none_or(|after| kept.outline.id > after));
            outlines.truncate(limit);
            outlines
        })
        .await
    }

    async fn evidence_piece(
        &self,
        id: EvidenceId,
    ) -> Result<Option<(Evidence, Option<u64>)>, Fault> {
        self.look_up(|| {
            let kept = self.evidence.lock().unwrap();
            kept.iter().find(|(piece, _)| piece.id() == id).cloned()
        })
        .await
    }

    async fn said(&self) -> Result<Vec<SaidStatus>, Fault> {
        self.look_up(|| self.said.lock().unwrap().clone()).await
    }

    async fn lost(
        &self,
        before: Option<ProposalPlace>,
        limit: usize,
    ) -> Result<(Vec<LostProposal>, u64), Fault> {
        self.look_up(|| {
            let mut lost = self.lost.lock().unwrap().clone();
            lost.sort_by_key(|lost| std::cmp::Reverse(lost.place()));
            lost.retain(|lost| before.is_none_or(|before| lost.place() < before));
            lost.truncate(limit);
            (lost, 7)
        })
        .await
    }
}

/// A server in a thread of its own, stopped when it is dropped.
pub(crate) struct Served {
    pub(crate) validator: Arc<FakeValidator>,
    pub(crate) url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Served {
    pub(crate) fn new(validator: FakeValidator) -> Self {
        Self::with_limits(validator, quick_limits())
    }

    pub(crate) fn with_limits(validator: FakeValidator, limits: Limits) -> Self {
        let validator = Arc::new(validator);
        let (stop, stopped) = oneshot::channel();
        let (listening, address) = std::sync::mpsc::channel();
        let backend = Arc::clone(&validator);
        let thread = thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                listening.send(listener.local_addr().unwrap()).unwrap();
                let stop = async move { drop(stopped.await) };
                server::serve(listener, backend, limits, stop).await;
            });
        });
        Self {
            validator,
            url: format!("http://{}", address.recv().unwrap()),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url).unwrap()
    }

    /// Stops the server and waits until it has ended.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Bounds that a test need not wait for.
pub(crate) fn quick_limits() -> Limits {
    Limits {
        drain_timeout: Duration::from_millis(500),
        status_interval: Duration::from_millis(50),
        ..Limits::default()
    }
}
