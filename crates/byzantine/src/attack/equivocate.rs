//! Two blocks for one height, each to one half.

use std::collections::BTreeMap;

use pbft::{Message, Outgoing, PrePrepare, Recipients};
use types::block::BlockId;

use super::{Kind, Strategy};
use crate::Desk;

/// As many blocks are remembered with their rivals.
const RIVALS_MAX: usize = 64;

pub(super) const KIND: Kind = Kind {
    name: "equivocate",
    sentence: "as primary proposes two blocks at every height, one to each half of the others, and votes for both",
    provable: true,
    make: || Box::new(Equivocate::default()),
};

#[derive(Default)]
struct Equivocate {
    /// The second block of each first one.
    rivals: BTreeMap<BlockId, PrePrepare>,
}

impl Strategy for Equivocate {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let Message::PrePrepare(first) = &outgoing.message else {
            return vec![outgoing];
        };
        if !desk.is_own_first_proposal(first) {
            return vec![outgoing];
        }
        let second = self.rival(desk, first);
        let victims = desk.half();
        let mut said = Vec::new();
        for other in desk.receivers(outgoing.to) {
            let block = if victims.contains(&other) { &second } else { first };
            said.push(Outgoing {
                to: Recipients::One(other),
                message: Message::PrePrepare(block.clone()),
            });
            let commit = desk.commit(&block.vote.statement);
            said.push(Outgoing { to: Recipients::One(other), message: Message::Commit(commit) });
        }
        said
    }
}

impl Equivocate {
    /// The other block at the same height, on the other block below if there is one.
    fn rival(&mut self, desk: &Desk, first: &PrePrepare) -> PrePrepare {
        let id = first.block.id();
        if let Some(known) = self.rivals.get(&id) {
            return known.clone();
        }
        let mut block = first.block.clone();
        block.header.timestamp_ms = block.header.timestamp_ms.saturating_add(1);
        if let Some(below) = self.rivals.get(&block.header.parent) {
            block.header.parent = below.vote.statement.block;
        }
        let second = desk.propose(block, first.vote.statement.view);
        self.rivals.insert(id, second.clone());
        while self.rivals.len() > RIVALS_MAX {
            self.rivals.pop_first();
        }
        second
    }
}
