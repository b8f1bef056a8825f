use super::*;
use crate::failure::Exit;

/// A scenario that can be played, with this in place of a line of it.
fn scenario(line: &str, instead: &str) -> Scenario {
    let text = r#"
name = "trial"
class = "crash"
title = "A trial"
question = "Does it hold?"
answer = "It does."
run-ms = 5000

[network]
validators = 4
view-timeout-ms = 600

[load]
clients = 1
transfers = 1
every-ms = 100

[[fault]]
kind = "crash"
validator = 0
at-ms = 500

[expect]
live-within-ms = 4000

[[beyond.fault]]
kind = "crash"
validator = 1
at-ms = 600

[beyond.expect]
fails = "progress"
why = "Two of four are down."
halts-from-ms = 1000
"#;
    assert!(text.contains(line), "{line}");
    Scenario::parse("trial.toml", &text.replacen(line, instead, 1)).unwrap()
}

#[test]
fn crashes_and_links_can_be_played() {
    assert_eq!(must_fit(&scenario("", ""), false), Ok(()));
    assert_eq!(must_fit(&scenario("", ""), true), Ok(()));
    assert_eq!(
        must_fit(&scenario("\"crash\"\nvalidator", "\"omit-send\"\nvalidator"), true),
        Ok(())
    );
}

#[test]
fn what_cannot_be_played_is_refused_with_the_reason_and_the_lab() {
    let timeout = "view-timeout-ms = 600";
    let crash = "kind = \"crash\"\nvalidator = 0";
    for (line, instead, reason) in [
        (timeout, format!("{timeout}\nquorum = \"majority\""), "no program counts a majority"),
        (timeout, format!("{timeout}\nloss-per-mille = 10"), "its links lose messages"),
        (crash, "kind = \"clock\"\nshift-ms = 60000\nvalidator = 0".to_owned(), "one clock"),
        (crash, "kind = \"slow-disk\"\nsync-ms = 50\nvalidator = 0".to_owned(), "the same disk"),
    ] {
        let failure = must_fit(&scenario(line, &instead), true).unwrap_err();

        assert_eq!(failure.exit, Exit::Refused);
        assert!(failure.text.contains(reason), "{}", failure.text);
        assert_eq!(
            failure.hint.unwrap(),
            "`logothete-lab run trial --one-more` plays it in virtual time"
        );
    }
}
