//! Votes, and leads nobody.

use pbft::{Message, Outgoing};

use super::{Kind, Role, Strategy};
use crate::Desk;

pub(super) const KIND: Kind = Kind {
    name: "silent-primary",
    sentence: "votes as it should, and as primary proposes nothing",
    answer: "the next primary leads after one timeout, and commits what was waiting",
    role: Role::Primary,
    provable: false,
    make: || Box::new(SilentPrimary),
};

struct SilentPrimary;

impl Strategy for SilentPrimary {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        match &outgoing.message {
            Message::PrePrepare(proposal) if proposal.vote.replica == desk.own => Vec::new(),
            Message::PrePrepare(_)
            | Message::Prepare(_)
            | Message::Commit(_)
            | Message::ViewChange(_)
            | Message::NewView(_)
            | Message::Status(_)
            | Message::Handover(_) => vec![outgoing],
        }
    }
}
