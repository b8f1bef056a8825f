//! A replica that comes back has said what it had said, and nothing else.

mod views;

use ledger::Ledger;
use types::block::{Block, BlockId};
use types::number::{Height, View};
use types::parameters::Parameters;
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::vote::{Phase, Statement, Vote};

use super::RecoveryError;
use crate::fixture::application::{FakeApplication, TestApplication};
use crate::fixture::{
    Bench, block_on, chain_of, commit, genesis, key, pre_prepare, prepare, proved, recover, said,
    signed, statement, tick,
};
use crate::journal::live;
use crate::message::Message;
use crate::output::{Output, Timer};
use crate::record::Record;
use crate::replica::{Input, Protocol};

/// Backup 1 of 4, and what it received on the way to two commits.
fn story() -> (Bench, Vec<Message>) {
    let bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 3);
    let genesis = &bench.genesis;
    let mut messages: Vec<Message> =
        blocks.iter().map(|block| pre_prepare(genesis, block)).collect();
    for block in &blocks[..2] {
        messages.extend([2, 3].map(|replica| prepare(genesis, replica, block)));
        messages.extend([0, 2].map(|replica| commit(genesis, replica, block)));
    }
    (bench, messages)
}

fn messages(output: &Output) -> Vec<&Message> {
    output.messages.iter().map(|outgoing| &outgoing.message).collect()
}

/// T61, T62: after every step of its life it is killed and comes back with another pool.
#[test]
fn a_replica_killed_after_every_step_says_the_same_words_and_gets_as_far() {
    let (mut steady, received) = story();
    let (mut shaken, _) = story();
    for message in received {
        let one = steady.receive(message.clone());
        let other = shaken.receive(message);
        assert_eq!(one, other);
        assert_eq!(steady.records, shaken.records);

        steady.step(Input::Timer(Timer::Status));
        let undecided = steady.step(Input::Connected(ReplicaId::new(3)));
        let again = shaken.restart();
        let mut undecided = messages(&undecided);
        assert!(matches!(undecided.pop(), Some(Message::Status(_))));
        assert_eq!(messages(&again), undecided);
        assert!(again.records.is_empty() && again.committed.is_empty());
        shaken.step(tick(crate::fixture::NOON));
        shaken.work(50..53);
        // What others had said is lost with the process; they say it again.
        let before: Vec<Message> = story().1.into_iter().filter(|m| heard(&steady, m)).collect();
        for message in before {
            assert!(said(&shaken.receive(message)).is_empty());
        }
        assert_eq!(steady.replica.status(), shaken.replica.status());
    }
    assert_eq!(steady.replica.status().committed, Height::new(2));
    assert_eq!(steady.committed, shaken.committed);
}

/// Whether a replica has counted the vote of a message.
fn heard(bench: &Bench, message: &Message) -> bool {
    let vote = message.vote().unwrap();
    let Statement { phase, height, .. } = vote.statement;
    let slots = &bench.replica.peek().slots;
    slots.get(&height).is_some_and(|slot| slot.tally(phase).of(vote.replica) == Some(vote))
}

/// T63: the very block, though other requests wait by now.
#[test]
fn a_restarted_primary_proposes_what_it_had_proposed() {
    let mut bench = Bench::new(4, 0);
    let proposed = bench.work(0..2);
    let again = bench.restart();
    assert_eq!(messages(&again), messages(&proposed));
    bench.step(tick(crate::fixture::NOON));
    assert!(messages(&bench.work(5..6)).is_empty(), "it goes on gathering, above its own proposal");
    assert_eq!(bench.replica.status().in_flight, 1);
}

#[test]
fn what_was_decided_when_the_process_died_is_committed_at_once() {
    let mut bench = Bench::new(1, 0);
    let output = bench.work(0..1);
    let committed = std::mem::take(&mut bench.committed);
    let again = bench.restart();
    assert_eq!(again.committed, committed);
    assert_eq!(messages(&again), messages(&output));
}

#[test]
fn a_pruned_journal_brings_back_the_same_replica() {
    let (mut bench, received) = story();
    for message in received {
        bench.receive(message);
        let height = bench.replica.status().committed;
        let whole = bench.records.clone();
        let one = bench.restart();
        bench.records = live(&whole, height);
        let other = bench.restart();
        assert_eq!(one, other);
        bench.records = whole;
    }
}

/// Blocks that came by catch-up were not durable yet when the process died: the votes above wait
/// for them.
#[test]
fn votes_above_a_gap_wait_until_catch_up_has_closed_it() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 4);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    let caught_up = blocks[..2].iter().map(|block| bench.proved(block)).collect();
    bench.step(Input::Blocks(caught_up));
    bench.receive(pre_prepare(&bench.genesis, &blocks[2]));
    assert_eq!(bench.replica.status().in_flight, 1);

    bench.committed.clear();
    let again = bench.restart();
    bench.step(tick(crate::fixture::NOON));
    assert_eq!(said(&again), [0, 2].map(|at: usize| statement(Phase::Prepare, &blocks[at])));
    assert_eq!(bench.ahead(), 3);
    let output = bench.receive(pre_prepare(&bench.genesis, &blocks[3]));
    assert!(said(&output).is_empty() && output.ignored.is_empty());
    bench.step(Input::Blocks(vec![bench.proved(&blocks[0])]));

    let output = bench.step(Input::Blocks(vec![bench.proved(&blocks[1])]));
    assert_eq!(said(&output), [statement(Phase::Prepare, &blocks[3])]);
}

/// The store lags behind by many windows, and the real ledger holds only so many layers.
#[test]
fn votes_many_windows_above_the_durable_blocks_are_taken_up_again() {
    let parameters = Parameters { window_heights: 2, ..Parameters::default() };
    let genesis = genesis(4, parameters);
    let start = |stored: &[ProvedBlock], records| recover::<Ledger>(&genesis, 0, stored, records);
    let (mut replica, _) = start(&[], Vec::new()).unwrap();
    let (mut records, mut committed, mut said_before) = (Vec::new(), Vec::new(), Vec::new());
    for nonce in 0..30 {
        let transaction = crate::fixture::transfer(&genesis, 0, nonce);
        let signed = crypto::signed::Signed::vouched(transaction);
        let application = replica.application_mut();
        application.admit(signed, ledger::Origin::Client).unwrap();
        let mut output = replica.step(Input::Work);
        let Message::PrePrepare(proposal) = output.messages[0].message.clone() else { panic!() };
        for backup in [1, 2] {
            for message in [
                prepare(&genesis, backup, &proposal.block),
                commit(&genesis, backup, &proposal.block),
            ] {
                let message = crypto::signed::Signed::vouched(message);
                let more = replica.step(Input::Message(message));
                output.records.extend(more.records);
                output.messages.extend(more.messages);
                output.committed.extend(more.committed);
            }
        }
        records.extend(output.records);
        committed.extend(output.committed);
        said_before.extend(output.messages);
    }
    assert_eq!(committed.len(), 30);

    let (mut replica, again) = start(&committed[..3], records).unwrap();

    assert_eq!(again.messages[1..], said_before[6..]);
    assert_eq!(replica.status().committed, Height::new(3));
    let peers: Vec<Message> = committed[3..]
        .iter()
        .flat_map(|proved| [1, 2].map(|peer| commit(&genesis, peer, &proved.block)))
        .collect();
    let mut caught_up = Vec::new();
    for message in peers.into_iter().rev() {
        let message = crypto::signed::Signed::vouched(message);
        caught_up.extend(replica.step(Input::Message(message)).committed);
    }
    assert_eq!(caught_up.len(), 27);
    assert!(replica.status().voting);
}

#[test]
fn a_commit_between_two_starts_that_left_the_votes_chain_is_remembered() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 2);
    let rival = block_on(&bench.genesis, bench.genesis.header(), &[7]);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    bench.step(Input::Blocks(vec![bench.proved(&rival)]));
    for stored in [bench.committed.clone(), Vec::new()] {
        let recovered =
            recover::<FakeApplication>(&bench.genesis, 1, &stored, bench.records.clone());
        assert!(!recovered.unwrap().0.status().voting);
    }
}

/// The error with which backup 1 of 4, with these stored blocks, refuses these records.
fn error(stored: &[ProvedBlock], records: Vec<Record>) -> RecoveryError {
    let genesis = genesis(4, Parameters::default());
    recover::<FakeApplication>(&genesis, 1, stored, records).unwrap_err()
}

fn blocks() -> Vec<Block> {
    chain_of(&genesis(4, Parameters::default()), 3)
}

fn vote(phase: Phase, block: &Block) -> Vote {
    signed(&genesis(4, Parameters::default()), 1, statement(phase, block))
}

fn voted(block: &Block) -> Record {
    let vote = vote(Phase::Prepare, block);
    Record::Vote { vote, block: Some(block.clone()) }
}

fn committed(block: &Block) -> Record {
    let vote = vote(Phase::Commit, block);
    Record::Vote { vote, block: None }
}

#[test]
fn a_key_that_is_not_the_replicas_is_refused() {
    let genesis = genesis(4, Parameters::default());
    let config = |replica| crate::Config {
        replica: ReplicaId::new(replica),
        validators: genesis.validators().clone(),
        parameters: *genesis.parameters(),
    };
    let start = |replica| {
        let application = FakeApplication::at_genesis(&genesis);
        let signer = std::sync::Arc::new(key(2));
        let tip = genesis.header().clone();
        crate::Replica::recover(config(replica), signer, application, tip, Vec::new())
    };
    assert!(start(2).is_ok());
    assert!(matches!(start(1), Err(RecoveryError::ForeignKey { .. })));
    assert!(matches!(start(4), Err(RecoveryError::NotAMember(_))));
}

#[test]
fn the_votes_of_another_replica_are_refused() {
    let genesis = genesis(4, Parameters::default());
    let block = &blocks()[0];
    let vote = signed(&genesis, 2, statement(Phase::Prepare, block));
    let record = Record::Vote { vote, block: Some(block.clone()) };
    let (replica, height) = (ReplicaId::new(2), Height::new(1));
    assert_eq!(error(&[], vec![record]), RecoveryError::ForeignVote { replica, height });
}

#[test]
fn votes_under_another_key_or_for_another_chain_are_refused() {
    let block = &blocks()[0];
    let statement = statement(Phase::Prepare, block);
    let genesis = genesis(4, Parameters::default());
    let elsewhere = crypto::signed::ChainId::new(crypto::digest::Digest::ZERO);
    for (chain, signer) in [(*genesis.chain(), 2), (elsewhere, 1)] {
        let vote = Vote::sign(statement, ReplicaId::new(1), &chain, &key(signer));
        let record = Record::Vote { vote, block: Some(block.clone()) };
        let height = Height::new(1);
        assert_eq!(error(&[], vec![record]), RecoveryError::ForeignSignature { height });
    }
}

#[test]
fn a_block_of_another_chain_is_refused() {
    let mut block = blocks()[0].clone();
    block.header.chain = crypto::signed::ChainId::new(crypto::digest::Digest::ZERO);
    let height = Height::new(1);
    assert_eq!(error(&[], vec![voted(&block)]), RecoveryError::ForeignBlock { height });
}

#[test]
fn a_vote_in_a_view_that_was_never_entered_is_refused() {
    let genesis = genesis(4, Parameters::default());
    let view = View::new(2);
    let block = blocks()[0].clone();
    let vote = signed(&genesis, 1, Statement { view, ..statement(Phase::Prepare, &block) });
    let record = Record::Vote { vote, block: Some(block) };
    let height = Height::new(1);
    assert_eq!(error(&[], vec![record]), RecoveryError::ForeignView { height, view });
}

#[test]
fn votes_whose_block_is_missing_or_another_one_are_refused() {
    let blocks = blocks();
    let height = Height::new(1);
    let prepare = vote(Phase::Prepare, &blocks[0]);
    let commit = vote(Phase::Commit, &blocks[0]);
    for (vote, block) in
        [(prepare, None), (prepare, Some(blocks[1].clone())), (commit, Some(blocks[0].clone()))]
    {
        let record = Record::Vote { vote, block };
        assert_eq!(error(&[], vec![record]), RecoveryError::WrongBlock { height });
    }
}

#[test]
fn votes_that_contradict_each_other_are_refused() {
    let genesis = genesis(4, Parameters::default());
    let blocks = blocks();
    let rival = block_on(&genesis, genesis.header(), &[7]);
    let beside = block_on(&genesis, &rival.header, &[8]);
    let contradiction = |height| RecoveryError::Contradiction { height: Height::new(height) };
    assert_eq!(error(&[], vec![voted(&blocks[0]), voted(&rival)]), contradiction(1));
    assert_eq!(error(&[], vec![committed(&blocks[0]), committed(&rival)]), contradiction(1));
    assert_eq!(error(&[], vec![voted(&blocks[0]), voted(&beside)]), contradiction(2));
    assert_eq!(error(&[], vec![voted(&blocks[1]), voted(&blocks[0])]), contradiction(1));
}

#[test]
fn a_commit_vote_without_what_it_followed_from_is_refused() {
    let block = &blocks()[0];
    let height = Height::new(1);
    assert_eq!(error(&[], vec![committed(block)]), RecoveryError::Unprepared { height });
    let records = vec![voted(block), committed(block)];
    assert_eq!(error(&[], records), RecoveryError::Uncertified { height });
}

#[test]
fn votes_beside_the_committed_chain_are_refused_unless_it_was_left() {
    let genesis = genesis(4, Parameters::default());
    let blocks = blocks();
    let rival = block_on(&genesis, genesis.header(), &[7]);
    let stored = [proved(&genesis, &rival).into_inner()];
    let off_chain = |height| RecoveryError::OffChain { height: Height::new(height) };
    assert_eq!(error(&stored, vec![voted(&blocks[0])]), off_chain(1));
    assert_eq!(error(&stored, vec![voted(&blocks[1])]), off_chain(2));
    let (view, height, block) = (View::FIRST, Height::new(1), rival.id());
    let records = vec![voted(&blocks[1]), Record::Left { view, height, block }];
    assert!(recover::<FakeApplication>(&genesis, 1, &stored, records).is_ok());
}

#[test]
fn a_block_that_can_no_longer_be_executed_is_refused() {
    let mut block = blocks()[0].clone();
    block.header.state_root = crypto::digest::Digest::ZERO;
    let refused = error(&[], vec![voted(&block)]);
    assert!(matches!(refused, RecoveryError::Execution { height, .. } if height.get() == 1));
    assert!(refused.to_string().starts_with("the block voted for at height 1 can no longer be"));
}

#[test]
fn a_committed_block_of_another_chain_is_refused() {
    let genesis = genesis(4, Parameters::default());
    let other = crate::fixture::genesis(5, Parameters::default());
    let config = crate::Config {
        replica: ReplicaId::new(1),
        validators: genesis.validators().clone(),
        parameters: *genesis.parameters(),
    };
    let application = FakeApplication::at_genesis(&other);
    let signer = std::sync::Arc::new(key(1));
    let tip = other.header().clone();
    assert_ne!(tip.id(), BlockId::NONE);
    let recovered = crate::Replica::recover(config, signer, application, tip, Vec::new());
    assert!(matches!(recovered, Err(RecoveryError::ForeignBlock { .. })));
}

/// The store is gone or was set aside, and the journal was rewritten while it was there.
#[test]
fn a_pruned_journal_without_its_store_is_still_this_replicas_word() {
    let (mut bench, received) = story();
    for message in received {
        bench.receive(message);
        let height = bench.replica.status().committed;
        let pruned = live(&bench.records, height);
        let recovered = recover::<FakeApplication>(&bench.genesis, 1, &[], pruned);
        let error = recovered.err();
        assert!(error.is_none(), "pruned at height {height}: {error:?}");
    }
    assert_eq!(bench.replica.status().committed, Height::new(2));
}
