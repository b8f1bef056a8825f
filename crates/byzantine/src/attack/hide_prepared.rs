//! A block that is prepared where nobody else knows of it.

use pbft::{Message, Outgoing};
use types::number::View;

use super::{Kind, Role, Strategy};
use crate::Desk;
use crate::desk::to_one;

pub(super) const KIND: Kind = Kind {
    name: "hide-prepared",
    sentence: "as primary shows a block to so few that they are just prepared, hides its own commit vote, and is silent in \
               the rest of the view",
    answer: "the next primary proposes the block again if a quorum shows its certificate, and else nobody committed it",
    role: Role::Primary,
    provable: false,
    make: || Box::new(HidePrepared { hidden: None }),
};

struct HidePrepared {
    /// The view in which it has hidden a block.
    hidden: Option<View>,
}

impl Strategy for HidePrepared {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let view = desk.at.view;
        if let Some(proposal) = desk.own_new_block(&outgoing.message)
            && self.hidden != Some(proposal.vote.statement.view)
        {
            self.hidden = Some(proposal.vote.statement.view);
            let shown = desk.bare_quorum().into_iter();
            return shown.map(|other| to_one(other, outgoing.message.clone())).collect();
        }
        match &outgoing.message {
            // So that it counts as present, and its view is left by timeout alone.
            Message::Status(_) => vec![outgoing],
            Message::ViewChange(asked)
                if Some(asked.view) > self.hidden && self.hidden.is_some() =>
            {
                Vec::new()
            }
            Message::PrePrepare(_)
            | Message::Prepare(_)
            | Message::Commit(_)
            | Message::NewView(_)
            | Message::Handover(_)
                if self.hidden == Some(view) =>
            {
                Vec::new()
            }
            Message::PrePrepare(_)
            | Message::Prepare(_)
            | Message::Commit(_)
            | Message::ViewChange(_)
            | Message::NewView(_)
            | Message::Handover(_) => vec![outgoing],
        }
    }
}
