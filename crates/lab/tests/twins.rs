//! Replicas that run twice, under every schedule of a small scope, and samples of larger ones. More of them:
//! `logothete-lab twins`.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use lab::twins::{Round, Scope, Setup, Tally, play, sample};

/// Every schedule of these scopes, on as many threads as there are processors.
fn explore(scopes: &[Scope]) -> Tally {
    let mut jobs: Vec<(&Scope, &Round)> = Vec::new();
    for scope in scopes {
        jobs.extend(scope.rounds.iter().map(|round| (scope, round)));
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut tally = Tally::default();
        while let Some((scope, round)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            tally.add(scope.explore(std::slice::from_ref(*round)).unwrap());
        }
        tally
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let mut sum = Tally::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            sum.add(worker.join().unwrap());
        }
    });
    assert_eq!(sum.schedules, scopes.iter().map(Scope::schedules).sum::<u64>());
    holds(&sum);
    sum
}

fn holds(tally: &Tally) {
    let unfinished = tally.unfinished;
    assert!(
        tally.broken == 0 && unfinished == 0,
        "{} broken, {unfinished} unfinished; repeat one of them with `logothete-lab twins --twin … \
         --schedule …`\n{:#?}",
        tally.broken,
        tally.failures
    );
}

/// Each of four replicas in its turn, in every way to part five processes into two sets in four rounds.
#[test]
fn a_twin_under_every_schedule_of_four_views_forks_nothing() {
    let scope = |twin| Scope::partitions(Setup::new(4, [twin]), 4, 2);
    let tally = explore(&(0..4).map(scope).collect::<Vec<_>>());

    assert_eq!(tally.schedules, 4 * 16_u64.pow(4));
    // Those in which replica 0 runs twice begin with two proposals, all of them.
    assert!(tally.rivals > 16_u64.pow(4) && tally.refused > 50_000, "{tally:?}");
    assert!(tally.committing() > 200_000 && tally.proved > 50_000, "{tally:?}");
}

/// The same for two views, with blocks that are prepared and committed by nobody, or by one alone.
#[test]
fn a_twin_forks_nothing_when_votes_to_commit_are_lost() {
    let scope = |twin| {
        let scope = Scope::partitions(Setup::new(4, [twin]), 2, 2);
        Scope { rounds: Round::with_commits(&scope.rounds), ..scope }
    };
    let tally = explore(&(0..4).map(scope).collect::<Vec<_>>());

    assert_eq!(tally.schedules, 4 * (16_u64 * 7).pow(2));
    assert!(tally.rivals >= (16_u64 * 7).pow(2) && tally.refused > 5_000, "{tally:?}");
    assert!((1_000..45_000).contains(&tally.committing()), "{tally:?}");
}

/// Twins that hear one another, and three sets.
#[test]
fn twins_that_meet_under_every_schedule_of_two_views_and_three_sets_fork_nothing() {
    let scope = |twin| {
        let setup = Setup { hush: false, ..Setup::new(4, [twin]) };
        Scope::partitions(setup, 2, 3)
    };
    let tally = explore(&(0..4).map(scope).collect::<Vec<_>>());

    assert_eq!(tally.schedules, 4 * 41_u64.pow(2));
    assert!(tally.retired > 1_000 && tally.committing() > 1_000, "{tally:?}");
}

/// Seeds of networks of `n`; `LAB_SEEDS` times as many when it is set.
fn samples(n: u16, seeds: u64) {
    let factor = std::env::var("LAB_SEEDS").map_or(1, |text| text.parse().unwrap());
    let mut tally = Tally::default();
    for seed in 0..seeds * factor {
        let (setup, schedule) = sample(n, 6, seed);
        tally.add(play(&setup, &schedule).unwrap());
        let repeat = format!("--replicas {n} --views 6 --samples 1 --seed {seed}");
        let failures = &tally.failures;
        assert!(failures.is_empty(), "logothete-lab twins {repeat}\n{failures:#?}");
    }
    let half = tally.schedules / 2;
    assert!(tally.committing() > half && tally.rivals > half / 2, "{tally:?}");
    assert!(tally.proved > half / 2 && tally.retired > 0, "{tally:?}");
}

#[test]
fn samples_of_four_hold() {
    samples(4, 1_000);
}

#[test]
fn samples_of_five_and_six_hold() {
    samples(5, 500);
    samples(6, 500);
}

#[test]
fn samples_of_seven_hold() {
    samples(7, 500);
}
