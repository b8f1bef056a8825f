//! What a message says, as far as a person wants to see it.

use std::fmt;

use pbft::Message;
use serde::{Deserialize, Serialize};
use types::evidence::Evidence;
use types::validators::ValidatorSet;
use types::vote::Statement;

/// The kind of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The primary proposes a block.
    PrePrepare,
    /// A vote to accept it.
    Prepare,
    /// A vote to commit it.
    Commit,
    /// Somebody asks for another view.
    ViewChange,
    /// The primary of a view shows that it was asked for.
    NewView,
    /// Where somebody stands.
    Status,
    /// A block that somebody asked for.
    Handover,
    /// A proof that a key lied.
    Evidence,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::PrePrepare,
        Self::Prepare,
        Self::Commit,
        Self::ViewChange,
        Self::NewView,
        Self::Status,
        Self::Handover,
        Self::Evidence,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PrePrepare => "pre-prepare",
            Self::Prepare => "prepare",
            Self::Commit => "commit",
            Self::ViewChange => "view-change",
            Self::NewView => "new-view",
            Self::Status => "status",
            Self::Handover => "handover",
            Self::Evidence => "evidence",
        }
    }

    /// Its name in a picture.
    pub const fn short(self) -> &'static str {
        match self {
            Self::PrePrepare => "PP",
            Self::Prepare => "P",
            Self::Commit => "C",
            Self::ViewChange => "VC",
            Self::NewView => "NV",
            Self::Status => "S",
            Self::Handover => "H",
            Self::Evidence => "E",
        }
    }

    /// Whether it agrees on something, and is no mere news of where somebody stands or what somebody lacks.
    pub const fn decides(self) -> bool {
        match self {
            Self::PrePrepare | Self::Prepare | Self::Commit | Self::ViewChange | Self::NewView => {
                true
            }
            Self::Status | Self::Handover | Self::Evidence => false,
        }
    }
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// What kind of message it is.
    pub kind: Kind,
    /// Whose word it is, which need not be who sends it; of a new view nobody is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<u16>,
    /// The view that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<u64>,
    /// The height that it names: of a view change that of its certificate, of a new view that of its tip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// The first characters of the block's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<String>,
}

impl Said {
    /// What a message says.
    pub fn of(message: &Message) -> Self {
        let place = |statement: Option<Statement>| {
            let height = statement.map(|it| it.height.get());
            (height, statement.map(|it| it.block.short()))
        };
        let (kind, author, view, (height, block)) = match message {
            Message::PrePrepare(proposal) => {
                let vote = &proposal.vote;
                let statement = vote.statement;
                (Kind::PrePrepare, Some(vote.replica), Some(statement.view), place(Some(statement)))
            }
            Message::Prepare(vote) => {
                let statement = vote.statement;
                (Kind::Prepare, Some(vote.replica), Some(statement.view), place(Some(statement)))
            }
            Message::Commit(vote) => {
                let statement = vote.statement;
                (Kind::Commit, Some(vote.replica), Some(statement.view), place(Some(statement)))
            }
            Message::ViewChange(asked) => {
                (Kind::ViewChange, Some(asked.replica), Some(asked.view), place(asked.certified()))
            }
            Message::NewView(led) => (Kind::NewView, None, Some(led.view), place(led.tip())),
            Message::Status(status) => {
                let at = &status.standpoint;
                (Kind::Status, Some(at.replica), Some(at.view), (Some(at.committed.get()), None))
            }
            Message::Handover(handover) => {
                let block = &handover.block;
                let place = (Some(block.header.height.get()), Some(block.id().short()));
                (Kind::Handover, Some(handover.replica), None, place)
            }
        };
        Self {
            kind,
            author: author.map(types::replica::ReplicaId::get),
            view: view.map(types::number::View::get),
            height,
            block,
        }
    }

    /// What a proof says.
    pub fn of_evidence(evidence: &Evidence, validators: &ValidatorSet) -> Self {
        Self {
            kind: Kind::Evidence,
            author: Some(evidence.accused(validators).get()),
            view: Some(evidence.view().get()),
            height: evidence.heights().first().map(|height| height.get()),
            block: None,
        }
    }

    /// Whether it is a vote, which every proposal is as well.
    pub const fn is_vote(&self) -> bool {
        matches!(self.kind, Kind::PrePrepare | Kind::Prepare | Kind::Commit)
    }
}

impl fmt::Display for Said {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind.name())?;
        if let Some(author) = self.author {
            let of = if self.kind == Kind::Evidence { "against" } else { "of" };
            write!(formatter, " {of} replica {author}")?;
        }
        if let Some(view) = self.view {
            write!(formatter, " view {view}")?;
        }
        match (self.kind, self.height) {
            (Kind::ViewChange, None) => formatter.write_str(" with no certificate")?,
            (Kind::NewView, None) => formatter.write_str(" from the genesis")?,
            (_, None) => {}
            (Kind::ViewChange, Some(height)) => {
                write!(formatter, " with a certificate of height {height}")?;
            }
            (Kind::NewView, Some(height)) => write!(formatter, " from height {height}")?,
            (Kind::Status, Some(height)) => write!(formatter, " committed {height}")?,
            (_, Some(height)) => write!(formatter, " height {height}")?,
        }
        if let Some(block) = &self.block {
            write!(formatter, " {block}")?;
        }
        Ok(())
    }
}
