//! The window moves with the committed height: what lies below is forgotten, what waited for it is executed.

use types::application::Application;

use crate::ignored::Ignored;
use crate::output::Output;
use crate::state::{Standing, State};

pub(super) fn slide<A: Application>(state: &mut State<A>, output: &mut Output) {
    let above = state.slots.split_off(&state.low().next());
    let below = std::mem::replace(&mut state.slots, above);
    let own = state.config.replica;
    let mut commits = below.values().filter_map(|slot| slot.commits.of(own));
    if let Some(last) = commits.next_back() {
        state.last_commit = Some(*last);
    }
    if let Err((height, refusal)) = state.execute_voted() {
        state.standing = Standing::Diverged;
        output.ignored.push(Ignored::Diverged { height, refusal });
    }
}
