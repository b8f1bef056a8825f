//! What blocks are worth a look before a single signature of theirs is checked.
//!
//! The core would ignore what is dropped here, so dropping it changes nothing but what it costs. The
//! door knows a little later than the core where the core stands, hence the margins: in doubt a
//! block is checked. A block under this replica's own key is always checked, because one that it
//! knows nothing of ends its voting.

use std::sync::atomic::{AtomicU64, Ordering};

use pbft::Message;
use tokio::sync::watch;
use types::block::Block;
use types::number::{Height, View};
use types::parameters::Parameters;
use types::replica::ReplicaId;

use crate::core;

/// A proposal so many windows above the committed height is of no use: the core keeps two windows.
const WINDOWS_MAX: u64 = 4;
/// However small the window is, proposals less than this above the committed height are looked at:
/// a core that was started again may stand further up than it has committed.
const HEIGHTS_MIN: u64 = 256;

/// Why a block is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Useless {
    /// It was proposed in a view that is over.
    PastView,
    /// It was proposed in a view that no new view has led to yet.
    FutureView,
    /// Something is committed at its height.
    Committed,
    /// It is too far above the committed height.
    AboveWindow,
    /// It has more transactions, or more bytes of them, than a block may have.
    TooLong,
}

impl Useless {
    /// A short name for counting.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PastView => "past_view",
            Self::FutureView => "future_view",
            Self::Committed => "committed",
            Self::AboveWindow => "above_window",
            Self::TooLong => "too_long",
        }
    }
}

/// Judges blocks by what the core shows and what has passed the door.
pub(crate) struct Worth {
    replica: ReplicaId,
    parameters: Parameters,
    view: watch::Receiver<core::View>,
    /// The highest view whose new view passed the door. The core may be on its way there.
    announced: AtomicU64,
}

impl Worth {
    /// The judge of this replica.
    pub(crate) fn new(
        replica: ReplicaId,
        parameters: Parameters,
        view: watch::Receiver<core::View>,
    ) -> Self {
        Self { replica, parameters, view, announced: AtomicU64::new(0) }
    }

    /// Notes what has passed the door.
    pub(crate) fn note(&self, message: &Message) {
        if let Message::NewView(new_view) = message {
            self.announced.fetch_max(new_view.view.get(), Ordering::Relaxed);
        }
    }

    /// Whether the message is worth a look.
    ///
    /// # Errors
    ///
    /// Why it is not.
    pub(crate) fn judge(&self, message: &Message) -> Result<(), Useless> {
        match message {
            Message::PrePrepare(pre_prepare) if pre_prepare.vote.replica != self.replica => {
                let place = pre_prepare.vote.statement;
                self.judge_view(place.view)?;
                self.judge_height(place.height)?;
                self.judge_length(&pre_prepare.block)
            }
            Message::Handover(handover) if handover.replica != self.replica => {
                let committed = self.view.borrow().protocol.committed;
                if handover.block.header.height <= committed {
                    return Err(Useless::Committed);
                }
                self.judge_length(&handover.block)
            }
            Message::PrePrepare(_)
            | Message::Handover(_)
            | Message::Prepare(_)
            | Message::Commit(_)
            | Message::ViewChange(_)
            | Message::NewView(_)
            | Message::Status(_) => Ok(()),
        }
    }

    fn judge_view(&self, view: View) -> Result<(), Useless> {
        let current = self.view.borrow().protocol.view;
        if view < current {
            return Err(Useless::PastView);
        }
        let announced = View::new(self.announced.load(Ordering::Relaxed));
        if view > current.max(announced) {
            return Err(Useless::FutureView);
        }
        Ok(())
    }

    fn judge_height(&self, height: Height) -> Result<(), Useless> {
        let committed = self.view.borrow().protocol.committed;
        if height <= committed {
            return Err(Useless::Committed);
        }
        let windows = u64::from(self.parameters.window_heights).saturating_mul(WINDOWS_MAX);
        if height.above(committed) > windows.max(HEIGHTS_MIN) {
            return Err(Useless::AboveWindow);
        }
        Ok(())
    }

    fn judge_length(&self, block: &Block) -> Result<(), Useless> {
        let transactions = u32::try_from(block.body.len()).unwrap_or(u32::MAX);
        let bytes = u32::try_from(block.body.encoded_bytes()).unwrap_or(u32::MAX);
        let Parameters { block_transactions_max, block_bytes_max, .. } = self.parameters;
        if transactions > block_transactions_max || bytes > block_bytes_max {
            return Err(Useless::TooLong);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
