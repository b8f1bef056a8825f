//! Every schedule of small scopes holds, reaches what it is for, and with one twin too many forks.

use super::*;

fn tally(setup: Setup, views: usize, sets_max: u8) -> Tally {
    Scope::partitions(setup, views, sets_max).explore(&[]).unwrap()
}

#[test]
fn five_instances_are_parted_in_as_many_ways_as_there_are() {
    // Stirling numbers of the second kind: 1, 15, 25.
    for (sets_max, expected) in [(1, 1), (2, 16), (3, 41), (5, 52)] {
        let rounds = Round::all(5, sets_max);
        let distinct: std::collections::BTreeSet<&Round> = rounds.iter().collect();
        assert_eq!((rounds.len(), distinct.len()), (expected, expected));
    }
    assert_eq!(Round::with_commits(&Round::all(5, 2)).len(), 16 * 7);
}

#[test]
fn schedules_are_read_as_they_are_written() {
    let mut random = Random::stream(1, "rounds", &[]);
    for instances in 5..=9 {
        let rounds: Vec<Round> = (0..20).map(|_| Round::random(instances, &mut random)).collect();
        let schedule = Schedule(rounds);
        assert_eq!(schedule.to_string().parse(), Ok(schedule));
    }
    for wrong in ["", "aab-", "aaB", "aab.x", "aab.-1", "a b"] {
        assert!(wrong.parse::<Schedule>().is_err(), "{wrong:?}");
    }
}

#[test]
fn a_network_that_is_never_parted_commits_in_every_round() {
    let setup = Setup::new(4, [1]);
    let whole = Schedule(vec![Round::whole(5); 4]);

    let tally = play(&setup, &whole).unwrap();

    assert_eq!((tally.schedules, tally.broken, tally.unfinished), (1, 0, 0), "{tally:?}");
    assert!(tally.committing() == 1 && tally.committed.range(4..).count() == 1, "{tally:?}");
}

/// T95: with as many twins as there may be liars plus one, two of them agree with each half.
#[test]
fn two_twins_of_four_fork() {
    let setup = Setup::new(4, [0, 1]);

    // 0 1 2 on one side, 3 0' 1' on the other.
    let schedule = "aaabbb".parse().unwrap();
    let tally = play(&setup, &schedule).unwrap();

    let broken: Vec<Property> =
        tally.failures.iter().flat_map(|it| &it.violations).map(|it| it.property).collect();
    assert!(broken.contains(&Property::S1), "{tally:?}");
    let found = self::tally(setup, 1, 2);
    assert!(found.broken > 0 && found.schedules == 32, "{found:?}");
}

/// §5: who sees a vote of its own key that it never gave never votes again.
#[test]
fn twins_that_hear_one_another_retire_and_the_others_go_on() {
    let mut setup = Setup::new(4, [0]);
    let hushed = tally(setup.clone(), 2, 2);
    setup.hush = false;
    let heard = tally(setup, 2, 2);

    for tally in [&hushed, &heard] {
        assert_eq!((tally.schedules, tally.broken, tally.unfinished), (256, 0, 0), "{tally:?}");
    }
    assert!(hushed.retired == 0 && heard.retired > 100, "{hushed:?} {heard:?}");
}

#[test]
fn equal_seeds_are_equal_schedules_and_all_kinds_of_setup_are_drawn() {
    let mut twins = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let (setup, schedule) = sample(7, 4, seed);
        assert_eq!((setup.clone(), schedule.clone()), sample(7, 4, seed));
        assert!((2..=4).contains(&schedule.0.len()));
        twins.insert((setup.twinned.len(), setup.hush));
    }
    assert_eq!(twins.len(), 4, "{twins:?}");
}

#[test]
fn a_setup_that_is_none_is_refused() {
    let whole = |instances| Schedule(vec![Round::whole(instances)]);
    assert!(play(&Setup::new(4, [4]), &whole(5)).is_err());
    assert!(play(&Setup::new(4, [1]), &whole(6)).is_err());
    assert!(play(&Setup::new(17, [1]), &whole(18)).is_err());
}
