//! When the primary proposes, and what.

use types::number::Height;
use types::parameters::Parameters;
use types::vote::Phase;

use crate::fixture::{Bench, NOON, commit, prepare, proposals, said, statement, tick};
use crate::output::{Output, Timer, TimerSet};
use crate::replica::{Input, Protocol};

fn small_blocks(block_transactions_max: u32) -> Parameters {
    Parameters { block_transactions_max, window_heights: 3, ..Parameters::default() }
}

#[test]
fn an_idle_primary_proposes_at_once() {
    let mut bench = Bench::new(4, 0);
    let output = bench.work(0..1);
    let [proposal] = proposals(&output)[..] else { panic!("{output:?}") };
    let header = &proposal.block.header;
    assert_eq!((header.height, header.parent), (Height::new(1), bench.genesis.header().id()));
    assert_eq!(header.timestamp_ms, NOON);
    assert_eq!(proposal.vote.statement, statement(Phase::Prepare, &proposal.block));
    assert!(output.timers.is_empty());
}

#[test]
fn nobody_proposes_without_work_and_no_backup_proposes_at_all() {
    let mut primary = Bench::new(4, 0);
    assert_eq!(primary.step(Input::Work), Output::default());
    let mut backup = Bench::new(4, 1);
    assert_eq!(backup.work(0..9), Output::default());
}

#[test]
fn a_busy_primary_waits_the_batch_delay_since_the_first_request() {
    let mut bench = Bench::new(4, 0);
    bench.work(0..1);
    let output = bench.work(1..2);
    let after_ms = bench.genesis.parameters().batch_delay_ms;
    assert!(proposals(&output).is_empty());
    assert_eq!(output.timers, [TimerSet { timer: Timer::Batch, after_ms }]);
    let output = bench.work(2..3);
    assert!(proposals(&output).is_empty() && output.timers.is_empty());

    let output = bench.step(Input::Timer(Timer::Batch));
    let [proposal] = proposals(&output)[..] else { panic!("{output:?}") };
    assert_eq!(proposal.block.body.len(), 2);
    assert_eq!(bench.step(Input::Timer(Timer::Batch)), Output::default());
}

#[test]
fn a_busy_primary_does_not_wait_with_a_full_block() {
    let mut bench = Bench::with(4, 0, small_blocks(2));
    bench.work(0..1);
    assert!(proposals(&bench.work(1..2)).is_empty());
    let output = bench.work(2..3);
    let [proposal] = proposals(&output)[..] else { panic!("{output:?}") };
    assert_eq!(proposal.block.body.len(), 2);
}

#[test]
fn a_block_is_full_by_its_bytes_too() {
    let parameters = Parameters { block_bytes_max: 1_024, ..Parameters::default() };
    let mut bench = Bench::with(4, 0, parameters);
    bench.work(0..1);
    assert!(proposals(&bench.work(1..5)).is_empty());
    assert_eq!(proposals(&bench.work(5..8)).len(), 1);
}

#[test]
fn a_primary_fills_its_window_without_waiting_for_commits_and_no_further() {
    let mut bench = Bench::with(4, 0, small_blocks(1));
    let output = bench.work(0..5);
    let pipelined = proposals(&output);
    let heights: Vec<u64> = pipelined.iter().map(|p| p.block.header.height.get()).collect();
    assert_eq!(heights, [1, 2, 3]);
    for pair in pipelined.windows(2) {
        assert!(pair[1].block.header.follows(&pair[0].block.header));
        assert!(pair[1].block.header.timestamp_ms > pair[0].block.header.timestamp_ms);
    }
    assert_eq!(bench.replica.status().in_flight, 3);

    let first = pipelined[0].block.clone();
    let output = bench.step(Input::Blocks(vec![bench.proved(&first)]));
    let heights: Vec<u64> =
        proposals(&output).iter().map(|p| p.block.header.height.get()).collect();
    assert_eq!(heights, [4]);
}

#[test]
fn requests_that_waited_out_their_delay_at_a_full_window_are_proposed_when_it_moves() {
    let parameters = Parameters { window_heights: 1, ..Parameters::default() };
    let mut bench = Bench::with(4, 0, parameters);
    let output = bench.work(0..1);
    let first = proposals(&output)[0].block.clone();
    bench.work(1..2);
    assert!(proposals(&bench.step(Input::Timer(Timer::Batch))).is_empty());
    for replica in [1, 2] {
        bench.receive(prepare(&bench.genesis, replica, &first));
        bench.receive(commit(&bench.genesis, replica, &first));
    }
    assert_eq!(bench.replica.status().committed, Height::new(1));
    assert_eq!(bench.replica.status().in_flight, 1);
}

#[test]
fn a_timestamp_is_later_than_the_parents_whatever_the_clock_says() {
    let mut bench = Bench::with(4, 0, small_blocks(1));
    bench.step(tick(5));
    let output = bench.work(0..2);
    bench.step(tick(1));
    let later = bench.work(2..3);
    let blocks = proposals(&output).into_iter().chain(proposals(&later));
    let timestamps: Vec<u64> = blocks.map(|p| p.block.header.timestamp_ms).collect();
    assert_eq!(timestamps, [5, 6, 7]);
}

#[test]
fn one_validator_alone_commits_everything_in_one_step() {
    let mut bench = Bench::with(1, 0, small_blocks(2));
    let output = bench.work(0..11);
    assert_eq!(output.committed.len(), 6);
    let transactions: usize = output.committed.iter().map(|p| p.block.body.len()).sum();
    assert_eq!(transactions, 11);
    assert_eq!(said(&output).len(), 12);
    assert_eq!(output.behind, None);
}

#[test]
fn a_primary_that_does_not_vote_does_not_propose() {
    let mut bench = Bench::new(4, 0);
    let rival = crate::fixture::block_on(&bench.genesis, bench.genesis.header(), &[7]);
    bench.work(0..1);
    bench.step(Input::Blocks(vec![bench.proved(&rival)]));
    assert!(!bench.replica.status().voting);
    assert!(proposals(&bench.work(1..3)).is_empty());
}
