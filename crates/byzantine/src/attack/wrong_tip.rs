//! New views that drop what they must go on from.

use pbft::{Message, Outgoing};
use types::view_change::NewView;

use super::{Kind, Role, Strategy};
use crate::Desk;
use crate::desk::to_one;

pub(super) const KIND: Kind = Kind {
    name: "wrong-tip",
    sentence: "as primary of a new view takes the certificates out of what it shows to half of the others, and proposes \
               another block in the place of the one that was prepared",
    answer: "each computes for itself what the view goes on from, votes for nothing else, and leaves the view",
    role: Role::NextPrimary,
    provable: false,
    make: || Box::new(WrongTip),
};

struct WrongTip;

impl Strategy for WrongTip {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        match &outgoing.message {
            Message::NewView(new_view) if desk.leads(new_view.view) => {
                let bare = Message::NewView(bare(desk, new_view));
                let victims = desk.half();
                let message = |other| {
                    let right = !victims.contains(&other);
                    if right { outgoing.message.clone() } else { bare.clone() }
                };
                let receivers = desk.receivers(outgoing.to).into_iter();
                receivers.map(|other| to_one(other, message(other))).collect()
            }
            Message::PrePrepare(again)
                if again.vote.replica == desk.own
                    && again.block.header.view < again.vote.statement.view =>
            {
                let mut block = again.block.clone();
                block.header.view = again.vote.statement.view;
                block.header.proposer = desk.own;
                block.header.timestamp_ms = block.header.timestamp_ms.saturating_add(1);
                let message = Message::PrePrepare(desk.propose(block, again.vote.statement.view));
                vec![Outgoing { to: outgoing.to, message }]
            }
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

/// The same requests without what was certified; only its own it can sign anew.
fn bare(desk: &Desk, new_view: &NewView) -> NewView {
    let mut asked = new_view.view_changes.clone();
    for asked in &mut asked {
        if asked.replica == desk.own {
            *asked = desk.view_change(asked.view, None);
        }
        asked.certificate = None;
    }
    NewView::sign(new_view.view, asked, desk.validators.chain(), desk.signer.as_ref())
}
