//! Everything a replica knows, and the few changes it goes through.
//!
//! There is one source of truth for what this replica has said in its view: its own votes in the tallies of the
//! [`Slot`]s, and beside them the last vote of each phase, which outlives its slot. Nothing here decides anything:
//! reasons are the handlers', consequences are `follow`'s.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crypto::keys::Signer;
use types::application::{Application, BlockRefusal};
use types::block::{Block, BlockId, Body, Header, evidence_bytes};
use types::certificate::Certificate;
use types::evidence::Evidence;
use types::mutant;
use types::number::{Height, View};
use types::proof::{DESCENDANTS_MAX, ProvedBlock};
use types::quorum::Quorum;
use types::replica::ReplicaId;
use types::reply::CommittedStatement;
use types::view_change::{NewView, ViewChange};
use types::vote::{Phase, Statement, Vote};

use crate::message::{Message, PrePrepare};
use crate::output::{Outgoing, Output, Recipients};
use crate::record::Record;
use crate::replica::Config;

pub(crate) mod pace;
pub(crate) mod path;
pub(crate) mod slot;

mod key;
mod lies;
mod outline;
mod standpoint;
mod views;

use pace::Pace;
use path::Path;
use slot::{Proposal, Slot};

/// The state of one replica.
#[derive(Clone)]
pub(crate) struct State<A> {
    pub(crate) config: Config,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) application: A,
    /// The clock, in milliseconds since 1970, as last told. Only timestamps of blocks look at it.
    pub(crate) wall_ms: u64,
    pub(crate) pace: Pace,
    pub(crate) view: View,
    pub(crate) stage: Stage,
    pub(crate) standing: Standing,
    /// The new view of this view, once it was accepted; the first view needs none.
    pub(crate) new_view: Option<NewView>,
    /// What the greatest certificate of the accepted new view certifies.
    pub(crate) tip: Option<Statement>,
    /// Whether something was committed by votes of this view: only then is its window open.
    pub(crate) opened: bool,
    /// The last committed block.
    pub(crate) committed: Tip,
    /// The last prepare vote of the current view: it binds all later ones, whatever commits.
    pub(crate) last_prepare: Option<Vote>,
    /// The last commit vote at or below the committed height, said again to a peer that connects: it may lack just
    /// this one.
    pub(crate) last_commit: Option<Vote>,
    /// The place of the greatest own vote of each phase, over the whole life of the key as far as the journal knows.
    pub(crate) spoken: Spoken,
    /// The highest prepared certificate that this replica has voted on: in the journal.
    pub(crate) prepared: Option<Certificate>,
    /// The highest certificate known, of whichever kind and from whomever: never below the prepared one.
    pub(crate) certificate: Option<Certificate>,
    /// What is known about heights above the committed one, in this view.
    pub(crate) slots: BTreeMap<Height, Slot>,
    /// What this replica stands on.
    pub(crate) path: Path,
    /// The blocks of the path are executed up to this height.
    pub(crate) executed: Height,
    /// The last view change of each replica for a view that was not entered, the own one included.
    pub(crate) view_changes: BTreeMap<ReplicaId, ViewChange>,
    /// What is known of each of the others.
    pub(crate) peers: BTreeMap<ReplicaId, Peer>,
    /// Whether the primary lets requests wait for company.
    pub(crate) batch: Batch,
    /// The timestamp that the proposal timer was set for.
    pub(crate) early: Option<u64>,
    /// Whether a request is starved, as of the last status.
    pub(crate) starved: bool,
    /// The view and the height committed when this replica last said where it stands.
    pub(crate) status_at: Option<(View, Height)>,
    /// What this replica has just said and not yet counted itself.
    pub(crate) own: VecDeque<Message>,
    /// Who was accused of what, so that it is said once.
    pub(crate) accused: BTreeSet<(ReplicaId, &'static str)>,
    /// The shortest proof against each replica that lied.
    pub(crate) evidence: BTreeMap<ReplicaId, Piece>,
}

/// A proof that a key lied.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) evidence: Evidence,
    /// What it takes in a body.
    bytes: usize,
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

/// How a replica has come to its view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It has accepted the new view, or it is the first view: it may vote.
    Entered,
    /// It asks for the view.
    Asked,
    /// It has seen a certificate of the view, and waits to be shown its new view.
    Moved,
}

/// Whether this replica votes, and if not, why and for how long: the greater, the longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// It votes.
    Voting,
    /// It does not vote in this view any more: a block was committed that is not on the chain it stood on.
    Left,
    /// It cannot execute what a quorum has committed, so its state is not theirs.
    Diverged,
    /// It never votes again under its key, which has spoken without its knowledge.
    Retired,
}

/// The places of the greatest own votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Spoken {
    prepare: Option<(View, Height)>,
    commit: Option<(View, Height)>,
}

impl Spoken {
    pub(crate) const fn last(&self, phase: Phase) -> Option<(View, Height)> {
        match phase {
            Phase::Prepare => self.prepare,
            Phase::Commit => self.commit,
        }
    }

    pub(crate) fn note(&mut self, statement: &Statement) {
        let place = Some((statement.view, statement.height));
        let last = match statement.phase {
            Phase::Prepare => &mut self.prepare,
            Phase::Commit => &mut self.commit,
        };
        *last = place.max(*last);
    }
}

/// What is known of another replica.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Peer {
    /// The highest height it has voted at in this view, however far away.
    pub(crate) voted: Height,
    /// The height it says it has committed: a hint, never a fact.
    pub(crate) committed: Height,
    /// Its greatest commit vote, by view and height.
    pub(crate) commit: Option<Vote>,
    /// Whether it was answered since this replica last said where it stands.
    pub(crate) answered: bool,
    /// How often it connected, and was told what matters, since then.
    pub(crate) greeted: u8,
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
        let own = config.replica;
        let others = config.validators.iter().map(|(replica, _)| replica);
        let peers = others.filter(|replica| *replica != own);
        Self {
            pace: Pace::new(config.parameters.view_timeout_ms),
            peers: peers.map(|replica| (replica, Peer::default())).collect(),
            config,
            signer,
            application,
            wall_ms: 0,
            view: View::FIRST,
            stage: Stage::Entered,
            standing: Standing::Voting,
            new_view: None,
            tip: None,
            opened: false,
            executed: committed.header.height,
            committed,
            last_prepare: None,
            last_commit: None,
            spoken: Spoken::default(),
            prepared: None,
            certificate: None,
            slots: BTreeMap::new(),
            path: Path::default(),
            view_changes: BTreeMap::new(),
            batch: Batch::Empty,
            early: None,
            starved: false,
            status_at: None,
            own: VecDeque::new(),
            accused: BTreeSet::new(),
            evidence: BTreeMap::new(),
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

    /// Whether this replica votes in its view.
    pub(crate) fn is_voting(&self) -> bool {
        self.standing == Standing::Voting && self.stage == Stage::Entered
    }

    /// Whether this replica may sign anything at all that binds it.
    pub(crate) fn may_speak(&self) -> bool {
        self.standing < Standing::Diverged
    }

    /// The committed height: the low watermark.
    pub(crate) fn low(&self) -> Height {
        self.committed.header.height
    }

    fn window(&self) -> u64 {
        u64::from(self.config.parameters.window_heights)
    }

    /// The highest height in the window: the high watermark. In a later view than the first it is one above the tip
    /// until something commits in the view.
    pub(crate) fn high(&self) -> Height {
        let tip = self.tip.map_or(Height::GENESIS, |tip| tip.height);
        let high = self.low().saturating_add(self.window()).max(tip);
        mutant!(WindowStands => { return Height::new(self.window()) });
        if self.view == View::FIRST || self.opened {
            return high;
        }
        tip.max(self.low()).next().min(high)
    }

    /// The highest height of which anything is kept: two windows above the committed height, or one above the head
    /// where a restart has left the committed height further behind than that.
    ///
    /// A peer that has committed one more block than this replica proposes and votes one height above this replica's
    /// window, and says it again only when it is asked.
    pub(crate) fn kept(&self) -> Height {
        let (head, _) = self.head();
        self.low().saturating_add(self.window()).max(head).saturating_add(self.window())
    }

    /// Whether anything is kept of this height above the committed one: up to two windows above that, and a window around
    /// the head. In between, however far that is, only what this replica itself has voted for.
    pub(crate) fn is_kept(&self, height: Height) -> bool {
        let (head, _) = self.head();
        let window = self.window();
        height <= self.low().saturating_add(window).saturating_add(window)
            || (height >= head.saturating_sub(window) && height <= self.kept())
            || self.slots.contains_key(&height)
    }

    /// The block whose body it asks for and takes from anybody. None while the head is further away than a certificate
    /// can prove: what lies between is caught up with, not kept.
    pub(crate) fn missing(&self) -> Option<BlockId> {
        let (head, _) = self.head();
        let far = usize::try_from(head.above(self.low())).is_ok_and(|far| far > DESCENDANTS_MAX);
        self.path.missing().filter(|_| !far)
    }

    /// The height that was committed at least where somebody rightly voted at `height`.
    pub(crate) fn one_window_below(&self, height: Height) -> Height {
        height.saturating_sub(self.window())
    }

    /// Notes that another replica has spoken, how far up it votes, and this replica's own words in what it shows.
    pub(crate) fn hear(&mut self, author: ReplicaId, message: &Message, output: &mut Output) {
        self.pace.heard(author);
        if let (Some(vote), Some(peer)) = (message.vote(), self.peers.get_mut(&author))
            && vote.statement.view == self.view
        {
            peer.voted = vote.statement.height.max(peer.voted);
        }
        let shown: &[ViewChange] = match message {
            Message::ViewChange(asked) => std::slice::from_ref(asked),
            Message::NewView(new_view) => &new_view.view_changes,
            Message::PrePrepare(_)
            | Message::Prepare(_)
            | Message::Commit(_)
            | Message::Status(_)
            | Message::Handover(_) => &[],
        };
        for asked in shown {
            if asked.replica == self.config.replica
                && let Some(reason) = self.unknown_view_change(asked)
            {
                self.retire(reason, output);
            }
            if let Some(certificate) = &asked.certificate {
                self.question_certificate(certificate, output);
            }
        }
    }

    /// The block that the next one must be a child of: the last one of the path, or the committed one (then it is the
    /// block of the last vote in this view, or the tip, or a descendant of it, else the voting in the view would
    /// have ended).
    pub(crate) fn head(&self) -> (Height, BlockId) {
        self.path.head().unwrap_or((self.low(), self.committed.id))
    }

    /// The header of the block that [`State::head`] names, once that is executed.
    pub(crate) fn head_header(&self) -> &Header {
        let (_, id) = self.head();
        self.path.block(&id).map_or(&self.committed.header, |block| &block.header)
    }

    /// The height whose block this replica may vote for next, or propose: right above the head, inside the window, with
    /// the head executed.
    pub(crate) fn next_vote(&self) -> Option<Height> {
        let (head, _) = self.head();
        let next = head.checked_next()?;
        (head <= self.executed && next <= self.high()).then_some(next)
    }

    /// The tip of the new view, while it is to be proposed and voted for again: its greatest certificate is a
    /// prepared one, this replica has not voted in the view, and what leads to the tip is here and executed, as far as
    /// the window reaches. (All may have lost what they had committed and not made durable, so that the tip is
    /// further away for everybody. Then its certificate alone vouches for the rest, which is executed when it is
    /// committed.)
    pub(crate) fn tip_again(&self) -> Option<&Statement> {
        let tip = self.tip.as_ref()?;
        let due = tip.phase == Phase::Prepare
            && self.last_prepare.is_none()
            && tip.height > self.low()
            && tip.height.min(self.low().saturating_add(self.window())) <= self.executed;
        due.then_some(tip)
    }

    /// The proposal that waits for this replica's next vote, unless it was refused: the tip's, or the one above
    /// the head.
    pub(crate) fn next_proposal(&self) -> Option<(Height, &Proposal)> {
        let again = self.tip_again().map(|tip| tip.height);
        [again, self.next_vote()].into_iter().flatten().find_map(|height| {
            let proposal = self.proposal(height)?;
            (!proposal.refused).then_some((height, proposal))
        })
    }

    /// By how many milliseconds a timestamp is further ahead of the clock than allowed: 0 when it is not.
    pub(crate) fn early_ms(&self, header: &Header) -> u64 {
        let drift = u64::from(self.config.parameters.clock_drift_max_ms);
        let latest = self.wall_ms.saturating_add(drift);
        header.timestamp_ms.saturating_sub(latest)
    }

    pub(crate) fn proposal(&self, height: Height) -> Option<&Proposal> {
        self.slots.get(&height)?.proposal.as_ref()
    }

    /// A block above the committed one that is here: kept, or only proposed.
    pub(crate) fn block(&self, height: Height, id: &BlockId) -> Option<&Arc<Block>> {
        let proposed = || self.proposal(height).filter(|proposal| proposal.id == *id);
        self.path.block(id).or_else(|| proposed().map(|proposal| &proposal.block))
    }

    /// The own vote of this phase at this height above the committed one, in this view.
    pub(crate) fn own_vote(&self, phase: Phase, height: Height) -> Option<&Vote> {
        self.slots.get(&height)?.tally(phase).of(self.config.replica)
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

    /// Keeps a certificate if it is the highest. A lower one never takes the place of a higher.
    pub(crate) fn raise_certificate(&mut self, certificate: &Certificate) {
        raise(&mut self.certificate, certificate);
    }

    /// Keeps a prepared certificate that this replica votes on. Whether it is the highest, and so must be recorded.
    pub(crate) fn raise_prepared(&mut self, certificate: &Certificate) -> bool {
        raise(&mut self.certificate, certificate);
        raise(&mut self.prepared, certificate)
    }

    /// Signs a vote of this replica in the current view.
    pub(crate) fn sign(&self, phase: Phase, height: Height, block: BlockId) -> Vote {
        let statement = Statement { phase, view: self.view, height, block };
        let chain = self.config.validators.chain();
        Vote::sign(statement, self.config.replica, chain, self.signer.as_ref())
    }

    /// Gives a vote: it goes into the journal, to the others, and to itself. A prepare vote is recorded with
    /// its block, which from now on is the head of the path and kept.
    pub(crate) fn vote(
        &mut self,
        message: Message,
        block: Option<Arc<Block>>,
        output: &mut Output,
    ) {
        let vote = *message.vote().expect("a vote is given with a message that carries one");
        let Statement { phase, height, block: id, .. } = vote.statement;
        if phase == Phase::Prepare {
            self.last_prepare = Some(vote);
            self.path.push(height, id);
            self.pace.voted(height);
        }
        self.spoken.note(&vote.statement);
        let recorded = block.as_deref().cloned();
        if let Some(block) = block {
            self.path.keep(id, block);
        }
        output.records.push(Record::Vote { vote, block: recorded });
        output.messages.push(Outgoing { to: Recipients::All, message: message.clone() });
        self.own.push_back(message);
    }

    /// Everything this replica has said that still matters, byte for byte: what it asks for, or the new view that it
    /// made, its votes about undecided heights, and its last commit vote about a decided one.
    pub(crate) fn said(&self) -> Vec<Message> {
        let own = self.config.replica;
        let asked = self.view_changes.get(&own).cloned().map(Message::ViewChange);
        let made = self.new_view.clone().filter(|_| self.is_primary()).map(Message::NewView);
        let decided = self.last_commit.map(Message::Commit);
        let undecided = self.slots.values().flat_map(|slot| {
            let prepare = slot.prepares.of(own).map(|vote| self.prepare_message(vote));
            let commit = slot.commits.of(own).copied().map(Message::Commit);
            prepare.into_iter().chain(commit)
        });
        asked.into_iter().chain(made).chain(decided).chain(undecided).collect()
    }

    /// The message in which a prepare vote is sent: the primary's comes with the block.
    pub(crate) fn prepare_message(&self, vote: &Vote) -> Message {
        let Statement { view, height, block: id, .. } = vote.statement;
        let block = self.block(height, &id);
        match block.filter(|_| self.config.validators.primary(view) == vote.replica) {
            Some(block) => {
                let block = Block::clone(block);
                Message::PrePrepare(PrePrepare { block, vote: *vote })
            }
            None => Message::Prepare(*vote),
        }
    }

    /// Proves a lie, once for each replica and kind.
    pub(crate) fn accuse(&mut self, evidence: Evidence, output: &mut Output) {
        let accused = evidence.accused(&self.config.validators);
        if self.accused.insert((accused, evidence.name())) {
            let bytes = evidence_bytes(&evidence);
            if self.evidence.get(&accused).is_none_or(|known| known.bytes > bytes) {
                let evidence = evidence.clone();
                self.evidence.insert(accused, Piece { evidence, bytes });
            }
            output.evidence.push(evidence);
        }
    }
}

fn raise(highest: &mut Option<Certificate>, certificate: &Certificate) -> bool {
    let higher = highest.as_ref().map(Certificate::rank) < Some(certificate.rank());
    if higher || mutant!(LowerCertificate) {
        *highest = Some(certificate.clone());
    }
    higher
}

impl<A: Application> State<A> {
    /// Whether this replica has proof that another one lied, its own or that of a committed block. Such a one leads no
    /// view: replicas that do not know of it yet lose time, and nothing else.
    pub(crate) fn is_convicted(&self, replica: ReplicaId) -> bool {
        self.evidence.contains_key(&replica)
            || self.application.is_convicted(replica, &self.committed.id)
    }

    /// Whom to accuse next: somebody whose lie is in no block up to the head, which must be executed, and fits into one.
    pub(crate) fn accusable(&self) -> Option<ReplicaId> {
        let (_, head) = self.head();
        let room = usize::try_from(self.config.parameters.block_bytes_max).unwrap_or(usize::MAX);
        let room = room.saturating_sub(Body::EMPTY_BYTES);
        let mut known = self.evidence.iter().filter(|(_, piece)| piece.bytes <= room);
        let news = known.find(|(accused, _)| !self.application.is_convicted(**accused, &head));
        news.map(|(accused, _)| *accused)
    }

    /// Executes the blocks of the path, as far up as they follow the committed one without gap, and no further than one
    /// window. Only who goes on voting needs them.
    pub(crate) fn execute_path(&mut self) -> Result<(), (Height, BlockRefusal)> {
        self.path.reach_down(self.committed.header.height);
        while self.is_voting()
            && let height = self.executed.next()
            && height <= self.low().saturating_add(self.window())
            && let Some(id) = self.path.at(height)
            && let Some(block) = self.path.block(&id)
        {
            self.application.execute(block).map_err(|refusal| (height, refusal))?;
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
        if self.path.at(height).is_some_and(|id| id != tip.id) {
            self.stray(height, tip.id, output);
        }
        self.opened |= proved.proof.certificate.statement.view == self.view;
        self.raise_certificate(&proved.proof.certificate);
        self.pace.committed(height);
        output.replies.push(CommittedStatement { height, block: tip.id });
        output.committed.push(proved);
        self.executed = self.executed.max(height);
        self.committed = tip;
    }

    /// This replica stands on another chain than the committed one: it votes no more in this view.
    pub(crate) fn stray(&mut self, height: Height, block: BlockId, output: &mut Output) {
        self.path.clear();
        self.executed = height;
        mutant!(StrayVotes => { return });
        if self.standing == Standing::Voting {
            self.standing = Standing::Left;
            output.records.push(Record::Left { view: self.view, height, block });
        }
    }
}
