//! What a replica promises about itself, asserted after every step, in release builds too.
//!
//! Each is a sentence with a number and a function named after it. They are about what *this* replica says and keeps,
//! never about what a peer sent. A broken one is a bug, and a replica that has one stops before it performs
//! the output of the step: nothing of it was sent.

use types::number::{Height, View};
use types::vote::{Phase, Statement, Vote};

use crate::output::Output;
use crate::record::Record;
use crate::state::{Standing, State};

/// Asserts every invariant of the state.
pub(crate) fn assert_all<A>(state: &State<A>) {
    only_kept_heights_have_slots(state);
    every_replica_is_counted_once(state);
    prepare_votes_form_one_chain(state);
    commit_votes_follow_prepare_votes(state);
    the_certificate_is_a_quorums_and_the_highest(state);
    nothing_decided_is_left(state);
}

/// Asserts what an output promises: `before` is the committed height before the step.
pub(crate) fn assert_output<A>(state: &State<A>, before: Height, output: &Output) {
    new_votes_are_in_the_view_and_the_window(state, output);
    committed_heights_rise_without_gap(state, before, output);
    what_is_said_is_recorded_or_was_said_before(state, output);
}

/// 1. There are slots only above the committed height and up to the highest one kept, or where this replica has
///    voted: memory is bounded, whatever peers send.
fn only_kept_heights_have_slots<A>(state: &State<A>) {
    let lowest = state.slots.keys().next();
    let highest = state.slots.keys().next_back();
    assert!(
        lowest.is_none_or(|height| *height > state.low())
            && highest.is_none_or(|height| *height <= state.kept()),
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

/// 3. The prepare votes of this replica in this view form one chain upwards, their blocks are here, the last of them
///    is remembered as such, and while it votes, the lowest is for a child of the committed block, unless
///    blocks between are still to be fetched.
fn prepare_votes_form_one_chain<A>(state: &State<A>) {
    let mut below = (state.low(), state.committed.id);
    let mut last = None;
    for (height, slot) in &state.slots {
        let Some(vote) = slot.prepares.of(state.config.replica) else {
            continue;
        };
        let id = vote.statement.block;
        let block = slot.proposal.as_ref().filter(|proposal| proposal.id == id);
        let parent = block.map(|proposal| proposal.block.header.parent);
        let linked = below.0.next() != *height || parent == Some(below.1);
        let first_off_chain = last.is_none() && state.standing != Standing::Voting;
        assert!(
            parent.is_some() && (linked || first_off_chain),
            "invariant 3: the own prepare vote at height {height}"
        );
        below = (*height, id);
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

/// 5. The prepared certificate that is kept has a quorum, and none of this replica's commit votes is above it.
fn the_certificate_is_a_quorums_and_the_highest<A>(state: &State<A>) {
    let certificate = state.certificate.as_ref();
    let members = certificate.is_none_or(|certificate| {
        certificate.statement.phase == Phase::Prepare
            && certificate.signatures.len() >= state.quorum().q()
    });
    let own = state.config.replica;
    let votes = state.slots.values().filter_map(|slot| slot.commits.of(own));
    let highest = votes.chain(&state.last_commit).map(place).max();
    let certified = certificate.map(|certificate| {
        let statement = &certificate.statement;
        (statement.view, statement.height)
    });
    assert!(
        members && highest <= certified,
        "invariant 5: the certificate {certified:?} under the commit vote {highest:?}"
    );
}

/// 6. A block with a quorum of commit votes right above the committed one is committed in the same step.
fn nothing_decided_is_left<A>(state: &State<A>) {
    let Some(slot) = state.slots.get(&state.low().next()) else {
        return;
    };
    let decided = slot.commits.quorum(state.quorum().q());
    let here = slot.proposal.as_ref().filter(|proposal| {
        proposal.block.header.parent == state.committed.id
            && Some(proposal.id) == decided.map(|statement| statement.block)
    });
    assert!(
        here.is_none() || state.standing == Standing::Diverged,
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

/// 9. Nothing is sent that was not recorded in the same output, or said before: what is sent to everybody anew is
///    in the records, and what is sent to one replica is what the slots hold.
fn what_is_said_is_recorded_or_was_said_before<A>(state: &State<A>, output: &Output) {
    let recorded = |vote: &Vote| output.records.iter().filter_map(Record::vote).any(|r| r == vote);
    let remembered = |vote: &Vote| {
        let own = state.own_vote(vote.statement.phase, vote.statement.height);
        own == Some(vote) || state.last_commit.as_ref() == Some(vote)
    };
    for outgoing in &output.messages {
        let vote = outgoing.message.vote();
        assert!(
            recorded(vote) || remembered(vote),
            "invariant 9: {:?} is sent and was not recorded",
            vote.statement
        );
    }
}

fn place(vote: &Vote) -> (View, Height) {
    (vote.statement.view, vote.statement.height)
}

#[cfg(test)]
mod tests;
