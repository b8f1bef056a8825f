//! Proof that a key lied, found by somebody else: as good as its own.

use types::evidence::Evidence;

use crate::ignored::Ignored;
use crate::output::Output;
use crate::record::Retirement;
use crate::state::State;

pub(crate) fn handle<A>(
    state: &mut State<A>,
    evidence: Evidence,
    output: &mut Output,
) -> Result<(), Ignored> {
    let replica = evidence.accused(&state.config.validators);
    if replica == state.config.replica {
        // This process has not said both, so another one speaks under its key.
        state.retire(Retirement::Evidence(evidence.id()), output);
        return Err(Ignored::UnknownOwnMessage { replica });
    }
    if state.accused.contains(&(replica, evidence.name())) {
        return Err(Ignored::RepeatedEvidence { replica });
    }
    state.accuse(evidence, output);
    Ok(())
}

#[cfg(test)]
mod tests;
