//! Votes for a block that some never see.

use pbft::{Message, Outgoing};

use super::{Kind, Role, Strategy};
use crate::Desk;
use crate::desk::to_one;

pub(super) const KIND: Kind = Kind {
    name: "withhold-body",
    sentence: "as primary shows its blocks to just enough for a quorum, and to all others nothing but its votes",
    answer: "nobody votes for a block that it does not have, and those who have it hand it on",
    role: Role::Primary,
    provable: false,
    make: || Box::new(WithholdBody),
};

struct WithholdBody;

impl Strategy for WithholdBody {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let Some(proposal) = desk.own_new_block(&outgoing.message) else {
            return match &outgoing.message {
                // It does not hand over what it withholds.
                Message::Handover(_) => Vec::new(),
                Message::PrePrepare(_)
                | Message::Prepare(_)
                | Message::Commit(_)
                | Message::ViewChange(_)
                | Message::NewView(_)
                | Message::Status(_) => vec![outgoing],
            };
        };
        let shown = desk.bare_quorum();
        let message = |other| {
            let whole = shown.contains(&other);
            if whole { outgoing.message.clone() } else { Message::Prepare(proposal.vote) }
        };
        let receivers = desk.receivers(outgoing.to).into_iter();
        receivers.map(|other| to_one(other, message(other))).collect()
    }
}
