//! The learners' page says what the program says: every command in it is run, and its output compared.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::path::Path;
use std::process::Command;

/// Stands for lines of the output that the page leaves out.
const LEFT_OUT: &str = "…";

fn page() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join("docs/GENERALS.md")).unwrap()
}

/// Every command of the page with what is printed under it.
fn examples(page: &str) -> Vec<(String, Vec<String>)> {
    let fenced = page.split("```").skip(1).step_by(2);
    let blocks =
        fenced.filter_map(|block| block.split_once('\n')?.1.strip_prefix("$ logothete-lab "));
    let examples = blocks.map(|block| {
        let (command, output) = block.split_once('\n').unwrap();
        (command.to_owned(), output.trim_end().lines().map(str::to_owned).collect())
    });
    examples.collect()
}

/// Whether lines are what the page shows of them, each part in its place.
fn shows(shown: &[String], lines: &[&str]) -> bool {
    let mut rest = lines;
    for (number, part) in shown.split(|line| line == LEFT_OUT).enumerate() {
        let fits = |at: &usize| rest[*at..].iter().zip(part).all(|(line, shown)| line == shown);
        let room = rest.len().checked_sub(part.len());
        let first = if number == 0 { room.map(|_| 0) } else { room };
        let Some(at) = first.and_then(|last| (0..=last).find(fits)) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty() || shown.last().is_some_and(|line| line == LEFT_OUT)
}

#[test]
fn every_command_of_the_page_prints_what_the_page_shows() {
    let examples = examples(&page());

    assert!(examples.len() >= 8, "{} commands", examples.len());
    let home = tempfile::tempdir().unwrap();
    for (command, shown) in examples {
        let mut lab = Command::new(env!("CARGO_BIN_EXE_logothete-lab"));
        let output =
            lab.current_dir(home.path()).args(command.split_whitespace()).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = printed.trim_end().lines().collect();
        assert!(shows(&shown, &lines), "logothete-lab {command} prints\n{printed}");
    }
}

#[test]
fn a_page_that_shows_something_else_is_noticed() {
    let shown = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let lines = ["a", "b", "c"];

    assert!(shows(&shown("a\nb\nc"), &lines));
    assert!(shows(&shown("a\n…\nc"), &lines) && shows(&shown("a\n…"), &lines));
    for wrong in ["a\nb", "b\nc", "a\nc", "a\n…\nd", "a\nb\nc\nd", "…\nb"] {
        assert!(!shows(&shown(wrong), &lines), "{wrong:?}");
    }
}
