//! Blocks on an ancestor that has a child already.

use std::collections::BTreeMap;

use pbft::{Message, Outgoing};
use types::block::BlockId;
use types::number::Height;

use super::{Kind, Role, Strategy};
use crate::Desk;

/// As many blocks are remembered.
const BLOCKS_MAX: usize = 64;

pub(super) const KIND: Kind = Kind {
    name: "fork-ancestor",
    sentence: "as primary proposes children of the block before the last one, at its height and at the next",
    answer: "nobody votes beside the chain on which it has voted, and the view changes",
    role: Role::Primary,
    provable: false,
    make: || Box::new(ForkAncestor::default()),
};

#[derive(Default)]
struct ForkAncestor {
    /// The parents of its last blocks, by height and id.
    parents: BTreeMap<(Height, BlockId), BlockId>,
}

impl Strategy for ForkAncestor {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let Some(proposal) = desk.own_new_block(&outgoing.message) else {
            return vec![outgoing];
        };
        let (header, view) = (&proposal.block.header, proposal.vote.statement.view);
        self.parents.insert((header.height, header.id()), header.parent);
        while self.parents.len() > BLOCKS_MAX {
            self.parents.pop_first();
        }
        let below = header.height.saturating_sub(1);
        let Some(grandparent) = self.parents.get(&(below, header.parent)) else {
            return vec![outgoing];
        };
        let mut sibling = proposal.block.clone();
        sibling.header.parent = *grandparent;
        let too_high = sibling.clone();
        sibling.header.height = below;
        let both = [sibling, too_high].map(|block| desk.propose(block, view));
        both.map(|fork| Outgoing { to: outgoing.to, message: Message::PrePrepare(fork) }).into()
    }
}
