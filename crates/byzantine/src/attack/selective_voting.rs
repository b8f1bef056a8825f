//! Votes for some only.

use pbft::Outgoing;

use super::{Kind, Role, Strategy};
use crate::Desk;
use crate::desk::to_one;

pub(super) const KIND: Kind = Kind {
    name: "selective-voting",
    sentence: "lets only half of the others have its votes",
    answer: "whoever lacks a vote gets it from those who have it, or the block with its certificate",
    role: Role::Backup,
    provable: false,
    make: || Box::new(SelectiveVoting),
};

struct SelectiveVoting;

impl Strategy for SelectiveVoting {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        if desk.own_vote(&outgoing.message).is_none() {
            return vec![outgoing];
        }
        let victims = desk.half();
        let receivers = desk.receivers(outgoing.to).into_iter();
        let favoured = receivers.filter(|other| !victims.contains(other));
        favoured.map(|other| to_one(other, outgoing.message.clone())).collect()
    }
}
