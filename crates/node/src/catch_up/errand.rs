//! The loop of catch-up: what woke it, whom it asks, what it hands to the core.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crypto::signed::Signed;
use pbft::Input;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};
use types::number::Height;
use types::proof::ProvedBlock;
use types::replica::ReplicaId;

use super::plan::{Plan, RANGES_MAX, Range, Reason};
use super::question::{Outcome, Question, Reader};
use super::standing::Standings;
use super::{CatchUp, Pace, Peers};
use crate::core::{Arrived, View};
use crate::error::NodeError;
use crate::metrics::CatchUpMetrics;

/// Checked blocks, with the room that they take until the core has taken them.
type Checked = (Vec<Signed<ProvedBlock>>, OwnedSemaphorePermit);

/// Catch-up at work.
pub(super) struct Errand<P> {
    peers: Arc<P>,
    replica: ReplicaId,
    reader: Reader,
    inputs: mpsc::Sender<Arrived>,
    rivals: mpsc::Sender<ProvedBlock>,
    view: watch::Receiver<View>,
    durable: watch::Receiver<Height>,
    behind: watch::Receiver<Height>,
    connected: mpsc::Receiver<ReplicaId>,
    caught_up: watch::Sender<bool>,
    metrics: CatchUpMetrics,
    pace: Pace,
    plan: Plan<Checked>,
    standings: Standings,
    /// One permit for each range, from the question until the core has taken the blocks.
    room: Arc<Semaphore>,
    questions: JoinSet<(Question, Outcome)>,
    /// Whom to ask whether they have anything, each at most once.
    greetings: VecDeque<ReplicaId>,
    /// Who was asked last without a reason.
    greeted: ReplicaId,
    /// Whose block is to be compared.
    comparison: Option<ReplicaId>,
    /// How often a peer had no block in a row where it was to be compared.
    lower: BTreeMap<ReplicaId, u32>,
    /// The newest height here of which a peer's block was compared: once is enough.
    compared: BTreeMap<ReplicaId, Height>,
    /// Who has had nothing that was not here, since the start.
    had_nothing: BTreeSet<ReplicaId>,
    /// Who has had nothing since blocks came last.
    lacking: BTreeSet<ReplicaId>,
    /// When the next hint is looked at.
    hint_at: Instant,
    /// What was committed when the core last committed anything, and when that was seen.
    progress: (Height, Instant),
    /// What was committed a period ago.
    before: Height,
    period: Interval,
}

impl<P: Peers + 'static> Errand<P> {
    pub(super) fn new(with: CatchUp<P>) -> Self {
        let now = Instant::now();
        let committed = with.view.borrow().protocol.committed;
        let mut period = interval_at(now + with.pace.period, with.pace.period);
        period.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            peers: Arc::new(with.peers),
            replica: with.replica,
            reader: Reader { door: with.door, response_bytes_max: with.response_bytes_max },
            inputs: with.inputs,
            rivals: with.rivals,
            view: with.view,
            durable: with.durable,
            behind: with.behind,
            connected: with.connected,
            caught_up: with.caught_up,
            metrics: with.metrics,
            pace: with.pace,
            plan: Plan::new(committed),
            standings: Standings::default(),
            room: Arc::new(Semaphore::new(RANGES_MAX)),
            questions: JoinSet::new(),
            greetings: VecDeque::new(),
            greeted: with.replica,
            comparison: None,
            lower: BTreeMap::new(),
            compared: BTreeMap::new(),
            had_nothing: BTreeSet::new(),
            lacking: BTreeSet::new(),
            hint_at: now,
            progress: (committed, now),
            before: Height::GENESIS,
            period,
        }
    }

    /// Works until the core or whoever feeds it is gone.
    pub(super) async fn run(mut self) -> Result<(), NodeError> {
        while !self.inputs.is_closed() {
            self.see();
            if !self.hand_over().await {
                break;
            }
            while self.ask_next() {}
            if !self.wait().await? {
                break;
            }
        }
        Ok(())
    }

    /// Looks at what is committed and durable.
    fn see(&mut self) {
        let committed = self.view.borrow().protocol.committed;
        self.plan.see(committed, *self.durable.borrow_and_update());
        if committed > self.progress.0 || !self.plan.waits_above(committed) {
            self.progress = (committed, Instant::now());
        }
    }

    /// Gives the core what is next. Whether the core is still there.
    async fn hand_over(&mut self) -> bool {
        while let Some((blocks, room)) = self.plan.hand_over() {
            self.metrics.fetched.inc_by(u64::try_from(blocks.len()).unwrap_or(u64::MAX));
            let arrived = Arrived { input: Input::Blocks(blocks), held: room.into() };
            if self.inputs.send(arrived).await.is_err() {
                return false;
            }
        }
        true
    }

    /// Waits for the next thing to happen. Whether everybody who feeds this is still there.
    async fn wait(&mut self) -> Result<bool, NodeError> {
        let hint = async {
            sleep_until(self.hint_at).await;
            self.behind.changed().await
        };
        tokio::select! {
            Some(answered) = self.questions.join_next() => {
                let ended = |_| NodeError::Ended("a question of catch-up");
                let (question, outcome) = answered.map_err(ended)?;
                self.take(question, outcome);
            }
            connected = self.connected.recv() => match connected {
                Some(replica) => self.greet(replica),
                None => return Ok(false),
            },
            changed = hint => {
                if changed.is_err() {
                    return Ok(false);
                }
                self.hint_at = Instant::now() + self.pace.hint_gap;
                self.plan.hint(*self.behind.borrow_and_update());
            }
            changed = self.durable.changed(), if self.plan.waits() => return Ok(changed.is_ok()),
            _ = self.period.tick() => self.pass_time(),
        }
        Ok(true)
    }

    /// A period is over: somebody is asked without a reason, and a core that does not commit what
    /// it was given is not given more of it.
    fn pass_time(&mut self) {
        let (committed, since) = self.progress;
        if self.plan.waits_above(committed) && since.elapsed() >= self.pace.core_patience {
            tracing::warn!(%committed, "blocks of peers were not committed");
            self.plan.begin_again(committed);
        }
        if self.plan.is_idle() {
            let connected = self.peers.connected();
            let now = Instant::now();
            let admitted = |peer: &&ReplicaId| self.standings.admits(&connected, **peer, now);
            let mut peers = connected.iter().filter(admitted);
            let first = peers.clone().next();
            if let Some(peer) = peers.find(|peer| **peer > self.greeted).or(first).copied() {
                self.greeted = peer;
                self.greet(peer);
                // What moves shows a fork by itself: one of two is always ahead, and the other asks for its next block.
                let still = committed == std::mem::replace(&mut self.before, committed);
                let known = self.compared.get(&peer) == Some(&committed);
                self.comparison =
                    Some(peer).filter(|_| still && !known && committed > Height::GENESIS);
            }
        }
    }

    fn greet(&mut self, peer: ReplicaId) {
        if peer != self.replica && !self.greetings.contains(&peer) {
            self.greetings.push_back(peer);
        }
    }

    /// Asks one peer more, if there is something to ask, somebody to be asked, and room for what
    /// he answers.
    fn ask_next(&mut self) -> bool {
        if !self.plan.has_room() {
            return false;
        }
        let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else {
            return false;
        };
        let Some((peer, range, reason)) = self.next_question() else {
            return false;
        };
        let committed = self.view.borrow().protocol.committed;
        let question = Question {
            peer,
            range,
            reason,
            everything: range.from <= committed.next(),
            patience: self.standings.patience(peer, self.pace.patience),
            room,
        };
        self.plan.ask(peer, range, reason);
        self.questions.spawn(question.ask(Arc::clone(&self.peers), self.reader.clone()));
        true
    }

    /// What is missed comes first; whoever only may have something is asked when nothing is kept.
    fn next_question(&mut self) -> Option<(ReplicaId, Range, Reason)> {
        let connected = self.peers.connected();
        let now = Instant::now();
        if let Some(Range { from, .. }) = self.plan.missed(1) {
            let is_asked = |peer| self.plan.is_asked(peer);
            let peer = self.standings.choose(&connected, is_asked, from, now);
            if let Some(peer) = peer {
                let range = self.plan.missed(self.standings.count(peer))?;
                return Some((peer, range, Reason::Missed));
            }
        }
        if !self.plan.is_idle() {
            return None;
        }
        self.greetings.retain(|peer| connected.contains(peer));
        let place = self.greetings.iter().position(|peer| {
            !self.plan.is_asked(*peer) && self.standings.admits(&connected, *peer, now)
        });
        if let Some(peer) = place.and_then(|place| self.greetings.remove(place)) {
            let range = Range { from: self.plan.next(), count: self.standings.count(peer) };
            return Some((peer, range, Reason::Greeting));
        }
        let peer = self.comparison.filter(|peer| !self.plan.is_asked(*peer))?;
        self.comparison = None;
        let newest = self.view.borrow().protocol.committed.get();
        // The newest one, and of a peer that has not come so far one that is 1, 2, 4, 8 … lower.
        let lower = self.lower.get(&peer).and_then(|times| times.checked_sub(1));
        let lower = lower.map_or(0, |power| 1_u64.checked_shl(power).unwrap_or(u64::MAX));
        let from = Height::new(newest.saturating_sub(lower).max(1));
        Some((peer, Range { from, count: 1 }, Reason::Comparison))
    }

    /// Takes what became of a question.
    fn take(&mut self, question: Question, outcome: Outcome) {
        let Question { peer, range, reason, everything, patience: _, room } = question;
        let now = Instant::now();
        self.plan.answered(peer);
        match outcome {
            Outcome::Nothing if reason == Reason::Comparison => {
                let times = self.lower.entry(peer).or_default();
                *times = if range.from.get() > 1 { times.saturating_add(1) } else { 0 };
            }
            Outcome::Blocks { blocks, forged: false } if reason == Reason::Comparison => {
                self.lower.remove(&peer);
                for block in blocks {
                    let height = block.get().block.header.height;
                    // What finds no room is met again.
                    if self.rivals.try_send(block.into_inner()).is_ok() {
                        self.compared.insert(peer, height);
                    }
                }
            }
            Outcome::Blocks { blocks, forged } => {
                if forged {
                    self.refuse(peer, range, now);
                } else {
                    let given = u32::try_from(blocks.len()).unwrap_or(u32::MAX);
                    self.standings.good(peer, range.count, given);
                }
                if reason == Reason::Greeting && !forged && !*self.caught_up.borrow() {
                    self.greet(peer);
                }
                self.lacking.clear();
                if let Some(last) = blocks.last() {
                    let last = last.get().block.header.height;
                    self.plan.arrived(range, last, (blocks, room));
                }
            }
            Outcome::Nothing => {
                self.standings.nothing(peer, range.from, now);
                self.lacks(peer, everything);
            }
            Outcome::Refused => self.refuse(peer, range, now),
            Outcome::Silent => {
                self.metrics.unanswered.inc();
                self.standings.silent(peer, now);
            }
            Outcome::Unasked => self.standings.unasked(peer, now),
        }
    }

    fn refuse(&mut self, peer: ReplicaId, range: Range, now: Instant) {
        self.metrics.refused.inc();
        self.standings.bad(peer, now);
        tracing::warn!(%peer, from = %range.from, "a peer sent other blocks than were asked for");
    }

    /// A peer had nothing. One may lie; of t + 1 one does not.
    fn lacks(&mut self, peer: ReplicaId, everything: bool) {
        let enough = self.reader.door.validators().quorum().reply();
        self.lacking.insert(peer);
        if self.lacking.len() >= enough.min(self.peers.connected().len()).max(1) {
            self.lacking.clear();
            self.plan.give_up();
        }
        if everything {
            self.had_nothing.insert(peer);
        }
        if self.had_nothing.len() >= enough {
            self.caught_up.send_if_modified(|caught_up| !std::mem::replace(caught_up, true));
        }
    }
}
