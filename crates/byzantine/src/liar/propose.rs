//! Lies in proposals.

use pbft::{Message, Outgoing, PrePrepare, Recipients};
use types::vote::Phase;

use super::{Liar, Lie};

impl Liar {
    /// As primary: one block to some, another to the others, and the votes for each.
    pub(super) fn propose(&mut self, to: Recipients, first: PrePrepare) -> Vec<Outgoing> {
        let fresh = first.block.header.view == first.vote.statement.view;
        if fresh && self.tells(Lie::WrongRoot) && self.desk.random.chance(500) {
            let mut block = first.block;
            block.header.state_root = block.header.body_root;
            let message = Message::PrePrepare(self.desk.propose(block, first.vote.statement.view));
            return vec![Outgoing { to, message }];
        }
        if !fresh || !self.tells(Lie::TwoProposals) || self.desk.random.chance(300) {
            return vec![Outgoing { to, message: Message::PrePrepare(first) }];
        }
        let second = self.rivals.rival(&self.desk, &first);
        let mut said = Vec::new();
        for other in self.desk.receivers(to) {
            let proposed = if self.desk.random.chance(500) { &second } else { &first };
            let commit = self.desk.vote(Phase::Commit, &proposed.vote.statement);
            let both = [Message::PrePrepare(proposed.clone()), Message::Commit(commit)];
            said.extend(both.map(|message| Outgoing { to: Recipients::One(other), message }));
        }
        // Everybody learns of both when it is too late, or not.
        if self.desk.random.chance(500) {
            let both = [second, first].map(Message::PrePrepare);
            said.extend(both.map(|message| Outgoing { to, message }));
        }
        said
    }
}
