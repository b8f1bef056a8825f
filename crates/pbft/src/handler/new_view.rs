//! A new view: accepted when it is of a view that was not entered yet, and never a second one for a view.
//!
//! Everything in it was checked at the door: who asked, the certificates with all their signatures, and that the
//! primary of the view signed it. What the view goes on from is computed here, not read.

use types::application::Application;
use types::evidence::Evidence;
use types::mutant;
use types::view_change::NewView;

use crate::ignored::Ignored;
use crate::output::Output;
use crate::state::{Stage, State};

pub(crate) fn handle<A: Application>(
    state: &mut State<A>,
    new_view: NewView,
    output: &mut Output,
) -> Result<(), Ignored> {
    let view = new_view.view;
    let replica = state.config.validators.primary(view);
    mutant!(SecondNewViewAccepted => { crate::mutated::forget_new_view(state, &new_view) });
    if let Some(first) = state.new_view.as_ref().filter(|first| first.view == view) {
        let evidence = Evidence::NewViews { first: first.into(), second: (&new_view).into() };
        if evidence.check(&state.config.validators).is_ok() {
            state.accuse(evidence, output);
        }
        return Err(Ignored::RepeatedNewView { view });
    }
    if view < state.view || (view == state.view && state.stage == Stage::Entered) {
        return Err(Ignored::OtherView { replica, view });
    }

    state.enter(new_view, output);
    Ok(())
}

#[cfg(test)]
mod tests;
