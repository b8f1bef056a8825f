//! When a replica says where it stands, and what it says that it lacks.

use types::application::Arrivals;
use types::block::BlockId;
use types::number::{Height, View};
use types::replica::ReplicaId;
use types::vote::Phase;

use crate::fixture::{
    Bench, NOON, asked, asks, certificate_by, chain_of, commit, pre_prepare, prepare, proposal_in,
    tick,
};
use crate::message::Message;
use crate::output::{Output, Recipients, Timer, TimerSet};
use crate::replica::{Input, Protocol};
use crate::status::{Lacks, Standpoint};

fn fire(bench: &mut Bench) -> Output {
    bench.step(Input::Timer(Timer::Status))
}

/// What a status timer lets it say, and after how long it is set again.
fn says(bench: &mut Bench) -> (Standpoint, u32) {
    let output = fire(bench);
    let [outgoing] = &output.messages[..] else { panic!("{output:?}") };
    let Message::Status(status) = &outgoing.message else { panic!("{output:?}") };
    assert_eq!(outgoing.to, Recipients::All);
    let [TimerSet { timer: Timer::Status, after_ms }] = output.timers[..] else {
        panic!("{output:?}")
    };
    (status.standpoint.clone(), after_ms)
}

fn replicas(count: u16, of: crate::status::Members) -> Vec<u16> {
    (0..count).filter(|replica| of.contains(ReplicaId::new(*replica))).collect()
}

#[test]
fn an_idle_replica_says_every_second_where_it_stands_and_lacks_nothing() {
    let mut bench = Bench::new(4, 2);
    let blocks = chain_of(&bench.genesis, 1);
    bench.step(Input::Blocks(vec![bench.proved(&blocks[0])]));
    for _ in 0..3 {
        let (standpoint, after_ms) = says(&mut bench);
        let expected = Standpoint {
            replica: ReplicaId::new(2),
            view: View::FIRST,
            entered: true,
            committed: Height::new(1),
            lacks: None,
        };
        assert_eq!((standpoint, after_ms), (expected, 1_000));
    }
}

/// The primary of the old view showed it another chain: what the tip stands on it has to get from others, and the view
/// fails if it waits for a second before it says so.
#[test]
fn who_enters_a_view_without_a_block_below_the_tip_asks_for_it_at_once() {
    let mut bench = Bench::new(4, 3);
    let blocks = chain_of(&bench.genesis, 2);
    fire(&mut bench);
    let certificate = certificate_by(&bench.genesis, 0, Phase::Prepare, &blocks[1], &[0, 1, 2]);

    let entered = bench.enter(1, Some(certificate));
    let set: Vec<_> = entered.timers.iter().filter(|set| set.timer == Timer::Status).collect();
    assert_eq!(set, [&TimerSet { timer: Timer::Status, after_ms: 250 }]);
    bench.receive(proposal_in(&bench.genesis, 1, &blocks[1]));
    let (standpoint, after_ms) = says(&mut bench);

    let lacks = standpoint.lacks.map(|lacks| lacks.block);
    assert_eq!((lacks, after_ms), (Some(Some(blocks[0].id())), 250));
}

#[test]
fn who_waits_for_anything_says_so_four_times_a_second() {
    let requests: fn(&mut Bench) = |bench| drop(bench.work(0..1));
    let proposal: fn(&mut Bench) = |bench| {
        let block = chain_of(&bench.genesis, 1).remove(0);
        bench.receive(pre_prepare(&bench.genesis, &block));
    };
    let vote: fn(&mut Bench) = |bench| {
        let block = chain_of(&bench.genesis, 1).remove(0);
        bench.receive(prepare(&bench.genesis, 1, &block));
    };
    let tip: fn(&mut Bench) = |bench| {
        let block = chain_of(&bench.genesis, 1).remove(0);
        let shown = certificate_by(&bench.genesis, 0, Phase::Prepare, &block, &[0, 1, 3]);
        bench.enter(1, Some(shown));
    };
    let another_view: fn(&mut Bench) = |bench| {
        for replica in [0, 3] {
            let asked = asks(&bench.genesis, replica, 1, None);
            bench.receive(Message::ViewChange(asked));
        }
    };
    for wait in [requests, proposal, vote, tip, another_view] {
        let mut bench = Bench::new(4, 2);
        wait(&mut bench);
        assert_eq!(says(&mut bench).1, 250);
    }
}

#[test]
fn what_is_lacking_is_said_when_nothing_moved_since_the_last_time_or_a_view_was_entered() {
    let mut bench = Bench::new(4, 2);
    let blocks = chain_of(&bench.genesis, 2);
    bench.work(0..9);
    assert_eq!(says(&mut bench).0.lacks, None);
    assert!(says(&mut bench).0.lacks.is_some());
    bench.step(Input::Blocks(vec![bench.proved(&blocks[0])]));
    assert_eq!(says(&mut bench).0.lacks, None, "a block was committed");
    bench.enter(1, None);
    assert!(says(&mut bench).0.lacks.is_some(), "a view was entered 250 ms ago");
}

#[test]
fn what_is_here_of_each_height_is_told_exactly() {
    let mut bench = Bench::new(4, 2);
    let blocks = chain_of(&bench.genesis, 3);
    bench.receive(pre_prepare(&bench.genesis, &blocks[0]));
    bench.receive(prepare(&bench.genesis, 3, &blocks[0]));
    bench.receive(commit(&bench.genesis, 1, &blocks[2]));
    says(&mut bench);
    let Lacks { view_changes, heights, block } = says(&mut bench).0.lacks.unwrap();
    let held: Vec<_> = heights
        .iter()
        .map(|held| (held.proposal, replicas(4, held.prepares), replicas(4, held.commits)))
        .collect();
    let nothing = (false, vec![], vec![]);
    assert_eq!(
        held,
        [(true, vec![0, 2, 3], vec![2]), nothing.clone(), (false, vec![], vec![1])],
        "own votes are among them"
    );
    assert_eq!((replicas(4, view_changes), block), (vec![], None));
}

#[test]
fn whose_view_changes_are_here_and_which_body_is_missing_is_told() {
    let mut bench = Bench::new(7, 2);
    for (replica, view) in [(5, 1), (6, 2), (4, 3)] {
        let asked = asks(&bench.genesis, replica, view, None);
        bench.receive(Message::ViewChange(asked));
    }
    says(&mut bench);
    let lacks = says(&mut bench).0.lacks.unwrap();
    assert_eq!(replicas(7, lacks.view_changes), [2, 4, 5, 6]);
    assert_eq!(lacks.heights, []);

    let blocks = chain_of(&bench.genesis, 2);
    let signers = [0, 1, 3, 4, 5];
    let shown = certificate_by(&bench.genesis, 0, Phase::Prepare, &blocks[1], &signers);
    bench.enter(8, Some(shown));
    says(&mut bench);
    let missing: Option<BlockId> = says(&mut bench).0.lacks.unwrap().block;
    assert_eq!(missing, Some(blocks[1].id()));
}

/// Backup 2, whose application says that these have waited while others were committed.
fn starving(now_ms: u64, arrivals: Arrivals) -> (Bench, Output) {
    let mut bench = Bench::new(4, 2);
    bench.work(0..1);
    bench.replica.application_mut().arrivals = Arrivals { last: 1, ..arrivals };
    fire(&mut bench);
    let block = chain_of(&bench.genesis, 1).remove(0);
    for ms in [now_ms, now_ms + 1] {
        bench.step(tick(NOON + ms));
        bench.hear_all();
        bench.replica.application_mut().arrivals = arrivals;
        if ms == now_ms {
            bench.replica.application_mut().arrivals =
                Arrivals { last: 1, latest_committed: 0, ..arrivals };
            // Others are served: there is progress, only not for everybody.
            bench.step(Input::Blocks(vec![bench.proved(&block)]));
            fire(&mut bench);
        }
    }
    let output = fire(&mut bench);
    (bench, output)
}

#[test]
fn a_primary_that_starves_somebody_is_left_though_it_serves_others() {
    let arrivals = Arrivals { last: 2, oldest_executable: Some(1), latest_committed: 2 };
    let (bench, output) = starving(1_999, arrivals);
    assert_eq!(asked(&output), []);
    assert!(bench.replica.status().entered);
    let (bench, output) = starving(2_001, arrivals);
    assert_eq!(asked(&output).iter().map(|asked| asked.view.get()).collect::<Vec<_>>(), [1]);
    assert!(!bench.replica.status().entered);
}

#[test]
fn a_primary_that_serves_all_late_but_in_their_order_is_not_left_for_it() {
    let arrivals = Arrivals { last: 2, oldest_executable: Some(2), latest_committed: 1 };
    assert_eq!(asked(&starving(1_999, arrivals).1), []);
}

#[test]
fn a_timer_that_nobody_waits_for_does_nothing() {
    let mut bench = Bench::new(4, 2);
    for timer in [Timer::Batch, Timer::Proposal, Timer::Progress] {
        assert_eq!(bench.step(Input::Timer(timer)), Output::default());
    }
}
