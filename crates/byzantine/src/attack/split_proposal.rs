//! Two blocks for one height, and no word more.

use pbft::{Message, Outgoing};

use super::{Kind, Role, Strategy};
use crate::Desk;
use crate::desk::to_one;
use crate::rivals::Rivals;

pub(super) const KIND: Kind = Kind {
    name: "split-proposal",
    sentence: "as primary proposes two blocks at every height, one to each half of the others, and commits neither",
    answer: "at most one of the two gets a quorum, the view changes if none does, and both proposals prove the lie",
    role: Role::Primary,
    provable: true,
    make: || Box::new(SplitProposal::default()),
};

#[derive(Default)]
struct SplitProposal {
    rivals: Rivals,
}

impl Strategy for SplitProposal {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        if matches!(&outgoing.message, Message::Commit(vote) if vote.replica == desk.own) {
            return Vec::new();
        }
        let Some(first) = desk.own_new_block(&outgoing.message) else {
            return vec![outgoing];
        };
        let second = self.rivals.rival(desk, first);
        let victims = desk.half();
        let proposal = |other| if victims.contains(&other) { &second } else { first };
        let each = desk.receivers(outgoing.to).into_iter();
        each.map(|other| to_one(other, Message::PrePrepare(proposal(other).clone()))).collect()
    }
}
