//! A prepare or commit vote: the first of each replica is counted.
//!
//! It may come before the block that it is for, from whomever, in any order: it is kept, and looked at again when
//! the rest is there.

use types::evidence::Evidence;
use types::mutant;
use types::vote::{Phase, Vote};

use crate::ignored::Ignored;
use crate::lost;
use crate::output::Output;
use crate::state::State;

pub(crate) fn handle<A>(
    state: &mut State<A>,
    vote: Vote,
    output: &mut Output,
) -> Result<(), Ignored> {
    let (replica, height) = (vote.replica, vote.statement.height);
    note_commit(state, &vote, output);
    super::check_place(state, &vote)?;
    let primary = state.primary();
    let tally = state.slot(height).tally_mut(vote.statement.phase);
    match tally.of(replica).copied() {
        // Signature bytes may differ; what was said is the same.
        Some(first) if first.statement == vote.statement => {
            mutant!(VotersCountedTwice => { tally.count_again(vote) });
            Err(Ignored::RepeatedVote { replica, height })
        }
        Some(first) => {
            if replica == primary && vote.statement.phase == Phase::Prepare {
                lost::rival(vote, None, Some(first), output);
            }
            state.accuse(Evidence::Votes { first, second: vote }, output);
            Err(Ignored::RivalVote { replica, height })
        }
        None => {
            tally.insert(vote);
            state.compare_branches(&vote, output);
            state.confront(&vote, output);
            Ok(())
        }
    }
}

/// Remembers the greatest commit vote of each of the others: a view change must not be below it.
fn note_commit<A>(state: &mut State<A>, vote: &Vote, output: &mut Output) {
    if vote.statement.phase != Phase::Commit {
        return;
    }
    let place = |vote: &Vote| (vote.statement.view, vote.statement.height);
    if let Some(peer) = state.peers.get_mut(&vote.replica)
        && peer.commit.as_ref().map(place) < Some(place(vote))
    {
        peer.commit = Some(*vote);
    }
    let shown = state.new_view.iter().flat_map(|new_view| &new_view.view_changes);
    let asked = state.view_changes.values().chain(shown);
    let asked = asked
        .filter(|asked| asked.replica == vote.replica && asked.view > vote.statement.view)
        .map(|asked| Evidence::Forgotten { commit: *vote, view_change: asked.into() });
    let mut forgotten = asked.filter(|evidence| evidence.check(&state.config.validators).is_ok());
    if let Some(evidence) = forgotten.next() {
        state.accuse(evidence, output);
    }
}

#[cfg(test)]
mod tests;
