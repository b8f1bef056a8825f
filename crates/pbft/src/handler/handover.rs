//! A block that was asked for: kept when it is the one that is missing on the way to the head.

use std::sync::Arc;

use crate::ignored::Ignored;
use crate::message::Handover;
use crate::state::State;

pub(crate) fn handle<A>(state: &mut State<A>, handover: Handover) -> Result<(), Ignored> {
    let id = handover.block.id();
    let replica = handover.replica;
    if state.missing() != Some(id) {
        return Err(Ignored::NotMissing { replica });
    }

    state.path.keep(id, Arc::new(handover.block));
    let low = state.low();
    state.path.reach_down(low);
    Ok(())
}

#[cfg(test)]
mod tests;
