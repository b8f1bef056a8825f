//! Two blocks for one height, and no word more.

use std::collections::BTreeMap;

use pbft::{Message, Outgoing, PrePrepare};
use types::block::BlockId;

use super::{Kind, Role, Strategy, rivals};
use crate::Desk;
use crate::desk::to_one;

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
    /// The second block of each first one.
    rivals: BTreeMap<BlockId, PrePrepare>,
}

impl Strategy for SplitProposal {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        if matches!(&outgoing.message, Message::Commit(vote) if vote.replica == desk.own) {
            return Vec::new();
        }
        let Some(first) = desk.own_new_block(&outgoing.message) else {
            return vec![outgoing];
        };
        let second = rivals::rival(&mut self.rivals, desk, first);
        let victims = desk.half();
        let proposal = |other| if victims.contains(&other) { &second } else { first };
        let each = desk.receivers(outgoing.to).into_iter();
        each.map(|other| to_one(other, Message::PrePrepare(proposal(other).clone()))).collect()
    }
}
