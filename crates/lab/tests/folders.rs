//! The folders of what is no single run: battles of generals, the matrix, soaks, twins and checks.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use lab::render::{FILES, MESSAGES_SHOWN};
use serde_json::Value;
use tempfile::TempDir;

#[path = "common/markup.rs"]
mod markup;

use markup::{drawn, flaw, scrolls_in_its_box};

/// What a command printed, and the folder it left.
struct Left {
    home: TempDir,
    output: Output,
}

/// Runs a command in a folder of its own, with its report in `out`.
fn leave(command: &str) -> Left {
    let home = tempfile::tempdir().unwrap();
    let output = lab(home.path(), &format!("{command} --out out"));
    Left { home, output }
}

fn lab(home: &Path, command: &str) -> Output {
    let mut lab = Command::new(env!("CARGO_BIN_EXE_logothete-lab"));
    lab.current_dir(home).args(command.split_whitespace()).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

impl Left {
    fn read(&self, name: &str) -> String {
        let path = self.home.path().join("out").join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; it says {}", path.display(), told(&self.output))
        })
    }

    /// The page, which is well-formed, as is Markdown beside it.
    fn page(&self) -> String {
        let page = self.read("report.html");
        assert_eq!(flaw(&page), None);
        assert!(!page.contains("<script") && !page.contains("url(http"));
        page
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.read("report.json")).unwrap()
    }

    fn printed(&self) -> Value {
        serde_json::from_slice(&self.output.stdout).unwrap()
    }

    /// The lines of the trace behind its header.
    fn lines(&self) -> Vec<Value> {
        let text = self.read("trace.jsonl");
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let header = lines.next().unwrap();
        assert_eq!(header["logothete_lab_list"], 1, "{header}");
        assert_eq!(header["command"], self.json()["command"]);
        lines.collect()
    }

    /// Page and Markdown both say all of this.
    fn say(&self, texts: &[&str]) {
        let (page, words) = (self.page(), plain(&self.read("report.md")));
        for text in texts {
            assert!(page.contains(&escaped(text)), "the page lacks {text:?}");
            assert!(words.contains(text), "the Markdown lacks {text:?}");
        }
    }

    /// The command in the report does the same again.
    fn repeats(&self) {
        let command = self.json()["command"].as_str().unwrap().to_owned();
        self.say(&[&command]);
        let command = command.strip_prefix("logothete-lab ").unwrap();
        let json = if self.output.stdout.starts_with(b"{") { " --json" } else { "" };
        let again = lab(self.home.path(), &format!("{command}{json} --no-report"));
        assert_eq!(again.status.code(), self.output.status.code(), "{command}: {}", told(&again));
        assert_eq!(told(&again), "");
        assert!(again.stdout == self.output.stdout, "{command}");
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;")
}

/// Markdown without the signs that keep data from being markup.
fn plain(markdown: &str) -> String {
    markdown.replace('\\', "")
}

#[test]
fn a_battle_tells_every_message_every_decision_both_conditions_and_the_formula() {
    for (flags, ic2, formula) in [
        ("-n 3", Some(false), "4 messages; the formula says 2 + 2·1 = 4"),
        ("-n 4 --commander-lies", None, "9 messages; the formula says 3 + 3·2 = 9"),
        ("-n 7 --traitors 2 --seed 5", Some(true), "156 messages; the formula says"),
        ("-n 4 --signed", Some(true), "of each order the formula allows 3 + 3·2 = 9"),
    ] {
        let left = leave(&format!("generals {flags} --json"));
        let report = left.printed();

        assert_eq!(told(&left.output), "report: out/report.html\n", "{flags}");
        assert_eq!(left.json()["result"], report, "{flags}");
        let (page, lines) = (left.page(), left.lines());
        let messages = report["messages"].as_array().unwrap();
        let decisions = report["decisions"].as_array().unwrap();
        assert_eq!(lines.len(), messages.len() + decisions.len() + 1, "{flags}");
        let words = lines.iter().filter_map(|line| line["message"]["words"].as_str());
        let words: Vec<&str> = words.collect();
        assert_eq!(words.len(), messages.len(), "{flags}");
        left.say(&words);
        left.say(&[formula, "IC1, all loyal lieutenants obey the same order"]);

        let lies = (1_u64..).zip(messages).filter(|(_, sent)| sent["lie"] == true);
        let lies: BTreeSet<u64> = lies.map(|(number, _)| number).collect();
        assert_eq!(drawn(&page, "<g class=\"arrow k-false\""), lies, "{flags}");
        let all: BTreeSet<u64> = (1..=u64::try_from(messages.len()).unwrap()).collect();
        assert_eq!(drawn(&page, "<g class=\"arrow "), all, "{flags}");
        assert!(scrolls_in_its_box(&page, "sequence"), "{flags}");
        for general in 0..report["battle"]["n"].as_u64().unwrap() {
            assert!(page.contains(&format!("data-general=\"{general}\"")), "{flags}: {general}");
        }
        for decision in decisions {
            let (who, order) = (&decision["lieutenant"], decision["order"].as_str().unwrap());
            let (_, pill) = page.split_once(&format!("data-decides=\"{who}\"")).unwrap();
            assert!(pill.split_once("</g>").unwrap().0.contains(order), "{flags}: {who}");
            let row = format!("<tr><td>lieutenant {who}</td><td>");
            let (_, row) = page.split_once(&row).unwrap();
            assert!(row.split_once("</tr>").unwrap().0.ends_with(&format!("<td>{order}</td>")));
        }
        assert_eq!(report["judgement"]["ic2"].as_bool(), ic2, "{flags}");
        let verdict = if ic2 == Some(false) { "violated" } else { "held" };
        assert_eq!(left.json()["verdict"], verdict, "{flags}");
        left.repeats();
    }
}

#[test]
fn a_battle_of_many_messages_shows_the_first_and_says_so() {
    let left = leave("generals -n 10 --traitors 2 --json");
    let messages = left.printed()["messages"].as_array().unwrap().len();
    let page = left.page();

    assert_eq!(drawn(&page, "<g class=\"arrow ").len(), MESSAGES_SHOWN);
    left.say(&[&format!("leaves out {}.", messages - MESSAGES_SHOWN)]);
    assert_eq!(page.matches("<td>#").count(), messages);
}

#[test]
fn every_lie_that_was_tried_is_counted_and_the_first_that_breaks_something_told() {
    let left = leave("generals -n 3 --worst --json");
    let worst = left.printed();
    left.say(&["Something that the traitors can say breaks a condition", "IC2 broken in"]);
    let first = worst["first"]["messages"].as_array().unwrap().len();
    assert_eq!(drawn(&left.page(), "<g class=\"arrow ").len(), first);
    assert_eq!(left.json()["result"], worst);
    left.repeats();

    let left = leave("generals -n 4 --worst");
    left.say(&["IC1 and IC2 hold, whatever the traitors say", "32"]);
    assert_eq!(left.lines().len(), 0);
    let left = leave("generals -n 7 --traitors 2 --worst --tries 50 --json");
    assert_eq!(left.json()["verdict"], "inconclusive");
    left.repeats();
}

#[test]
fn generals_over_the_production_core_leave_a_run_with_what_they_decided() {
    for (flags, verdict) in [
        ("-n 4 --commander-lies", "held"),
        ("-n 3 --commander-lies --seed 2", "violated"),
        ("-n 5 --traitors 2", "violated"),
    ] {
        let left = leave(&format!("generals {flags} --pbft --json"));
        let agreement = left.printed();

        let json = left.json();
        assert_eq!((&json["agreement"], json["verdict"].as_str()), (&agreement, Some(verdict)));
        let story = agreement["story"].as_array().unwrap();
        assert!(story.len() >= 3, "{flags}");
        left.say(&story.iter().map(|line| line.as_str().unwrap()).collect::<Vec<_>>());
        let page = left.page();
        let general = |who: &str| match who {
            "0" => "the commander".to_owned(),
            who => format!("lieutenant {who}"),
        };
        for (who, order) in agreement["decisions"].as_object().unwrap() {
            let row =
                format!("<tr><td>{}</td><td>{}</td></tr>", general(who), order.as_str().unwrap());
            assert!(page.contains(&row), "{flags}: {row}");
        }
        for who in agreement["undecided"].as_array().unwrap() {
            let row = format!("<td>{}</td><td>none, he waits", general(&who.to_string()));
            assert!(page.contains(&row), "{flags}: {row}");
        }
        if flags.contains("commander-lies") {
            assert!(!drawn(&page, "<g class=\"arrow k-false\"").is_empty(), "{flags}");
        }
        assert!(page.contains("<h2>Views and heights</h2>"), "{flags}");
        let walk = lab(left.home.path(), "step out");
        assert_eq!(walk.status.code(), Some(0), "{}", told(&walk));
        left.repeats();
    }
}

#[test]
fn the_matrix_shows_every_network_and_how_to_see_again_what_broke() {
    let left = leave("matrix --quorum kept --seeds 1 --format json");
    let printed = left.printed();
    let cells = printed["cells"].as_array().unwrap();

    assert_eq!(left.json()["result"], printed);
    assert_eq!(left.lines(), *cells);
    let (page, words) = (left.page(), left.read("report.md"));
    assert_eq!(page.matches("data-cell=").count(), cells.len());
    for cell in cells {
        let found = cell["found"].as_str().unwrap();
        let place = format!("data-cell=\"{},{}\"", cell["n"], cell["t"]);
        let (_, drawn) = page.split_once(&place).unwrap();
        assert!(drawn.split_once("</g>").unwrap().0.contains(&format!(">{found}<")), "{place}");
        if let Some(command) = cell["repeat"].as_str() {
            left.say(&[command, cell["sentence"].as_str().unwrap()]);
        }
        assert_eq!(cell["repeat"].is_null(), found == "holds");
    }
    assert!(words.contains("| 3 | 2 | holds | forks | halts | halts |"), "{words}");
    let again = lab(left.home.path(), "step out");
    assert_eq!(again.status.code(), Some(2));
    assert!(
        told(&again).contains("line 1: this lists the networks of a matrix"),
        "{}",
        told(&again)
    );
}

#[test]
fn a_soak_says_what_was_run_and_checked_and_what_came_out() {
    let left = leave("soak --seeds 4 --from 10 --jobs 2 --json");
    let summary = left.printed();

    assert_eq!(left.json()["result"], summary);
    left.say(&[
        "Every property held in 4 runs",
        "logothete-lab soak --seeds 4 --from 10",
        "S1: no two honest validators commit different blocks at one height",
        "Reply: what enough validators told a client is what was committed",
        &summary["heights"].to_string(),
    ]);
    for (kind, count) in summary["faults"].as_object().unwrap() {
        left.say(&[&format!("{kind} {count}")]);
    }
    let runs = left.lines();
    let seeds: Vec<u64> = runs.iter().map(|run| run["seed"].as_u64().unwrap()).collect();
    assert_eq!(seeds, [10, 11, 12, 13]);
    let heights: u64 = runs.iter().map(|run| run["heights"].as_u64().unwrap()).sum();
    assert_eq!(summary["heights"], heights);
    let one = lab(left.home.path(), "replay 12 --json --no-report");
    let one: Value = serde_json::from_slice(&one.stdout).unwrap();
    assert_eq!((&runs[2]["trace"], &runs[2]["verdict"]), (&one["trace"], &"held".into()));
}

/// A disk that only says that it flushed is more than the protocol bears.
#[test]
fn the_first_seeds_of_a_soak_that_fail_have_folders_of_their_own() {
    let home = tempfile::tempdir().unwrap();
    let plan = lab(home.path(), "replay 3 --show-plan");
    let mut plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    plan["disks"]["sync_lies"] = true.into();
    std::fs::write(home.path().join("plan.json"), plan.to_string()).unwrap();
    let soak = "soak --plan plan.json --seeds 60 --no-shrink --json --out out";
    let output = lab(home.path(), soak);
    let left = Left { home, output };

    assert_eq!(left.output.status.code(), Some(1), "{}", told(&left.output));
    let summary = left.printed();
    let failures = summary["failures"].as_array().unwrap();
    assert!(failures.len() > 5, "{} failures", failures.len());
    let page = left.page();
    for (number, failure) in failures.iter().enumerate() {
        let seed = &failure["seed"];
        let replay = failure["replay"].as_str().unwrap();
        assert_eq!(replay, format!("logothete-lab replay {seed} --plan plan.json"));
        left.say(&[
            replay,
            &format!("Seed {seed}"),
            failure["violations"][0]["sentence"].as_str().unwrap(),
        ]);
        let within = left.home.path().join(format!("out/failed-{seed}"));
        assert_eq!(within.is_dir(), number < 5, "seed {seed}");
        assert_eq!(page.contains(&format!("href=\"failed-{seed}/report.html\"")), number < 5);
        if number < 5 {
            let inner = left.read(&format!("failed-{seed}/report.html"));
            assert_eq!(flaw(&inner), None);
            assert!(
                inner.contains(replay) && inner.contains("<g class=\"breach\">"),
                "seed {seed}"
            );
            let json = left.read(&format!("failed-{seed}/report.json"));
            let json: Value = serde_json::from_str(&json).unwrap();
            assert_eq!(json["report"]["verdict"]["violated"], failure["violations"]);
            let walk = lab(left.home.path(), &format!("step out/failed-{seed}"));
            assert_eq!(walk.status.code(), Some(0), "{}", told(&walk));
        }
    }

    // What is ours within is replaced with the rest; what is not, is not.
    let first = format!("out/failed-{}", failures[0]["seed"]);
    let shorter = lab(left.home.path(), "soak --seeds 1 --out out");
    assert_eq!(shorter.status.code(), Some(0), "{}", told(&shorter));
    assert!(!left.home.path().join(&first).exists());
    assert_eq!(
        std::fs::read_dir(left.home.path()).unwrap().count(),
        2,
        "nothing is left beside it"
    );
    std::fs::create_dir(left.home.path().join("out/failed-1")).unwrap();
    std::fs::write(left.home.path().join("out/failed-1/notes.txt"), "mine").unwrap();
    let refused = lab(left.home.path(), "soak --seeds 1 --out out");
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0), "before it runs");
    assert!(told(&refused).contains("out has failed-1/notes.txt in it"), "{}", told(&refused));
    assert!(left.home.path().join("out/failed-1/notes.txt").is_file());
}

#[test]
fn a_schedule_of_twins_that_fails_is_told_round_by_round() {
    let left = leave("twins --views 1 --twin 0,1 --json");
    let summary = left.printed();

    assert_eq!((left.output.status.code(), &left.json()["result"]), (Some(1), &summary));
    let failures = summary["failures"].as_array().unwrap();
    assert_eq!(left.lines().len(), failures.len());
    assert!(!failures.is_empty());
    for (failure, repeat) in failures.iter().zip(summary["repeat"].as_array().unwrap()) {
        let broken = failure["violations"][0]["sentence"].as_str().unwrap();
        left.say(&[repeat.as_str().unwrap(), broken, failure["schedule"].as_str().unwrap()]);
        let rounds = failure["rounds"].as_array().unwrap();
        for (number, round) in (1..).zip(rounds) {
            left.say(&[&format!("round {number}: {}", round.as_str().unwrap())]);
        }
    }
    let left = leave("twins --views 1 --twin 2");
    left.say(&["Every property held in 16 schedules", "logothete-lab twins --replicas 4 --twin 2"]);
    let told = String::from_utf8(left.output.stdout).unwrap();
    assert!(told.contains("\nhealed after ") && !told.contains(", \n"), "{told}");
}

#[test]
fn twins_who_break_everything_do_not_leave_a_blank() {
    let left = leave("twins --twin 0,1 --schedule aaabbb");
    let told = String::from_utf8(left.output.stdout.clone()).unwrap();

    assert!(told.contains("\nno schedule came to the end of its healing\n"), "{told}");
    left.say(&["no schedule came to the end of its healing"]);
    left.say(&["logothete-lab twins --replicas 4 --twin 0,1 --schedule aaabbb"]);
    left.say(&["Expected: nothing is promised. 4 replicas bear 1 that lie"]);
}

#[test]
fn a_search_that_finds_a_fork_tells_every_delivery() {
    let left = leave("check orders --faulty 0,1 --last-view 0 --json");
    let search = left.printed();

    assert_eq!((left.output.status.code(), &left.json()["result"]), (Some(1), &search));
    let schedule = search["broken"]["schedule"].as_array().unwrap();
    assert_eq!(left.lines(), *schedule);
    assert!(schedule.iter().any(|delivery| delivery["lie"] == true));
    left.say(&[search["broken"]["sentence"].as_str().unwrap(), &search["states"].to_string()]);
    left.say(&["Expected: nothing is promised, because four replicas bear one that lies."]);
    let page = left.page();
    let (_, rows) = page.split_once("<h2>How it was broken</h2>").unwrap();
    assert_eq!(rows.matches("<td>replica ").count(), schedule.len());
    let lies = schedule.iter().filter(|delivery| delivery["lie"] == true).count();
    assert_eq!(rows.matches("<tr class=\"lie\">").count(), lies);
    for delivery in schedule {
        left.say(&[delivery["takes"].as_str().unwrap()]);
    }
    left.repeats();
}

#[test]
fn crashes_are_told_with_their_story_and_figures() {
    let left = leave("check crashes --story height --pairs 3 --seed 2 --json");
    let matrix = left.printed();

    assert_eq!((left.output.status.code(), &left.json()["result"]), (Some(0), &matrix));
    assert_eq!(matrix["pairs"], 3);
    let runs = matrix["single"].as_u64().unwrap() + 3;
    left.say(&[
        &format!("Every property held in {runs} runs"),
        "logothete-lab check crashes --story height --pairs 3 --seed 2",
        "height: one height in view 0",
        &matrix["points"].to_string(),
    ]);
    assert!(!left.page().contains("silent-primary"));
    for (kind, count) in matrix["by_message"].as_object().unwrap() {
        left.say(&[&format!("{kind} {count}")]);
    }
    let wrong = lab(left.home.path(), "check crashes --story heigth");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(told(&wrong).contains("take one of height, pruned"), "{}", told(&wrong));
}

#[test]
fn reports_are_in_lab_runs_by_name_unless_none_is_wanted() {
    for (command, folder) in [
        ("generals -n 3", "generals-3-oral"),
        ("generals -n 3 --signed --worst", "generals-3-signed-worst"),
        ("generals -n 3 --pbft --commander-lies --seed 1", "generals-3-pbft-commander-lies-1"),
        ("soak --seeds 1 --from 5", "soak-5"),
        ("twins --views 1 --twin 0", "twins-4"),
        ("check orders --last-view 0", "check-orders"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let output = lab(home.path(), command);
        assert_eq!(told(&output), format!("report: lab-runs/{folder}/report.html\n"), "{command}");
        for name in FILES {
            assert!(home.path().join("lab-runs").join(folder).join(name).is_file(), "{command}");
        }
        let home = tempfile::tempdir().unwrap();
        let output = lab(home.path(), &format!("{command} --no-report"));
        assert_eq!(told(&output), "", "{command}");
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "{command}");
    }
}
