//! What this replica waits for: progress, a proposal that is ahead of its clock, and blocks that its peers seem to
//! have.

use types::application::Application;
use types::mutant;
use types::number::Height;

use super::view::{is_quorum_leaving, is_quorum_present};
use crate::output::{AFTER_MS_MAX, Output, Timer, TimerSet};
use crate::state::{Stage, State};

pub(super) fn wait<A: Application>(state: &mut State<A>, output: &mut Output) {
    set_proposal_timer(state, output);
    set_progress_timer(state, output);
    output.behind = behind(state);
}

/// Waits for progress while there is work: a request, or a block that this replica stands on and that is not
/// committed. Only a commit begins the time anew. Who asks for a view waits once a quorum wants to leave with it.
///
/// A primary that is known to have lied is not waited for, whether there is work or not, unless no quorum is there to
/// leave with.
fn set_progress_timer<A: Application>(state: &mut State<A>, output: &mut Output) {
    let pending = state.application.pending().transactions > 0 && !mutant!(PendingIsNoWork);
    let work = state.path.head().is_some() || pending;
    let shunned = is_shunned(state) && state.may_speak();
    if shunned {
        state.pace.hurry();
    } else {
        state.pace.calm();
    }
    let waits = match state.stage {
        Stage::Entered | Stage::Moved => work || shunned,
        Stage::Asked => is_quorum_leaving(state),
    };
    if !waits || !state.may_speak() {
        state.pace.rest();
        return;
    }
    if let Some(after_ms) = state.pace.wait() {
        output.timers.push(TimerSet { timer: Timer::Progress, after_ms });
    }
}

/// Whether the primary is known to have lied, and a quorum is there to leave its view.
fn is_shunned<A: Application>(state: &State<A>) -> bool {
    state.is_convicted(state.primary()) && is_quorum_present(state)
}

fn set_proposal_timer<A>(state: &mut State<A>, output: &mut Output) {
    let header = state.next_proposal().map(|(_, proposal)| &proposal.block.header);
    let early_ms = header.map_or(0, |header| state.early_ms(header));
    let waits_for = header.filter(|_| early_ms > 0).map(|header| header.timestamp_ms);
    if let Some(timestamp_ms) = waits_for
        && state.early != Some(timestamp_ms)
    {
        let after_ms = u32::try_from(early_ms).unwrap_or(AFTER_MS_MAX).min(AFTER_MS_MAX);
        output.timers.push(TimerSet { timer: Timer::Proposal, after_ms });
    }
    state.early = waits_for;
}

/// A height that peers seem to have committed and this replica has not.
///
/// Either a quorum of commit votes is here for a block that is not, or not with all its ancestors. Or t + 1 replicas
/// have voted so far up that the one of them that tells the truth must have committed the height one window
/// below. Or somebody says so, which costs him an answer.
fn behind<A>(state: &State<A>) -> Option<Height> {
    let quorum = state.quorum();
    let decided = state.slots.iter().rev();
    let decided = decided
        .filter(|(_, slot)| slot.commits.quorum(quorum.q()).is_some())
        .map(|(height, _)| *height)
        .next();
    let mut heard: Vec<Height> = state.peers.values().map(|peer| peer.voted).collect();
    heard.sort_unstable_by(|one, other| other.cmp(one));
    let voted = heard.get(quorum.t()).copied();
    let committed = voted.map(|height| state.one_window_below(height));
    let said = state.peers.values().map(|peer| peer.committed).max();
    decided.max(committed).max(said).filter(|height| *height > state.low())
}
