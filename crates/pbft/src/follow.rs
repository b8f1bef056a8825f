//! What follows from a change of state: the one place for it, and the one order, whatever the input was.
//!
//! 1. [`view`]: leave the view, or enter the next one;
//! 2. [`window`]: forget what is committed, and execute what this replica stands on;
//! 3. [`say`]: vote for what can be voted for, and deliver own messages, until nothing more is said;
//! 4. [`decide`]: commit what is decided;
//! 5. [`propose`]: propose one block, if primary;
//! 6. and again from the beginning while any of this opened the way to more;
//! 7. [`wait`]: set the timers, and say whether peers are ahead.
//!
//! The loop ends: each turn says something about a height not spoken of before in the view, raises the view, enters it,
//! or raises the height committed or executed.

mod decide;
mod propose;
mod say;
mod view;
mod wait;
mod window;

use types::application::Application;

use crate::output::Output;
use crate::state::State;

pub(crate) fn follow<A: Application>(state: &mut State<A>, output: &mut Output) {
    loop {
        let before = (state.view, state.stage, state.low(), state.executed);
        view::change(state, output);
        window::slide(state, output);
        say::say(state, output);
        decide::decide(state, output);
        propose::propose(state, output);
        let after = (state.view, state.stage, state.low(), state.executed);
        if state.own.is_empty() && after == before {
            break;
        }
    }
    wait::wait(state, output);
}
