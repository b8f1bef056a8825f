//! A message under this replica's own key that came from outside (protocol page, section 5).
//!
//! What this replica has said and was handed back is no news. What it has not said was said by another
//! process with its key, or by itself before a part of its journal was lost. Either way it can no longer promise not
//! to contradict itself, so it never votes again under the key.

use types::vote::Vote;

use crate::ignored::Ignored;
use crate::output::Output;
use crate::record::Record;
use crate::state::{Standing, State};

pub(crate) fn handle<A>(state: &mut State<A>, vote: Vote, output: &mut Output) -> Ignored {
    let (replica, height) = (vote.replica, vote.statement.height);
    if vote.statement.view == state.view && height <= state.low() {
        // Votes about committed heights are not remembered, so nothing follows from them.
        return Ignored::AlreadyCommitted { replica, height };
    }
    let said = state.own_vote(vote.statement.phase, height);
    if said.is_some_and(|said| said.statement == vote.statement) {
        return Ignored::RepeatedVote { replica, height };
    }
    match state.standing {
        Standing::Voting | Standing::Left => {
            state.standing = Standing::Retired;
            output.records.push(Record::Retired { vote });
        }
        // It does not vote before the next restart, or never.
        Standing::Diverged | Standing::Retired => {}
    }
    Ignored::UnknownOwnVote { height }
}

#[cfg(test)]
mod tests;
