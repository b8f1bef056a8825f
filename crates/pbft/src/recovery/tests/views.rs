//! Over changes of view: the same words after a restart at any moment, and what a journal must not
//! say.

use std::collections::BTreeMap;

use types::block::{Block, BlockId};
use types::number::{Height, View};
use types::parameters::Parameters;
use types::replica::ReplicaId;
use types::view_change::{NewView, ViewChange};
use types::vote::{Phase, Vote};

use super::super::RecoveryError;
use crate::fixture::application::FakeApplication;
use crate::fixture::{
    Bench, NOON, asks, block_in, certificate_by, chain_of, genesis, key, new_view, pre_prepare,
    prepare, proposal_in, recover, tick, vote_in, vote_message,
};
use crate::journal::live;
use crate::message::Message;
use crate::output::{Outgoing, Output};
use crate::record::Record;
use crate::replica::Protocol;

/// What happens to replica 2 of 4 on its way through three views, of which it is primary of the
/// last.
fn story() -> Vec<Message> {
    let genesis = genesis(4, Parameters::default());
    let blocks = chain_of(&genesis, 2);
    let child = block_in(&genesis, 1, &blocks[0].header, &[5]);
    let shown = certificate_by(&genesis, 0, Phase::Prepare, &blocks[0], &[0, 1, 3]);
    let asked = [(0, Some(shown.clone())), (1, None), (3, Some(shown.clone()))];
    let asked = asked.map(|(replica, shown)| asks(&genesis, replica, 1, shown));
    let ask =
        |replica, view| Message::ViewChange(asks(&genesis, replica, view, Some(shown.clone())));
    vec![
        pre_prepare(&genesis, &blocks[0]),
        prepare(&genesis, 1, &blocks[0]),
        pre_prepare(&genesis, &blocks[1]),
        ask(0, 1),
        ask(3, 1),
        Message::NewView(new_view(&genesis, 1, asked.to_vec())),
        proposal_in(&genesis, 1, &blocks[0]),
        vote_message(&genesis, 1, Phase::Prepare, 0, &blocks[0]),
        proposal_in(&genesis, 1, &child),
        vote_message(&genesis, 1, Phase::Prepare, 3, &child),
        ask(0, 2),
        ask(3, 2),
        vote_message(&genesis, 2, Phase::Prepare, 0, &child),
        vote_message(&genesis, 2, Phase::Prepare, 3, &child),
        vote_message(&genesis, 2, Phase::Commit, 0, &child),
        vote_message(&genesis, 2, Phase::Commit, 3, &child),
    ]
}

/// Everything a key has said, at every place one thing.
#[derive(Debug, Default, PartialEq)]
struct Words {
    votes: BTreeMap<(Phase, View, Height), Vote>,
    asked: BTreeMap<View, ViewChange>,
    made: BTreeMap<View, NewView>,
    proposed: BTreeMap<(View, Height), BlockId>,
}

impl Words {
    fn hear(&mut self, output: &Output) {
        for outgoing in &output.messages {
            if let Some(vote) = outgoing.message.vote().filter(|vote| vote.replica.get() == 2) {
                let place = (vote.statement.phase, vote.statement.view, vote.statement.height);
                assert_eq!(self.votes.entry(place).or_insert(*vote), vote);
            }
            match &outgoing.message {
                Message::ViewChange(asked) if asked.replica.get() == 2 => {
                    assert_eq!(self.asked.entry(asked.view).or_insert(asked.clone()), asked);
                }
                Message::NewView(made) if made.view.get() % 4 == 2 => {
                    assert_eq!(self.made.entry(made.view).or_insert(made.clone()), made);
                }
                Message::PrePrepare(proposal) => {
                    let place = (proposal.vote.statement.view, proposal.block.header.height);
                    let id = proposal.block.id();
                    assert_eq!(*self.proposed.entry(place).or_insert(id), id);
                }
                Message::ViewChange(_)
                | Message::NewView(_)
                | Message::Prepare(_)
                | Message::Commit(_)
                | Message::Status(_)
                | Message::Handover(_) => {}
            }
        }
    }
}

fn live_through(until: usize) -> (Bench, Words) {
    let mut bench = Bench::new(4, 2);
    let mut words = Words::default();
    for message in story().into_iter().take(until) {
        words.hear(&bench.receive(message));
    }
    (bench, words)
}

#[test]
fn the_story_goes_through_every_kind_of_record_of_a_view_change() {
    let (bench, words) = live_through(usize::MAX);
    assert_eq!(words.asked.keys().map(|view| view.get()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(words.made.keys().map(|view| view.get()).collect::<Vec<_>>(), [2]);
    assert_eq!(words.votes.len(), 9);
    assert_eq!(bench.replica.status().committed, Height::new(2));
}

/// T30, T61, T62, T63: whatever had been written when the process died was said, or is said now,
/// byte for byte.
#[test]
fn a_replica_killed_after_any_step_of_a_view_change_says_the_same_words() {
    let (steady, expected) = live_through(usize::MAX);
    for killed in 0..=story().len() {
        let (mut bench, mut words) = live_through(killed);
        words.hear(&bench.restart());
        bench.step(tick(NOON));
        // What others had said is lost with the process; they say it again, and then go on.
        for message in story() {
            words.hear(&bench.receive(message));
        }
        assert_eq!(words, expected, "killed after {killed} steps");
        assert_eq!(bench.replica.status().committed, steady.replica.status().committed);
        assert!(!bench.replica.status().retired);
    }
}

#[test]
fn a_replica_killed_after_every_step_of_a_view_change_says_the_same_words() {
    let (_, expected) = live_through(usize::MAX);
    let mut bench = Bench::new(4, 2);
    let mut words = Words::default();
    for step in 0..story().len() {
        for message in story().into_iter().take(step + 1) {
            words.hear(&bench.receive(message));
        }
        words.hear(&bench.restart());
        bench.step(tick(NOON));
    }
    assert_eq!(words, expected);
}

/// What was in the journal and not sent when the process died is sent by the next one.
#[test]
fn every_word_that_still_matters_is_said_after_a_restart() {
    let said = |output: &Output| -> Vec<&'static str> {
        output.messages.iter().map(|outgoing| outgoing.message.name()).collect()
    };
    for (until, expected) in [
        (3, vec!["prepare", "commit", "prepare"]),
        (5, vec!["view-change"]),
        (6, vec![]),
        (7, vec!["prepare"]),
        (8, vec!["prepare", "commit"]),
        (11, vec!["prepare", "commit", "prepare", "commit"]),
        (12, vec!["new-view", "pre-prepare"]),
        (14, vec!["new-view", "pre-prepare", "commit"]),
        (16, vec!["new-view", "commit"]),
    ] {
        let (mut bench, _) = live_through(until);
        assert_eq!(said(&bench.restart()), expected, "after {until} steps");
    }
}

/// Of a journal cut off after any record, which is what an interrupted write leaves at most.
#[test]
fn every_beginning_of_a_journal_is_one_and_pruning_it_changes_nothing() {
    let (bench, _) = live_through(usize::MAX);
    assert!(bench.records.len() >= 15);
    for kept in 0..=bench.records.len() {
        let records = &bench.records[..kept];
        let start = |records: Vec<Record>| {
            recover::<FakeApplication>(&bench.genesis, 2, &[], records).unwrap()
        };
        let (whole, said) = start(records.to_vec());
        let (pruned, said_pruned) = start(live(records, Height::GENESIS));
        assert_eq!((whole.status(), said), (pruned.status(), said_pruned), "{kept} records");
    }
}

#[test]
fn a_journal_pruned_at_any_moment_and_height_brings_back_the_same_replica() {
    for until in 0..=story().len() {
        let (mut bench, _) = live_through(until);
        for height in 0..=bench.replica.status().committed.get() {
            let whole = bench.records.clone();
            let stored = usize::try_from(height).unwrap();
            let stored = bench.committed[..stored].to_vec();
            // A commit vote about a decided height may be gone: its block has a proof in the store.
            let undecided = |outgoing: &Outgoing| match &outgoing.message {
                Message::Commit(vote) => vote.statement.height > Height::new(height),
                Message::PrePrepare(_)
                | Message::Prepare(_)
                | Message::ViewChange(_)
                | Message::NewView(_)
                | Message::Status(_)
                | Message::Handover(_) => true,
            };
            let start = |records: Vec<Record>| {
                let recovered = recover::<FakeApplication>(&bench.genesis, 2, &stored, records);
                let (replica, mut output) = recovered.unwrap();
                output.messages.retain(undecided);
                (replica, output)
            };
            let (one, said) = start(whole.clone());
            let (other, said_pruned) = start(live(&whole, Height::new(height)));
            assert_eq!((one.status(), &said), (other.status(), &said_pruned), "{until}");
            let state = |replica: &crate::Replica<FakeApplication>| {
                let state = replica.peek();
                (state.last_prepare, state.spoken, state.certificate.clone(), state.tip)
            };
            assert_eq!(state(&one), state(&other), "after {until} steps, pruned at {height}");
        }
        bench.restart();
    }
}

fn error(records: Vec<Record>) -> RecoveryError {
    let genesis = genesis(4, Parameters::default());
    recover::<FakeApplication>(&genesis, 2, &[], records).unwrap_err()
}

fn records() -> Vec<Record> {
    live_through(usize::MAX).0.records
}

/// A vote in a view is believed only with the new view of that view, or if the journal says more.
#[test]
fn a_journal_without_the_new_view_of_its_last_votes_is_refused() {
    let without = |view: u64| -> Vec<Record> {
        let named = |record: &Record| matches!(record, Record::NewView { new_view } if new_view.view.get() == view);
        records().into_iter().filter(|record| !named(record)).collect()
    };
    let view = View::new(2);
    assert!(matches!(error(without(2)), RecoveryError::ForeignView { view: v, .. } if v == view));
    let asked_only = |record: &Record| matches!(record, Record::ViewChange { .. });
    let mut last = without(2);
    while !asked_only(&last[last.len() - 1]) {
        last.pop();
    }
    let genesis = genesis(4, Parameters::default());
    let (replica, _) = recover::<FakeApplication>(&genesis, 2, &[], last).unwrap();
    assert!(!replica.status().entered, "without it, it waits to be shown it");
}

fn voted(view: u64, block: &Block) -> Record {
    let genesis = genesis(4, Parameters::default());
    let vote = vote_in(&genesis, view, Phase::Prepare, 2, block);
    Record::Vote { vote, block: Some(block.clone()) }
}

fn asked(view: u64) -> Record {
    let genesis = genesis(4, Parameters::default());
    Record::ViewChange { view_change: asks(&genesis, 2, view, None) }
}

fn entered(view: u64) -> Record {
    let genesis = genesis(4, Parameters::default());
    let asked = [0, 1, 3].map(|replica| asks(&genesis, replica, view, None));
    Record::NewView { new_view: new_view(&genesis, view, asked.to_vec()) }
}

#[test]
fn a_vote_after_another_view_was_asked_for_is_refused() {
    let block = chain_of(&genesis(4, Parameters::default()), 1).remove(0);
    for view in [0, 1] {
        let height = Height::new(1);
        let found = error(vec![asked(1), voted(view, &block)]);
        assert_eq!(found, RecoveryError::ForeignView { height, view: View::new(view) });
    }
    let found = error(vec![entered(3), voted(1, &block)]);
    assert!(matches!(found, RecoveryError::ForeignView { .. }));
}

/// The new view of the votes is pruned with the one that followed it, and so is what asked for it:
/// else the votes would stand behind a view change alone, and this replica would never start again.
#[test]
fn a_pruned_journal_of_who_was_shown_a_view_it_had_not_asked_for_is_accepted() {
    let genesis = genesis(4, Parameters::default());
    let block = chain_of(&genesis, 1).remove(0);
    let whole = vec![asked(1), entered(1), voted(1, &block), entered(3)];
    let pruned = live(&whole, Height::GENESIS);
    assert_eq!(pruned, [voted(1, &block), entered(3)]);
    for journal in [whole, pruned] {
        let (replica, _) = recover::<FakeApplication>(&genesis, 2, &[], journal).unwrap();
        assert_eq!(replica.status().view, View::new(3));
    }
    let asking = vec![entered(3), asked(4)];
    assert_eq!(live(&asking, Height::GENESIS), asking, "what was asked for since is kept");
}

#[test]
fn a_journal_that_goes_back_to_a_view_is_refused() {
    let back = |from, to| RecoveryError::BackToView { from: View::new(from), to: View::new(to) };
    assert_eq!(error(vec![asked(3), asked(2)]), back(3, 2));
    assert_eq!(error(vec![asked(3), asked(3)]), back(3, 3));
    assert_eq!(error(vec![entered(3), asked(3)]), back(3, 3));
    assert_eq!(error(vec![entered(3), entered(1)]), back(3, 1));
    assert_eq!(error(vec![entered(3), entered(3)]), back(3, 3));
    assert_eq!(error(vec![asked(5), entered(4)]), back(5, 4));
    let genesis = genesis(4, Parameters::default());
    for sound in [
        vec![asked(3), entered(3)],
        vec![asked(3), entered(5)],
        vec![entered(1), asked(3), asked(4), entered(9)],
    ] {
        assert!(recover::<FakeApplication>(&genesis, 2, &[], sound).is_ok());
    }
}

#[test]
fn a_view_change_of_another_replica_key_or_chain_is_refused() {
    let genesis = genesis(4, Parameters::default());
    let view = View::new(3);
    let elsewhere = crypto::signed::ChainId::new(crypto::digest::Digest::ZERO);
    for (replica, chain, signer) in
        [(3, *genesis.chain(), 3), (2, *genesis.chain(), 3), (2, elsewhere, 2)]
    {
        let number = ReplicaId::new(replica);
        let view_change = ViewChange::sign(view, None, number, &chain, &key(signer));
        let found = error(vec![Record::ViewChange { view_change }]);
        assert_eq!(found, RecoveryError::ForeignViewChange { view });
    }
}

/// In each view they go upwards; between views they need not.
#[test]
fn votes_for_another_branch_in_a_later_view_are_no_contradiction() {
    let genesis = genesis(4, Parameters::default());
    let blocks = chain_of(&genesis, 2);
    let rival = block_in(&genesis, 1, genesis.header(), &[7]);
    let journal = vec![voted(0, &blocks[0]), voted(0, &blocks[1]), entered(1), voted(1, &rival)];
    let (replica, _) = recover::<FakeApplication>(&genesis, 2, &[], journal).unwrap();
    assert_eq!(replica.status().in_flight, 1);
    assert!(replica.peek().path.block(&blocks[1].id()).is_some(), "its body is kept");
    let other = block_in(&genesis, 1, genesis.header(), &[8]);
    let journal = vec![entered(1), voted(1, &rival), voted(1, &other)];
    let height = Height::new(1);
    assert_eq!(error(journal), RecoveryError::Contradiction { height });
}
