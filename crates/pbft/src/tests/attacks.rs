//! Attacks that once succeeded, each a story of one replica: a key that was framed, a replica that did not start again,
//! memory without bound, a tip that waited for a body it had.

use crypto::signed::Signed;
use types::block::Block;
use types::evidence::Evidence;
use types::genesis::Genesis;
use types::number::{Height, View};
use types::parameters::Parameters;
use types::proof::{DESCENDANTS_MAX, Proof, ProvedBlock};
use types::replica::ReplicaId;
use types::vote::Phase;

use crate::fixture::application::FakeApplication;
use crate::fixture::{
    Bench, NOON, block_in, block_on, certificate_by, chain_of, key, pre_prepare, proposal_in,
    recover, said, tick, vote_message,
};
use crate::message::{Handover, Message};
use crate::record::Record;
use crate::replica::{Input, Protocol};

fn proved_in(genesis: &Genesis, view: u64, block: &Block, by: &[u16]) -> Signed<ProvedBlock> {
    let certificate = certificate_by(genesis, view, Phase::Commit, block, by);
    let proof = Proof { descendants: Vec::new(), certificate };
    Signed::vouched(ProvedBlock { block: block.clone(), proof })
}

/// Backup 1 votes for `a` in view 0; the others go to view 2 without it and commit another branch there.
fn left_behind(count: usize) -> (Bench, Vec<Block>, Block) {
    let mut bench = Bench::new(4, 1);
    let g = bench.genesis.clone();
    let abandoned = block_on(&g, g.header(), &[7]);
    bench.receive(pre_prepare(&g, &abandoned));
    let first = block_in(&g, 2, g.header(), &[0]);
    let second = block_in(&g, 2, &first.header, &[1]);
    let chain = vec![first, second];
    for block in &chain[..count] {
        bench.step(Input::Blocks(vec![proved_in(&g, 2, block, &[0, 2, 3])]));
    }
    assert_eq!(bench.replica.status().committed.get(), u64::try_from(count).unwrap());
    assert_eq!(bench.replica.status().view.get(), 2);
    (bench, chain, abandoned)
}

#[test]
fn a_replica_that_catch_up_moved_to_another_view_starts_again() {
    let (bench, _, _) = left_behind(1);
    let again = recover::<FakeApplication>(&bench.genesis, 1, &bench.committed, bench.records);
    assert!(again.is_ok(), "{:?}", again.err());
}

#[test]
fn a_replica_that_catch_up_moved_never_votes_again_in_the_view_before() {
    let (mut bench, chain, abandoned) = left_behind(2);
    let g = bench.genesis.clone();
    let earlier: Vec<_> = bench.records.iter().filter_map(Record::vote).copied().collect();
    bench.restart();
    bench.step(tick(NOON));
    assert_eq!(bench.replica.status().view, View::FIRST);
    // The lying primary of view 0 goes on in view 0, on what the others have committed in view 2.
    let lure = block_in(&g, 0, &chain[1].header, &[2]);
    let output = bench.receive(pre_prepare(&g, &lure));
    let votes: Vec<_> = output.records.iter().filter_map(Record::vote).copied().collect();
    for vote in &votes {
        let headers = vec![lure.header.clone(), chain[1].header.clone()];
        let evidence = Evidence::Branches { higher: *vote, lower: earlier[0], headers };
        assert_eq!(earlier[0].statement.block, abandoned.id());
        assert!(
            evidence.check(g.validators()).is_err(),
            "evidence holds against honest replica {}",
            evidence.accused(g.validators())
        );
    }
    assert!(votes.is_empty());
}

/// Entered view 1 with tip b2 (child of b1), then catch-up commits another b1' in view 2; restart.
#[test]
fn a_tip_off_the_committed_chain_does_not_keep_a_replica_from_starting() {
    let mut bench = Bench::new(4, 1);
    let g = bench.genesis.clone();
    let blocks = chain_of(&g, 2);
    // It has the bodies, by its votes in view 0.
    bench.receive(pre_prepare(&g, &blocks[0]));
    bench.receive(pre_prepare(&g, &blocks[1]));
    // b2 was prepared in view 0 at nobody else; a liar's view 1 shows it, the others went on without it in view 2.
    // (view 1 is led by this replica, so use view 2 as the shown one and view 3 for the commit.)
    let shown = certificate_by(&g, 0, Phase::Prepare, &blocks[1], &[0, 2, 3]);
    bench.enter(2, Some(shown));
    let first = block_in(&g, 3, g.header(), &[5]);
    bench.step(Input::Blocks(vec![proved_in(&g, 3, &first, &[0, 2, 3])]));
    assert_eq!(bench.replica.status().committed.get(), 1);
    let again = recover::<FakeApplication>(&g, 1, &bench.committed, bench.records);
    assert!(again.is_ok(), "{:?}", again.err());
}

/// A replica far behind enters the current view; one liar fills its memory with votes.
#[test]
fn slots_are_bounded_whatever_the_tip_is() {
    let mut bench = Bench::new(4, 2);
    let g = bench.genesis.clone();
    let window = u64::from(g.parameters().window_heights);
    let far = 3_000;
    let mut top = block_on(&g, g.header(), &[0]);
    top.header.height = Height::new(far);
    let shown = certificate_by(&g, 0, Phase::Prepare, &top, &[0, 1, 3]);
    bench.enter(1, Some(shown));
    for height in 1..far {
        let mut block = block_in(&g, 1, g.header(), &[0]);
        block.header.height = Height::new(height);
        bench.receive(proposal_in(&g, 1, &block));
    }
    let slots = u64::try_from(bench.replica.peek().slots.len()).unwrap();
    let bodies = bench.replica.peek().slots.values().filter(|slot| slot.proposal.is_some()).count();
    assert!(slots <= 4 * window, "{slots} slots with {bodies} blocks of one liar, window {window}");
}

/// A replica far behind; one liar hands it the chain from the tip downwards.
#[test]
fn bodies_are_bounded_whatever_the_tip_is() {
    let mut bench = Bench::new(4, 2);
    let g = bench.genesis.clone();
    let chain = chain_of(&g, 600);
    let shown = certificate_by(&g, 0, Phase::Prepare, &chain[599], &[0, 1, 3]);
    bench.enter(1, Some(shown));
    let mut taken = 0;
    for block in chain.iter().rev() {
        let handover = Handover::sign(block.clone(), ReplicaId::new(3), g.chain(), &key(3));
        taken += usize::from(bench.receive(Message::Handover(handover)).ignored.is_empty());
        if block.header.height.get() < 10 {
            break;
        }
    }
    assert!(taken <= 300, "{taken} blocks of a liar are kept");
}

/// The primary of view 0 withheld the block; the new primary's proposal of the tip brings it.
#[test]
fn a_tip_whose_body_came_with_its_proposal_gets_a_vote() {
    let mut bench = Bench::new(4, 2);
    let g = bench.genesis.clone();
    let block = chain_of(&g, 1).remove(0);
    let shown = certificate_by(&g, 0, Phase::Prepare, &block, &[0, 1, 3]);
    bench.enter(1, Some(shown));
    let output = bench.receive(proposal_in(&g, 1, &block));
    assert_eq!(
        said(&output).len(),
        1,
        "it has the body: {:?}",
        bench.replica.peek().path.missing()
    );
}

/// A tip above the window is voted for on its certificate; what lies between fails to execute when it is committed.
#[test]
fn who_cannot_execute_what_it_voted_for_on_a_certificate_diverges_and_does_not_panic() {
    let parameters = Parameters { window_heights: 1, ..Parameters::default() };
    let mut bench = Bench::with(4, 2, parameters);
    let g = bench.genesis.clone();
    let mut blocks = chain_of(&g, 2);
    blocks[1].header.state_root = crypto::digest::Digest::ZERO;
    let shown = certificate_by(&g, 0, Phase::Prepare, &blocks[1], &[0, 1, 3]);
    bench.enter(1, Some(shown));
    for block in blocks.iter().rev() {
        let handover = Handover::sign(block.clone(), ReplicaId::new(3), g.chain(), &key(3));
        bench.receive(Message::Handover(handover));
    }
    bench.receive(proposal_in(&g, 1, &blocks[1]));
    for replica in [0, 1, 3] {
        bench.receive(vote_message(&g, 1, Phase::Commit, replica, &blocks[1]));
    }
    assert!(!bench.replica.status().voting);
}

/// All have lost what they had committed and not made durable; the view has changed since.
fn all_lost(count: u64) -> u64 {
    let mut bench = Bench::new(4, 2);
    let g = bench.genesis.clone();
    let chain = chain_of(&g, count);
    let tip = chain.last().unwrap();
    let shown = certificate_by(&g, 0, Phase::Prepare, tip, &[0, 1, 3]);
    bench.enter(1, Some(shown));
    for block in chain.iter().rev() {
        let handover = Handover::sign(block.clone(), ReplicaId::new(3), g.chain(), &key(3));
        bench.receive(Message::Handover(handover));
    }
    let output = bench.receive(proposal_in(&g, 1, tip));
    assert_eq!(said(&output).len(), 1, "it votes for the tip");
    for replica in [0, 1, 3] {
        bench.receive(vote_message(&g, 1, Phase::Prepare, replica, tip));
        bench.receive(vote_message(&g, 1, Phase::Commit, replica, tip));
    }
    bench.replica.status().committed.get()
}

#[test]
fn what_all_have_lost_is_committed_up_to_what_a_certificate_can_prove() {
    assert_eq!(all_lost(1), 1);
    assert_eq!(all_lost(u64::try_from(DESCENDANTS_MAX).unwrap()), 256);
}
