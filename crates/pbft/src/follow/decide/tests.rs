//! What is committed, with which proof, and what it takes.

use std::sync::Arc;

use crypto::signed::Unverified;
use types::door::{Door, NothingChecked};
use types::number::Height;
use types::reply::CommittedStatement;
use types::vote::{Phase, Statement};

use crate::fixture::{
    Bench, block_on, chain_of, commit, pre_prepare, prepare, said, signed, statement,
};
use crate::ignored::Ignored;
use crate::message::Message;
use crate::record::Record;
use crate::replica::{Input, Protocol};

/// T04: commits are counted by what they say.
#[test]
fn commit_votes_for_another_block_do_not_count() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 1);
    let rival = block_on(&bench.genesis, bench.genesis.header(), &[7]);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    for message in [
        commit(&bench.genesis, 0, &blocks[0]),
        commit(&bench.genesis, 2, &rival),
        commit(&bench.genesis, 3, &blocks[0]),
    ] {
        assert!(bench.receive(message).committed.is_empty());
    }
    let output = bench.receive(prepare(&bench.genesis, 2, &blocks[0]));
    assert_eq!(said(&output), [statement(Phase::Commit, &blocks[0])]);
    assert_eq!(output.committed.len(), 1);
}

/// T07: votes that match in height and view and not in the block make no certificate.
#[test]
fn commit_votes_scattered_over_blocks_decide_nothing() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 1);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    for (replica, nonce) in [(0, 5), (2, 6), (3, 7)] {
        let other = block_on(&bench.genesis, bench.genesis.header(), &[nonce]);
        assert!(bench.receive(commit(&bench.genesis, replica, &other)).committed.is_empty());
    }
    assert_eq!(bench.replica.status().committed, Height::GENESIS);
}

#[test]
fn a_committed_block_comes_with_its_proof_and_its_reply() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 1);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    for replica in [0, 2] {
        bench.receive(commit(&bench.genesis, replica, &blocks[0]));
    }
    let output = bench.receive(commit(&bench.genesis, 3, &blocks[0]));
    let reply = CommittedStatement { height: Height::new(1), block: blocks[0].id() };
    assert_eq!(output.replies, [reply]);
    assert_eq!(output.committed[0].block, blocks[0]);
    assert!(output.committed[0].proof.descendants.is_empty());
    assert_eq!(bench.replica.application().layers(), 0);
}

/// T47 and deviation 3: commits arrive for the third height only, and commit the two below in their order.
#[test]
fn the_commit_of_a_descendant_commits_its_ancestors() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 3);
    for block in &blocks {
        bench.receive(pre_prepare(&bench.genesis, block));
    }
    for replica in [0, 2] {
        bench.receive(commit(&bench.genesis, replica, &blocks[2]));
    }
    let output = bench.receive(commit(&bench.genesis, 3, &blocks[2]));

    let committed: Vec<_> = output.committed.iter().map(|proved| &proved.block).collect();
    assert_eq!(committed, blocks.iter().collect::<Vec<_>>());
    let door = Door::new(bench.genesis.validators().clone(), Arc::new(NothingChecked));
    for (proved, descendants) in output.committed.into_iter().zip([2, 1, 0]) {
        assert_eq!(proved.proof.descendants.len(), descendants);
        assert!(Unverified::new(proved).verify(&door).is_ok());
    }
}

#[test]
fn each_height_gets_the_shortest_proof_there_is() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 4);
    for at in [1, 3] {
        for replica in [0, 2, 3] {
            bench.receive(commit(&bench.genesis, replica, &blocks[at]));
        }
    }
    for block in blocks.iter().rev() {
        bench.receive(pre_prepare(&bench.genesis, block));
    }
    let proofs = bench.committed.iter().map(|proved| proved.proof.descendants.len());
    assert_eq!(proofs.collect::<Vec<_>>(), [1, 0, 1, 0]);
}

/// T46: a replica that comes too late to vote commits what the others decided.
#[test]
fn a_decided_block_that_could_not_be_voted_for_is_executed_and_committed() {
    let mut bench = Bench::new(4, 1);
    let mut blocks = chain_of(&bench.genesis, 1);
    blocks[0].header.timestamp_ms = u64::MAX;
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    for replica in [0, 2, 3] {
        bench.receive(commit(&bench.genesis, replica, &blocks[0]));
    }
    assert_eq!(bench.replica.status().committed, Height::new(1));
    assert!(bench.records.is_empty());
}

#[test]
fn a_decision_without_its_block_only_says_that_this_replica_is_behind() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 2);
    bench.receive(pre_prepare(&bench.genesis, &blocks[1]));
    for replica in [0, 2] {
        let output = bench.receive(commit(&bench.genesis, replica, &blocks[1]));
        assert_eq!(output.behind, None);
    }
    let output = bench.receive(commit(&bench.genesis, 3, &blocks[1]));
    assert_eq!(output.behind, Some(Height::new(2)));
    assert!(output.committed.is_empty());

    let output = bench.step(Input::Blocks(vec![bench.proved(&blocks[0])]));
    assert_eq!(output.committed.len(), 2);
    assert_eq!(output.behind, None);
}

/// The rule of section 3 that ends the voting in a view, and T13.
#[test]
fn a_commit_beside_the_chain_of_own_votes_ends_the_voting_for_good() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 3);
    let rival = block_on(&bench.genesis, bench.genesis.header(), &[7]);
    let child = block_on(&bench.genesis, &rival.header, &[8]);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    bench.receive(pre_prepare(&bench.genesis, &blocks[1]));

    let output = bench.step(Input::Blocks(vec![bench.proved(&rival)]));
    let (view, height, block) = (output_view(&bench), Height::new(1), rival.id());
    assert_eq!(output.records, [Record::Left { view, height, block }]);
    assert!(!bench.replica.status().voting);

    for message in [
        pre_prepare(&bench.genesis, &child),
        pre_prepare(&bench.genesis, &blocks[2]),
        prepare(&bench.genesis, 2, &blocks[1]),
    ] {
        assert!(said(&bench.receive(message)).is_empty());
    }
    let again = said(&bench.restart());
    assert_eq!(again, [statement(Phase::Prepare, &blocks[1])]);
    assert!(!bench.replica.status().voting);
    let output = bench.step(Input::Blocks(vec![bench.proved(&child)]));
    assert_eq!(output.committed.len(), 1);
}

fn output_view(bench: &Bench) -> types::number::View {
    bench.replica.status().view
}

/// T50: the same height by catch-up and by votes.
#[test]
fn a_block_that_arrives_on_two_ways_is_committed_once() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 2);
    for block in &blocks {
        bench.receive(pre_prepare(&bench.genesis, block));
    }
    for replica in [0, 2] {
        bench.receive(commit(&bench.genesis, replica, &blocks[0]));
    }
    bench.step(Input::Blocks(vec![bench.proved(&blocks[0])]));
    let output = bench.receive(commit(&bench.genesis, 3, &blocks[0]));
    assert!(output.committed.is_empty());
    let both = blocks.iter().map(|block| bench.proved(block)).collect();
    let output = bench.step(Input::Blocks(both));
    assert_eq!(output.committed.len(), 1);
    assert!(output.ignored.is_empty());
    assert!(bench.replica.status().voting);
}

#[test]
fn a_decided_block_that_does_not_execute_here_stops_this_replica_and_is_not_tried_again() {
    let mut bench = Bench::new(4, 1);
    let mut blocks = chain_of(&bench.genesis, 1);
    blocks[0].header.state_root = crypto::digest::Digest::ZERO;
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    for replica in [0, 2] {
        bench.receive(commit(&bench.genesis, replica, &blocks[0]));
    }
    let output = bench.receive(commit(&bench.genesis, 3, &blocks[0]));
    assert!(matches!(output.ignored[..], [Ignored::Diverged { .. }]), "{output:?}");
    assert_eq!(bench.step(Input::Work).ignored, []);
    assert!(!bench.replica.status().voting);
}

#[test]
fn votes_of_replicas_far_ahead_hint_at_the_height_that_an_honest_one_has_committed() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 1);
    let far = |replica, height| {
        let height = Height::new(height);
        let statement = Statement { height, ..statement(Phase::Prepare, &blocks[0]) };
        Message::Prepare(signed(&bench.genesis, replica, statement))
    };
    let (one, other) = (far(2, u64::MAX), far(3, 50));
    assert_eq!(bench.receive(one).behind, None);
    assert_eq!(bench.receive(other).behind, Some(Height::new(42)));
}
