//! Everything a replica knows, and the few changes it goes through.
//!
//! There is one source of truth for what this replica has said: its own votes in the tallies of the [`Slot`]s, and
//! beside them the last vote of each phase, which outlives its slot. Nothing here decides anything: reasons are
//! the handlers', consequences are `follow`'s.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crypto::keys::Signer;
use types::application::{Application, BlockRefusal};
use types::block::{Block, BlockId, Header};
use types::certificate::Certificate;
use types::number::{Height, View};
use types::proof::ProvedBlock;
use types::quorum::Quorum;
use types::replica::ReplicaId;
use types::reply::CommittedStatement;
use types::vote::{Phase, Statement, Vote};

use crate::message::{Message, PrePrepare};
use crate::output::{Outgoing, Output, Recipients};
use crate::record::Record;
use crate::replica::Config;

pub(crate) mod slot;

use slot::{Proposal, Slot};

/// The state of one replica.
pub(crate) struct State<A> {
    pub(crate) config: Config,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) application: A,
    /// The clock, in milliseconds since 1970, as last told. Only timestamps of blocks look at it.
    pub(crate) now_ms: u64,
    pub(crate) view: View,
    pub(crate) standing: Standing,
    /// The last committed block.
    pub(crate) committed: Tip,
    /// The last prepare vote of the current view: it binds all later ones, whatever commits.
    pub(crate) last_prepare: Option<Vote>,
    /// The last commit vote at or below the committed height, said again to a peer that connects: it may lack just
    /// this one.
    pub(crate) last_commit: Option<Vote>,
    /// The highest prepared certificate.
    pub(crate) certificate: Option<Certificate>,
    /// What is known about heights above the committed one.
    pub(crate) slots: BTreeMap<Height, Slot>,
    /// The blocks of the own votes are executed up to this height; above it they wait for blocks between that were
    /// committed before a restart and not stored.
    pub(crate) executed: Height,
    /// The highest height that each replica has voted at, however far away.
    pub(crate) heard: BTreeMap<ReplicaId, Height>,
    /// Whether the primary lets requests wait for company.
    pub(crate) batch: Batch,
    /// The timestamp that the proposal timer was set for.
    pub(crate) early: Option<u64>,
    /// What this replica has just said and not yet counted itself.
    pub(crate) own: VecDeque<Message>,
}

/// A committed block, as far as the next ones need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tip {
    pub(crate) id: BlockId,
    pub(crate) header: Header,
}

impl Tip {
    pub(crate) fn new(header: Header) -> Self {
        Self { id: header.id(), header }
    }
}

/// Whether this replica votes, and if not, why and for how long: the greater, the longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// It votes.
    Voting,
    /// It does not vote in this view any more: a block was committed that is not on the chain of its votes.
    Left,
    /// It cannot execute what a quorum has committed, so its state is not theirs.
    Diverged,
    /// It never votes again under its key, which has spoken without its knowledge.
    Retired,
}

/// Whether the primary lets requests wait for others to join them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Batch {
    /// Nobody waits.
    Empty,
    /// The timer runs since the first request.
    Waiting,
    /// They have waited long enough.
    Due,
}

impl<A> State<A> {
    /// A replica that has said nothing, at a committed block.
    pub(crate) fn new(
        config: Config,
        signer: Arc<dyn Signer>,
        application: A,
        committed: Tip,
    ) -> Self {
        Self {
            config,
            signer,
            application,
            now_ms: 0,
            view: View::FIRST,
            standing: Standing::Voting,
            executed: committed.header.height,
            committed,
            last_prepare: None,
            last_commit: None,
            certificate: None,
            slots: BTreeMap::new(),
            heard: BTreeMap::new(),
            batch: Batch::Empty,
            early: None,
            own: VecDeque::new(),
        }
    }

    pub(crate) fn quorum(&self) -> Quorum {
        self.config.validators.quorum()
    }

    pub(crate) fn primary(&self) -> ReplicaId {
        self.config.validators.primary(self.view)
    }

    pub(crate) fn is_primary(&self) -> bool {
        self.primary() == self.config.replica
    }

    /// The committed height: the low watermark.
    pub(crate) fn low(&self) -> Height {
        self.committed.header.height
    }

    fn window(&self) -> u64 {
        u64::from(self.config.parameters.window_heights)
    }

    /// The highest height in the window: the high watermark.
    pub(crate) fn high(&self) -> Height {
        self.low().saturating_add(self.window())
    }

    /// The highest height of which anything is kept: one window above the high watermark, or above the last own
    /// vote where a restart has left the committed height further behind that.
    ///
    /// A peer that has committed one more block than this replica proposes and votes one height above this replica's
    /// window, and nobody would say it again. Further above, repair brings what is missing.
    pub(crate) fn kept(&self) -> Height {
        let (head, _) = self.head();
        self.high().max(head).saturating_add(self.window())
    }

    /// The height that was committed at least where somebody rightly voted at `height`.
    pub(crate) fn one_window_below(&self, height: Height) -> Height {
        height.saturating_sub(self.window())
    }

    /// Notes how far up a replica has voted.
    pub(crate) fn hear(&mut self, vote: &Vote) {
        if vote.statement.view == self.view {
            let heard = self.heard.entry(vote.replica).or_default();
            *heard = vote.statement.height.max(*heard);
        }
    }

    /// The block that the next one must be a child of: the last one voted for in this view, or the committed
    /// one when that is as high (then it is that vote's block or a descendant of it, else the voting in
    /// the view would have ended).
    pub(crate) fn head(&self) -> (Height, BlockId) {
        let committed = (self.low(), self.committed.id);
        match &self.last_prepare {
            Some(vote) if vote.statement.height > committed.0 => {
                (vote.statement.height, vote.statement.block)
            }
            Some(_) | None => committed,
        }
    }

    /// The header of the block that [`State::head`] names.
    pub(crate) fn head_header(&self) -> &Header {
        let (height, _) = self.head();
        self.proposal(height).map_or(&self.committed.header, |proposal| &proposal.block.header)
    }

    /// The height whose block this replica may vote for next, or propose: right above the head, inside the window, with
    /// the head executed.
    pub(crate) fn next_vote(&self) -> Option<Height> {
        let (head, _) = self.head();
        let next = head.checked_next()?;
        (head <= self.executed && next <= self.high()).then_some(next)
    }

    /// The proposal that waits for this replica's next vote, unless it was refused.
    pub(crate) fn next_proposal(&self) -> Option<(Height, &Proposal)> {
        let height = self.next_vote()?;
        let proposal = self.proposal(height)?;
        (!proposal.refused).then_some((height, proposal))
    }

    /// By how many milliseconds a timestamp is further ahead of the clock than allowed: 0 when it is not.
    pub(crate) fn early_ms(&self, header: &Header) -> u64 {
        let drift = u64::from(self.config.parameters.clock_drift_max_ms);
        let latest = self.now_ms.saturating_add(drift);
        header.timestamp_ms.saturating_sub(latest)
    }

    pub(crate) fn proposal(&self, height: Height) -> Option<&Proposal> {
        self.slots.get(&height)?.proposal.as_ref()
    }

    /// The own vote of this phase at this height above the committed one.
    pub(crate) fn own_vote(&self, phase: Phase, height: Height) -> Option<&Vote> {
        self.slots.get(&height)?.tally(phase).of(self.config.replica)
    }

    /// Whether the block at this height above the committed one is the one that this replica voted for.
    pub(crate) fn voted_for_proposal(&self, height: Height) -> bool {
        let voted = self.own_vote(Phase::Prepare, height).map(|vote| vote.statement.block);
        voted.is_some() && voted == self.proposal(height).map(|proposal| proposal.id)
    }

    /// The slot of a height, made if there is none yet. Only for heights above the committed one and up
    /// to the highest kept: that bounds how many there are.
    pub(crate) fn slot(&mut self, height: Height) -> &mut Slot {
        self.slots.entry(height).or_default()
    }

    /// This replica will not vote for the proposal at this height.
    pub(crate) fn refuse(&mut self, height: Height) {
        if let Some(proposal) = &mut self.slot(height).proposal {
            proposal.refused = true;
        }
    }

    /// Keeps a prepared certificate if it is the highest. A lower one never takes the place of a higher.
    pub(crate) fn raise_certificate(&mut self, certificate: &Certificate) -> bool {
        let higher = self.certificate.as_ref().map(Certificate::rank) < Some(certificate.rank());
        if higher {
            self.certificate = Some(certificate.clone());
        }
        higher
    }

    /// Signs a vote of this replica in the current view.
    pub(crate) fn sign(&self, phase: Phase, height: Height, block: BlockId) -> Vote {
        let statement = Statement { phase, view: self.view, height, block };
        let chain = self.config.validators.chain();
        Vote::sign(statement, self.config.replica, chain, self.signer.as_ref())
    }

    /// Says something new: it goes into the journal, to the others, and to itself. A prepare vote is recorded with
    /// its block.
    pub(crate) fn say(&mut self, message: Message, block: Option<Block>, output: &mut Output) {
        let vote = *message.vote();
        if vote.statement.phase == Phase::Prepare {
            self.last_prepare = Some(vote);
        }
        output.records.push(Record::Vote { vote, block });
        output.messages.push(Outgoing { to: Recipients::All, message: message.clone() });
        self.own.push_back(message);
    }

    /// Everything this replica has said about undecided heights, byte for byte, and before it its last
    /// commit vote about a decided one.
    pub(crate) fn said(&self) -> Vec<Message> {
        let decided = self.last_commit.map(Message::Commit);
        let undecided = self.slots.values().flat_map(|slot| {
            let prepare = slot.prepares.of(self.config.replica);
            let commit = slot.commits.of(self.config.replica);
            prepare
                .map(|vote| self.prepare_message(vote, slot))
                .into_iter()
                .chain(commit.copied().map(Message::Commit))
        });
        decided.into_iter().chain(undecided).collect()
    }

    /// The message in which an own prepare vote was sent: the primary's came with the block.
    fn prepare_message(&self, vote: &Vote, slot: &Slot) -> Message {
        let primary = self.config.validators.primary(vote.statement.view);
        match &slot.proposal {
            Some(proposal) if primary == vote.replica && proposal.id == vote.statement.block => {
                Message::PrePrepare(PrePrepare { block: proposal.block.clone(), vote: *vote })
            }
            Some(_) | None => Message::Prepare(*vote),
        }
    }
}

impl<A: Application> State<A> {
    /// Executes the proposal at this height on its parent.
    pub(crate) fn execute(&mut self, height: Height) -> Result<(), BlockRefusal> {
        let slot = self.slots.get(&height);
        let proposal = slot.and_then(|slot| slot.proposal.as_ref());
        let proposal = proposal.expect("the caller has looked at this proposal");
        self.application.execute(&proposal.block)
    }

    /// Executes again, after a restart, the blocks of own votes, as far up as they follow the committed one or
    /// one another without gap, and no further than the window. Only who goes on voting needs them.
    pub(crate) fn execute_voted(&mut self) -> Result<(), (Height, BlockRefusal)> {
        while self.standing == Standing::Voting
            && let height = self.executed.next()
            && height <= self.high()
            && self.voted_for_proposal(height)
        {
            self.execute(height).map_err(|refusal| (height, refusal))?;
            self.executed = height;
        }
        Ok(())
    }

    /// Makes the next block real. The caller knows that it is a child of the committed one, was executed here,
    /// and is proved.
    pub(crate) fn commit(&mut self, proved: ProvedBlock, output: &mut Output) {
        let tip = Tip::new(proved.block.header.clone());
        let height = tip.header.height;
        self.application.commit(&tip.id);
        let voted = self.own_vote(Phase::Prepare, height);
        if self.standing == Standing::Voting
            && voted.is_some_and(|vote| vote.statement.block != tip.id)
        {
            self.standing = Standing::Left;
            output.records.push(Record::Left { view: self.view, height, block: tip.id });
        }
        output.replies.push(CommittedStatement { height, block: tip.id });
        output.committed.push(proved);
        self.executed = self.executed.max(height);
        self.committed = tip;
    }
}
