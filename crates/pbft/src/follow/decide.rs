//! Committing what is decided (protocol page, section 3, rule 4).

use std::sync::Arc;

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
        match state.block(height, &id) {
            Some(block) => id = block.header.parent,
            None => return false,
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
    let blocks = take_chain(state, decided);
    let headers: Vec<Header> = blocks.iter().map(|block| block.header.clone()).collect();
    for (block, above) in blocks.into_iter().zip(1..) {
        let height = block.header.height;
        // It was executed when it was voted for, unless this replica came too late for that or voted for another.
        state
            .application
            .execute(&block)
            .map_err(|refusal| Ignored::Diverged { height, refusal })?;
        let proof = Proof {
            descendants: headers.iter().skip(above).cloned().collect(),
            certificate: certificate.clone(),
        };
        state.commit(ProvedBlock { block, proof }, output);
    }
    Ok(())
}

/// Takes the blocks from above the committed one up to a decided one, which are here, the lowest first.
fn take_chain<A>(state: &mut State<A>, decided: &Statement) -> Vec<Block> {
    let mut id = decided.block;
    let mut chain = Vec::new();
    for height in heights(state, decided.height).rev() {
        let kept = state.path.take(&id);
        let slot = state.slots.get_mut(&height);
        let proposed = slot.and_then(|slot| slot.proposal.take_if(|proposal| proposal.id == id));
        let block = kept.or(proposed.map(|proposal| proposal.block));
        let block = block.expect("every block down from the decided one was found here");
        id = block.header.parent;
        chain.push(Arc::unwrap_or_clone(block));
    }
    chain.reverse();
    chain
}

#[cfg(test)]
mod tests;
