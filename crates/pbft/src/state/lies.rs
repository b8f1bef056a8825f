//! Lies that show only when two votes are laid beside each other.

use types::evidence::Evidence;
use types::number::Height;
use types::vote::{Phase, Vote};

use super::State;
use super::slot::Slot;
use crate::message::Message;
use crate::output::{Outgoing, Output, Recipients};

impl<A> State<A> {
    /// Looks whether a vote that was just counted is on another branch than its sender's nearest
    /// ones of this view, below and above. All votes of an honest replica in one view lie on one
    /// chain, and whatever was counted before was compared before, so the nearest are enough.
    pub(crate) fn compare_branches(&mut self, vote: &Vote, output: &mut Output) {
        if vote.replica == self.config.replica {
            return;
        }
        let height = vote.statement.height;
        let others = |(_, slot): (&Height, &Slot)| {
            let votes =
                [Phase::Commit, Phase::Prepare].map(|phase| slot.tally(phase).of(vote.replica));
            votes.into_iter().flatten().find(|other| other.statement != vote.statement).copied()
        };
        let below = self.slots.range(..=height).rev().find_map(others);
        let above = self.slots.range(height.next()..).find_map(others);
        let pairs = [below.map(|below| (*vote, below)), above.map(|above| (above, *vote))];
        for (higher, lower) in pairs.into_iter().flatten() {
            if let Some(evidence) = self.branches(higher, lower) {
                self.accuse(evidence, output);
            }
        }
    }

    /// Shows the primary's vote to those who have voted for another block at its place: they have seen it vote for theirs, or
    /// they lie. A primary that proposes two blocks shows nobody both, so without this nobody could prove it.
    ///
    /// `vote` was just counted. Each vote is looked at once with that of the primary, so nobody is told twice.
    pub(crate) fn confront(&self, vote: &Vote, output: &mut Output) {
        let (primary, slot) = (self.primary(), self.slots.get(&vote.statement.height));
        let Some((slot, proposed)) = slot.and_then(|slot| Some((slot, slot.prepares.of(primary)?)))
        else {
            return;
        };
        if vote.statement.phase != Phase::Prepare {
            return;
        }
        let new = |voter| vote.replica == primary || vote.replica == voter;
        for (voter, other) in slot.prepares.iter() {
            let is_own = *voter == self.config.replica;
            if new(*voter) && !is_own && other.statement != proposed.statement {
                let message = Message::Prepare(*proposed);
                output.messages.push(Outgoing { to: Recipients::One(*voter), message });
            }
        }
    }

    /// The proof that two votes are on two branches, when the headers between are here.
    fn branches(&self, higher: Vote, lower: Vote) -> Option<Evidence> {
        let on_path =
            |vote: &Vote| self.path.at(vote.statement.height) == Some(vote.statement.block);
        if on_path(&higher) && on_path(&lower) {
            return None;
        }
        let mut id = higher.statement.block;
        let mut headers = Vec::new();
        let between = lower.statement.height.next().get()..=higher.statement.height.get();
        for height in between.rev().map(Height::new) {
            let header = &self.block(height, &id)?.header;
            id = header.parent;
            headers.push(header.clone());
        }
        let evidence = Evidence::Branches { higher, lower, headers };
        evidence.check(&self.config.validators).is_ok().then_some(evidence)
    }
}
