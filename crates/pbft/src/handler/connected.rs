//! A replica that can be reached again: it is told what was last said that still matters, and where this one stands.
//!
//! It may have lost any of it, and nobody else would say it: broadcast is best effort, and nothing is repeated
//! without a reason. Once for each time that this replica says where it stands, however often the peer connects: what
//! it loses in between is repaired like everything else.

use types::replica::ReplicaId;

use crate::ignored::Ignored;
use crate::message::Message;
use crate::output::{Outgoing, Output, Recipients};
use crate::state::State;

pub(crate) fn handle<A>(
    state: &mut State<A>,
    replica: ReplicaId,
    output: &mut Output,
) -> Result<(), Ignored> {
    if let Some(peer) = state.peers.get_mut(&replica)
        && std::mem::replace(&mut peer.greeted, true)
    {
        return Err(Ignored::AnsweredAlready { replica });
    }
    let status = Message::Status(state.status(false));
    let messages = state.said().into_iter().chain([status]);
    let to = |message| Outgoing { to: Recipients::One(replica), message };
    output.messages.extend(messages.map(to));
    Ok(())
}

#[cfg(test)]
mod tests;
