//! The one owner of the consensus core: takes inputs from bounded channels, steps the protocol,
//! and performs each `Output` strictly from top to bottom.
//!
//! It runs on a thread of its own, because the journal's `fdatasync` blocks it: whatever arrives
//! meanwhile waits in the channels and is then stepped as one batch with one flush. Records of a
//! whole batch are durable before the first of its messages leaves, so batching only delays.

mod ports;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crypto::encoding::to_wire;
use crypto::signed::Signed;
use ledger::{Admission, Ledger, Origin, Ticket};
use network::{GossipVerdict, Held, Network};
use pbft::record::Record;
use pbft::{Input, Message, Outgoing, Output, Protocol, Recipients, Timer};
use storage::Journal;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};
use types::amount::Amount;
use types::block::Body;
use types::evidence::Evidence;
use types::genesis::Genesis;
use types::number::Height;
use types::proof::ProvedBlock;
use types::rejection::Rejection;
use types::replica::ReplicaId;
use types::transaction::{SignedTransaction, TransactionId};
use types::validators::ValidatorSet;
use types::view_change::NewView;

use crate::disk::Job;
use crate::error::NodeError;
use crate::metrics::CoreMetrics;
use crate::observer::Observer;
use crate::wire::{FrameRef, REQUESTS_BYTES_MAX};

use ports::{Outbox, VoteJournal};

/// The most inputs stepped before their output is performed.
const INPUTS_PER_BATCH: usize = 512;
/// The most batches of requests admitted before consensus is looked at again.
const REQUESTS_PER_BATCH: usize = 32;
/// How often requests are looked for that wait here since the last look and longer, to be sent
/// directly to everybody: at least this often, and four times while a view may go without progress.
const RESEND_PERIOD_MAX_MS: u32 = 500;
/// The most bytes of evidence that a peer is told when it connects.
const TOLD_BYTES_MAX: usize = 4 << 20;
/// The most requests of one such sending.
const RESEND_MAX: usize = 256;

/// An input on its way to the core.
pub(crate) struct Arrived {
    /// The input.
    pub(crate) input: Input,
    /// What it counts for against its sender's allowance, until the core takes it.
    pub(crate) held: Held,
}

impl Arrived {
    /// The core takes it: it counts no longer.
    pub(crate) fn take(self) -> Input {
        drop(self.held);
        self.input
    }
}

/// What the rest of the process asks of the core beside consensus.
pub(crate) enum Request {
    /// Put these transactions into the pool; refused ones pass through to the answer.
    Admit {
        /// Whose signature holds, or why it does not.
        transactions: Vec<Result<Signed<SignedTransaction>, Rejection>>,
        /// Who brought them.
        origin: Origin,
        /// Where the results go, in order.
        answer: Option<oneshot::Sender<Vec<Result<Admission, Rejection>>>>,
        /// Whether the mesh that brought them passes them on: when any of them is news.
        verdict: Option<GossipVerdict>,
        /// What they count for against their sender's allowance, until the core takes them.
        held: Held,
    },
    /// Look at the ledger between two steps.
    Read(Box<dyn FnOnce(&Ledger) + Send>),
}

/// What the core shows to the rest of the process after every batch.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// The protocol's own status.
    pub(crate) protocol: pbft::Overview,
    /// Number of accounts.
    pub(crate) accounts: u64,
    /// The sum of all balances.
    pub(crate) supply: Amount,
    /// Requests that wait for a block.
    pub(crate) pending: u64,
    /// Against whom a committed block has evidence.
    pub(crate) convicted: Vec<ReplicaId>,
}

impl View {
    /// What a core would show now.
    pub(crate) fn of<P: Protocol<Application = Ledger>>(protocol: &P) -> Self {
        let ledger = protocol.application();
        Self {
            protocol: protocol.status(),
            accounts: ledger.accounts(),
            supply: ledger.supply(),
            pending: ledger.pool().pending,
            convicted: ledger.convicted().iter().copied().collect(),
        }
    }
}

/// The channels of the core.
pub(crate) struct Channels {
    /// Inputs of the protocol. Bounded: the door waits, and with it the peers' streams.
    pub(crate) inputs: mpsc::Receiver<Arrived>,
    /// Requests and reads. Bounded: the gateway waits.
    pub(crate) requests: mpsc::Receiver<Request>,
    /// To the disk. Bounded: the core waits when the disk is that far behind.
    pub(crate) disk: mpsc::Sender<Job>,
    /// Admitted requests of our clients, for gossip. Bounded: when full they are not gossiped but
    /// sent directly after [`RESEND_PERIOD_MAX_MS`].
    pub(crate) spread: mpsc::Sender<SignedTransaction>,
    /// Transactions that left the pool uncommitted. Bounded: when full they are forgotten.
    pub(crate) dropped: mpsc::Sender<(TransactionId, Rejection)>,
    /// The height up to which blocks are durable.
    pub(crate) durable: watch::Receiver<Height>,
    /// A height that peers seem to have reached, repeated as long as it holds.
    pub(crate) behind: watch::Sender<Height>,
    /// Proved blocks that do not fit the chain here. Bounded: when full they are met again.
    pub(crate) rivals: mpsc::Sender<ProvedBlock>,
    /// What is shown to the rest of the process.
    pub(crate) view: watch::Sender<View>,
    /// What was seen in passing.
    pub(crate) observer: Observer,
    /// Becomes true when the process ends.
    pub(crate) stop: watch::Receiver<bool>,
}

/// The core with everything that performing an output needs.
pub(crate) struct Core<P, J = Journal, N = Network> {
    protocol: P,
    journal: J,
    network: N,
    channels: Channels,
    metrics: CoreMetrics,
    validators: ValidatorSet,
    timers: BTreeMap<Timer, Instant>,
    snapshot_interval: u64,
    snapshot_at: Height,
    /// How often requests are sent again.
    resend_period: Duration,
    /// Requests that arrived before it have waited for a whole period.
    resend_before: Ticket,
    /// Where the clock of the protocol begins, which only goes forward.
    begun: Instant,
    /// Evidence as a frame, the first against each replica: for peers that connect.
    accusations: BTreeMap<ReplicaId, Arc<[u8]>>,
    /// Evidence of an earlier life, not yet heard.
    remembered: Vec<Signed<Evidence>>,
}

impl<P: Protocol<Application = Ledger>, J: VoteJournal, N: Outbox> Core<P, J, N> {
    /// A core of this network, the last snapshot being at `snapshot_at`.
    pub(crate) fn new(
        protocol: P,
        journal: J,
        network: N,
        channels: Channels,
        metrics: CoreMetrics,
        genesis: &Genesis,
        snapshot_at: Height,
    ) -> Self {
        let parameters = genesis.parameters();
        let resend_ms = RESEND_PERIOD_MAX_MS.min(parameters.view_timeout_ms / 4).max(1);
        Self {
            protocol,
            journal,
            network,
            channels,
            metrics,
            validators: genesis.validators().clone(),
            timers: BTreeMap::new(),
            snapshot_interval: u64::from(parameters.snapshot_interval_blocks),
            snapshot_at,
            resend_period: Duration::from_millis(u64::from(resend_ms)),
            resend_before: Ticket::FIRST,
            begun: Instant::now(),
            accusations: BTreeMap::new(),
            remembered: Vec::new(),
        }
    }

    /// The same core, which will hear first who was known to have lied.
    pub(crate) fn knowing(self, remembered: Vec<Signed<Evidence>>) -> Self {
        Self { remembered, ..self }
    }

    /// Runs until the process stops or a write fails.
    ///
    /// # Errors
    ///
    /// Any fault of the journal is final: nothing that was not durable has been sent.
    pub(crate) async fn run(mut self, recovered: Output) -> Result<(), NodeError> {
        self.set_timers(&recovered.timers);
        self.perform(recovered).await?;
        let mut known = Output::default();
        // Nothing is proposed before the clock has begun.
        self.step(&mut known, self.tick());
        for evidence in std::mem::take(&mut self.remembered) {
            self.step(&mut known, Input::Evidence(Box::new(evidence)));
        }
        self.perform(known).await?;
        let mut resend_at = Instant::now();
        loop {
            let mut batch = Output::default();
            let due = self.timers.values().min().map_or(resend_at, |timer| resend_at.min(*timer));
            let first = tokio::select! {
                biased;
                _ = self.channels.stop.wait_for(|stop| *stop) => None,
                Some(arrived) = self.channels.inputs.recv() => Some(First::Input(arrived.take())),
                () = sleep_until(due) => Some(First::Nothing),
                Some(request) = self.channels.requests.recv() => Some(First::Request(request)),
            };
            let Some(first) = first else {
                return self.save_seen(true).await;
            };
            self.step(&mut batch, self.tick());
            match first {
                First::Input(input) => self.step(&mut batch, input),
                First::Request(request) => self.serve(&mut batch, request),
                First::Nothing => {}
            }
            self.drain(&mut batch);
            self.perform(batch).await?;
            // Looked at after every batch, as the timers are: what arrives without end wakes the
            // core first and keeps nothing else from its turn.
            let now = Instant::now();
            if now >= resend_at {
                self.resend();
                self.save_seen(false).await?;
                resend_at = now + self.resend_period;
            }
        }
    }

    /// Steps whatever else has arrived, within bounds, consensus first.
    fn drain(&mut self, batch: &mut Output) {
        for _ in 0..INPUTS_PER_BATCH {
            let Ok(arrived) = self.channels.inputs.try_recv() else {
                break;
            };
            self.step(batch, arrived.take());
        }
        for _ in 0..REQUESTS_PER_BATCH {
            let Ok(request) = self.channels.requests.try_recv() else {
                break;
            };
            self.serve(batch, request);
        }
        let now = Instant::now();
        while let Some(timer) = self.due(now) {
            self.timers.remove(&timer);
            self.step(batch, Input::Timer(timer));
        }
    }

    fn due(&self, now: Instant) -> Option<Timer> {
        self.timers.iter().find(|(_, at)| **at <= now).map(|(timer, _)| *timer)
    }

    /// One step; its output joins the batch, every field behind what the field holds already.
    fn step(&mut self, batch: &mut Output, input: Input) {
        if let Input::Connected(replica) = &input {
            self.tell(*replica);
        }
        self.channels.observer.hear(&input);
        let mut output = self.protocol.step(input);
        self.set_timers(&output.timers);
        batch.records.append(&mut output.records);
        batch.committed.append(&mut output.committed);
        batch.messages.append(&mut output.messages);
        batch.replies.append(&mut output.replies);
        batch.evidence.append(&mut output.evidence);
        batch.forks.append(&mut output.forks);
        batch.ignored.append(&mut output.ignored);
        batch.lost.append(&mut output.lost);
        batch.behind = batch.behind.max(output.behind);
    }

    fn serve(&mut self, batch: &mut Output, request: Request) {
        match request {
            Request::Read(read) => read(self.protocol.application()),
            Request::Admit { transactions, origin, answer, verdict, held } => {
                drop(held);
                let results = transactions
                    .into_iter()
                    .map(|transaction| self.admit(transaction?, origin))
                    .collect::<Vec<_>>();
                let arrived = results.iter().any(|result| matches!(result, Ok(Admission::Pending)));
                match verdict {
                    Some(verdict) if any_news(&results) => verdict.accept(),
                    Some(verdict) => verdict.ignore(),
                    None => {}
                }
                if let Some(answer) = answer {
                    // A client that went away does not want its answer.
                    drop(answer.send(results));
                }
                if arrived {
                    self.step(batch, Input::Work);
                }
            }
        }
    }

    fn admit(
        &mut self,
        transaction: Signed<SignedTransaction>,
        origin: Origin,
    ) -> Result<Admission, Rejection> {
        let copy = match origin {
            Origin::Client => Some(transaction.get().clone()),
            Origin::Peer => None,
        };
        let admission = self.protocol.application_mut().admit(transaction, origin)?;
        if let (Admission::Pending, Some(copy)) = (&admission, copy)
            && self.channels.spread.try_send(copy).is_err()
        {
            self.metrics.spread_full.inc();
        }
        Ok(admission)
    }

    /// Performs a batch: records, then blocks, then messages, then what may be late.
    async fn perform(&mut self, mut output: Output) -> Result<(), NodeError> {
        if !output.records.is_empty() {
            let begin = Instant::now();
            self.journal.append(&output.records)?;
            self.metrics.journal_seconds.observe(begin.elapsed().as_secs_f64());
        }
        self.channels.observer.see(&mut output);
        let new_views: Vec<NewView> =
            output.records.into_iter().filter_map(Record::into_new_view).collect();
        if !new_views.is_empty() {
            self.to_disk(Job::NewViews(new_views)).await?;
        }
        let committed = !output.committed.is_empty();
        if committed {
            let bodies = output.committed.iter().map(|proved| &proved.block.body);
            for evidence in bodies.filter_map(Body::evidence).cloned().collect::<Vec<_>>() {
                self.keep(evidence).await?;
            }
            let job = Job::Blocks { blocks: output.committed, replies: output.replies };
            self.to_disk(job).await?;
        }
        let mut encoded = Encoded::default();
        for outgoing in &output.messages {
            self.send(outgoing, &mut encoded);
        }
        if !output.evidence.is_empty() {
            self.accuse(output.evidence).await?;
        }
        for rival in output.forks {
            // Whoever has it has it in a second, too.
            self.channels.rivals.try_send(rival).ok();
        }
        for ignored in &output.ignored {
            self.metrics.ignored(ignored);
        }
        if let Some(height) = output.behind {
            // Always news, also when it is lower: somebody may have lied about the last one.
            self.channels.behind.send_replace(height);
        }
        if committed {
            self.after_commit().await?;
        }
        self.channels.view.send_replace(View::of(&self.protocol));
        Ok(())
    }

    async fn after_commit(&mut self) -> Result<(), NodeError> {
        for dropped in self.protocol.application_mut().take_dropped() {
            if self.channels.dropped.try_send(dropped).is_err() {
                self.metrics.dropped_full.inc();
            }
        }
        let (height, _) = self.protocol.application().committed();
        if height.get().saturating_sub(self.snapshot_at.get()) >= self.snapshot_interval {
            self.snapshot_at = height;
            let snapshot = self.protocol.application().snapshot();
            self.to_disk(Job::Snapshot(snapshot)).await?;
        }
        let durable = *self.channels.durable.borrow_and_update();
        self.journal.prune(durable)?;
        Ok(())
    }

    /// Has what was seen written down, when it is time.
    async fn save_seen(&self, end: bool) -> Result<(), NodeError> {
        match self.channels.observer.unsaved(end) {
            Some(lost) => self.to_disk(Job::Lost(lost)).await,
            None => Ok(()),
        }
    }

    async fn to_disk(&self, job: Job) -> Result<(), NodeError> {
        self.channels.disk.send(job).await.map_err(|_| NodeError::Ended("the disk thread"))
    }

    /// A frame that a peer's queue does not take is not lost: its stream is opened anew, and on the
    /// new connection everything undecided is said again.
    fn send<'a>(&self, outgoing: &'a Outgoing, encoded: &mut Encoded<'a>) {
        let bytes = encoded.bytes(&outgoing.message);
        match outgoing.to {
            Recipients::All => self.network.broadcast(bytes),
            Recipients::One(replica) => self.send_to(replica, bytes),
        }
    }

    fn send_to(&self, replica: ReplicaId, frame: Arc<[u8]>) {
        if !self.network.send(replica, frame) {
            self.metrics.unsent.inc();
        }
    }

    /// What the protocol is told of time.
    fn tick(&self) -> Input {
        let steady_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Input::Tick { wall_ms: wall_clock_ms(), steady_ms }
    }

    /// Counts proofs that a key lied, tells everybody, and has them kept.
    async fn accuse(&mut self, evidence: Vec<Evidence>) -> Result<(), NodeError> {
        for evidence in evidence {
            let accused = evidence.accused(&self.validators);
            let (kind, id) = (evidence.name(), evidence.id());
            self.metrics.accused(kind);
            tracing::error!(replica = accused.get(), kind, %id, "a validator's key has lied");
            let frame: Arc<[u8]> = to_wire(&FrameRef::Evidence(&evidence)).into();
            self.network.broadcast(Arc::clone(&frame));
            let known = self.accusations.len();
            self.accusations.entry(accused).or_insert(frame);
            let (now, tolerated) = (self.accusations.len(), self.validators.quorum().t());
            if now > known && now > tolerated {
                tracing::error!(
                    liars = now,
                    tolerated,
                    "more validators have lied than the network bears"
                );
            }
            self.keep(evidence).await?;
        }
        Ok(())
    }

    async fn keep(&self, evidence: Evidence) -> Result<(), NodeError> {
        let accused = evidence.accused(&self.validators);
        let evidence = Box::new(evidence);
        self.to_disk(Job::Evidence { evidence, accused }).await
    }

    /// Tells a peer that connects who has lied: it may have been away. What is in a committed block it learns from
    /// that, and all together never take more than a part of what may wait for it.
    fn tell(&self, replica: ReplicaId) {
        let convicted = self.protocol.application().convicted();
        let news = self.accusations.iter().filter(|(accused, _)| !convicted.contains(accused));
        let mut bytes: usize = 0;
        for (_, frame) in news {
            bytes = bytes.saturating_add(frame.len());
            if bytes > TOLD_BYTES_MAX {
                break;
            }
            self.send_to(replica, Arc::clone(frame));
        }
    }

    /// Sends requests that wait for long to everybody, directly: gossip may have lost them.
    fn resend(&mut self) {
        let ledger = self.protocol.application();
        let waiting = ledger.pending_since(self.resend_before, RESEND_MAX);
        self.resend_before = ledger.ticket();
        let mut frame = Vec::new();
        let mut bytes = 0;
        for transaction in waiting {
            bytes += transaction.encoded_bytes();
            if bytes > REQUESTS_BYTES_MAX {
                break;
            }
            frame.push(transaction.clone());
        }
        if !frame.is_empty() {
            self.metrics.resent.inc_by(u64::try_from(frame.len()).unwrap_or(u64::MAX));
            let frame = to_wire(&FrameRef::Requests(&frame));
            self.network.broadcast(frame.into());
        }
    }

    fn set_timers(&mut self, timers: &[pbft::TimerSet]) {
        for set in timers {
            let at = Instant::now() + Duration::from_millis(set.after_ms.into());
            self.timers.insert(set.timer, at);
        }
    }
}

/// Whether gossip goes on to others: what is refused or known here costs nobody else a look.
fn any_news(results: &[Result<Admission, Rejection>]) -> bool {
    results.iter().any(|result| match result {
        Ok(Admission::Pending | Admission::Parked) => true,
        Ok(Admission::AlreadyPending) | Err(_) => false,
    })
}

/// What woke the core.
enum First {
    Input(Input),
    Request(Request),
    Nothing,
}

/// The messages of one batch as bytes. What is said to several replicas one by one is encoded, and
/// in memory, once.
#[derive(Default)]
struct Encoded<'a>(Vec<(&'a Message, Arc<[u8]>)>);

impl<'a> Encoded<'a> {
    fn bytes(&mut self, message: &'a Message) -> Arc<[u8]> {
        if let Some((_, bytes)) = self.0.iter().find(|(known, _)| *known == message) {
            return Arc::clone(bytes);
        }
        let bytes: Arc<[u8]> = crypto::encoding::to_wire(&FrameRef::Consensus(message)).into();
        self.0.push((message, Arc::clone(&bytes)));
        bytes
    }
}

/// Milliseconds since 1970, for the timestamps of blocks; never used for timers.
fn wall_clock_ms() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
