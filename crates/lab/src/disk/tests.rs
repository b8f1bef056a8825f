//! What survives, and what need not.

use std::collections::BTreeSet;

use super::{Failed, File};
use crate::plan::{Death, Operation};
use byzantine::Random;

fn written(flushed: usize, more: usize, random: &mut Random) -> File {
    let mut file = File::new(false);
    file.append(&vec![1; flushed], random).unwrap();
    file.flush(random).unwrap();
    file.append(&vec![2; more], random).unwrap();
    file
}

#[test]
fn what_was_flushed_survives_everything() {
    for seed in 0..300 {
        let mut random = Random::stream(seed, "disk", &[]);
        let mut file = written(700, 2_000, &mut random);
        file.die(Death::PowerCut, &mut random);
        assert_eq!(&file.bytes()[..700], [1; 700]);
        assert!(file.bytes()[700..].iter().all(|byte| [0, 2].contains(byte)));
    }
}

#[test]
fn what_a_killed_process_wrote_is_there() {
    let mut random = Random::stream(0, "disk", &[]);
    let mut file = written(700, 2_000, &mut random);
    file.die(Death::Kill, &mut random);
    assert_eq!(file.bytes().len(), 2_700);
}

/// Among the remains of a power cut are all, nothing, a torn end, and a hole before something
/// later.
#[test]
fn a_power_cut_leaves_everything_that_it_may_leave() {
    let mut seen = BTreeSet::new();
    for seed in 0..2_000 {
        let mut random = Random::stream(seed, "disk", &[]);
        let mut file = written(700, 1_500, &mut random);
        file.die(Death::PowerCut, &mut random);
        let tail = &file.bytes()[700..];
        let holes = tail.iter().position(|byte| *byte == 0);
        let behind = holes.is_some_and(|at| tail[at..].contains(&2));
        seen.insert(match (tail.len(), holes, behind) {
            (0, ..) => "nothing",
            (1_500, None, _) => "everything",
            (_, _, true) => "a hole",
            (_, None, false) => "a torn end",
            (_, Some(_), false) => "zeros at the end",
        });
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
}

#[test]
fn an_operation_that_is_to_fail_fails_once() {
    let mut random = Random::stream(1, "disk", &[]);
    let mut file = written(10, 10, &mut random);
    file.fail(Some(Operation::Write));
    assert_eq!(file.append(&[3; 100], &mut random), Err(Failed(Operation::Write)));
    assert!(file.bytes().len() < 120);
    file.fail(Some(Operation::Sync));
    assert_eq!(file.flush(&mut random), Err(Failed(Operation::Sync)));
    assert!(file.append(&[4], &mut random).is_ok() && file.flush(&mut random).is_ok());
}

#[test]
fn a_flush_that_lies_loses_what_it_promised() {
    let lost = (0..100).filter(|seed| {
        let mut random = Random::stream(*seed, "disk", &[]);
        let mut file = File::new(true);
        file.append(&[1; 100], &mut random).unwrap();
        file.flush(&mut random).unwrap();
        file.die(Death::PowerCut, &mut random);
        file.bytes() != [1; 100]
    });
    assert!(lost.count() > 10);
}
