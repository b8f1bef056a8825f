//! What records and messages say, for the checker. A new kind of either breaks these matches, which
//! is their purpose: whoever adds one says here what it binds its sender to.

use pbft::{Message, Record};
use types::block::Header;
use types::certificate::Certificate;
use types::view_change::{NewView, ViewChange};
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

/// The certificate of a record.
pub(super) const fn certificate_recorded(record: &Record) -> Option<&Certificate> {
    match record {
        Record::Certificate { certificate } => Some(certificate),
        Record::Vote { .. }
        | Record::Left { .. }
        | Record::Retired { .. }
        | Record::ViewChange { .. }
        | Record::NewView { .. } => None,
    }
}

/// A word about views.
pub(super) enum Word<'a> {
    /// A view is asked for.
    Asks(&'a ViewChange),
    /// A view is entered.
    Enters(&'a NewView),
}

/// What a message says about views.
pub(super) const fn word_said(message: &Message) -> Option<Word<'_>> {
    match message {
        Message::ViewChange(asked) => Some(Word::Asks(asked)),
        Message::NewView(new_view) => Some(Word::Enters(new_view)),
        Message::PrePrepare(_)
        | Message::Prepare(_)
        | Message::Commit(_)
        | Message::Status(_)
        | Message::Handover(_) => None,
    }
}

/// What a record says about views.
pub(super) const fn word_recorded(record: &Record) -> Option<Word<'_>> {
    match record {
        Record::ViewChange { view_change } => Some(Word::Asks(view_change)),
        Record::NewView { new_view } => Some(Word::Enters(new_view)),
        Record::Vote { .. }
        | Record::Certificate { .. }
        | Record::Left { .. }
        | Record::Retired { .. } => None,
    }
}
