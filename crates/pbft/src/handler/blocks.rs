//! Blocks that others agreed on, with their proofs (protocol page, section 6).
//!
//! Each is checked like one agreed here: its proof at the door, its parent and its execution in this place.

use crypto::signed::Signed;
use types::application::Application;
use types::mutant;
use types::proof::ProvedBlock;

use crate::ignored::Ignored;
use crate::output::Output;
use crate::state::{Standing, State};

pub(crate) fn handle<A: Application>(
    state: &mut State<A>,
    blocks: Vec<Signed<ProvedBlock>>,
    output: &mut Output,
) {
    for proved in blocks {
        if let Err(ignored) = take(state, proved.into_inner(), output) {
            output.ignored.push(ignored);
        }
    }
}

fn take<A: Application>(
    state: &mut State<A>,
    proved: ProvedBlock,
    output: &mut Output,
) -> Result<(), Ignored> {
    let header = &proved.block.header;
    let height = header.height;
    mutant!(KnownBlockAgain => { if height == state.low() { state.commit(proved, output); return Ok(()) } });
    if height < state.low() {
        return Ok(());
    }
    if height == state.low() {
        let known = proved.block.id() == state.committed.id;
        return if known { Ok(()) } else { Err(fork(proved, output)) };
    }
    if height != state.low().next() {
        return Err(Ignored::NotNext { height });
    }
    if header.parent != state.committed.id {
        return Err(fork(proved, output));
    }
    if let Err(refusal) = state.application.execute(&proved.block) {
        state.standing = state.standing.max(Standing::Diverged);
        return Err(Ignored::Diverged { height, refusal });
    }

    state.question_certificate(&proved.proof.certificate, output);
    let view = proved.proof.certificate.statement.view;
    if view > state.view {
        // A quorum votes in that view: this replica follows, and votes once it is shown the new view.
        state.move_to(view, output);
        // The block may have been a layer of the view that was left.
        let again = state.application.execute(&proved.block);
        assert!(again.is_ok(), "the block at height {height} was executed a moment ago: {again:?}");
    }
    state.commit(proved, output);
    Ok(())
}

/// A quorum committed this block, and another one is committed in its place, or in its parent's.
fn fork(proved: ProvedBlock, output: &mut Output) -> Ignored {
    let height = proved.block.header.height;
    output.forks.push(proved);
    Ignored::Fork { height }
}
