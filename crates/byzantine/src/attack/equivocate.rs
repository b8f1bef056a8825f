//! Two blocks for one height, each to one half.

use pbft::{Message, Outgoing};

use super::{Kind, Role, Strategy};
use crate::Desk;
use crate::desk::to_one;
use crate::rivals::Rivals;

pub(super) const KIND: Kind = Kind {
    name: "equivocate",
    sentence: "as primary proposes two blocks at every height, one to each half of the others, and votes for both",
    answer: "at most one of the two gets a quorum, the view changes if none does, and the votes prove the lie",
    role: Role::Primary,
    provable: true,
    make: || Box::new(Equivocate::default()),
};

#[derive(Default)]
struct Equivocate {
    rivals: Rivals,
}

impl Strategy for Equivocate {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let Some(first) = desk.own_new_block(&outgoing.message) else {
            return vec![outgoing];
        };
        let second = self.rivals.rival(desk, first);
        let victims = desk.half();
        let mut said = Vec::new();
        for other in desk.receivers(outgoing.to) {
            let block = if victims.contains(&other) { &second } else { first };
            said.push(to_one(other, Message::PrePrepare(block.clone())));
            said.push(to_one(other, Message::Commit(desk.commit(&block.vote.statement))));
        }
        said
    }
}
