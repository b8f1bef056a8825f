//! A prepare or commit vote: the first of each replica is counted.
//!
//! It may come before the block that it is for, from whomever, in any order: it is kept, and looked at again when
//! the rest is there.

use types::vote::Vote;

use crate::ignored::Ignored;
use crate::state::State;

pub(crate) fn handle<A>(state: &mut State<A>, vote: Vote) -> Result<(), Ignored> {
    let (replica, height) = (vote.replica, vote.statement.height);
    super::check_place(state, &vote)?;
    let tally = state.slot(height).tally_mut(vote.statement.phase);
    match tally.of(replica) {
        // Signature bytes may differ; what was said is the same.
        Some(first) if first.statement == vote.statement => {
            Err(Ignored::RepeatedVote { replica, height })
        }
        Some(_) => Err(Ignored::RivalVote { replica, height }),
        None => {
            tally.insert(vote);
            Ok(())
        }
    }
}
