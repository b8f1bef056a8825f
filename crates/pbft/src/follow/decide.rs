//! Committing what is decided (protocol page, section 3, rule 4).

use types::application::Application;
use types::block::{Block, Header};
use types::number::Height;
use types::proof::{DESCENDANTS_MAX, Proof, ProvedBlock};
use types::vote::Statement;

use crate::ignored::Ignored;
use crate::output::Output;
use crate::state::{Standing, State};

/// Commits every block that a quorum of commit votes decides, each with its ancestors: the lowest first, so that
/// proofs are as short as can be.
pub(super) fn decide<A: Application>(state: &mut State<A>, output: &mut Output) {
    while state.standing != Standing::Diverged
        && let Some(statement) = next_decided(state)
    {
        if let Err(diverged) = commit_up_to(state, &statement, output) {
            state.standing = Standing::Diverged;
            output.ignored.push(diverged);
        }
    }
}

/// The lowest block with a quorum of commit votes that is here with all its ancestors.
fn next_decided<A>(state: &State<A>) -> Option<Statement> {
    let q = state.quorum().q();
    let above = state.slots.range(state.low().next()..);
    above
        .filter_map(|(_, slot)| slot.commits.quorum(q))
        .find(|statement| reaches_committed(state, statement))
}

/// Whether the block and everything between it and the committed one is here, as one chain.
fn reaches_committed<A>(state: &State<A>, statement: &Statement) -> bool {
    let mut id = statement.block;
    for height in heights(state, statement.height).rev() {
        match state.proposal(height) {
            Some(proposal) if proposal.id == id => id = proposal.block.header.parent,
            Some(_) | None => return false,
        }
    }
    let descendants = statement.height.above(state.low());
    id == state.committed.id && usize::try_from(descendants).is_ok_and(|d| d <= DESCENDANTS_MAX)
}

/// The heights above the committed one up to this.
fn heights<A>(
    state: &State<A>,
    top: Height,
) -> impl DoubleEndedIterator<Item = Height> + Clone + use<A> {
    (state.low().next().get()..=top.get()).map(Height::new)
}

/// Commits the ancestors of a decided block, which are here, and then itself.
fn commit_up_to<A: Application>(
    state: &mut State<A>,
    decided: &Statement,
    output: &mut Output,
) -> Result<(), Ignored> {
    let validators = &state.config.validators;
    let certificate = state
        .slots
        .get(&decided.height)
        .and_then(|slot| slot.commits.certificate(*decided, validators))
        .expect("a quorum of commit votes was counted in this slot");
    let heights = heights(state, decided.height);
    let headers: Vec<Header> = heights
        .clone()
        .filter_map(|height| state.proposal(height))
        .map(|proposal| proposal.block.header.clone())
        .collect();
    for (height, above) in heights.zip(1..) {
        let block = take_executed(state, height)?;
        let proof = Proof {
            descendants: headers.iter().skip(above).cloned().collect(),
            certificate: certificate.clone(),
        };
        state.commit(ProvedBlock { block, proof }, output);
    }
    Ok(())
}

/// The block at this height, executed: this replica may have come too late to vote for it, or may have given
/// its vote to another one.
fn take_executed<A: Application>(state: &mut State<A>, height: Height) -> Result<Block, Ignored> {
    if height > state.executed || !state.voted_for_proposal(height) {
        state.execute(height).map_err(|refusal| Ignored::Diverged { height, refusal })?;
    }
    let taken = state.slots.get_mut(&height).and_then(|slot| slot.proposal.take());
    Ok(taken.expect("every block up to the decided one was found here").block)
}

#[cfg(test)]
mod tests;
