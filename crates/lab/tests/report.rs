//! The pages and files of a run: well-formed, complete, the same for the same seed, and put where they belong.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use lab::attacks::Trial;
use lab::record::{Event, Happened};
use lab::render::{Dossier, Expectation, FILES, MESSAGES_SHOWN, Question};
use lab::{QuorumRule, Recorder, Recording};

#[path = "common/markup.rs"]
mod markup;

use markup::{drawn, flaw, scrolls_in_its_box};

fn dossier(attack: &str, replicas: u16, seed: u64) -> Dossier {
    let attacks = vec![attack.parse().unwrap()];
    let trial = Trial { attacks, replicas, traitors: (replicas - 1) / 3, seed };
    let recorder = Recorder::default();
    let done = trial.run_recorded(None, Some(recorder.clone()));
    Dossier {
        title: format!("attack {attack}"),
        command: trial.repeat(),
        plan: trial.plan(),
        quorum: QuorumRule::Kept,
        report: done.report,
        recording: recorder.recording(),
        traitors: done.traitors.iter().map(|it| (*it, vec![attack.to_owned()])).collect(),
        question: None,
        agreement: None,
    }
}

fn file(dossier: &Dossier, name: &str) -> String {
    let files = dossier.files().unwrap();
    files.into_iter().find(|(file, _)| *file == name).unwrap().1
}

#[test]
fn the_check_of_pages_notices_what_is_wrong() {
    let page = |body: &str| format!("<!DOCTYPE html>\n<html><body>{body}</body></html>");

    assert_eq!(flaw(&page("<p id=\"a\">a &lt; b<br/></p><svg a=\"1\" b=\"2\"/>")), None);
    for wrong in [
        "<p>",
        "</p>",
        "<p></b></p>",
        "<br>",
        "a & b",
        "a > b",
        "<p a=1></p>",
        "<p a=\"1\" a=\"2\"></p>",
        "<p id=\"x\"></p><p id=\"x\"></p>",
        "<p a=\"&\"></p>",
    ] {
        assert!(flaw(&page(wrong)).is_some(), "{wrong}");
    }
}

/// The messages that a recording says are false.
fn lies(recording: &Recording) -> BTreeSet<u64> {
    let numbers = recording.events.iter().filter_map(|event| match &event.event {
        Happened::Sent { number, attack: Some(_), .. } => Some(*number),
        _ => None,
    });
    numbers.collect()
}

#[test]
fn a_page_has_every_lifeline_every_false_message_the_verdict_and_the_command() {
    for (attack, replicas, seed) in
        [("equivocate", 4, 3), ("double-commit", 7, 1), ("wrong-tip", 4, 2), ("silent", 4, 0)]
    {
        let dossier = dossier(attack, replicas, seed);
        let page = file(&dossier, "report.html");

        assert_eq!(flaw(&page), None, "{attack}");
        assert!(page.contains("<p>\u{2713} Every property held</p>"), "{attack}");
        assert!(page.contains(&dossier.command), "{attack}");
        assert!(scrolls_in_its_box(&page, "sequence"), "{attack}");
        for replica in 0..replicas {
            assert!(page.contains(&format!("data-replica=\"{replica}\"")), "{attack}: {replica}");
        }
        let lies = lies(&dossier.recording);
        for number in &lies {
            assert!(page.contains(&format!("<tr><td>#{number}</td>")), "{attack}: #{number}");
        }
        let arrows: BTreeSet<u64> = drawn(&page, "<g class=\"arrow ");
        let false_arrows = drawn(&page, "<g class=\"arrow k-false\"");
        assert!(arrows.len() <= MESSAGES_SHOWN && arrows.len() > 30, "{attack}: {}", arrows.len());
        assert!(false_arrows.is_subset(&lies), "{attack}");
        let found = arrows.intersection(&lies).count();
        assert_eq!(found, false_arrows.len(), "{attack}: what is drawn of a lie is drawn as one");
        assert_eq!(found > 0, !lies.is_empty(), "{attack}: a lie is seen");
        assert!(!page.contains("<script") && !page.contains("href=") && !page.contains("url(http"));
    }
}

#[test]
fn a_culprit_is_shown_with_both_statements() {
    let dossier = dossier("equivocate", 4, 3);
    let page = file(&dossier, "report.html");
    let words = file(&dossier, "report.md");
    let proofs: Vec<_> = dossier
        .recording
        .events
        .iter()
        .filter_map(|event| match &event.event {
            Happened::Found { proof, .. } => Some(proof.clone()),
            _ => None,
        })
        .collect();

    assert_eq!(proofs[0].culprit, 0);
    assert_ne!(proofs[0].first, proofs[0].second);
    for text in [&proofs[0].first, &proofs[0].second] {
        assert!(page.contains(text.as_str()) && words.contains(text.as_str()), "{text}");
    }
    assert!(page.contains("from there on it leads no view"), "convicted");
}

#[test]
fn a_fork_is_told_of_with_the_property_it_breaks() {
    let trial = lab::resilience::Trial {
        n: 3,
        t: 1,
        quorum: QuorumRule::Kept,
        strategy: lab::resilience::Strategy::Split,
        seed: 0,
    };
    let recorder = Recorder::default();
    let report = trial.run_recorded(None, Some(recorder.clone()));
    let dossier = Dossier {
        title: "a fork".to_owned(),
        command: trial.to_string(),
        plan: trial.plan(),
        quorum: trial.quorum,
        report,
        recording: recorder.recording(),
        traitors: [(0, vec!["shows each half another network".to_owned()])].into(),
        question: None,
        agreement: None,
    };

    let page = file(&dossier, "report.html");
    assert_eq!(flaw(&page), None);
    assert!(page.contains("<p>\u{2717} Broken: S1</p>"));
    assert!(page.contains("no two honest validators commit different blocks at one height"));
    assert!(page.contains("<g class=\"breach\">"), "the picture says where");
    let lies = lies(&dossier.recording);
    assert!(lies.len() > 2 && drawn(&page, "<g class=\"arrow k-false\"") == lies);
    let json: serde_json::Value = serde_json::from_str(&file(&dossier, "report.json")).unwrap();
    assert_eq!((&json["verdict"], &json["quorum"]), (&"violated".into(), &2.into()));
}

#[test]
fn the_same_seed_gives_the_same_files_byte_for_byte() {
    let [one, again, other] = [3, 3, 4].map(|seed| dossier("equivocate", 4, seed).files().unwrap());

    assert!(one == again);
    for ((name, one), (_, other)) in one.iter().zip(&other) {
        assert_ne!(one, other, "{name}");
    }
}

#[test]
fn nothing_that_comes_from_data_is_markup() {
    let mut dossier = dossier("silent", 4, 1);
    let evil = "<script>alert('1')</script> & \"x\" \u{0}";
    dossier.title = evil.to_owned();
    dossier.command = evil.to_owned();
    dossier.traitors = [(1, vec![evil.to_owned()])].into();
    dossier.question = Some(Question {
        question: evil.to_owned(),
        answer: evil.to_owned(),
        expectations: vec![Expectation {
            expected: evil.to_owned(),
            seen: evil.to_owned(),
            met: false,
        }],
    });
    let broken = Happened::Broken {
        property: evil.to_owned(),
        sentence: evil.to_owned(),
        replica: None,
        height: None,
    };
    dossier.recording.events.insert(40, Event { at_us: 0, event: broken });

    let page = file(&dossier, "report.html");
    assert_eq!(flaw(&page), None);
    assert!(!page.contains("<script") && page.matches("&lt;script&gt;").count() > 8);
    assert!(page.contains("not as expected"));
}

#[test]
fn a_recording_in_which_nothing_happened_gives_a_page_as_well() {
    let mut dossier = dossier("silent", 4, 1);
    dossier.recording = Recording::default();

    assert_eq!(flaw(&file(&dossier, "report.html")), None);
}

fn lab(home: &Path, arguments: &[&str]) -> Output {
    let mut lab = Command::new(env!("CARGO_BIN_EXE_logothete-lab"));
    lab.current_dir(home).args(arguments).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_run_leaves_its_folder_and_says_where() {
    let home = tempfile::tempdir().unwrap();
    for (arguments, folder) in [
        (&["attack", "equivocate", "--seed", "3"][..], "lab-runs/attack-equivocate-3"),
        (&["replay", "7"], "lab-runs/replay-7"),
        (&["replay", "8", "--out", "elsewhere/eight"], "elsewhere/eight"),
        (
            &["matrix", "--cell", "3,1", "--strategy", "split", "--seed", "0"],
            "lab-runs/matrix-3-1-kept-split-0",
        ),
    ] {
        let output = lab(home.path(), arguments);
        assert_eq!(told(&output), format!("report: {folder}/report.html\n"), "{arguments:?}");
        for name in FILES {
            assert!(home.path().join(folder).join(name).is_file(), "{folder}/{name}");
        }
    }
    let left = tempfile::tempdir().unwrap();
    let output = lab(left.path(), &["attack", "silent", "--no-report"]);
    assert_eq!((output.status.code(), told(&output)), (Some(0), String::new()));
    assert_eq!(std::fs::read_dir(left.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_is_replaced_and_what_is_not_ours_stays() {
    let home = tempfile::tempdir().unwrap();
    let run = |seed: &str| lab(home.path(), &["attack", "silent", "--seed", seed, "--out", "run"]);
    let read = || std::fs::read_to_string(home.path().join("run/report.md")).unwrap();
    run("1");
    let before = read();

    run("2");
    assert_ne!(read(), before);
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1, "nothing is left beside it");

    let now = read();
    std::fs::write(home.path().join("run/notes.txt"), "mine").unwrap();
    let output = run("3");
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("run has notes.txt in it, which is no file of a report"));
    assert_eq!(read(), now);
    assert!(home.path().join("run/notes.txt").is_file());
}

#[test]
fn a_run_is_walked_through_by_lines_on_stdin() {
    let home = tempfile::tempdir().unwrap();
    lab(home.path(), &["attack", "equivocate", "--seed", "3", "--out", "run"]);
    let walk = |path: &str, lines: &str| {
        let mut lab = Command::new(env!("CARGO_BIN_EXE_logothete-lab"));
        let lab = lab.current_dir(home.path()).args(["step", path]);
        let piped = lab.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };

    let output = walk("run", "f\nv\nn\np\nv\nq\nnever read\n");
    assert_eq!((output.status.code(), told(&output)), (Some(0), String::new()));
    let text = String::from_utf8(output.stdout).unwrap();
    let shown: Vec<&str> =
        text.lines().filter(|line| line.contains("FALSE (equivocate)")).collect();
    assert_eq!((shown.len(), shown[0]), (3, shown[2]), "there and back: {text}");
    assert_ne!(shown[0], shown[1], "and elsewhere in between: {text}");
    let tables: Vec<&str> = text.split("at ").filter(|part| part.contains("(lies)")).collect();
    assert_eq!(tables.len(), 2);
    assert!(text.contains("repeat it with: logothete-lab attack equivocate"), "{text}");

    let whole = std::fs::read_to_string(home.path().join("run/trace.jsonl")).unwrap();
    let damaged = whole.replacen("\"event\"", "\"evnt\"", 1);
    std::fs::write(home.path().join("damaged.jsonl"), damaged).unwrap();
    let output = walk("damaged.jsonl", "");
    assert_eq!(output.status.code(), Some(2));
    let says = "error: damaged.jsonl: line 2: this is no event: unknown field `evnt`";
    assert!(told(&output).starts_with(says), "{}", told(&output));
    assert_eq!(walk("nothing-there", "").status.code(), Some(2));
}
