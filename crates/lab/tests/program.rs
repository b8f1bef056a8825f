//! The program: what it prints, and how it ends.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::process::{Command, Output};

/// Runs the program in a folder of its own: some commands write a report into it.
fn lab(arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    let mut lab = Command::new(env!("CARGO_BIN_EXE_logothete-lab"));
    lab.current_dir(home.path()).args(arguments).output().unwrap()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_soak_in_which_everything_holds_ends_with_0_and_says_what_it_did() {
    let output = lab(&["soak", "--seeds", "6", "--from", "10", "--jobs", "2", "--json"]);

    assert_eq!(output.status.code(), Some(0));
    let summary = json(&output);
    assert_eq!((&summary["runs"], &summary["held"]), (&6.into(), &6.into()));
    assert!(summary["heights"].as_u64().unwrap() > 60);
    let text = String::from_utf8(lab(&["soak", "--seeds", "2"]).stdout).unwrap();
    assert!(text.starts_with("2 runs") && text.contains("seeds a second"), "{text}");
}

#[test]
fn a_plan_that_breaks_something_ends_with_1_whoever_runs_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    let broken = (0..50).find_map(|seed| {
        let seed = seed.to_string();
        let mut plan = json(&lab(&["replay", &seed, "--show-plan"]));
        plan["disks"]["sync_lies"] = true.into();
        std::fs::write(&path, plan.to_string()).unwrap();
        let output = lab(&["replay", &seed, "--plan", path.to_str().unwrap(), "--json"]);
        (output.status.code() == Some(1)).then(|| json(&output))
    });

    let violations = &broken.unwrap()["verdict"]["violated"];
    assert!(violations[0]["sentence"].is_string(), "{violations}");
}

#[test]
fn the_same_seed_is_told_the_same_way_twice() {
    let tell = || lab(&["replay", "7", "--trace"]);
    let (one, again) = (tell(), tell());

    assert_eq!(one.stdout, again.stdout);
    assert_eq!(one.stderr, again.stderr);
    assert!(String::from_utf8(one.stderr).unwrap().lines().count() > 100);
}

#[test]
fn twins_within_what_can_be_borne_end_with_0() {
    let output = lab(&["twins", "--views", "1", "--jobs", "2", "--json"]);

    assert_eq!(output.status.code(), Some(0));
    let summary = json(&output);
    assert_eq!((&summary["schedules"], &summary["broken"]), (&64.into(), &0.into()));
    assert!(summary["committing"].as_u64().unwrap() > 30, "{summary}");
}

#[test]
fn twins_beyond_that_end_with_1_and_one_line_repeats_what_they_did() {
    let output = lab(&["twins", "--views", "1", "--twin", "0,1"]);

    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, failure) = text.split_once("broken: S1").unwrap();
    assert!(failure.contains("round 1: {0 1 2} {3 0' 1'}"), "{text}");
    let line = failure.lines().find(|line| line.contains("--schedule")).unwrap();
    let again = lab(&line.split_whitespace().skip(1).collect::<Vec<_>>());
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8(again.stdout).unwrap().contains("broken: S1"));
}

#[test]
fn an_attack_is_told_of_with_what_came_of_it() {
    let output = lab(&["attack", "double-prepare", "--seed", "3", "--json"]);

    assert_eq!(output.status.code(), Some(0));
    let done = json(&output);
    assert_eq!((&done["verdict"], &done["traitors"]), (&"held".into(), &vec![1].into()));
    assert!(done["deeds"]["double-prepare"].as_u64().unwrap() > 10, "{done}");
    assert_eq!(done["culprits"], serde_json::json!({ "1": ["branches", "votes"] }));
    let text = String::from_utf8(lab(&["attack", "double-prepare", "--seed", "3"]).stdout).unwrap();
    assert!(text.contains("proved to have lied: replica 1 (branches, votes)"), "{text}");
}

#[test]
fn every_attack_is_explained() {
    let all = json(&lab(&["attack", "--list", "--json"]));

    let all = all.as_array().unwrap();
    assert_eq!(all.len(), byzantine::attack::CATALOGUE.len());
    assert!(all.iter().all(|attack| attack["answer"].as_str().is_some_and(|it| it.len() > 10)));
    let text = String::from_utf8(lab(&["attack", "--list"]).stdout).unwrap();
    assert!(
        text.contains("equivocate (can be proved)\n    as primary proposes two blocks"),
        "{text}"
    );
}

#[test]
fn a_scenario_that_goes_as_expected_ends_with_0_and_one_that_does_not_with_1() {
    for arguments in [&["run", "one-of-four-down"][..], &["run", "one-of-four-down", "--one-more"]]
    {
        let output = lab(arguments);
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{told}");
        assert!(told.contains("as expected: ") && told.contains("question: "), "{told}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let text = include_str!("../scenarios/one-of-four-down.toml");
    std::fs::write(&path, text.replace("live-within-ms = 4000", "live-within-ms = 1")).unwrap();
    let path = path.to_str().unwrap();
    let output = lab(&["run", path, "--seed", "3"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("NOT AS EXPECTED"), "{told}");
    assert!(told.contains("! expected: every transfer is final within 1 ms"), "{told}");
    assert!(told.contains(&format!("repeat it: logothete-lab run {path} --seed 3")), "{told}");
    let done = json(&lab(&["run", path, "--one-more", "--json"]));
    assert_eq!(done["judgement"]["as_expected"], true, "{done}");
    assert_eq!(done["report"]["seen"]["fork"], serde_json::Value::Null);
}

#[test]
fn the_scenarios_that_there_are_are_listed() {
    let all = json(&lab(&["run", "--json"]));

    let all = all.as_array().unwrap();
    assert_eq!(all.len(), scenario::shipped::all().unwrap().len());
    let text = String::from_utf8(lab(&["run"]).stdout).unwrap();
    for listed in all {
        assert!(text.contains(listed["name"].as_str().unwrap()), "{text}");
    }
}

#[test]
fn a_scenario_that_is_wrong_is_named_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let text = include_str!("../scenarios/one-of-four-down.toml");
    std::fs::write(&path, text.replace("[load]", "[lod]")).unwrap();
    let output = lab(&["run", path.to_str().unwrap()]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    let line = text.lines().position(|line| line == "[load]").unwrap() + 1;
    let wrong =
        format!("mine.toml: line {line}: unknown key \"lod\" in the scenario: did you mean load?");
    assert!(told.contains(&wrong), "{told}");
    let told = String::from_utf8(lab(&["run", "one-of-for-down"]).stderr).unwrap();
    assert!(told.contains("did you mean one-of-four-down?"), "{told}");
}

#[test]
fn a_wrong_call_ends_with_2() {
    for arguments in [
        vec!["twins", "--twin", "4"],
        vec!["twins", "--twin", "1", "--schedule", "aab-"],
        vec!["soak", "--jobs", "0"],
        vec!["replay", "1", "--plan", "no-such-file"],
        vec!["replay", "1", "--replicas", "17"],
        vec!["attack"],
        vec!["run", "no-such-scenario"],
        vec!["run", "no-such-file.toml"],
        vec!["run", "--one-more"],
        vec!["attack", "equivocat"],
        vec!["attack", "silent", "--replicas", "4", "--traitors", "5"],
        vec!["dance"],
    ] {
        let output = lab(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
}

/// No build that is handed out can break the rules of the core.
#[cfg(not(feature = "mutants"))]
#[test]
fn a_build_without_mutants_says_how_to_get_them() {
    let output = lab(&["mutants"]);

    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.lines().count() == 1 && text.contains("--features mutants"), "{text}");
}

#[test]
fn generals_who_bear_their_traitors_end_with_0_and_those_who_do_not_with_1() {
    for (arguments, code) in [
        (&["-n", "4"][..], 0),
        (&["-n", "3"], 1),
        (&["-n", "3", "--signed"], 0),
        (&["-n", "4", "--worst"], 0),
        (&["-n", "3", "--worst"], 1),
        (&["-n", "7", "--traitors", "2", "--worst", "--tries", "50"], 3),
        (&["-n", "4", "--pbft", "--commander-lies"], 0),
        (&["-n", "3", "--pbft", "--commander-lies"], 1),
        (&["-n", "4", "--traitors", "5"], 2),
        (&["-n", "4", "--traitors", "0", "--commander-lies"], 2),
        (&["-n", "17"], 2),
        (&["-n", "16", "--traitors", "5"], 2),
    ] {
        let output = lab(&[&["generals"], arguments].concat());
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert_eq!(code == 2, told.starts_with("error: "), "{arguments:?}: {told}");
    }
    let report = json(&lab(&["generals", "-n", "4", "--seed", "3", "--json"]));
    assert_eq!(report["messages"].as_array().unwrap().len(), 9);
    assert_eq!(report["judgement"]["ic1"], true);
}

#[test]
fn a_network_of_the_matrix_that_broke_breaks_again_by_the_command_that_is_printed() {
    let output = lab(&["matrix", "--quorum", "majority", "--seeds", "1", "--format", "json"]);

    assert_eq!(output.status.code(), Some(0));
    let matrix = json(&output);
    let forks = |cell: &&serde_json::Value| cell["found"] == "forks" && cell["n"] == 5;
    let cell = matrix["cells"].as_array().unwrap().iter().find(forks).unwrap();
    let command = cell["repeat"].as_str().unwrap().strip_prefix("logothete-lab ").unwrap();
    let again = lab(&command.split(' ').collect::<Vec<_>>());
    assert_eq!(again.status.code(), Some(1));
    let told = String::from_utf8(again.stdout).unwrap();
    assert!(told.contains(cell["sentence"].as_str().unwrap()), "{told}");
}
