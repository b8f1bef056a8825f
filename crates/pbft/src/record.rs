//! What must be durable before what is sent (protocol page, section 5).

use crypto::encoding::{Decode, Encode};
use types::block::{Block, BlockId};
use types::certificate::Certificate;
use types::evidence::EvidenceId;
use types::number::{Height, View};
use types::view_change::{NewView, NewViewStatement, ViewChange, ViewChangeStatement};
use types::vote::Vote;

/// One entry of the vote journal.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub enum Record {
    /// A vote of this replica. A prepare vote brings its block, so that a restarted replica can execute it
    /// again, serve it, and, as primary, propose the very same one; a commit vote brings none.
    Vote {
        /// The vote, as sent.
        vote: Vote,
        /// The block it is for: with prepare votes only.
        block: Option<Block>,
    },
    /// The highest prepared certificate this replica has. Written with the commit vote that follows from it.
    Certificate {
        /// The certificate.
        certificate: Certificate,
    },
    /// A block was committed that is not on the chain that this replica stood on in the view: it does not
    /// vote in that view any more.
    Left {
        /// The view.
        view: View,
        /// The height of the committed block.
        height: Height,
        /// The committed block.
        block: BlockId,
    },
    /// Something under this replica's key was seen that this journal does not have: another process speaks with the
    /// key, or a part of this journal is lost. The replica never votes again under the key.
    Retired {
        /// Why.
        reason: Retirement,
    },
    /// This replica asks for a view; what it says is fixed with this.
    ViewChange {
        /// As sent.
        view_change: ViewChange,
    },
    /// The new view that this replica has accepted, or made: at most one for each view.
    NewView {
        /// As sent, or received.
        new_view: NewView,
    },
}

/// Why a replica never votes again under its key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub enum Retirement {
    /// A vote that it knows nothing of.
    Vote(Vote),
    /// A view change that it knows nothing of.
    ViewChange(ViewChangeStatement),
    /// A new view that it knows nothing of.
    NewView(NewViewStatement),
    /// Its journal was gone when it started.
    JournalGone,
    /// Evidence that its key has said what excludes itself.
    Evidence(EvidenceId),
}

impl Record {
    /// The vote that was recorded before it was sent, when this is the record of one.
    pub const fn vote(&self) -> Option<&Vote> {
        match self {
            Self::Vote { vote, .. } => Some(vote),
            Self::Certificate { .. }
            | Self::Left { .. }
            | Self::Retired { .. }
            | Self::ViewChange { .. }
            | Self::NewView { .. } => None,
        }
    }

    /// The new view that was accepted, when this is the record of one.
    pub fn into_new_view(self) -> Option<NewView> {
        match self {
            Self::NewView { new_view } => Some(new_view),
            Self::Vote { .. }
            | Self::Certificate { .. }
            | Self::Left { .. }
            | Self::Retired { .. }
            | Self::ViewChange { .. } => None,
        }
    }
}
