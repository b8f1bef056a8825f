//! Committing what is decided (protocol page, section 3, rule 4).

use std::sync::Arc;

use types::application::Application;
use types::block::{Block, Header};
use types::certificate::Certificate;
use types::mutant;
use types::number::Height;
use types::proof::{DESCENDANTS_MAX, Proof, ProvedBlock};
use types::vote::{Phase, Statement};

use crate::ignored::Ignored;
use crate::output::Output;
use crate::state::{Standing, State};

/// Commits every block that a quorum of commit votes decides, each with its ancestors: the lowest first, so that
/// proofs are as short as can be.
pub(super) fn decide<A: Application>(state: &mut State<A>, output: &mut Output) {
    while state.standing != Standing::Diverged
        && let Some(certificate) = next_decided(state)
    {
        if let Err(diverged) = commit_up_to(state, &certificate, output) {
            state.standing = state.standing.max(Standing::Diverged);
            output.ignored.push(diverged);
            return;
        }
    }
}

/// The certificate of the lowest block with a quorum of commit votes that is here with all its
/// ancestors. Of the votes that were counted here, or else one that a new view has shown: whoever
/// had it may be gone, and nobody proposes such a tip again.
fn next_decided<A>(state: &State<A>) -> Option<Certificate> {
    let quorum = state.quorum();
    let validators = &state.config.validators;
    let above = state.slots.range(state.low().next()..);
    let mut counted = above
        .filter_map(|(_, slot)| Some((slot.commits.quorum(quorum.q())?, slot)))
        .filter(|(statement, _)| reaches_committed(state, statement))
        .filter_map(|(statement, slot)| slot.commits.certificate(statement, validators));
    mutant!(ShownCommitIgnored => { return counted.next() });
    counted.next().or_else(|| shown(state).cloned())
}

/// The highest certificate known, when it commits something that is here and not committed.
fn shown<A>(state: &State<A>) -> Option<&Certificate> {
    let highest = state.certificate.as_ref()?;
    let statement = &highest.statement;
    let decides = statement.phase == Phase::Commit
        && statement.height > state.low()
        && reaches_committed(state, statement);
    decides.then_some(highest)
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
    certificate: &Certificate,
    output: &mut Output,
) -> Result<(), Ignored> {
    let blocks = take_chain(state, &certificate.statement);
    let headers: Vec<Header> = blocks.iter().map(|block| block.header.clone()).collect();
    let mut blocks = blocks.into_iter().zip(1..);
    while let Some((block, above)) = blocks.next() {
        let height = block.header.height;
        // It was executed when it was voted for, unless this replica came too late for that or voted for another.
        if let Err(refusal) = state.application.execute(&block) {
            let left = std::iter::once(block).chain(blocks.map(|(block, _)| block));
            left.for_each(|block| state.path.keep(block.id(), Arc::new(block)));
            return Err(Ignored::Diverged { height, refusal });
        }
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
