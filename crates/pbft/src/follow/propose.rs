//! Proposing (protocol page, section 3, rule 1), and when to wait for company.
//!
//! The tip of a new view comes first. An idle primary proposes at once. While proposals are in flight it gathers: until a full block is pending, or
//! until the first request has waited for the batch delay. There are no empty blocks.

use std::sync::Arc;

use types::application::{Application, Pending};
use types::block::{Block, Header};
use types::evidence::Evidence;
use types::number::Height;
use types::vote::Phase;

use crate::message::{Message, PrePrepare};
use crate::output::{Output, Timer, TimerSet};
use crate::state::{Batch, State};

pub(super) fn propose<A: Application>(state: &mut State<A>, output: &mut Output) {
    if !state.is_primary() || !state.is_voting() {
        state.batch = Batch::Empty;
        return;
    }
    propose_tip(state, output);
    let pending = state.application.pending();
    let accuses = state.next_vote().is_some() && state.accusable().is_some();
    if pending.transactions == 0 && !accuses {
        state.batch = Batch::Empty;
        return;
    }
    if !accuses && !is_due(state, pending) {
        if state.batch == Batch::Empty {
            state.batch = Batch::Waiting;
            output.timers.push(TimerSet {
                timer: Timer::Batch,
                after_ms: state.config.parameters.batch_delay_ms,
            });
        }
        return;
    }
    // With the window full they go on waiting, and are first when it moves.
    let Some(height) = state.next_vote() else {
        return;
    };
    state.batch = Batch::Empty;
    if let Some(block) = build(state, height) {
        state.executed = state.executed.max(height);
        say(state, &Arc::new(block), output);
    }
}

/// Proposes the tip of the new view again, unchanged, when a prepared certificate has made it the tip.
fn propose_tip<A: Application>(state: &mut State<A>, output: &mut Output) {
    let tip = state.tip_again().and_then(|tip| state.path.block(&tip.block)).cloned();
    if let Some(block) = tip {
        say(state, &block, output);
    }
}

fn say<A: Application>(state: &mut State<A>, block: &Arc<Block>, output: &mut Output) {
    let vote = state.sign(Phase::Prepare, block.header.height, block.id());
    let pre_prepare = PrePrepare { block: Block::clone(block), vote };
    state.vote(Message::PrePrepare(pre_prepare), Some(Arc::clone(block)), output);
}

/// Whether a block is proposed now that this much is pending.
fn is_due<A>(state: &State<A>, pending: Pending) -> bool {
    let (head, _) = state.head();
    let parameters = &state.config.parameters;
    head == state.low()
        || state.batch == Batch::Due
        || pending.transactions >= u64::from(parameters.block_transactions_max)
        || pending.bytes >= u64::from(parameters.block_bytes_max)
}

/// An executed block of this height on the head; `None` when the application has nothing valid after all.
fn build<A: Application>(state: &mut State<A>, height: Height) -> Option<Block> {
    let (_, parent) = state.head();
    let later = state.head_header().timestamp_ms.checked_add(1)?;
    let accused = state.accusable();
    let piece = accused.and_then(|accused| state.evidence.get(&accused));
    let news: Vec<&Evidence> = piece.map(|piece| &piece.evidence).into_iter().collect();
    let proposal = state.application.propose(&parent, height, &news)?;
    let header = Header {
        chain: *state.config.validators.chain(),
        height,
        parent,
        view: state.view,
        proposer: state.config.replica,
        timestamp_ms: later.max(state.wall_ms),
        body_root: proposal.body.root(),
        transactions: u32::try_from(proposal.body.len()).ok()?,
        state_root: proposal.state_root,
    };
    let block = Block { header, body: proposal.body };
    let executed = state.application.execute(&block);
    assert!(
        executed.is_ok(),
        "the application refuses what it proposed at height {height}: {executed:?}"
    );
    Some(block)
}

#[cfg(test)]
mod tests;
