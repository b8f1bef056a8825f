//! Recording changes nothing, is bounded, and keeps what matters.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks at a few kinds of events")]

use super::*;
use crate::attacks::Trial;
use crate::plan::{Limits, Plan};
use crate::world::Options;

#[test]
fn a_run_that_is_recorded_is_the_run_that_is_not() {
    for seed in 0..6 {
        let limits = Limits { lying_per_mille: 500, ..Limits::default() };
        let plan = Plan::random(seed, &limits);
        let recorder = Recorder::default();
        let options = || Options { recorder: Some(recorder.clone()), ..Options::default() };
        let recorded = crate::run(&plan, seed, options());

        assert_eq!(recorded, crate::run(&plan, seed, Options::default()));
        let all = recorder.recording().events;
        let heights = all.iter().filter_map(|event| match &event.event {
            Happened::Committed { height, .. } => Some(*height),
            _ => None,
        });
        assert_eq!(heights.max(), Some(recorded.heights), "seed {seed}");
        assert!(all.is_sorted_by_key(|event| event.at_us), "seed {seed}");
    }
}

/// Every message ends once: it arrives, is lost, or was on its way when the run ended.
#[test]
fn every_message_is_sent_before_anything_else_happens_to_it() {
    let plan = Plan::random(8, &Limits::default());
    let recorder = Recorder::default();
    crate::run(&plan, 8, Options { recorder: Some(recorder.clone()), ..Options::default() });
    let mut sent = std::collections::BTreeMap::new();
    for event in recorder.recording().events {
        match event.event {
            Happened::Sent { number, from, to, .. } => {
                assert_eq!(sent.insert(number, (from, to)), None, "#{number} is sent twice");
            }
            Happened::Arrived { number, from, to } | Happened::Lost { number, from, to, .. } => {
                assert_eq!(sent.get(&number), Some(&(from, to)), "#{number} comes from nowhere");
            }
            Happened::TurnedAway { number, by, .. } | Happened::Ignored { number, by, .. } => {
                assert_eq!(sent.get(&number).map(|(_, to)| *to), Some(by), "#{number}");
            }
            _ => {}
        }
    }
    assert!(sent.len() > 100);
}

/// What the traitor counts as done is what is marked as false, for each receiver.
#[test]
fn the_messages_that_an_attack_made_are_marked_and_no_others() {
    for (attack, seed) in [("equivocate", 3), ("double-prepare", 1), ("split-proposal", 2)] {
        let attacks = vec![attack.parse().unwrap()];
        let trial = Trial { attacks, replicas: 4, traitors: 1, seed };
        let recorder = Recorder::default();
        let done = trial.run_recorded(None, Some(recorder.clone()));
        let traitor = trial.traitors()[0];
        let mut lies = std::collections::BTreeSet::new();
        let mut honest = 0;
        let mut withheld = 0;
        for event in recorder.recording().events {
            match event.event {
                Happened::Sent { from, to, said, attack: Some(name), .. } => {
                    assert_eq!((name.as_str(), from), (attack, traitor));
                    lies.insert((said, to));
                }
                Happened::Sent { from, attack: None, .. } => honest += u32::from(from == traitor),
                Happened::Did { replica, attack: name, .. } => {
                    assert_eq!((name.as_str(), replica), (attack, traitor));
                    withheld += 1;
                }
                _ => {}
            }
        }
        let deeds = done.deeds[attack];
        let count = u64::try_from(lies.len()).unwrap() + withheld;
        assert!(count >= deeds / 3 && count <= deeds * 3, "{attack}: {count} lies, {deeds} deeds");
        assert!(honest > 0, "{attack}: a traitor says true things as well");
    }
}

#[test]
fn what_is_kept_back_is_told() {
    let trial = Trial {
        attacks: vec!["withhold-body".parse().unwrap(), "silent".parse().unwrap()],
        replicas: 4,
        traitors: 1,
        seed: 1,
    };
    let recorder = Recorder::default();
    trial.run_recorded(None, Some(recorder.clone()));

    let events = recorder.recording().events;
    let withholds = |event: &&Event| matches!(&event.event, Happened::Did { deed, .. } if deed.starts_with("withholds from "));
    assert!(events.iter().filter(withholds).count() > 10);
}

#[test]
fn a_recording_is_bounded_and_what_is_broken_late_is_in_it() {
    let mut recording = Recording::default();
    let at = |event| Event { at_us: 1, event };
    let timer = || Happened::TimerFired { replica: 0, timer: "status".to_owned() };
    let broken = Happened::Broken {
        property: "S1".to_owned(),
        sentence: "two blocks".to_owned(),
        replica: None,
        height: None,
    };
    for _ in 0..TRAFFIC_MAX + 5 {
        recording.push(at(timer()));
    }
    for _ in 0..MILESTONES_MAX + 7 {
        recording.push(at(Happened::Healed));
    }
    recording.push(at(broken.clone()));
    assert_eq!(recording.events.last().unwrap().event, broken);
    for _ in 0..BROKEN_MAX + 2 {
        recording.push(at(broken.clone()));
    }

    assert_eq!(recording.events.len(), TRAFFIC_MAX + MILESTONES_MAX + BROKEN_MAX);
    assert_eq!(recording.left_out, 5 + 7 + 3);
}
