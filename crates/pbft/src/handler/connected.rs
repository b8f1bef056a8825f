//! A replica that can be reached again: it is told what was last said that still matters, and where this one stands.
//!
//! It may have lost any of it, and nobody else would say it: broadcast is best effort, and nothing is repeated
//! without a reason. At most [`GREETINGS_MAX`] times for each time that this replica says where it stands, however often
//! the peer connects: what it loses beyond that is repaired like everything else.

use types::replica::ReplicaId;

use crate::ignored::Ignored;
use crate::message::Message;
use crate::output::{Outgoing, Output, Recipients};
use crate::state::State;

/// How often one peer is told: a link that flaps is no lie, and a whole window of blocks is no small answer.
pub(crate) const GREETINGS_MAX: u8 = 4;

pub(crate) fn handle<A>(
    state: &mut State<A>,
    replica: ReplicaId,
    output: &mut Output,
) -> Result<(), Ignored> {
    if let Some(peer) = state.peers.get_mut(&replica) {
        if peer.greeted >= GREETINGS_MAX {
            return Err(Ignored::AnsweredAlready { replica });
        }
        peer.greeted = peer.greeted.saturating_add(1);
    }
    let status = Message::Status(state.status(false));
    let messages = state.said().into_iter().chain([status]);
    let to = |message| Outgoing { to: Recipients::One(replica), message };
    output.messages.extend(messages.map(to));
    Ok(())
}

#[cfg(test)]
mod tests;
