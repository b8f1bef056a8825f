//! A view change: the last one of each replica is kept, for views that were not entered.
//!
//! However great the view it names, it moves nobody by itself; what follows from several of them is `follow`'s. Only
//! the certificate in it can do that, because a quorum stands behind it.

use types::evidence::Evidence;
use types::replica::ReplicaId;
use types::view_change::{Asked, ViewChange};

use crate::ignored::Ignored;
use crate::output::Output;
use crate::state::{Stage, State};

pub(crate) fn handle<A>(
    state: &mut State<A>,
    asked: ViewChange,
    output: &mut Output,
) -> Result<(), Ignored> {
    let (replica, view) = (asked.replica, asked.view);
    accuse_forgetful(state, &asked, output);
    if let Some(first) = known(state, replica, &asked) {
        accuse_double(state, first, (&asked).into(), output);
        return Err(Ignored::RepeatedViewChange { replica, view });
    }
    let entered = state.stage == Stage::Entered;
    if view < state.view || (view == state.view && entered) {
        return Err(Ignored::OtherView { replica, view });
    }
    if state.view_changes.get(&replica).is_some_and(|last| last.view > view) {
        return Err(Ignored::OtherView { replica, view });
    }

    state.view_changes.insert(replica, asked);
    Ok(())
}

/// What this replica has for the same view of the same sender.
fn known<A>(state: &State<A>, replica: ReplicaId, asked: &ViewChange) -> Option<Asked> {
    let shown = state.new_view.iter().flat_map(|new_view| &new_view.view_changes);
    let mut of_sender = state.view_changes.get(&replica).into_iter().chain(shown);
    of_sender.find(|known| known.replica == replica && known.view == asked.view).map(Asked::from)
}

fn accuse_double<A>(state: &mut State<A>, first: Asked, second: Asked, output: &mut Output) {
    let evidence = Evidence::ViewChanges { first, second };
    if evidence.check(&state.config.validators).is_ok() {
        state.accuse(evidence, output);
    }
}

/// Whether the certificate shown is below what its sender has voted to commit.
fn accuse_forgetful<A>(state: &mut State<A>, asked: &ViewChange, output: &mut Output) {
    let commit = state.peers.get(&asked.replica).and_then(|peer| peer.commit);
    let forgotten = commit
        .map(|commit| Evidence::Forgotten { commit, view_change: asked.into() })
        .filter(|evidence| evidence.check(&state.config.validators).is_ok());
    if let Some(evidence) = forgotten {
        state.accuse(evidence, output);
    }
}

#[cfg(test)]
mod tests;
