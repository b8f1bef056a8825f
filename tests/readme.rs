//! The console blocks of the README, typed as they stand.
//!
//! Every command runs in one temporary folder, and what it prints is what the README shows, apart from what differs
//! from run to run: ports, hexadecimal ids, seconds. `scripts/testnet.sh` builds and then runs
//! `logothete testnet up`; here the binaries are built already and only the latter is run.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tests::programs::program;

/// A command and the output that the README shows for it.
struct Step {
    command: String,
    output: String,
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside && let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), output: String::new() });
        } else if inside && let Some(step) = steps.last_mut() {
            step.output.push_str(line);
            step.output.push('\n');
        }
    }
    steps
}

/// The text with everything that differs from run to run replaced: numbers of five digits and more, words of eight
/// and more hexadecimal digits, the folder, times, and the spaces that pad them.
fn normal(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let words = line.split_whitespace().map(|word| {
            let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
            let hex = bare.len() >= 8 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
            if hex {
                word.replace(bare, "HEX")
            } else if word.starts_with('/') && word.ends_with("testnet") {
                "FOLDER".to_owned()
            } else if let Some((before, port)) = word.rsplit_once(':')
                && port.bytes().all(|byte| byte.is_ascii_digit())
                && before.contains("//")
            {
                format!("{before}:PORT")
            } else if bare.contains('.') && line.contains("READY") {
                "SECONDS".to_owned()
            } else {
                word.to_owned()
            }
        });
        let words = words.collect::<Vec<_>>().join(" ");
        signers(&words).trim().to_owned()
    });
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Whether the README shows what was said. A line `…` there stands for any lines.
fn shows(shown: &str, said: &str) -> bool {
    let (shown, said) = (normal(shown), normal(said));
    let parts: Vec<&str> = shown.split("…").map(str::trim).collect();
    let [only] = parts[..] else {
        let mut rest = said.as_str();
        let first = parts[0];
        let last = parts[parts.len() - 1];
        return said.starts_with(first)
            && said.ends_with(last)
            && parts.iter().all(|part| match rest.find(part) {
                Some(at) => {
                    rest = &rest[at + part.len()..];
                    true
                }
                None => false,
            });
    };
    only == said
}

/// Which validators' replies come first is not for the README to say, only how many there are.
fn signers(line: &str) -> String {
    let Some((before, names)) = line.split_once("signed by ") else { return line.to_owned() };
    format!("{before}signed by {} validators", names.split(", ").count())
}

/// Stops the network that the README started, whatever happens.
struct Down<'a>(&'a Path);

impl Drop for Down<'_> {
    fn drop(&mut self) {
        drop(
            Command::new(program("logothete"))
                .args(["testnet", "down"])
                .current_dir(self.0)
                .output(),
        );
    }
}

#[test]
fn the_console_blocks_show_what_happens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let steps = steps(&fs::read_to_string(root.join("README.md")).unwrap());
    let binaries = program("logothete").parent().unwrap().to_owned();
    assert!(program("logothete-wallet").exists());
    let folder = tempfile::tempdir().unwrap();
    let _down = Down(folder.path());
    assert!(steps.len() >= 5, "the README lost its tour");

    for step in steps {
        let command = step.command.replace("scripts/testnet.sh", "logothete testnet up");
        let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap());
        let output = Command::new("bash")
            .args(["-c", &command])
            .current_dir(folder.path())
            .env("PATH", path)
            .env("NO_COLOR", "1")
            .env_remove("LOGOTHETE_DIR")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{command}: {said}{errors}");
        assert!(shows(&step.output, &said), "{command}\n{said}{errors}");
    }
}

#[test]
fn what_differs_from_run_to_run_is_not_compared() {
    for (one, other) in [
        ("node0  http://127.0.0.1:39435       0", "node0 http://127.0.0.1:1234 0"),
        ("block e9c795c48cc92aee", "block   0000000000000000"),
        ("READY in 0.59 s", "READY in 12.3 s"),
        ("final at height 1, signed by node0, node1", "final at height 1, signed by node2, node3"),
    ] {
        assert_eq!(normal(one), normal(other));
    }
    for (one, other) in [
        ("final at height 1", "final at height 2"),
        ("signed by node0, node1", "signed by node0"),
        ("bob 12.50 LGT", "bob 12.51 LGT"),
    ] {
        assert_ne!(normal(one), normal(other));
    }
    assert!(shows("…\ntwo\n…\nfour\n", "one\ntwo\nthree\nfour\n"));
    assert!(!shows("…\ntwo\n…\nfour\n", "one\nthree\nfour\n"));
    assert!(!shows("…\ntwo\n…\nfour\n", "one\ntwo\nfour\nfive\n"));
    assert!(!shows("one\n", "one\ntwo\n"));
}
