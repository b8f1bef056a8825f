use std::path::Path;
use std::time::Duration;

use anstream::adapter::strip_str;

use super::{Screen, quoted};
use crate::output::Report;
use crate::status::{Sight, State};
use crate::testnet::Testnet;
use crate::testnet::attacks::Attacks;
use crate::testnet::layout::Layout;

fn silent() -> Attacks {
    Attacks::parse("silent").unwrap()
}

fn screen() -> Screen {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(&folder.path().join("net"));
    let (testnet, created) = Testnet::prepare(layout, Some(4), None).unwrap();
    let sights: Vec<_> = (0..4)
        .map(|index| Sight {
            name: format!("node{index}"),
            state: State::Silent,
            pid: Some(index),
            client: None,
            attacks: if index == 2 { silent() } else { Attacks::default() },
            status: None,
        })
        .collect();
    let dir = Path::new("/a place");
    Screen::of(&testnet, Some(dir), &sights, created, Duration::from_millis(1_236))
}

#[test]
fn the_screen_names_validators_accounts_and_what_to_try() {
    let mut out = Vec::new();
    screen().text(&mut out).unwrap();

    let text = strip_str(std::str::from_utf8(&out).unwrap()).to_string();

    assert!(text.contains("4 validators, 1 may be faulty, 3 make a certificate"), "{text}");
    for word in ["node3", "alice", "dave", "rlgt1qqdlsq4pzz3x", "silent", "READY in 1.24 s\n"] {
        assert!(text.contains(word), "{word} is missing in\n{text}");
    }
    assert!(text.contains("--dir '/a place' transfer alice bob 12.50\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn the_json_form_has_what_a_script_needs() {
    let json = serde_json::to_value(screen()).unwrap();

    assert_eq!(json["accounts"][1]["name"], "bob");
    assert_eq!(json["validators"][3]["name"], "node3");
    assert_eq!(json["seconds"], 1.24);
    assert_eq!((&json["n"], &json["t"], &json["q"]), (&4.into(), &1.into(), &3.into()));
    assert_eq!(json["created"], true);
    assert_eq!(json["validators"][1]["attacks"], serde_json::json!([]));
    assert_eq!(json["validators"][2]["attacks"], serde_json::json!(["silent"]));
}

#[test]
fn a_path_is_quoted_when_a_shell_would_split_it() {
    for (path, expected) in
        [("/tmp/a-b_c.d", "/tmp/a-b_c.d"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("", "''")]
    {
        assert_eq!(quoted(Path::new(path)), expected);
    }
}
