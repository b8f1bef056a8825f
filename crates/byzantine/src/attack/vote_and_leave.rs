//! Votes to commit, and does not know of it.

use pbft::{Message, Outgoing};
use types::number::View;

use super::{Kind, Role, Strategy};
use crate::Desk;

pub(super) const KIND: Kind = Kind {
    name: "vote-and-leave",
    sentence: "votes to commit and then asks for the next view without the certificate for what it voted for",
    answer: "whatever was committed is shown by another of any quorum, and the two words together prove the lie",
    role: Role::Backup,
    provable: true,
    make: || Box::new(VoteAndLeave { left: None }),
};

struct VoteAndLeave {
    /// The last view that it has asked to leave.
    left: Option<View>,
}

impl Strategy for VoteAndLeave {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let commits = matches!(outgoing.message, Message::Commit(_));
        let vote = desk.own_vote(&outgoing.message).filter(|_| commits);
        let Some(view) =
            vote.map(|vote| vote.statement.view).filter(|view| self.left < Some(*view))
        else {
            return vec![outgoing];
        };
        self.left = Some(view);
        let message = Message::ViewChange(desk.view_change(view.next(), None));
        vec![outgoing.clone(), Outgoing { to: outgoing.to, message }]
    }
}
