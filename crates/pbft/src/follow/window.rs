//! The window moves with the committed height: what lies below is forgotten, what this replica stands on is executed.

use std::collections::BTreeMap;

use types::application::Application;
use types::block::Header;
use types::number::Height;

use crate::ignored::Ignored;
use crate::lost::Fate;
use crate::output::Output;
use crate::state::slot::Slot;
use crate::state::{Standing, State};

pub(super) fn slide<A: Application>(state: &mut State<A>, output: &mut Output) {
    let low = state.low();
    let above = state.slots.split_off(&low.next());
    let below = std::mem::replace(&mut state.slots, above);
    report_outvoted(state, &below, output);
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

/// Tells of what was proposed at places that are decided now, and is not what was decided.
fn report_outvoted<A>(state: &State<A>, below: &BTreeMap<Height, Slot>, output: &mut Output) {
    for (height, slot) in below {
        let mut committed = output.committed.iter().map(|proved| &proved.block.header);
        let decided = committed.find(|header| header.height == *height).map(Header::id);
        state.report(slot, decided, Fate::Outvoted, output);
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
