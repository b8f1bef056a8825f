//! One file for each kind of input: reasons to ignore it, else one change of state.
//!
//! Handlers never call one another and never look at what follows from their change; `follow` does.

pub(crate) mod blocks;
pub(crate) mod connected;
pub(crate) mod evidence;
pub(crate) mod handover;
pub(crate) mod new_view;
pub(crate) mod own_key;
pub(crate) mod pre_prepare;
pub(crate) mod status;
pub(crate) mod timer;
pub(crate) mod view_change;
pub(crate) mod vote;

use types::vote::Vote;

use crate::ignored::Ignored;
use crate::state::{Stage, State};

/// Whether a vote, and the message around it, is about this view and about a height of which anything is kept.
fn check_place<A>(state: &State<A>, vote: &Vote) -> Result<(), Ignored> {
    let (replica, height) = (vote.replica, vote.statement.height);
    if vote.statement.view != state.view || state.stage != Stage::Entered {
        let view = vote.statement.view;
        return Err(Ignored::OtherView { replica, view });
    }
    if height <= state.low() {
        return Err(Ignored::AlreadyCommitted { replica, height });
    }
    if !state.is_kept(height) {
        return Err(Ignored::AboveWindow { replica, height });
    }
    Ok(())
}
