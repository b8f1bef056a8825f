//! Leaving a view and entering the next one (protocol page, section 4).

use types::application::Application;
use types::mutant;
use types::number::View;
use types::view_change::{NewView, ViewChange};

use crate::message::Message;
use crate::output::{Outgoing, Output, Recipients};
use crate::state::{Stage, State};

pub(super) fn change<A: Application>(state: &mut State<A>, output: &mut Output) {
    follow_certificates(state, output);
    if !state.may_speak() {
        return;
    }
    give_up(state, output);
    while join(state, output) {}
    make_new_view(state, output);
}

/// A certificate of a later view moves this replica there: a quorum has voted in it. It does not vote before it is
/// shown the new view.
fn follow_certificates<A: Application>(state: &mut State<A>, output: &mut Output) {
    let shown = state.view_changes.values().filter_map(ViewChange::certified);
    let latest = shown.map(|certified| certified.view).max();
    if let Some(view) = latest.filter(|view| *view > state.view) {
        state.move_to(view, output);
    }
}

/// Asks for the next view when there was no progress for too long, or somebody is starved. Alone, and cut off from a
/// quorum, it goes on waiting: another view would help nobody.
fn give_up<A: Application>(state: &mut State<A>, output: &mut Output) {
    let starved = std::mem::take(&mut state.starved) && state.stage == Stage::Entered;
    let starved = starved && !mutant!(StarvationIgnored);
    if !starved && !state.pace.is_over() {
        return;
    }
    state.pace.rest();
    if let Some(next) = state.view.checked_next()
        && is_quorum_present(state)
    {
        state.ask(next, output);
    }
}

/// Whether others were heard from recently that are a quorum with this replica.
pub(super) fn is_quorum_present<A>(state: &State<A>) -> bool {
    let present = state.pace.present().saturating_add(1);
    present >= state.quorum().q() && state.quorum().n() > 1
}

/// Joins the smallest of the later views that t + 1 others ask for: one of them is honest. Whether it did.
fn join<A: Application>(state: &mut State<A>, output: &mut Output) -> bool {
    mutant!(JoinsNobody => { return false });
    let later: Vec<View> = state
        .view_changes
        .values()
        .map(|asked| asked.view)
        .filter(|asked| *asked > state.view)
        .collect();
    mutant!(JoinsGreatest | JoinsAnybody => { return crate::mutated::join(state, &later, output) });
    let smallest = later.iter().min().copied();
    match smallest.filter(|_| later.len() > state.quorum().t()) {
        Some(view) => {
            state.ask(view, output);
            true
        }
        None => false,
    }
}

/// As primary of the view asked for, shows that a quorum asks for it, once.
fn make_new_view<A: Application>(state: &mut State<A>, output: &mut Output) {
    if state.stage != Stage::Asked || !state.is_primary() {
        return;
    }
    let view = state.view;
    let asked = state.view_changes.values().filter(|asked| asked.view == view);
    let asked: Vec<ViewChange> = asked.cloned().collect();
    let enough = if mutant!(NewViewOfFew) { state.quorum().reply() } else { state.quorum().q() };
    if asked.len() < enough {
        return;
    }
    let chain = state.config.validators.chain();
    let new_view = NewView::sign(view, asked, chain, state.signer.as_ref());
    let message = Message::NewView(new_view.clone());
    output.messages.push(Outgoing { to: Recipients::All, message });
    state.enter(new_view, output);
}

/// Whether a quorum, this replica included, asks for this view or a later one.
pub(super) fn is_quorum_leaving<A>(state: &State<A>) -> bool {
    mutant!(TimerNeedsThisView => { return crate::mutated::is_quorum_for_this_view(state) });
    let asked = state.view_changes.values().filter(|asked| asked.view >= state.view);
    asked.count() >= state.quorum().q()
}

#[cfg(test)]
mod tests;
