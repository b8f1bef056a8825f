use std::ffi::OsString;

use clap::Parser;

use super::{failure, wants_json};
use crate::failure::Exit;

#[derive(Debug, Parser)]
#[command(name = "tool")]
struct Line {
    #[arg(long)]
    json: bool,
    node: String,
}

fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

#[test]
fn a_line_that_is_not_whole_names_what_is_missing_and_how_it_is_written() {
    let wrong = Line::try_parse_from(words("tool --json")).unwrap_err();

    let failure = failure(&wrong);

    assert_eq!(failure.exit, Exit::Usage);
    assert_eq!(failure.text, "the following required arguments were not provided: <NODE>");
    let hint = failure.hint.unwrap();
    assert!(hint.starts_with("Usage: tool") && hint.contains("--help"), "{hint}");
    assert!(!hint.contains('\n'), "{hint}");
}

#[test]
fn json_is_wanted_where_the_flag_stands_and_not_where_it_is_a_value() {
    assert!(wants_json(&words("tool --json kill")));
    assert!(wants_json(&words("tool kill --json")));
    assert!(!wants_json(&words("tool kill -- --json")));
    assert!(!wants_json(&words("tool kill")));
}
