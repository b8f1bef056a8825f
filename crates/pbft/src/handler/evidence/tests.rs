//! What follows from proof that a key lied: it goes into one block, its owner's views are left, and nobody is framed.

use crypto::signed::Signed;
use types::block::Block;
use types::evidence::Evidence;
use types::number::View;
use types::parameters::Parameters;
use types::replica::ReplicaId;
use types::vote::{Phase, Vote};

use crate::fixture::{
    Bench, NOON, asks, block_on, chain_of, commit, pre_prepare, prepare, proposals, tick, vote_in,
};
use crate::ignored::Ignored;
use crate::message::Message;
use crate::output::{Output, Timer, TimerSet};
use crate::record::{Record, Retirement};
use crate::replica::{Input, Protocol};
use crate::state::pace::HURRY_MS;

/// Two votes of one replica for two blocks at height 1.
fn double_vote(bench: &Bench, replica: u16) -> Evidence {
    let vote = |nonce| -> Vote {
        let block = block_on(&bench.genesis, bench.genesis.header(), &[nonce]);
        vote_in(&bench.genesis, 0, Phase::Prepare, replica, &block)
    };
    Evidence::Votes { first: vote(7), second: vote(8) }
}

fn tell(bench: &mut Bench, evidence: &Evidence) -> Output {
    bench.whole_step(Input::Evidence(Box::new(Signed::vouched(evidence.clone()))))
}

#[test]
fn what_others_found_is_told_on_once_for_each_kind() {
    let mut bench = Bench::new(4, 1);
    let evidence = double_vote(&bench, 2);

    let first = tell(&mut bench, &evidence);
    let again = tell(&mut bench, &evidence);

    assert_eq!((first.evidence, first.ignored), (vec![evidence], vec![]));
    let replica = ReplicaId::new(2);
    assert_eq!(
        (again.evidence, again.ignored),
        (vec![], vec![Ignored::RepeatedEvidence { replica }])
    );
}

#[test]
fn a_primary_puts_it_into_one_block_with_or_without_requests() {
    let mut bench = Bench::new(4, 0);
    let [first, second] = [double_vote(&bench, 2), double_vote(&bench, 3)];

    let output = tell(&mut bench, &first);

    let [proposal] = proposals(&output)[..] else { panic!("{output:?}") };
    let alone: Block = proposal.block.clone();
    assert_eq!((alone.body.evidence(), alone.body.len()), (Some(&first), 0));
    assert!(proposals(&tell(&mut bench, &first)).is_empty(), "it is in a block in flight");
    let output = tell(&mut bench, &second);
    let [proposal] = proposals(&output)[..] else { panic!("{output:?}") };
    assert_eq!(proposal.block.body.evidence(), Some(&second));
    for replica in [1, 2] {
        bench.receive(prepare(&bench.genesis, replica, &alone));
        bench.receive(commit(&bench.genesis, replica, &alone));
    }
    bench.work(0..1);
    let output = bench.step(Input::Timer(Timer::Batch));
    let [proposal] = proposals(&output)[..] else { panic!("{output:?}") };
    assert_eq!((proposal.block.body.evidence(), proposal.block.body.len()), (None, 1));
}

#[test]
fn the_view_of_a_primary_that_lied_is_left_at_once_though_nobody_waits() {
    let mut bench = Bench::new(4, 2);
    bench.hear_all();
    let evidence = double_vote(&bench, 0);
    let after_ms = u32::try_from(HURRY_MS).unwrap();

    let output = tell(&mut bench, &evidence);
    assert_eq!(output.timers, [TimerSet { timer: Timer::Progress, after_ms }]);
    assert_eq!(bench.replica.status().view, View::FIRST);
    bench.step(tick(NOON + HURRY_MS));
    bench.step(Input::Timer(Timer::Progress));

    assert_eq!(bench.replica.status().view, View::new(1));
    let asked = bench.records.iter().filter(|record| matches!(record, Record::ViewChange { .. }));
    assert_eq!(asked.count(), 1);
}

/// Whoever lied could otherwise stay by committing something every few milliseconds.
#[test]
fn the_view_of_a_primary_that_lied_is_left_though_it_goes_on_committing() {
    let mut bench = Bench::new(4, 2);
    bench.hear_all();
    let evidence = double_vote(&bench, 0);
    tell(&mut bench, &evidence);

    for (block, after_ms) in chain_of(&bench.genesis, 2).iter().zip([20, 40]) {
        bench.step(tick(NOON + after_ms));
        bench.receive(pre_prepare(&bench.genesis, block));
        for replica in [1, 3] {
            bench.receive(prepare(&bench.genesis, replica, block));
            bench.receive(commit(&bench.genesis, replica, block));
        }
    }
    assert_eq!(bench.replica.status().committed.get(), 2);
    bench.step(tick(NOON + HURRY_MS));

    assert_eq!(bench.replica.status().view, View::new(1));
    assert_eq!(bench.replica.status().timeout_ms, 2_000, "no view has failed");
}

/// A liar can make proofs against itself as long as it likes.
#[test]
fn what_fits_into_no_block_is_no_news_and_a_shorter_proof_takes_its_place() {
    let parameters = Parameters { block_bytes_max: 1_024, ..Parameters::default() };
    let mut bench = Bench::with(4, 0, parameters);
    let chain = chain_of(&bench.genesis, 10);
    let rival = block_on(&bench.genesis, bench.genesis.header(), &[99]);
    let long = Evidence::Branches {
        higher: vote_in(&bench.genesis, 0, Phase::Prepare, 1, &chain[9]),
        lower: vote_in(&bench.genesis, 0, Phase::Prepare, 1, &rival),
        headers: chain[1..].iter().rev().map(|block| block.header.clone()).collect(),
    };
    let short = double_vote(&bench, 1);
    assert_eq!(long.check(bench.genesis.validators()), Ok(()));
    assert_eq!(long.accused(bench.genesis.validators()), ReplicaId::new(1));

    let unfit = tell(&mut bench, &long);
    bench.work(0..1);
    let waits = bench.work(1..2);
    let fits = tell(&mut bench, &short);

    assert!(proposals(&unfit).is_empty());
    assert!(proposals(&waits).is_empty(), "it gathers as if nothing were known");
    let [proposal] = proposals(&fits)[..] else { panic!("{fits:?}") };
    assert_eq!(proposal.block.body.evidence(), Some(&short));
}

#[test]
fn a_view_is_not_waited_for_whose_primary_lied() {
    let mut bench = Bench::new(4, 3);
    bench.hear_all();
    for liar in [0, 1] {
        let evidence = double_vote(&bench, liar);
        tell(&mut bench, &evidence);
    }

    bench.step(tick(NOON + HURRY_MS));
    for replica in [0, 2] {
        bench.receive(Message::ViewChange(asks(&bench.genesis, replica, 1, None)));
    }
    bench.step(tick(NOON + 2 * HURRY_MS));
    bench.step(Input::Timer(Timer::Progress));

    assert_eq!(bench.replica.status().view, View::new(2), "a quorum wants to leave");
}

#[test]
fn alone_it_stays_in_the_view_of_a_liar_and_sets_no_timer() {
    let mut bench = Bench::new(4, 2);
    let evidence = double_vote(&bench, 0);

    let output = tell(&mut bench, &evidence);

    assert_eq!(output.timers, []);
    bench.step(tick(NOON + 60_000));
    bench.step(Input::Timer(Timer::Progress));
    assert_eq!(bench.replica.status().view, View::FIRST);
}

#[test]
fn who_is_accused_himself_never_votes_again() {
    let mut bench = Bench::new(4, 2);
    let evidence = double_vote(&bench, 2);

    let output = tell(&mut bench, &evidence);

    let reason = Retirement::Evidence(evidence.id());
    assert_eq!(output.records, [Record::Retired { reason }]);
    assert_eq!(output.evidence, [], "it accuses nobody");
    assert!(bench.replica.status().retired);
}

#[test]
fn a_second_block_with_evidence_against_one_replica_is_not_voted_for() {
    let mut bench = Bench::new(4, 1);
    let evidence = double_vote(&bench, 3);
    let first = bench.accusing(bench.genesis.header(), &evidence);
    let second = bench.accusing(&first.header, &evidence);

    let voted =
        crate::fixture::said(&bench.receive(crate::fixture::pre_prepare(&bench.genesis, &first)));
    let refused = bench.receive(crate::fixture::pre_prepare(&bench.genesis, &second));

    assert_eq!(voted.len(), 1);
    assert_eq!(crate::fixture::said(&refused).len(), 0);
    assert!(matches!(refused.ignored[..], [Ignored::Refused { .. }]), "{:?}", refused.ignored);
}
