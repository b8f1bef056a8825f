//! Votes that contradict other votes.

use types::block::Block;
use types::evidence::Evidence;
use types::number::{Height, View};
use types::replica::ReplicaId;
use types::vote::{Phase, Statement};

use crate::fixture::{
    Bench, block_in, block_on, chain_of, commit, pre_prepare, prepare, signed, statement, vote_in,
};
use crate::message::Message;
use crate::output::{Outgoing, Recipients};
use crate::replica::Input;

/// Backup 1 of 4, three blocks on one another, and two on another branch from the genesis.
fn setting() -> (Bench, Vec<Block>, Vec<Block>) {
    let bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 3);
    let rival = block_on(&bench.genesis, bench.genesis.header(), &[7]);
    let child = block_on(&bench.genesis, &rival.header, &[8]);
    (bench, blocks, vec![rival, child])
}

fn vote(bench: &Bench, phase: Phase, replica: u16, block: &Block) -> types::vote::Vote {
    signed(&bench.genesis, replica, statement(phase, block))
}

#[test]
fn two_votes_of_one_phase_at_one_height_are_evidence_and_it_is_given_once() {
    for phase in [Phase::Prepare, Phase::Commit] {
        let (mut bench, blocks, rivals) = setting();
        let (first, second) =
            (vote(&bench, phase, 3, &blocks[0]), vote(&bench, phase, 3, &rivals[0]));
        let message = |vote| match phase {
            Phase::Prepare => Message::Prepare(vote),
            Phase::Commit => Message::Commit(vote),
        };
        assert_eq!(bench.receive(message(first)).evidence, []);
        let output = bench.receive(message(second));
        assert_eq!(output.evidence, [Evidence::Votes { first, second }]);
        assert_eq!(bench.receive(message(second)).evidence, []);
    }
}

#[test]
fn two_proposals_at_one_height_are_evidence_against_the_primary() {
    let (mut bench, blocks, rivals) = setting();
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    let output = bench.receive(pre_prepare(&bench.genesis, &rivals[0]));
    let [first, second] =
        [&blocks[0], &rivals[0]].map(|block| vote(&bench, Phase::Prepare, 0, block));
    assert_eq!(output.evidence, [Evidence::Votes { first, second }]);
}

/// T94: the same block again in a later view, and both phases for one block.
#[test]
fn votes_of_different_views_and_phases_for_what_they_should_are_no_evidence() {
    let (mut bench, blocks, rivals) = setting();
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    bench.receive(prepare(&bench.genesis, 3, &blocks[0]));
    bench.receive(commit(&bench.genesis, 3, &blocks[0]));
    bench.enter(2, None);
    for phase in [Phase::Prepare, Phase::Commit] {
        let elsewhere = vote_in(&bench.genesis, 2, phase, 3, &rivals[0]);
        assert_eq!(bench.receive(Message::Prepare(elsewhere)).evidence, []);
    }
}

/// The headers between are those of the proposals that are here.
#[test]
fn votes_for_two_branches_are_evidence_in_whichever_order_they_come() {
    for turned in [false, true] {
        let (mut bench, blocks, rivals) = setting();
        for block in &blocks {
            bench.receive(pre_prepare(&bench.genesis, block));
        }
        let higher = vote(&bench, Phase::Prepare, 3, &blocks[2]);
        let lower = vote(&bench, Phase::Commit, 3, &rivals[0]);
        let mut messages = [Message::Prepare(higher), Message::Commit(lower)];
        if turned {
            messages.reverse();
        }
        let [first, second] = messages;
        assert_eq!(bench.receive(first).evidence, []);
        let headers = [2, 1].map(|at: usize| blocks[at].header.clone()).to_vec();
        let evidence = Evidence::Branches { higher, lower, headers };
        assert_eq!(bench.receive(second).evidence, [evidence]);
    }
}

#[test]
fn a_prepare_and_a_commit_vote_for_two_blocks_at_one_height_need_no_headers() {
    let (mut bench, blocks, rivals) = setting();
    bench.receive(prepare(&bench.genesis, 3, &blocks[0]));
    let output = bench.receive(commit(&bench.genesis, 3, &rivals[0]));
    assert_eq!(output.evidence.iter().map(Evidence::name).collect::<Vec<_>>(), ["branches"]);
}

/// The primary proposes on another branch than it has voted for below.
#[test]
fn a_proposal_beside_the_primarys_own_votes_is_evidence_too() {
    let (mut bench, blocks, rivals) = setting();
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    let output = bench.receive(pre_prepare(&bench.genesis, &rivals[1]));
    let higher = vote(&bench, Phase::Prepare, 0, &rivals[1]);
    let lower = vote(&bench, Phase::Prepare, 0, &blocks[0]);
    let headers = vec![rivals[1].header.clone()];
    assert_eq!(output.evidence, [Evidence::Branches { higher, lower, headers }]);
}

#[test]
fn votes_on_one_chain_are_no_evidence_in_any_order() {
    let all = |bench: &Bench, blocks: &[Block]| -> Vec<Message> {
        let votes = blocks.iter().flat_map(|block| {
            [prepare(&bench.genesis, 3, block), commit(&bench.genesis, 3, block)]
        });
        votes.chain(blocks.iter().map(|block| pre_prepare(&bench.genesis, block))).collect()
    };
    let mut random = crate::fixture::random::Random::new(7);
    for _ in 0..200 {
        let (mut bench, blocks, _) = setting();
        let mut messages = all(&bench, &blocks);
        while let Some(message) = random.take(&mut messages) {
            assert_eq!(bench.receive(message).evidence, []);
        }
    }
}

/// Without the header there is no proof; a liar gains nothing by naming a block that nobody has.
#[test]
fn votes_for_blocks_that_are_not_here_are_no_evidence_yet() {
    let (mut bench, blocks, rivals) = setting();
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    bench.receive(commit(&bench.genesis, 3, &blocks[0]));
    assert_eq!(bench.receive(prepare(&bench.genesis, 3, &rivals[1])).evidence, []);
}

/// A number in the statement that is not the block's is a lie that this kind of evidence cannot
/// show.
#[test]
fn a_vote_that_names_another_height_than_its_block_has_accuses_nobody() {
    let (mut bench, blocks, _) = setting();
    for block in &blocks {
        bench.receive(pre_prepare(&bench.genesis, block));
    }
    bench.receive(prepare(&bench.genesis, 3, &blocks[0]));
    let odd = Statement { height: Height::new(3), ..statement(Phase::Prepare, &blocks[1]) };
    let odd = signed(&bench.genesis, 3, odd);
    assert_eq!(bench.receive(Message::Prepare(odd)).evidence, []);
}

/// What was voted for in view 0 is no branch of view 1.
#[test]
fn votes_of_two_views_are_never_compared() {
    let (mut bench, blocks, _) = setting();
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    bench.receive(prepare(&bench.genesis, 3, &blocks[0]));
    bench.enter(2, None);
    let rival = block_in(&bench.genesis, 2, bench.genesis.header(), &[7]);
    let child = block_in(&bench.genesis, 2, &rival.header, &[8]);
    for block in [&rival, &child] {
        bench.receive(crate::fixture::proposal_in(&bench.genesis, 2, block));
        let vote = vote_in(&bench.genesis, 2, Phase::Prepare, 3, block);
        assert_eq!(bench.receive(Message::Prepare(vote)).evidence, []);
    }
}

#[test]
fn a_commit_below_the_height_that_was_committed_since_is_not_compared() {
    let (mut bench, blocks, rivals) = setting();
    bench.receive(pre_prepare(&bench.genesis, &blocks[1]));
    bench.receive(prepare(&bench.genesis, 3, &blocks[1]));
    bench.step(Input::Blocks(vec![bench.proved(&blocks[0])]));
    assert_eq!(bench.receive(commit(&bench.genesis, 3, &rivals[0])).evidence, []);
    let view = bench.replica.peek().view;
    assert_eq!(view, View::FIRST);
}

/// A primary that shows one block to each half shows nobody two: those who have voted for the other one are told.
#[test]
fn who_votes_for_another_block_is_shown_what_the_primary_voted_for_here() {
    for voted_first in [false, true] {
        let (mut bench, blocks, rivals) = setting();
        let proposal = pre_prepare(&bench.genesis, &blocks[0]);
        let other = prepare(&bench.genesis, 3, &rivals[0]);
        let mut messages = [proposal, other];
        if voted_first {
            messages.reverse();
        }
        let outputs = messages.map(|message| bench.receive(message));

        let told = outputs.iter().flat_map(|output| &output.messages);
        let told: Vec<_> = told.filter(|it| it.to != Recipients::All).collect();
        let shown = Message::Prepare(vote(&bench, Phase::Prepare, 0, &blocks[0]));
        let to = Recipients::One(ReplicaId::new(3));
        assert_eq!(told, [&Outgoing { to, message: shown }], "voted first: {voted_first}");
        let again = bench.receive(prepare(&bench.genesis, 3, &rivals[0]));
        assert_eq!(again.messages, []);
    }
}

#[test]
fn who_votes_for_the_block_of_the_primary_is_told_nothing() {
    let (mut bench, blocks, _) = setting();
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    let output = bench.receive(prepare(&bench.genesis, 3, &blocks[0]));

    assert!(output.messages.iter().all(|outgoing| outgoing.to == Recipients::All), "{output:?}");
}

/// The other half of it: what is shown is a proof together with what the primary has shown here.
#[test]
fn who_is_shown_another_vote_of_the_primary_proves_that_it_lies() {
    let (mut bench, blocks, rivals) = setting();
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    let [first, second] =
        [&blocks[0], &rivals[0]].map(|block| vote(&bench, Phase::Prepare, 0, block));

    assert_eq!(
        bench.receive(Message::Prepare(second)).evidence,
        [Evidence::Votes { first, second }]
    );
}
