//! A replica that can be reached again: it is told what was last said about undecided heights.
//!
//! It may have lost any of it, and nobody else would say it: broadcast is best effort, and nothing is repeated
//! without a reason.

use types::replica::ReplicaId;

use crate::output::{Outgoing, Output, Recipients};
use crate::state::State;

pub(crate) fn handle<A>(state: &State<A>, replica: ReplicaId, output: &mut Output) {
    let messages =
        state.said().into_iter().map(|message| Outgoing { to: Recipients::One(replica), message });
    output.messages.extend(messages);
}

#[cfg(test)]
mod tests;
