//! Lies in proposals.

use pbft::{Message, Outgoing, PrePrepare, Recipients};
use types::block::Block;
use types::number::View;
use types::vote::{Phase, Statement};

use super::{Liar, Lie};

impl Liar {
    /// A proposal of this block under its own key.
    fn proposal(&self, block: Block, view: View) -> PrePrepare {
        let (height, id) = (block.header.height, block.id());
        let statement = Statement { phase: Phase::Prepare, view, height, block: id };
        PrePrepare { vote: self.vote(Phase::Prepare, &statement), block }
    }

    /// As primary: one block to some, another to the others, and the votes for each.
    pub(super) fn propose(&mut self, to: Recipients, first: PrePrepare) -> Vec<Outgoing> {
        let fresh = first.block.header.view == first.vote.statement.view;
        if fresh && self.tells(Lie::WrongRoot) && self.random.chance(500) {
            let mut block = first.block;
            block.header.state_root = block.header.body_root;
            let message = Message::PrePrepare(self.proposal(block, first.vote.statement.view));
            return vec![Outgoing { to, message }];
        }
        if !fresh || !self.tells(Lie::TwoProposals) || self.random.chance(300) {
            return vec![Outgoing { to, message: Message::PrePrepare(first) }];
        }
        let second = self.rival(&first);
        let mut said = Vec::new();
        for other in self.receivers(to) {
            let proposed = if self.random.chance(500) { &second } else { &first };
            let commit = self.vote(Phase::Commit, &proposed.vote.statement);
            let both = [Message::PrePrepare(proposed.clone()), Message::Commit(commit)];
            said.extend(both.map(|message| Outgoing { to: Recipients::One(other), message }));
        }
        // Everybody learns of both when it is too late, or not.
        if self.random.chance(500) {
            let both = [second, first].map(Message::PrePrepare);
            said.extend(both.map(|message| Outgoing { to, message }));
        }
        said
    }

    /// The other block at the same height, on the other block below if there is one.
    pub(super) fn rival(&mut self, first: &PrePrepare) -> PrePrepare {
        let id = first.block.id();
        if let Some(known) = self.rivals.get(&id) {
            return known.clone();
        }
        let mut block = first.block.clone();
        block.header.timestamp_ms = block.header.timestamp_ms.saturating_add(1);
        if let Some(below) = self.rivals.get(&block.header.parent) {
            block.header.parent = below.vote.statement.block;
        }
        let second = self.proposal(block, first.vote.statement.view);
        self.rivals.insert(id, second.clone());
        second
    }
}
