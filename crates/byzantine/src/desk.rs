//! What a strategy works with: its key, its chance, what it has heard, and where it stands.

use std::collections::BTreeSet;
use std::sync::Arc;

use crypto::keys::Signer;
use pbft::{Message, Outgoing, Overview, PrePrepare, Recipients};
use types::block::Block;
use types::certificate::Certificate;
use types::number::View;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;
use types::view_change::ViewChange;
use types::vote::{Phase, Statement, Vote};

use crate::Random;
use crate::attack::Knobs;
use crate::memory::Memory;

/// The desk at which a traitor writes.
pub struct Desk {
    pub(crate) own: ReplicaId,
    pub(crate) validators: ValidatorSet,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) random: Random,
    /// Where the replica inside stood before this step.
    pub(crate) at: Overview,
    /// Milliseconds of the clock that only goes forward.
    pub(crate) now_ms: u64,
    /// Of the attack at work.
    pub(crate) knobs: Knobs,
    /// What was heard, and what the replica inside has said.
    pub(crate) memory: Memory,
    /// When it must be woken, on the clock that only goes forward.
    pub(crate) alarm_ms: Option<u64>,
}

impl Desk {
    /// A desk of this replica, on which nothing lies yet.
    pub(crate) fn new(
        own: ReplicaId,
        validators: ValidatorSet,
        signer: Arc<dyn Signer>,
        random: Random,
        at: Overview,
    ) -> Self {
        Self {
            own,
            validators,
            signer,
            random,
            at,
            now_ms: 0,
            knobs: Knobs::default(),
            memory: Memory::default(),
            alarm_ms: None,
        }
    }

    /// Whether an attack that happens in some cases only happens in this one.
    pub(crate) fn is_time(&mut self) -> bool {
        self.random.chance(self.knobs.chance_per_mille)
    }

    /// All replicas but this one.
    pub(crate) fn others(&self) -> Vec<ReplicaId> {
        let all = self.validators.iter().map(|(replica, _)| replica);
        all.filter(|replica| *replica != self.own).collect()
    }

    /// The others among those whom something is for.
    pub(crate) fn receivers(&self, to: Recipients) -> Vec<ReplicaId> {
        match to {
            Recipients::All => self.others(),
            Recipients::One(other) => vec![other],
        }
    }

    /// The victims, or half of the others when nobody is named.
    pub(crate) fn half(&self) -> BTreeSet<ReplicaId> {
        if !self.knobs.victims.is_empty() {
            return self.knobs.victims.clone();
        }
        let others = self.others();
        let half = others.len().div_ceil(2);
        others.into_iter().take(half).collect()
    }

    /// As many of the others as make a quorum with it, the victims first.
    pub(crate) fn bare_quorum(&self) -> BTreeSet<ReplicaId> {
        let victims = &self.knobs.victims;
        let mut others = self.others();
        others.sort_by_key(|other| !victims.contains(other));
        others.into_iter().take(self.validators.quorum().q().saturating_sub(1)).collect()
    }

    /// Whether it is the primary of a view.
    pub(crate) fn leads(&self, view: View) -> bool {
        self.validators.primary(view) == self.own
    }

    /// Asks to be woken not later than at this time.
    pub(crate) fn wake_at(&mut self, at_ms: u64) {
        self.alarm_ms = Some(self.alarm_ms.map_or(at_ms, |alarm_ms| alarm_ms.min(at_ms)));
    }

    /// Its own vote in a message that says nothing else.
    pub(crate) fn own_vote<'a>(&self, message: &'a Message) -> Option<&'a Vote> {
        match message {
            Message::Prepare(vote) | Message::Commit(vote) => {
                Some(vote).filter(|vote| vote.replica == self.own)
            }
            Message::PrePrepare(_)
            | Message::ViewChange(_)
            | Message::NewView(_)
            | Message::Status(_)
            | Message::Handover(_) => None,
        }
    }

    /// Its own proposal of a new block in a message.
    pub(crate) fn own_new_block<'a>(&self, message: &'a Message) -> Option<&'a PrePrepare> {
        match message {
            Message::PrePrepare(proposal) => {
                Some(proposal).filter(|proposal| self.is_own_first_proposal(proposal))
            }
            Message::Prepare(_)
            | Message::Commit(_)
            | Message::ViewChange(_)
            | Message::NewView(_)
            | Message::Status(_)
            | Message::Handover(_) => None,
        }
    }

    /// Its own view change in a message.
    pub(crate) fn own_view_change<'a>(&self, message: &'a Message) -> Option<&'a ViewChange> {
        match message {
            Message::ViewChange(asked) => Some(asked).filter(|asked| asked.replica == self.own),
            Message::PrePrepare(_)
            | Message::Prepare(_)
            | Message::Commit(_)
            | Message::NewView(_)
            | Message::Status(_)
            | Message::Handover(_) => None,
        }
    }

    /// A request for a view of its own.
    pub(crate) fn view_change(&self, view: View, certificate: Option<Certificate>) -> ViewChange {
        let chain = self.validators.chain();
        ViewChange::sign(view, certificate, self.own, chain, self.signer.as_ref())
    }

    /// The greatest certificate of a view below this one that it can make.
    pub(crate) fn greatest_certificate(&self, below: View) -> Option<Certificate> {
        let quorum = self.validators.quorum().q();
        let sign = |statement: &Statement| self.vote(statement.phase, statement).signature;
        self.memory.greatest(quorum, below, self.own, sign)
    }

    /// A vote of its own.
    pub(crate) fn vote(&self, phase: Phase, statement: &Statement) -> Vote {
        let statement = Statement { phase, ..*statement };
        Vote::sign(statement, self.own, self.validators.chain(), self.signer.as_ref())
    }

    /// A vote of its own, as it is sent.
    pub(crate) fn vote_message(&self, statement: &Statement) -> Message {
        as_message(self.vote(statement.phase, statement))
    }

    /// A commit vote of its own for what a statement is about.
    pub(crate) fn commit(&self, statement: &Statement) -> Vote {
        self.vote(Phase::Commit, statement)
    }

    /// A proposal of this block under its own key.
    pub(crate) fn propose(&self, block: Block, view: View) -> PrePrepare {
        let (height, id) = (block.header.height, block.id());
        let statement = Statement { phase: Phase::Prepare, view, height, block: id };
        PrePrepare { vote: self.vote(Phase::Prepare, &statement), block }
    }

    /// Whether this is a proposal of its own, for the first time in any view.
    pub(crate) fn is_own_first_proposal(&self, proposal: &PrePrepare) -> bool {
        proposal.vote.replica == self.own
            && proposal.block.header.view == proposal.vote.statement.view
    }
}

/// A vote, as it is sent.
pub(crate) const fn as_message(vote: Vote) -> Message {
    match vote.statement.phase {
        Phase::Prepare => Message::Prepare(vote),
        Phase::Commit => Message::Commit(vote),
    }
}

/// The same to everybody.
pub(crate) const fn to_all(message: Message) -> Outgoing {
    Outgoing { to: Recipients::All, message }
}

/// Something to one replica.
pub(crate) const fn to_one(other: ReplicaId, message: Message) -> Outgoing {
    Outgoing { to: Recipients::One(other), message }
}

/// Keeps what is said of its own accord within bounds: once in a period.
#[derive(Debug, Default)]
pub(crate) struct Every {
    next_ms: u64,
}

impl Every {
    /// Whether a period has passed since the last time.
    pub(crate) const fn is_due(&mut self, now_ms: u64, period_ms: u64) -> bool {
        if now_ms < self.next_ms {
            return false;
        }
        self.next_ms = now_ms.saturating_add(period_ms);
        true
    }
}
