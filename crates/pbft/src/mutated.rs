//! What the mutants do at their hooks, where it takes more than leaving something out (see [`types::mutant`]).

use std::sync::Arc;

use crypto::keys::Signer;
use crypto::signed::Authenticated;
use crypto::verify::Claim;
use types::application::Application;
use types::block::Header;
use types::door::Door;
use types::mutant::{self, Mutant};
use types::number::{Height, View};
use types::validators::ValidatorSet;
use types::view_change::{NewView, ViewChange};
use types::vote::{Phase, Vote};

use crate::message::{Malformed, Message, claim};
use crate::output::Output;
use crate::record::Record;
use crate::recovery::{self, RecoveryError};
use crate::replica::Config;
use crate::state::{Stage, State};

/// Leaves out of the journal what the active mutant does not write down.
pub(crate) fn forget(output: &mut Output) {
    let active = mutant::active();
    output.records.retain(|record| match record {
        Record::Vote { .. } => active != Some(Mutant::VoteNotJournaled),
        Record::Certificate { .. } => active != Some(Mutant::CertificateNotJournaled),
        Record::ViewChange { .. } => active != Some(Mutant::ViewChangeNotJournaled),
        Record::NewView { .. } => active != Some(Mutant::NewViewNotJournaled),
        Record::Left { .. } | Record::Retired { .. } => true,
    });
}

/// Comes back without a part of the journal.
pub(crate) fn recover<A: Application>(
    config: Config,
    signer: Arc<dyn Signer>,
    application: A,
    tip: Header,
    mut records: Vec<Record>,
) -> Result<State<A>, RecoveryError> {
    let votes = mutant::is(Mutant::PrepareForgotten);
    records.retain(|record| match record {
        Record::Vote { .. } => !votes,
        Record::NewView { .. } => votes,
        Record::Certificate { .. }
        | Record::ViewChange { .. }
        | Record::Left { .. }
        | Record::Retired { .. } => true,
    });
    mutant::with(None, || recovery::recover(config, signer, application, tip, records))
}

/// Signs the view change that the journal ends with anew, over what is known now.
pub(crate) fn rebuild_view_change<A: Application>(state: &mut State<A>) {
    if state.stage == Stage::Asked {
        state.say_view_change(state.view, &mut Output::default());
    }
}

/// Asks for a view and stays in the old one, until it is time to ask for the same view again.
pub(crate) fn ask<A: Application>(state: &mut State<A>, view: View, output: &mut Output) {
    let own = state.view_changes.get(&state.config.replica);
    if own.is_some_and(|asked| asked.view == view) {
        state.leave(view, Stage::Asked);
    } else {
        state.say_view_change(view, output);
        state.pace.calm();
    }
}

/// Stands on the highest block that was ever voted for, whatever the tip is.
pub(crate) fn stand_on_highest<A>(state: &mut State<A>) {
    if let Some((height, id)) = state.path.highest().filter(|(height, _)| *height > state.low()) {
        state.path.clear();
        state.path.push(height, id);
    }
}

/// Joins the wrong one of the views that others ask for, or too soon.
pub(crate) fn join<A: Application>(
    state: &mut State<A>,
    later: &[View],
    output: &mut Output,
) -> bool {
    let greatest = mutant::is(Mutant::JoinsGreatest);
    let enough = if greatest { state.quorum().t().saturating_add(1) } else { 1 };
    let view = if greatest { later.iter().max() } else { later.iter().min() };
    match view.filter(|_| later.len() >= enough) {
        Some(view) => {
            state.ask(*view, output);
            true
        }
        None => false,
    }
}

/// Whether a quorum asks for this view and no later one.
pub(crate) fn is_quorum_for_this_view<A>(state: &State<A>) -> bool {
    let asked = state.view_changes.values().filter(|asked| asked.view == state.view);
    asked.count() >= state.quorum().q()
}

/// Forgets that a new view of this view was accepted already, when this is another one.
pub(crate) fn forget_new_view<A: Application>(state: &mut State<A>, second: &NewView) {
    let known = state.new_view.as_ref().filter(|first| first.view == second.view);
    if known.is_some_and(|first| first.statement() != second.statement()) {
        state.new_view = None;
        state.stage = Stage::Moved;
        state.slots.clear();
        state.path.clear();
        state.last_prepare = None;
        state.executed = state.low();
    }
}

/// Forgets the first proposal at a height, and the own vote for it, when this is another one.
pub(crate) fn forget_proposal<A>(state: &mut State<A>, second: &Vote) {
    let (own, height) = (state.config.replica, second.statement.height);
    let proposed = state.proposal(height).map(|proposal| proposal.id);
    if proposed.is_none_or(|first| first == second.statement.block) {
        return;
    }
    let slot = state.slot(height);
    slot.proposal = None;
    slot.prepares.forget(own);
    slot.prepares.forget(second.replica);
    slot.commits.forget(own);
    state.path.cut(height);
    state.executed = state.executed.min(height.saturating_sub(1));
}

/// Votes to commit what the last prepare vote in the tally is for.
pub(crate) fn commit<A>(state: &mut State<A>, height: Height, output: &mut Output) {
    let last = state.slot(height).prepares.last().map(|vote| vote.statement.block);
    if let Some(block) = last {
        let vote = state.sign(Phase::Commit, height, block);
        state.vote(Message::Commit(vote), None, output);
    }
}

/// What is looked at of a message at the door, by a mutant that looks at less.
pub(crate) fn claims(
    message: &Message,
    door: &Door,
    claims: &mut Vec<Claim>,
) -> Result<(), Malformed> {
    let validators = door.validators();
    let begin = claims.len();
    match message {
        Message::ViewChange(asked) if !mutant::is(Mutant::NewViewOfAnybody) => {
            claims_of_view_change(asked, validators, claims)?;
        }
        Message::NewView(new_view) => {
            if mutant::is(Mutant::NewViewOfAnybody) {
                new_view.claims(validators, claims)?;
                // The first is the primary's.
                claims.drain(begin..begin.saturating_add(1));
                return Ok(());
            }
            let primary = validators.primary(new_view.view);
            let statement = new_view.statement();
            claims.push(claim(&statement, primary, new_view.signature, validators)?);
            for asked in &new_view.view_changes {
                claims_of_view_change(asked, validators, claims)?;
            }
        }
        Message::PrePrepare(_)
        | Message::Prepare(_)
        | Message::Commit(_)
        | Message::ViewChange(_)
        | Message::Status(_)
        | Message::Handover(_) => mutant::with(None, || message.claims(door, claims))?,
    }
    Ok(())
}

/// The sender's signature, and of the certificate at most the first.
fn claims_of_view_change(
    asked: &ViewChange,
    validators: &ValidatorSet,
    claims: &mut Vec<Claim>,
) -> Result<(), Malformed> {
    claims.push(claim(&asked.statement(), asked.replica, asked.signature, validators)?);
    let first = asked.certificate.as_ref().and_then(|certificate| {
        let (replica, signature) = certificate.signatures.first()?;
        Some((certificate.statement, *replica, *signature))
    });
    if let Some((statement, replica, signature)) = first
        && mutant::is(Mutant::CertificatePartlyChecked)
    {
        claims.push(claim(&statement, replica, signature, validators)?);
    }
    Ok(())
}
