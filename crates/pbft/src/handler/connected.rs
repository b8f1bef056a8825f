//! A replica that can be reached again: it is told what was last said that still matters, and where this one stands.
//!
//! It may have lost any of it, and nobody else would say it: broadcast is best effort, and nothing is repeated
//! without a reason.

use types::replica::ReplicaId;

use crate::message::Message;
use crate::output::{Outgoing, Output, Recipients};
use crate::state::State;

pub(crate) fn handle<A>(state: &State<A>, replica: ReplicaId, output: &mut Output) {
    let status = Message::Status(state.status(false));
    let messages = state.said().into_iter().chain([status]);
    let to = |message| Outgoing { to: Recipients::One(replica), message };
    output.messages.extend(messages.map(to));
}

#[cfg(test)]
mod tests;
