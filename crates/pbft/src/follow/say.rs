//! Voting (protocol page, section 3, rules 2 and 3), and the delivery of own messages.

use std::sync::Arc;

use types::application::Application;
use types::block::Block;
use types::certificate::Certificate;
use types::mutant;
use types::number::Height;
use types::vote::{Phase, Statement};

use crate::handler;
use crate::ignored::{Ignored, Refusal};
use crate::lost::Fate;
use crate::message::Message;
use crate::output::Output;
use crate::record::Record;
use crate::state::State;

/// Votes and counts its own votes until nothing more is to be said.
pub(super) fn say<A: Application>(state: &mut State<A>, output: &mut Output) {
    loop {
        deliver_own(state, output);
        if state.is_voting() {
            while prepare_next(state, output) {}
            commit_prepared(state, output);
        }
        if state.own.is_empty() {
            break;
        }
    }
}

/// Own messages go the way of all others: a loop, not a recursion.
fn deliver_own<A>(state: &mut State<A>, output: &mut Output) {
    while let Some(message) = state.own.pop_front() {
        let taken = match message {
            Message::PrePrepare(pre_prepare) => {
                handler::pre_prepare::handle(state, pre_prepare, output)
            }
            Message::Prepare(vote) | Message::Commit(vote) => {
                handler::vote::handle(state, vote, output)
            }
            Message::ViewChange(_)
            | Message::NewView(_)
            | Message::Status(_)
            | Message::Handover(_) => Ok(()),
        };
        assert!(taken.is_ok(), "an own message was not counted: {taken:?}");
    }
}

/// Looks at the proposal right above the last block voted for, or at that of the tip, and executes it before it
/// votes. Whether it got a vote, so that the next one has its turn.
fn prepare_next<A: Application>(state: &mut State<A>, output: &mut Output) -> bool {
    let Some((height, proposal)) = state.next_proposal() else {
        return false;
    };
    let (id, block) = (proposal.id, Arc::clone(&proposal.block));
    if let Err(refusal) = judge(state, height, &block) {
        refuse(state, height, refusal, output);
        return true;
    }
    if state.tip_again().is_none_or(|tip| tip.height != height) {
        if state.early_ms(&block.header) > 0 {
            return false;
        }
        if let Err(refusal) = state.application.execute(&block)
            && !mutant!(ExecutionUnchecked)
        {
            refuse(state, height, Refusal::Execution(refusal), output);
            return true;
        }
        state.executed = state.executed.max(height);
    }
    let vote = state.sign(Phase::Prepare, height, id);
    state.vote(Message::Prepare(vote), Some(block), output);
    true
}

/// Gives no vote to the proposal at a height, and says why.
fn refuse<A>(state: &mut State<A>, height: Height, refusal: Refusal, output: &mut Output) {
    state.refuse(height);
    output.ignored.push(Ignored::Refused { height, refusal });
    let Some(slot) = state.slots.get(&height) else { return };
    let refused = slot.proposal.as_ref().map(|proposal| proposal.id);
    state.report_one(slot, refused, Fate::Refused(refusal), output);
}

/// The voting rule, but for the timestamp ahead of the clock and the execution. The primary of this view proposed the
/// block in this view, and it is in the slot right above the head, or in that of the tip.
///
/// The tip itself was executed on the way into the view, and a certificate vouches for it: what its header says of its
/// first proposal is not asked again.
fn judge<A>(state: &State<A>, height: Height, block: &Block) -> Result<(), Refusal> {
    let header = &block.header;
    if let Some(tip) = state.tip_again().filter(|tip| tip.height == height) {
        mutant!(TipRefused => { if header.view != state.view { return Err(Refusal::HeaderView) } });
        return if block.id() == tip.block { Ok(()) } else { Err(Refusal::NotTheTip) };
    }
    let (_, head) = state.head();
    if header.chain != *state.config.validators.chain() {
        return Err(Refusal::ForeignChain);
    }
    if header.view != state.view {
        return Err(Refusal::HeaderView);
    }
    if header.proposer != state.primary() {
        return Err(Refusal::HeaderProposer);
    }
    if block.body.is_empty() {
        return Err(Refusal::EmptyBody);
    }
    if header.parent != head {
        return Err(Refusal::WrongParent);
    }
    if header.timestamp_ms <= state.head_header().timestamp_ms {
        return Err(Refusal::TimestampNotLater);
    }
    Ok(())
}

/// Votes to commit what is prepared: what this replica itself voted for in this view, with the votes of a
/// quorum, the primary's among them.
fn commit_prepared<A>(state: &mut State<A>, output: &mut Output) {
    let (own, primary) = (state.config.replica, state.primary());
    let validators = &state.config.validators;
    let prepared: Vec<Certificate> = state
        .slots
        .values()
        .filter(|slot| slot.commits.of(own).is_none())
        .filter_map(|slot| {
            let statement = slot.prepares.of(own)?.statement;
            if slot.prepares.of(primary)?.statement != statement {
                return None;
            }
            slot.prepares.certificate(statement, validators)
        })
        .collect();
    for certificate in prepared {
        let Statement { height, block, .. } = certificate.statement;
        if state.raise_prepared(&certificate) {
            output.records.push(Record::Certificate { certificate });
        }
        mutant!(CommitsLastHeard => { crate::mutated::commit(state, height, output); continue });
        let vote = state.sign(Phase::Commit, height, block);
        state.vote(Message::Commit(vote), None, output);
    }
}

#[cfg(test)]
mod tests;
