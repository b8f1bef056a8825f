//! A message under this replica's own key that came from outside (protocol page, section 5).
//!
//! What this replica has said and was handed back is no news. What it has not said was said by another
//! process with its key, or by itself before a part of its journal was lost. Either way it can no longer promise not
//! to contradict itself, so it never votes again under the key.

use crate::ignored::Ignored;
use crate::message::Message;
use crate::output::Output;
use crate::state::State;

pub(crate) fn handle<A>(state: &mut State<A>, message: &Message, output: &mut Output) -> Ignored {
    let replica = state.config.replica;
    let unknown = match message {
        Message::PrePrepare(pre_prepare) => state.unknown_vote(pre_prepare.vote),
        Message::Prepare(vote) | Message::Commit(vote) => state.unknown_vote(*vote),
        Message::ViewChange(asked) => state.unknown_view_change(asked),
        Message::NewView(new_view) => state.unknown_new_view(new_view),
        // They bind nobody.
        Message::Status(_) | Message::Handover(_) => None,
    };
    match unknown {
        Some(reason) => {
            state.retire(reason, output);
            Ignored::UnknownOwnMessage { replica }
        }
        None => Ignored::OwnMessage { replica },
    }
}

#[cfg(test)]
mod tests;
