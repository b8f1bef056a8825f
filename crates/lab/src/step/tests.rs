//! A walk shows the same from both sides, and says what it cannot do.

use super::*;
use crate::attacks::Trial;
use crate::record::{Header, Recorder};

fn walk() -> Walk {
    let attacks = vec!["equivocate".parse().unwrap()];
    let trial = Trial { attacks, replicas: 4, traitors: 1, seed: 3 };
    let recorder = Recorder::default();
    trial.run_recorded(None, Some(recorder.clone()));
    let header = Header {
        logothete_lab_trace: crate::record::file::VERSION,
        title: "a test".to_owned(),
        seed: 3,
        command: trial.repeat(),
        traitors: trial.traitors(),
        left_out: 0,
        plan: trial.plan(),
    };
    Walk::new(Trace::new(header, recorder.recording()))
}

/// Everything that is shown of a place.
fn shown(walk: &Walk) -> String {
    format!("{}\n{}", walk.screen(), walk.state().table(&[0]))
}

#[test]
fn going_on_and_back_shows_the_same() {
    let mut walk = walk();
    let mut there = Vec::new();
    for _ in 0..400 {
        there.push(shown(&walk));
        walk.answer("n").unwrap();
    }

    for before in there.iter().rev() {
        walk.answer("p").unwrap();
        assert_eq!(&shown(&walk), before);
    }

    for (by, place) in [("+10", 10), ("+150", 160), ("-50", 110), ("-999999", 0), ("", 1)] {
        walk.answer(by).unwrap();
        assert_eq!(shown(&walk), there[place], "{by:?}");
    }
}

#[test]
fn both_ends_are_ends() {
    let mut walk = walk();

    assert!(walk.answer("p").unwrap().starts_with("this is the first event\n     1 of "));
    walk.answer("+99999999").unwrap();
    assert!(walk.answer("n").unwrap().starts_with("this is the last event\n"));
    let last = walk.trace.events.len();
    assert!(walk.screen().trim_start().starts_with(&format!("{last} of {last} ")));
    assert_eq!(walk.answer("q"), None);
}

#[test]
fn a_place_is_found_by_time_height_lie_and_text() {
    let mut walk = walk();

    assert!(walk.answer("f").unwrap().contains("FALSE (equivocate)"));
    let first = walk.place;
    walk.answer("f").unwrap();
    assert!(walk.place > first);
    assert!(walk.answer("h 1").unwrap().contains("commits height 1 "));
    let state = walk.state();
    let committed: Vec<u64> = state.replicas.iter().map(|standing| standing.height).collect();
    assert_eq!(committed.iter().sum::<u64>(), 1, "{committed:?}");
    assert!(walk.answer("/convicts replica 0").unwrap().contains("convicts replica 0"));
    walk.answer("g 100.5").unwrap();
    let at = walk.trace.events[walk.place].at_us;
    let next = walk.trace.events[walk.place + 1].at_us;
    assert!(at <= 100_500 && next > 100_500, "{at} {next}");
}

#[test]
fn the_votes_of_one_who_votes_twice_are_seen_together() {
    let mut walk = walk();
    walk.answer("f").unwrap();
    walk.answer("+6").unwrap();

    let table = walk.answer("v").unwrap();

    let votes: Vec<&str> = table.lines().filter(|line| line.contains("pre-prepare")).collect();
    assert_eq!(votes.len(), 2, "{table}");
    assert_eq!(votes.iter().filter(|line| line.ends_with("FALSE")).count(), 2, "{table}");
}

#[test]
fn what_is_no_command_is_answered_and_moves_nothing() {
    for (line, says) in [
        ("x", "there is no command \"x\"; ? lists them"),
        ("+", "there is no command \"+\"; ? lists them"),
        ("h", "h needs a height, and \"\" is none"),
        ("h -1", "h needs a height, and \"-1\" is none"),
        ("g soon", "g needs a time in milliseconds, and \"soon\" is none"),
        ("g 1.2345", "g needs a time in milliseconds, and \"1.2345\" is none"),
        ("/", "/ needs a text to look for, such as /new-view"),
    ] {
        let mut walk = walk();
        walk.answer("+7").unwrap();
        let before = walk.screen();
        assert_eq!(walk.answer(line).unwrap(), says);
        assert_eq!(walk.screen(), before);
        assert_eq!(walk.answer("/no such words").unwrap().lines().count(), 2);
        assert_eq!(walk.screen(), before);
    }
}
