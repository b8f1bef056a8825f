//! A pre-prepare: the first proposal of the primary at a height is kept, and its vote counted.
//!
//! Whether the block deserves a vote is not asked here but when its turn comes, right above the last block
//! voted for (`follow`): until then its parent may not be known.

use std::sync::Arc;

use types::evidence::Evidence;
use types::mutant;

use crate::ignored::Ignored;
use crate::lost;
use crate::message::PrePrepare;
use crate::output::Output;
use crate::state::State;
use crate::state::slot::Proposal;

pub(crate) fn handle<A>(
    state: &mut State<A>,
    pre_prepare: PrePrepare,
    output: &mut Output,
) -> Result<(), Ignored> {
    let PrePrepare { block, vote } = pre_prepare;
    let height = vote.statement.height;
    super::check_place(state, &vote)?;
    mutant!(SecondProposalTaken => { crate::mutated::forget_proposal(state, &vote) });
    if vote.replica != state.primary() && !mutant!(ProposerUnchecked) {
        let replica = vote.replica;
        return Err(Ignored::NotPrimary { replica });
    }
    let slot = state.slot(height);
    let voted = slot.prepares.of(vote.replica).copied();
    let proposed = slot.proposal.as_ref().map(|proposal| proposal.id);
    if let Some(first) = voted.filter(|first| first.statement != vote.statement) {
        lost::rival(vote, Some(block.header), Some(first), output);
        state.accuse(Evidence::Votes { first, second: vote }, output);
        return Err(Ignored::RivalProposal { height });
    }
    if proposed.is_some_and(|first| first != vote.statement.block) {
        lost::rival(vote, Some(block.header), None, output);
        return Err(Ignored::RivalProposal { height });
    }
    if voted.is_some() && proposed.is_some() {
        return Err(Ignored::RepeatedProposal { height });
    }

    // Either may be here without the other: the vote came first from somebody who repaired it, or the block
    // is from the journal, which has no votes of others.
    if voted.is_none() {
        slot.prepares.insert(vote);
    }
    if proposed.is_none() {
        let block = Arc::new(block);
        slot.proposal = Some(Proposal::new(Arc::clone(&block)));
        // Nobody need hand over what the primary of the view brings.
        if state.path.missing() == Some(vote.statement.block) {
            state.path.keep(vote.statement.block, block);
        }
    }
    state.compare_branches(&vote, output);
    if voted.is_none() {
        state.confront(&vote, output);
    }
    Ok(())
}
