//! What records and messages say, for the checker. A new kind of either breaks these matches, which
//! is their purpose: whoever adds one says here what it binds its sender to.

use pbft::{Message, Record};
use types::block::Header;
use types::vote::Vote;

/// What a message binds its sender to.
pub(super) fn votes_said(message: &Message) -> Option<&Vote> {
    match message {
        Message::PrePrepare(pre_prepare) => Some(&pre_prepare.vote),
        Message::Prepare(vote) | Message::Commit(vote) => Some(vote),
        Message::ViewChange(_)
        | Message::NewView(_)
        | Message::Status(_)
        | Message::Handover(_) => None,
    }
}

/// The header that a message brings.
pub(super) const fn header_said(message: &Message) -> Option<&Header> {
    match message {
        Message::PrePrepare(pre_prepare) => Some(&pre_prepare.block.header),
        Message::Handover(handover) => Some(&handover.block.header),
        Message::Prepare(_)
        | Message::Commit(_)
        | Message::ViewChange(_)
        | Message::NewView(_)
        | Message::Status(_) => None,
    }
}

/// The vote of a record, and the header of the block that it brings.
pub(super) fn vote_recorded(record: &Record) -> Option<(&Vote, Option<&Header>)> {
    match record {
        Record::Vote { vote, block } => Some((vote, block.as_ref().map(|block| &block.header))),
        Record::Certificate { .. }
        | Record::Left { .. }
        | Record::Retired { .. }
        | Record::ViewChange { .. }
        | Record::NewView { .. } => None,
    }
}
