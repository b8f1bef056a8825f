//! The window moves with the committed height: what lies below is forgotten, what this replica stands on is executed.

use types::application::Application;

use crate::ignored::Ignored;
use crate::output::Output;
use crate::state::{Standing, State};

pub(super) fn slide<A: Application>(state: &mut State<A>, output: &mut Output) {
    let low = state.low();
    let above = state.slots.split_off(&low.next());
    let below = std::mem::replace(&mut state.slots, above);
    let own = state.config.replica;
    let mut commits = below.values().filter_map(|slot| slot.commits.of(own));
    if let Some(last) = commits.next_back() {
        state.last_commit = Some(*last);
    }
    state.path.forget(low);
    state.path.reach_down(low);
    leave_foreign_path(state, output);
    if let Err((height, refusal)) = state.execute_path() {
        state.standing = state.standing.max(Standing::Diverged);
        output.ignored.push(Ignored::Diverged { height, refusal });
    }
}

/// A path that does not stand on the committed block leads nowhere.
fn leave_foreign_path<A: Application>(state: &mut State<A>, output: &mut Output) {
    let first = state.path.at(state.low().next());
    let block = first.and_then(|id| state.path.block(&id));
    if block.is_some_and(|block| block.header.parent != state.committed.id) {
        state.stray(state.low(), state.committed.id, output);
    }
}
