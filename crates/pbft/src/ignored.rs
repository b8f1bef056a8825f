//! Why a message, a proposal or a block was not acted upon.
//!
//! These are no faults: a lagging or lying peer, a duplicate or an early message are part of a day's work.
//! Nothing here accuses anybody; evidence does that. Each reason is counted by its [name](Ignored::name).

use types::application::BlockRefusal;
use types::number::{Height, View};
use types::replica::ReplicaId;

/// One reason, with the values it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// A message of another view than this replica's.
    OtherView {
        /// Who signed it.
        replica: ReplicaId,
        /// The view it names.
        view: View,
    },
    /// A message about a height that is committed here.
    AlreadyCommitted {
        /// Who signed it.
        replica: ReplicaId,
        /// The height it names.
        height: Height,
    },
    /// A message about a height too far above the committed one to be kept; repair brings it again.
    AboveWindow {
        /// Who signed it.
        replica: ReplicaId,
        /// The height it names.
        height: Height,
    },
    /// A pre-prepare by a replica that is not the primary of its view.
    NotPrimary {
        /// Who signed it.
        replica: ReplicaId,
    },
    /// A proposal that is here already.
    RepeatedProposal {
        /// Its height.
        height: Height,
    },
    /// The primary proposes, or has voted for, another block at this height. The first stands.
    RivalProposal {
        /// The height of both.
        height: Height,
    },
    /// A vote that was counted already.
    RepeatedVote {
        /// Who signed it.
        replica: ReplicaId,
        /// The height it names.
        height: Height,
    },
    /// The replica voted for another block in this phase, view and height. The first counts.
    RivalVote {
        /// Who signed both.
        replica: ReplicaId,
        /// The height of both.
        height: Height,
    },
    /// A view change that was here already, or another one of the same replica for the same view.
    RepeatedViewChange {
        /// Who signed it.
        replica: ReplicaId,
        /// The view it asks for.
        view: View,
    },
    /// A new view for a view that was entered with one.
    RepeatedNewView {
        /// The view.
        view: View,
    },
    /// A status, or a connection, of a replica that was answered a moment ago.
    AnsweredAlready {
        /// Whose it is.
        replica: ReplicaId,
    },
    /// A block that was not asked for.
    NotMissing {
        /// Who handed it over.
        replica: ReplicaId,
    },
    /// A proof of this kind against a replica, which was known to have lied so.
    RepeatedEvidence {
        /// Who lied.
        replica: ReplicaId,
    },
    /// A message of this replica that came back.
    OwnMessage {
        /// This replica.
        replica: ReplicaId,
    },
    /// A message under this replica's own key that it knows nothing of: from now on it never votes again.
    UnknownOwnMessage {
        /// This replica.
        replica: ReplicaId,
    },
    /// A proposal that this replica will not vote for.
    Refused {
        /// Its height.
        height: Height,
        /// What is wrong with it.
        refusal: Refusal,
    },
    /// A proved block that is neither committed here nor the next one.
    NotNext {
        /// Its height.
        height: Height,
    },
    /// A proved block other than the one committed here at this height: more than t validators lied, or
    /// this replica's own past is damaged.
    Fork {
        /// The height of both.
        height: Height,
    },
    /// A quorum committed a block whose execution fails here: this replica's state is not theirs. It stays
    /// where it is and no longer votes.
    Diverged {
        /// The height of the block.
        height: Height,
        /// How its execution failed.
        refusal: BlockRefusal,
    },
}

/// Why a proposal gets no vote (protocol page, section 3, rule 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Its header is of another chain.
    ForeignChain,
    /// Its header names another view than it was proposed in.
    HeaderView,
    /// Its header names another proposer than the primary.
    HeaderProposer,
    /// It is in the place of the tip that the new view goes on from, and is not the tip.
    NotTheTip,
    /// It has no transaction.
    EmptyBody,
    /// It is not a child of the last block voted for, or of the committed one.
    WrongParent,
    /// Its timestamp is not later than its parent's.
    TimestampNotLater,
    /// The application refuses it.
    Execution(BlockRefusal),
}

impl Ignored {
    /// A short name for counting, stable over versions.
    pub fn name(&self) -> &'static str {
        match self {
            Self::OtherView { .. } => "other-view",
            Self::AlreadyCommitted { .. } => "already-committed",
            Self::AboveWindow { .. } => "above-window",
            Self::NotPrimary { .. } => "not-primary",
            Self::RepeatedProposal { .. } => "repeated-proposal",
            Self::RivalProposal { .. } => "rival-proposal",
            Self::RepeatedVote { .. } => "repeated-vote",
            Self::RivalVote { .. } => "rival-vote",
            Self::RepeatedViewChange { .. } => "repeated-view-change",
            Self::RepeatedNewView { .. } => "repeated-new-view",
            Self::AnsweredAlready { .. } => "answered-already",
            Self::NotMissing { .. } => "not-missing",
            Self::RepeatedEvidence { .. } => "repeated-evidence",
            Self::OwnMessage { .. } => "own-message",
            Self::UnknownOwnMessage { .. } => "unknown-own-message",
            Self::Refused { refusal, .. } => refusal.name(),
            Self::NotNext { .. } => "not-next",
            Self::Fork { .. } => "fork",
            Self::Diverged { .. } => "diverged",
        }
    }
}

impl Refusal {
    /// A short name for counting, stable over versions.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ForeignChain => "refused-foreign-chain",
            Self::HeaderView => "refused-header-view",
            Self::HeaderProposer => "refused-header-proposer",
            Self::NotTheTip => "refused-not-the-tip",
            Self::EmptyBody => "refused-empty-body",
            Self::WrongParent => "refused-wrong-parent",
            Self::TimestampNotLater => "refused-timestamp",
            Self::Execution(_) => "refused-execution",
        }
    }
}

#[cfg(test)]
mod tests;
