//! What follows from a change of state: the one place for it, and the one order, whatever the input was.
//!
//! 1. [`say`]: vote for what can be voted for, and deliver own messages, until nothing more is said;
//! 2. [`decide`]: commit what is decided;
//! 3. [`window`]: forget what lies below, and execute what waited for it;
//! 4. [`propose`]: propose one block, if primary;
//! 5. and again from the beginning while any of this opened the way to more;
//! 6. [`wait`]: set the timer of a proposal that is ahead of the clock, and say whether peers are ahead.
//!
//! The loop ends: each turn says something about a height not spoken of before, or raises the height committed
//! or executed.

mod decide;
mod propose;
mod say;
mod wait;
mod window;

use types::application::Application;

use crate::output::Output;
use crate::state::State;

pub(crate) fn follow<A: Application>(state: &mut State<A>, output: &mut Output) {
    loop {
        let before = (state.low(), state.executed);
        say::say(state, output);
        decide::decide(state, output);
        window::slide(state, output);
        propose::propose(state, output);
        if state.own.is_empty() && (state.low(), state.executed) == before {
            break;
        }
    }
    wait::wait(state, output);
}
