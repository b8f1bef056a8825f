//! The scenarios that come with the program, played with real processes: each gives the verdict that the lab gives, with
//! as many faults as the network bears and with one more.
//!
//! Most of the time a run waits, so some are played side by side.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tests::programs::{self, Ended, Running};
use tests::testnet::lock_holder;
use tests::wait::until_true;

/// Runs at a time.
const SIDE_BY_SIDE: usize = 3;
/// A run in which a validator waited so long for a processor, in milliseconds, says little about how fast the network
/// is: it is repeated, a few times at most, when nothing but its times is not as expected.
const STARVED_MS: u64 = 300;
const ATTEMPTS: usize = 4;
/// How many runs of the whole suite may be repeated.
const REPEATED_MAX: usize = 6;
/// How many of the shipped scenarios real processes can play, at least.
const PLAYABLE_MIN: usize = 16;

/// With more liars than a network bears two blocks can be committed at one height, and need not be: where each half
/// needs votes of several honest validators, who warn one another meanwhile, the faster wins.
const RACES: [&str; 2] = ["colluders", "config-store"];

/// The scenarios that come with the program and can be played with real processes.
fn playable() -> Vec<String> {
    let listed = programs::run("logothete", &["--json", "testnet", "run"]).with_code(0).json();
    let all = listed["scenarios"].as_array().unwrap().iter();
    let playable = all.filter(|one| one.get("lab_only").is_none());
    playable.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

/// The words of a run in this directory.
fn words<'a>(directory: &'a str, scenario: &'a str, one_more: bool) -> Vec<&'a str> {
    let mut words = vec!["--json", "testnet", "--dir", directory, "run", scenario];
    words.extend(one_more.then_some("--one-more"));
    words
}

/// Plays a scenario to its end. Nothing of it runs any more then.
fn play(scenario: &str, one_more: bool) -> Ended {
    let folder = TempDir::new().unwrap();
    let directory = folder.path().to_str().unwrap();
    let ended = programs::run("logothete", &words(directory, scenario, one_more));
    assert_eq!(holders(folder.path()), [0_u32; 0], "{scenario}");
    ended
}

/// Plays a scenario until it is as expected or something else than the computer can be the reason why it is not. Each
/// repetition is counted.
fn play_undisturbed(scenario: &str, one_more: bool, repeated: &AtomicUsize) -> Result<(), Ended> {
    for attempt in 1.. {
        let began = Instant::now();
        let ended = play(scenario, one_more);
        let took = began.elapsed().as_secs_f64();
        if ended.code == Some(0) {
            assert_eq!(ended.json()["as_expected"], true, "{ended:?}");
            println!("{scenario}, one more {one_more}: {took:.1} s, {}", ended.json()["verdict"]);
            return Ok(());
        }
        println!("{scenario}, one more {one_more}: {took:.1} s, NOT AS EXPECTED, {ended:?}");
        if attempt == ATTEMPTS || ended.code != Some(1) || !may_be_repeated(&ended.json()) {
            return Err(ended);
        }
        repeated.fetch_add(1, Ordering::Relaxed);
    }
    unreachable!("the last attempt returns")
}

/// Whether a run says only that everything took too long, on a computer that took much of the time.
fn may_be_repeated(json: &Value) -> bool {
    let findings = json["findings"].as_array().unwrap().iter();
    let mut failed = findings.filter(|finding| finding["holds"] == false).peekable();
    json["starved_ms"].as_u64().is_some_and(|starved| starved >= STARVED_MS)
        && failed.peek().is_some()
        && failed.all(is_of_time)
}

/// Whether a slow computer explains that an expectation is not met. It never explains two blocks at one height, a broken
/// property or who is accused of what.
fn is_of_time(finding: &Value) -> bool {
    let expected = finding["expected"].as_str().unwrap();
    let most = expected.strip_suffix(" view changes or fewer").or_else(|| {
        let (_, most) = expected.strip_suffix(" view changes")?.split_once(" to ")?;
        Some(most)
    });
    if let Some(most) = most {
        let seen: u64 = finding["seen"].as_str().unwrap().parse().unwrap();
        return seen > most.parse().unwrap();
    }
    expected.starts_with("every transfer is final within ")
        || expected.starts_with("nothing is committed after ")
        || (expected.starts_with("validators ") && expected.ends_with(" end at the same height"))
}

/// The processes that hold the locks of a testnet.
fn holders(directory: &Path) -> Vec<u32> {
    let nodes = (0..).map(|index| directory.join(format!("node{index}")));
    let nodes = nodes.take_while(|folder| folder.exists()).map(|folder| folder.join("data/lock"));
    let locks = nodes.chain([directory.join("relays/lock")]);
    locks.filter_map(|lock| lock_holder(&lock)).collect()
}

/// The expectations that were not met.
fn failed(json: &Value) -> Vec<&str> {
    let findings = json["findings"].as_array().unwrap().iter();
    let failed = findings.filter(|finding| finding["holds"] == false);
    failed.map(|finding| finding["expected"].as_str().unwrap()).collect()
}

/// A shipped scenario, with something else in place of a part of its text.
fn altered(name: &str, part: &str, instead: &str) -> (TempDir, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = fs::read_to_string(root.join(format!("crates/lab/scenarios/{name}.toml"))).unwrap();
    assert!(text.contains(part), "{part} is not in {name}");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("altered.toml");
    fs::write(&file, text.replacen(part, instead, 1)).unwrap();
    let file = file.to_str().unwrap().to_owned();
    (folder, file)
}

#[test]
fn every_scenario_that_can_be_played_has_the_verdict_of_the_lab() {
    let names = playable();
    assert!(names.len() >= PLAYABLE_MIN, "only {names:?} can be played");
    let runs = names.iter().flat_map(|name| [(name, false), (name, true)]);
    let decided = |(name, one_more): &(&String, bool)| !one_more || !RACES.contains(&name.as_str());
    let runs = Mutex::new(runs.filter(decided).collect::<Vec<_>>().into_iter());
    let wrong = Mutex::new(Vec::new());
    let repeated = AtomicUsize::new(0);

    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let Some((name, one_more)) = runs.lock().unwrap().next() else { return };
                    if let Err(ended) = play_undisturbed(name, one_more, &repeated) {
                        wrong.lock().unwrap().push((name, one_more, ended));
                    }
                }
            });
        }
    });

    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} are not as expected: {wrong:#?}", wrong.len());
    let repeated = repeated.into_inner();
    assert!(
        repeated <= REPEATED_MAX,
        "{repeated} runs were repeated: the computer does too much else"
    );
}

#[test]
fn only_what_time_explains_is_played_again() {
    let finding = |expected: &str, seen: &str| serde_json::json!({ "expected": expected, "seen": seen, "holds": false });
    let late = finding(
        "every transfer is final within 4000 ms",
        "all 9 are final, the slowest took 4001 ms",
    );
    let report = |starved_ms: u64, failed: &[&Value]| {
        let held = serde_json::json!({ "expected": "height 3 or more is committed", "seen": "height 9", "holds": true });
        let findings: Vec<&Value> = [&held].into_iter().chain(failed.iter().copied()).collect();
        serde_json::json!({ "starved_ms": starved_ms, "findings": findings })
    };

    for of_time in [
        &late,
        &finding("validators 1, 2 and 3 end at the same height", "1 at 8, 2 at 9, 3 at 9"),
        &finding("0 view changes or fewer", "1"),
        &finding("1 to 2 view changes", "3"),
        &finding(
            "nothing is committed after 500 ms, although transfers wait",
            "the last new height",
        ),
    ] {
        assert!(may_be_repeated(&report(STARVED_MS, &[of_time])), "{of_time}");
        assert!(!may_be_repeated(&report(STARVED_MS - 1, &[of_time])), "{of_time}");
    }
    for of_safety in [
        &finding(
            "no two honest validators commit different blocks at one height",
            "two blocks at height 7: validator 2 has aa, validator 3 has bb",
        ),
        &finding("no other property is broken", "node1 ended by itself"),
        &finding("nobody is proved to have lied", "validator 2 is proved to have lied"),
        &finding("1 to 2 view changes", "0"),
    ] {
        assert!(!may_be_repeated(&report(60_000, &[of_safety])), "{of_safety}");
        assert!(!may_be_repeated(&report(60_000, &[&late, of_safety])), "{of_safety}");
    }
    assert!(!may_be_repeated(&report(60_000, &[])));
}

#[test]
fn a_scenario_whose_expectation_is_wrong_fails_and_says_which() {
    let (_folder, file) =
        altered("one-of-four-down", "view-changes-min = 1", "view-changes-max = 0");

    let ended = play(&file, false).with_code(1);

    let json = ended.json();
    assert_eq!(json["as_expected"], false);
    assert_eq!(failed(&json), ["0 view changes or fewer"]);
}

#[test]
fn a_scenario_that_only_the_lab_can_play_is_refused_by_name() {
    let (_folder, file) = altered(
        "one-of-four-down",
        "view-timeout-ms = 600",
        "view-timeout-ms = 600\nquorum = \"majority\"",
    );

    let ended = play(&file, true).with_code(3);

    assert!(ended.stderr.contains("no program counts a majority"), "{ended:?}");
    assert!(ended.stderr.contains("`logothete-lab run one-of-four-down --one-more`"), "{ended:?}");
}

#[test]
fn what_is_no_scenario_is_refused_with_what_is_wrong() {
    let unknown = play("one-of-four-dwon", false).with_code(2);
    assert!(unknown.stderr.contains("one-of-four-down"), "{unknown:?}");

    let (_folder, file) = altered("one-of-four-down", "transfers =", "transfer =");
    let ended = play(&file, false).with_code(2);

    assert!(ended.stderr.contains("altered.toml: line "), "{ended:?}");
}

#[test]
fn a_run_that_is_told_to_end_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    let directory = folder.path().to_str().unwrap();
    let run = Running::start(programs::command(
        "logothete",
        &words(directory, "one-of-four-down", false),
    ));
    until_true("all of it runs", || holders(folder.path()).len() == 5);

    run.signal(Signal::TERM);
    drop(run.end().with_code(130));

    assert_eq!(holders(folder.path()), [0_u32; 0]);
}
