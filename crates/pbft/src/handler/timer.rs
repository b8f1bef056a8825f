//! A timer fired. What is not awaited any more does nothing.

use types::application::Application;

use crate::message::Message;
use crate::output::{Outgoing, Output, Recipients, Timer, TimerSet};
use crate::state::pace::{STATUS_BUSY_MS, STATUS_IDLE_MS};
use crate::state::{Batch, Stage, State};

pub(crate) fn handle<A: Application>(state: &mut State<A>, timer: Timer, output: &mut Output) {
    match timer {
        Timer::Batch => match state.batch {
            Batch::Waiting => state.batch = Batch::Due,
            Batch::Empty | Batch::Due => {}
        },
        Timer::Proposal => state.early = None,
        // Whether it is over is asked in `follow`, after everything that may have happened.
        Timer::Progress => state.pace.fired(),
        Timer::Status => say_status(state, output),
    }
}

/// Says where this replica stands, and lets everybody be answered once more.
fn say_status<A: Application>(state: &mut State<A>, output: &mut Output) {
    let place = (state.view, state.low());
    let stands_still = state.status_at == Some(place);
    state.status_at = Some(place);
    for peer in state.peers.values_mut() {
        peer.answered = false;
        peer.greeted = 0;
    }
    let arrivals = state.application.arrivals();
    state.pace.sample(arrivals);
    state.starved = state.pace.is_starved(arrivals);
    let busy = is_busy(state);
    let after_ms = if busy { STATUS_BUSY_MS } else { STATUS_IDLE_MS };
    output.timers.push(TimerSet { timer: Timer::Status, after_ms });
    let status = state.status(busy && stands_still);
    let to = Recipients::All;
    output.messages.push(Outgoing { to, message: Message::Status(status) });
}

/// Whether anything waits here that others could help with.
fn is_busy<A: Application>(state: &State<A>) -> bool {
    state.stage != Stage::Entered
        || !state.slots.is_empty()
        || state.path.head().is_some()
        || state.application.pending().transactions > 0
}

#[cfg(test)]
mod tests;
