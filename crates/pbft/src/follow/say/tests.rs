//! When a replica votes, and for what.

use types::block::Block;
use types::number::Height;
use types::parameters::Parameters;
use types::vote::{Phase, Statement};

use crate::fixture::random::with_seeds;
use crate::fixture::{
    Bench, NOON, block_on, chain_of, commit, pre_prepare, prepare, said, signed, statement, tick,
};
use crate::ignored::{Ignored, Refusal};
use crate::message::Message;
use crate::output::{AFTER_MS_MAX, Output, Timer, TimerSet};
use crate::record::Record;
use crate::replica::{Input, Protocol};

#[test]
fn a_backup_executes_records_and_votes_when_the_primary_proposes() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 1);

    let output = bench.receive(pre_prepare(&bench.genesis, &blocks[0]));

    let own = signed(&bench.genesis, 1, statement(Phase::Prepare, &blocks[0]));
    let block = Some(blocks[0].clone());
    assert_eq!(output.records, [Record::Vote { vote: own, block }]);
    assert_eq!(said(&output), [statement(Phase::Prepare, &blocks[0])]);
    assert_eq!(bench.replica.application().layers(), 1);
    assert_eq!(bench.replica.status().in_flight, 1);
}

#[test]
fn a_quorum_with_the_primary_prepares_and_is_recorded_with_the_commit_vote() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 1);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));

    let output = bench.receive(prepare(&bench.genesis, 2, &blocks[0]));

    assert_eq!(said(&output), [statement(Phase::Commit, &blocks[0])]);
    let [Record::Certificate { certificate }, Record::Vote { vote, block: None }] =
        &output.records[..]
    else {
        panic!("{:?}", output.records);
    };
    assert_eq!(certificate.statement, statement(Phase::Prepare, &blocks[0]));
    assert_eq!(certificate.replicas().map(|r| r.get()).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(vote.statement, statement(Phase::Commit, &blocks[0]));
}

/// T03: the primary's vote came with its pre-prepare and counts once.
#[test]
fn the_primarys_prepare_beside_its_pre_prepare_is_not_counted_again() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 1);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    let output = bench.receive(prepare(&bench.genesis, 0, &blocks[0]));
    assert!(said(&output).is_empty());
}

/// T05: one replica is one vote, whatever its signature bytes.
#[test]
fn a_vote_three_times_is_one_vote() {
    let mut bench = Bench::new(7, 1);
    let blocks = chain_of(&bench.genesis, 1);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    let mut vote = signed(&bench.genesis, 2, statement(Phase::Prepare, &blocks[0]));
    for byte in 0..3 {
        vote.signature = crypto::keys::Signature::from_bytes([byte; 64]);
        assert!(said(&bench.receive(Message::Prepare(vote))).is_empty());
    }
    assert!(said(&bench.receive(prepare(&bench.genesis, 3, &blocks[0]))).is_empty());
    assert_eq!(said(&bench.receive(prepare(&bench.genesis, 4, &blocks[0]))).len(), 1);
}

/// T06: the commit vote is for what was prepared, not for what was heard last.
#[test]
fn votes_for_another_block_neither_count_nor_lead_the_commit_vote_astray() {
    let mut bench = Bench::new(7, 1);
    let blocks = chain_of(&bench.genesis, 1);
    let rival = block_on(&bench.genesis, bench.genesis.header(), &[7]);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    for replica in [2, 3] {
        assert!(said(&bench.receive(prepare(&bench.genesis, replica, &blocks[0]))).is_empty());
    }
    for replica in [4, 5] {
        let output = bench.receive(prepare(&bench.genesis, replica, &rival));
        assert!(output.records.is_empty(), "it gave a vote of its own: {output:?}");
    }
    let output = bench.receive(prepare(&bench.genesis, 6, &blocks[0]));
    assert_eq!(said(&output), [statement(Phase::Commit, &blocks[0])]);
}

/// Rule 3: the primary's vote is one of the quorum. A restarted backup has its own vote and the block, and must hear
/// the primary's vote again.
#[test]
fn a_quorum_without_the_primary_does_not_prepare() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 1);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    bench.restart();
    for replica in [2, 3] {
        assert!(said(&bench.receive(prepare(&bench.genesis, replica, &blocks[0]))).is_empty());
    }
    let output = bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    assert_eq!(said(&output), [statement(Phase::Commit, &blocks[0])]);
}

#[test]
fn proposals_in_any_order_are_voted_for_in_the_order_of_their_heights() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 3);
    assert!(said(&bench.receive(pre_prepare(&bench.genesis, &blocks[2]))).is_empty());
    assert!(said(&bench.receive(pre_prepare(&bench.genesis, &blocks[1]))).is_empty());
    let output = bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    let votes = [0, 1, 2].map(|at: usize| statement(Phase::Prepare, &blocks[at]));
    assert_eq!(said(&output), votes);
}

/// A07, A10: a child of the grandparent, or of nothing that this replica voted for.
#[test]
fn a_proposal_beside_the_chain_of_votes_gets_none() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 1);
    let rival = block_on(&bench.genesis, bench.genesis.header(), &[7]);
    let beside = block_on(&bench.genesis, &rival.header, &[8]);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    let output = bench.receive(pre_prepare(&bench.genesis, &beside));
    let (height, refusal) = (Height::new(2), Refusal::WrongParent);
    assert_eq!(output.ignored, [Ignored::Refused { height, refusal }]);
    assert!(said(&output).is_empty());
}

#[test]
fn a_proposal_above_the_window_waits_until_the_window_has_moved() {
    let parameters = Parameters { window_heights: 2, ..Parameters::default() };
    let mut bench = Bench::with(4, 1, parameters);
    let blocks = chain_of(&bench.genesis, 3);
    for block in &blocks[..2] {
        assert_eq!(said(&bench.receive(pre_prepare(&bench.genesis, block))).len(), 1);
    }
    assert!(said(&bench.receive(pre_prepare(&bench.genesis, &blocks[2]))).is_empty());
    for replica in [0, 2] {
        bench.receive(commit(&bench.genesis, replica, &blocks[0]));
    }
    let output = bench.receive(commit(&bench.genesis, 3, &blocks[0]));
    assert_eq!(output.committed.len(), 1);
    assert_eq!(said(&output), [statement(Phase::Prepare, &blocks[2])]);
}

#[test]
fn a_proposal_ahead_of_the_clock_waits_and_is_voted_for_when_its_time_has_come() {
    let mut bench = Bench::new(4, 1);
    let drift = u64::from(bench.genesis.parameters().clock_drift_max_ms);
    let mut blocks = chain_of(&bench.genesis, 1);
    blocks[0].header.timestamp_ms = NOON + drift + 300;

    let output = bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    let timer = Timer::Proposal;
    assert_eq!(output.timers, [TimerSet { timer, after_ms: 300 }]);
    assert!(said(&output).is_empty() && output.ignored.is_empty());
    assert_eq!(bench.step(Input::Work), Output::default());

    bench.step(tick(NOON + 299));
    let output = bench.step(Input::Timer(Timer::Proposal));
    assert_eq!(output.timers, [TimerSet { timer, after_ms: 1 }]);
    let output = bench.step(tick(NOON + 300));
    assert_eq!(said(&output), [statement(Phase::Prepare, &blocks[0])]);
}

#[test]
fn a_timestamp_at_the_end_of_time_sets_a_bounded_timer() {
    let mut bench = Bench::new(4, 1);
    let mut blocks = chain_of(&bench.genesis, 1);
    blocks[0].header.timestamp_ms = u64::MAX;
    let output = bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    let (timer, after_ms) = (Timer::Proposal, AFTER_MS_MAX);
    assert_eq!(output.timers, [TimerSet { timer, after_ms }]);
}

/// The other messages that backup 1 of 4 gets about one height.
fn messages_about(bench: &Bench, block: &Block) -> Vec<Message> {
    let genesis = &bench.genesis;
    let prepares = [2, 3].map(|replica| prepare(genesis, replica, block));
    let commits = [0, 2, 3].map(|replica| commit(genesis, replica, block));
    let first = pre_prepare(genesis, block);
    std::iter::once(first).chain(prepares).chain(commits).collect()
}

fn permutations(items: usize) -> Vec<Vec<usize>> {
    if items == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(items - 1);
    let insert = |order: &Vec<usize>, at: usize| {
        let mut order = order.clone();
        order.insert(at, items - 1);
        order
    };
    shorter.iter().flat_map(|order| (0..items).map(move |at| insert(order, at))).collect()
}

/// T46: whatever comes first, the pre-prepare or a commit, in every order and with every message twice.
#[test]
fn a_height_commits_in_every_order_of_its_messages() {
    let orders = permutations(6);
    assert_eq!(orders.len(), 720);
    for order in orders {
        let mut bench = Bench::new(4, 1);
        let blocks = chain_of(&bench.genesis, 1);
        let messages = messages_about(&bench, &blocks[0]);
        let mut votes: Vec<Statement> = Vec::new();
        for at in &order {
            for _ in 0..2 {
                votes.extend(said(&bench.receive(messages[*at].clone())));
            }
        }
        assert_eq!(bench.committed.len(), 1, "order {order:?}");
        assert_eq!(votes[0], statement(Phase::Prepare, &blocks[0]), "order {order:?}");
        assert!(votes.len() <= 2, "order {order:?}");
    }
}

/// T46 and pipelining: the twelve messages about two heights, in random orders.
#[test]
fn two_heights_commit_in_any_order_of_their_twelve_messages() {
    let name = "two_heights_commit_in_any_order_of_their_twelve_messages";
    with_seeds(name, 0..500, |seed| {
        let mut random = crate::fixture::random::Random::new(seed);
        let mut bench = Bench::new(4, 1);
        let blocks = chain_of(&bench.genesis, 2);
        let mut messages = messages_about(&bench, &blocks[0]);
        messages.extend(messages_about(&bench, &blocks[1]));
        assert_eq!(messages.len(), 12);
        while let Some(message) = random.take(&mut messages) {
            bench.receive(message);
        }
        assert_eq!(bench.replica.status().committed, Height::new(2));
        assert_eq!(bench.replica.status().in_flight, 0);
    });
}
