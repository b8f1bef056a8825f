//! Which blocks are taken from others without a proof: those that a certificate names.

use types::block::Block;
use types::number::Height;
use types::parameters::Parameters;
use types::replica::ReplicaId;
use types::vote::Phase;

use crate::fixture::{Bench, block_on, certificate_by, chain_of, key, proposal_in, vote_message};
use crate::ignored::Ignored;
use crate::message::{Handover, Message};
use crate::output::Output;
use crate::replica::{Input, Protocol};

fn hand(bench: &mut Bench, block: &Block) -> Output {
    let chain = *bench.genesis.chain();
    let handover = Handover::sign(block.clone(), ReplicaId::new(3), &chain, &key(3));
    bench.receive(Message::Handover(handover))
}

/// Backup 2 in view 1, whose tip is the last of three blocks that it has never seen.
fn lacking() -> (Bench, Vec<Block>) {
    let mut bench = Bench::new(4, 2);
    let blocks = chain_of(&bench.genesis, 3);
    let certificate = certificate_by(&bench.genesis, 0, Phase::Prepare, &blocks[2], &[0, 1, 3]);
    bench.enter(1, Some(certificate));
    (bench, blocks)
}

#[test]
fn only_the_block_that_is_missing_is_taken_one_after_another_from_the_tip_down() {
    let (mut bench, blocks) = lacking();
    let rival = block_on(&bench.genesis, bench.genesis.header(), &[7]);
    let refused = [Ignored::NotMissing { replica: ReplicaId::new(3) }];
    for missing in blocks.iter().rev() {
        for other in blocks.iter().chain([&rival]).filter(|block| *block != missing) {
            assert_eq!(hand(&mut bench, other).ignored, refused);
        }
        assert_eq!(bench.replica.application().layers(), 0);
        assert_eq!(hand(&mut bench, missing).ignored, []);
    }
    assert_eq!(bench.replica.application().layers(), 3, "executed once the last one is here");
    assert_eq!(hand(&mut bench, &blocks[0]).ignored, refused);
}

/// Everybody has lost what it had committed and not made durable: the tip is further above the
/// committed block than the window reaches, and nobody proposes what lies between again.
#[test]
fn a_tip_more_than_a_window_away_is_voted_for_and_committed_with_all_below_it() {
    let parameters = Parameters { window_heights: 2, ..Parameters::default() };
    let mut bench = Bench::with(4, 2, parameters);
    let blocks = chain_of(&bench.genesis, 5);
    let certificate = certificate_by(&bench.genesis, 0, Phase::Prepare, &blocks[4], &[0, 1, 3]);
    bench.enter(1, Some(certificate));
    let said = |output: &Output| crate::fixture::said(output).len();
    assert_eq!(said(&bench.receive(proposal_in(&bench.genesis, 1, &blocks[4]))), 0);
    for (block, votes) in blocks.iter().rev().zip([0, 0, 0, 0, 1]) {
        assert_eq!(said(&hand(&mut bench, block)), votes);
    }
    assert_eq!(bench.replica.application().layers(), 2, "as many as the window has");
    let vote = |phase, replica| vote_message(&bench.genesis, 1, phase, replica, &blocks[4]);
    let votes = [vote(Phase::Prepare, 0), vote(Phase::Commit, 0), vote(Phase::Commit, 1)];
    for message in votes {
        bench.receive(message);
    }
    assert_eq!(bench.replica.status().committed, Height::new(5));
}

#[test]
fn who_lacks_nothing_takes_nothing() {
    let mut bench = Bench::new(4, 2);
    let block = chain_of(&bench.genesis, 1).remove(0);
    let refused = [Ignored::NotMissing { replica: ReplicaId::new(3) }];
    assert_eq!(hand(&mut bench, &block).ignored, refused);
    assert_eq!(bench.replica.peek().path.block(&block.id()), None);
}

#[test]
fn what_was_caught_up_with_is_not_lacking_any_more() {
    let (mut bench, blocks) = lacking();
    hand(&mut bench, &blocks[2]);
    let caught_up = blocks[..2].iter().map(|block| bench.proved(block)).collect();
    bench.step(Input::Blocks(caught_up));
    assert_eq!(bench.replica.peek().path.missing(), None);
    assert_eq!(bench.replica.peek().executed, Height::new(3));
    assert_eq!(bench.ahead(), 1);
}
