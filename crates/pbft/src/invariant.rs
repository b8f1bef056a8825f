//! What a replica promises about itself, asserted after every step, in release builds too.
//!
//! Each is a sentence with a number and a function named after it. They are about what *this* replica says and keeps,
//! never about what a peer sent. A broken one is a bug, and a replica that has one stops before it performs
//! the output of the step: nothing of it was sent. A mutant is let go on: it is for others to notice what it does.

use std::collections::BTreeSet;

use types::mutant;
use types::number::{Height, View};
use types::view_change::{NewViewStatement, ViewChangeStatement};
use types::vote::{Phase, Statement, Vote};

use crate::message::Message;
use crate::output::Output;
use crate::record::Record;
use crate::state::{Stage, Standing, State};

/// Asserts every invariant of the state.
pub(crate) fn assert_all<A>(state: &State<A>) {
    mutant!({ return });
    only_kept_heights_have_slots(state);
    every_replica_is_counted_once(state);
    prepare_votes_lie_on_the_path(state);
    commit_votes_follow_prepare_votes(state);
    certificates_are_a_quorums_and_the_highest(state);
    nothing_decided_is_left(state);
    the_path_is_a_chain_of_kept_blocks(state);
    views_are_entered_with_a_new_view(state);
}

/// Asserts what an output promises: `before` is the committed height before the step.
pub(crate) fn assert_output<A>(state: &State<A>, before: Height, output: &Output) {
    mutant!({ return });
    new_votes_are_in_the_view_and_the_window(state, output);
    committed_heights_rise_without_gap(state, before, output);
    what_is_said_is_recorded_or_was_said_before(state, output);
    nobody_accuses_himself(state, output);
}

/// 1. There are slots only above the committed height and up to the highest one kept, or where this replica has
///    voted, and none in a view that was not entered: memory is bounded, whatever peers send.
fn only_kept_heights_have_slots<A>(state: &State<A>) {
    let lowest = state.slots.keys().next();
    let highest = state.slots.keys().next_back();
    assert!(
        lowest.is_none_or(|height| *height > state.low())
            && highest.is_none_or(|height| *height <= state.kept())
            && (state.slots.is_empty() || state.stage == Stage::Entered),
        "invariant 1: slots {lowest:?} to {highest:?} with {} committed",
        state.low()
    );
}

/// 2. A tally holds at most one vote of each replica, and only votes of its phase, its height and this view.
fn every_replica_is_counted_once<A>(state: &State<A>) {
    let n = state.quorum().n();
    for (height, slot) in &state.slots {
        for phase in [Phase::Prepare, Phase::Commit] {
            let sound = slot.tally(phase).iter().all(|(replica, vote)| {
                let statement = &vote.statement;
                vote.replica == *replica
                    && replica.index() < n
                    && (statement.phase, statement.view, statement.height)
                        == (phase, state.view, *height)
            });
            assert!(sound, "invariant 2: the {phase:?} votes at height {height}");
        }
    }
}

/// 3. The prepare votes of this replica in this view are for blocks of its path, as far down as that is known and as
///    long as it stands on one, the blocks are kept, and the last of them is remembered as such.
fn prepare_votes_lie_on_the_path<A>(state: &State<A>) {
    let own = state.config.replica;
    let mut last = None;
    for (height, slot) in &state.slots {
        let Some(vote) = slot.prepares.of(own) else {
            continue;
        };
        let id = vote.statement.block;
        let lowest = state.path.lowest().map_or(Height::GENESIS, |(height, _)| height);
        let on_path = *height < lowest || state.path.at(*height) == Some(id);
        assert!(
            (on_path || state.standing != Standing::Voting) && state.path.block(&id).is_some(),
            "invariant 3: the own prepare vote at height {height}"
        );
        last = Some(vote);
    }
    assert!(
        last.is_none() || last == state.last_prepare.as_ref(),
        "invariant 3: the last own prepare vote is {last:?}"
    );
}

/// 4. This replica votes to commit only what it has voted to prepare in the same view.
fn commit_votes_follow_prepare_votes<A>(state: &State<A>) {
    let own = state.config.replica;
    for (height, slot) in &state.slots {
        let prepare = slot.prepares.of(own).map(|vote| vote.statement.block);
        let commit = slot.commits.of(own).map(|vote| vote.statement.block);
        assert!(
            commit.is_none() || commit == prepare,
            "invariant 4: the own commit vote at height {height}"
        );
    }
}

/// 5. The prepared certificate that is kept has a quorum, none of this replica's commit votes is above it, and it is
///    not above the highest certificate.
fn certificates_are_a_quorums_and_the_highest<A>(state: &State<A>) {
    let prepared = state.prepared.as_ref();
    let members = prepared.is_none_or(|certificate| {
        certificate.statement.phase == Phase::Prepare
            && certificate.signatures.len() >= state.quorum().q()
    });
    let rank = |certificate: &types::certificate::Certificate| certificate.rank();
    let highest = state.certificate.as_ref().map(rank);
    let certified = prepared.map(|certificate| {
        let statement = &certificate.statement;
        (statement.view, statement.height)
    });
    let spoken = state.spoken.last(Phase::Commit);
    assert!(
        members && spoken <= certified && prepared.map(rank) <= highest,
        "invariant 5: the certificate {certified:?} under the commit vote {spoken:?}"
    );
}

/// 6. A block with a quorum of commit votes right above the committed one is committed in the same step.
fn nothing_decided_is_left<A>(state: &State<A>) {
    let height = state.low().next();
    let Some(slot) = state.slots.get(&height) else {
        return;
    };
    let decided = slot.commits.quorum(state.quorum().q());
    let block = decided.and_then(|statement| state.block(height, &statement.block));
    let here = block.filter(|block| block.header.parent == state.committed.id);
    assert!(
        here.is_none() || state.standing >= Standing::Diverged,
        "invariant 6: {decided:?} is decided and not committed"
    );
}

/// 7. New votes are given in the current view, and new prepare votes inside the window. (After a restart the window may
///    begin lower than it did; what was voted for above it then may still be prepared and get its commit vote.)
fn new_votes_are_in_the_view_and_the_window<A>(state: &State<A>, output: &Output) {
    for vote in output.records.iter().filter_map(Record::vote) {
        let Statement { phase, view, height, .. } = vote.statement;
        assert!(
            view == state.view && (phase == Phase::Commit || height <= state.high()),
            "invariant 7: a new vote at height {height} in view {view}"
        );
    }
}

/// 8. The committed blocks of a step are children of one another from the height committed before to the one
///    committed now, and each has its reply.
fn committed_heights_rise_without_gap<A>(state: &State<A>, before: Height, output: &Output) {
    let mut height = before;
    for (proved, reply) in output.committed.iter().zip(&output.replies) {
        let header = &proved.block.header;
        assert!(
            header.height == height.next() && reply.height == header.height,
            "invariant 8: height {} committed on {height}",
            header.height
        );
        height = header.height;
    }
    assert!(
        height == state.low() && output.committed.len() == output.replies.len(),
        "invariant 8: {height} is not the committed height {}",
        state.low()
    );
}

/// 9. Nothing that binds this replica is sent that was not recorded in the same output, or said before.
fn what_is_said_is_recorded_or_was_said_before<A>(state: &State<A>, output: &Output) {
    let own = state.config.replica;
    let validators = &state.config.validators;
    let said = output.messages.iter().map(|outgoing| &outgoing.message);
    for message in said.filter(|message| message.author(validators) == own) {
        let bound = match message {
            Message::PrePrepare(pre_prepare) => vote_is_bound(state, output, &pre_prepare.vote),
            Message::Prepare(vote) | Message::Commit(vote) => vote_is_bound(state, output, vote),
            Message::ViewChange(asked) => {
                let known = state.view_changes.get(&own) == Some(asked);
                known || recorded_view_changes(output).contains(&asked.statement())
            }
            Message::NewView(made) => {
                let known = state.new_view.as_ref() == Some(made);
                known || recorded_new_views(output).contains(&made.statement())
            }
            Message::Status(_) | Message::Handover(_) => true,
        };
        assert!(bound, "invariant 9: a {} is sent and was not recorded", message.name());
    }
}

fn vote_is_bound<A>(state: &State<A>, output: &Output, vote: &Vote) -> bool {
    let own = state.own_vote(vote.statement.phase, vote.statement.height);
    own == Some(vote)
        || state.last_commit.as_ref() == Some(vote)
        || output.records.iter().filter_map(Record::vote).any(|recorded| recorded == vote)
}

fn recorded_view_changes(output: &Output) -> BTreeSet<ViewChangeStatement> {
    let statement = |record: &Record| match record {
        Record::ViewChange { view_change } => Some(view_change.statement()),
        Record::Vote { .. }
        | Record::Certificate { .. }
        | Record::Left { .. }
        | Record::Retired { .. }
        | Record::NewView { .. } => None,
    };
    output.records.iter().filter_map(statement).collect()
}

fn recorded_new_views(output: &Output) -> Vec<NewViewStatement> {
    let statement = |record: &Record| match record {
        Record::NewView { new_view } => Some(new_view.statement()),
        Record::Vote { .. }
        | Record::Certificate { .. }
        | Record::Left { .. }
        | Record::Retired { .. }
        | Record::ViewChange { .. } => None,
    };
    output.records.iter().filter_map(statement).collect()
}

/// 10. The path is a chain from above the committed block upwards, without gap from its lowest height known, and
///     all its blocks are kept but the lowest.
fn the_path_is_a_chain_of_kept_blocks<A>(state: &State<A>) {
    let Some((lowest, _)) = state.path.lowest() else {
        return;
    };
    let (head, _) = state.head();
    let mut below = None;
    for height in (lowest.get()..=head.get()).map(Height::new) {
        let block = state.path.at(height).and_then(|id| state.path.block(&id));
        let parent = block.map(|block| block.header.parent);
        assert!(
            lowest > state.low()
                && (block.is_some() || height == lowest)
                && (below.is_none() || parent == below),
            "invariant 10: height {height} of the path from {lowest} to {head}"
        );
        below = state.path.at(height);
    }
}

/// 11. A view above the first is entered with its new view, and only a replica that has entered its view votes or
///     stands on a path.
fn views_are_entered_with_a_new_view<A>(state: &State<A>) {
    let view = state.new_view.as_ref().map_or(View::FIRST, |new_view| new_view.view);
    let entered = state.stage == Stage::Entered;
    assert!(
        entered == (view == state.view) && (entered || state.path.head().is_none()),
        "invariant 11: in view {} with the new view of {view}",
        state.view
    );
}

/// 12. No evidence accuses this replica: it knows what it has said.
fn nobody_accuses_himself<A>(state: &State<A>, output: &Output) {
    let own = state.config.replica;
    let validators = &state.config.validators;
    let accused = output.evidence.iter().find(|evidence| evidence.accused(validators) == own);
    assert!(
        accused.is_none() || state.standing == Standing::Retired,
        "invariant 12: this replica lied: {accused:?}"
    );
}

#[cfg(test)]
mod tests;
