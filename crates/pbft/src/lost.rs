//! What becomes of proposals that do not become part of the chain, for those who look on.
//!
//! A replica decides nothing by this and keeps nothing for it: it tells what it refuses, and what it knew of a place when
//! it forgets the place. A block that it left with its view may still be committed later; who collects these takes
//! such a one out again.

use std::collections::BTreeSet;

use types::block::{BlockId, Header};
use types::number::View;
use types::vote::{Phase, Statement, Vote};

use crate::ignored::Refusal;
use crate::output::Output;
use crate::state::State;
use crate::state::slot::Slot;

/// A proposal that was refused, or a block that was voted for at a place that is forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The prepare statement for it.
    pub statement: Statement,
    /// The primary's own vote for it, when it is here: only with it is it known to be proposed.
    pub proposed: Option<Vote>,
    /// Its header, when the block is here.
    pub header: Option<Header>,
    /// The votes for it that were counted here, but for `proposed`.
    pub votes: Vec<Vote>,
    /// What became of it.
    pub fate: Fate,
}

/// What becomes of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// By the voting rule it gets no vote of this replica.
    Refused(Refusal),
    /// The primary has proposed another block at its place before.
    Rival {
        /// What the primary signed for that one, when it is here.
        first: Option<Vote>,
    },
    /// The view was left for this one, with the proposal undecided.
    ViewLeft(View),
    /// Another block was committed at its height.
    Outvoted,
}

/// Tells of a second proposal at a place.
pub(crate) fn rival(
    proposed: Vote,
    header: Option<Header>,
    first: Option<Vote>,
    output: &mut Output,
) {
    let (statement, fate) = (proposed.statement, Fate::Rival { first });
    output.lost.push(Lost { statement, proposed: Some(proposed), header, votes: Vec::new(), fate });
}

impl<A> State<A> {
    /// Tells of every block at the places of this view, which is left for another one.
    pub(crate) fn report_left(&self, to: View, output: &mut Output) {
        for slot in self.slots.values() {
            self.report(slot, None, Fate::ViewLeft(to), output);
        }
    }

    /// Tells of every block that was voted for at a place, but that one.
    pub(crate) fn report(
        &self,
        slot: &Slot,
        but: Option<BlockId>,
        fate: Fate,
        output: &mut Output,
    ) {
        let ids: BTreeSet<BlockId> = votes(slot).map(|vote| vote.statement.block).collect();
        for id in ids.into_iter().filter(|id| Some(*id) != but) {
            self.report_one(slot, Some(id), fate, output);
        }
    }

    /// Tells of a block at a place, if anybody voted for it.
    pub(crate) fn report_one(
        &self,
        slot: &Slot,
        id: Option<BlockId>,
        fate: Fate,
        output: &mut Output,
    ) {
        let of_it = || votes(slot).filter(|vote| Some(vote.statement.block) == id);
        let Some(any) = of_it().next() else { return };
        let primary = self.config.validators.primary(any.statement.view);
        let proposed = slot.prepares.of(primary).filter(|vote| Some(vote.statement.block) == id);
        let proposal = slot.proposal.as_ref().filter(|proposal| Some(proposal.id) == id);
        output.lost.push(Lost {
            statement: Statement { phase: Phase::Prepare, ..any.statement },
            proposed: proposed.copied(),
            header: proposal.map(|proposal| proposal.block.header.clone()),
            votes: of_it().filter(|vote| Some(*vote) != proposed).copied().collect(),
            fate,
        });
    }
}

fn votes(slot: &Slot) -> impl Iterator<Item = &Vote> {
    slot.prepares.iter().chain(slot.commits.iter()).map(|(_, vote)| vote)
}

#[cfg(test)]
mod tests;
