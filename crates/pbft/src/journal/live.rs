//! What of a journal must never be forgotten.

use types::number::{Height, View};
use types::vote::{Phase, Vote};

use crate::record::Record;

/// The records that a rewritten journal must keep once every block up to `committed` is durable in the store, in
/// their order.
///
/// Kept are the votes above `committed`, of whatever view, because somebody may hold a certificate for any of their
/// blocks; the last prepare vote, which binds the votes to come in its view even after its height is committed;
/// the last commit vote, which a peer that lags by one block may still need, with the prepare vote that it followed;
/// the highest certificate; the last view
/// entered, and the last one asked for unless a later one was entered; what ended the voting in that view; and for ever
/// what ended it under the key.
pub fn live(records: &[Record], committed: Height) -> Vec<Record> {
    let last_prepare = last_vote(records, Phase::Prepare);
    let last_commit = last_vote(records, Phase::Commit);
    let highest = records.iter().filter_map(rank).max();
    let asked = records.iter().filter_map(asked).max();
    let entered = records.iter().filter_map(entered).max();
    let kept = |record: &&Record| match record {
        Record::Vote { vote, .. } => {
            let last = match vote.statement.phase {
                Phase::Prepare => [last_prepare, last_commit],
                Phase::Commit => [last_commit, None],
            };
            vote.statement.height > committed || last.contains(&Some(place(vote)))
        }
        Record::Certificate { .. } => rank(record) == highest,
        Record::ViewChange { view_change } => Some(view_change.view) == asked && asked >= entered,
        Record::NewView { new_view } => Some(new_view.view) == entered,
        Record::Left { view, .. } => Some(*view) >= entered,
        Record::Retired { .. } => true,
    };
    records.iter().filter(kept).cloned().collect()
}

/// Where the votes of one phase have got to.
fn last_vote(records: &[Record], phase: Phase) -> Option<(View, Height)> {
    let votes = records.iter().filter_map(Record::vote);
    votes.filter(|vote| vote.statement.phase == phase).map(place).max()
}

fn place(vote: &Vote) -> (View, Height) {
    (vote.statement.view, vote.statement.height)
}

fn rank(record: &Record) -> Option<(View, Height, Phase)> {
    match record {
        Record::Certificate { certificate } => Some(certificate.rank()),
        Record::Vote { .. }
        | Record::Left { .. }
        | Record::Retired { .. }
        | Record::ViewChange { .. }
        | Record::NewView { .. } => None,
    }
}

fn asked(record: &Record) -> Option<View> {
    match record {
        Record::ViewChange { view_change } => Some(view_change.view),
        Record::Vote { .. }
        | Record::Certificate { .. }
        | Record::Left { .. }
        | Record::Retired { .. }
        | Record::NewView { .. } => None,
    }
}

fn entered(record: &Record) -> Option<View> {
    match record {
        Record::NewView { new_view } => Some(new_view.view),
        Record::Vote { .. }
        | Record::Certificate { .. }
        | Record::Left { .. }
        | Record::Retired { .. }
        | Record::ViewChange { .. } => None,
    }
}
