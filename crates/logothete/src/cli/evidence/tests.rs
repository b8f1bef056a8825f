use clap::Parser;
use clap::error::ErrorKind;

use super::{EvidenceArguments, EvidenceCommand};
use crate::cli::{Arguments, Command};

fn parse(line: &str) -> Result<Arguments, clap::Error> {
    Arguments::try_parse_from(line.split_whitespace())
}

fn evidence(line: &str) -> EvidenceArguments {
    let Command::Evidence(arguments) = parse(line).unwrap().command else { panic!("{line}") };
    arguments
}

#[test]
fn evidence_is_listed_unless_something_is_asked_of_a_piece() {
    assert!(evidence("logothete evidence").command.is_none());
    let show = evidence("logothete evidence show ABCD");
    let Some(EvidenceCommand::Show(name)) = show.command else { panic!("not show") };
    assert_eq!(name.id, "abcd");
}

#[test]
fn the_place_may_stand_before_or_after_the_command() {
    for line in
        ["logothete evidence --genesis g verify f", "logothete evidence verify f --genesis g"]
    {
        let arguments = evidence(line);
        assert_eq!(arguments.place.genesis.unwrap().to_str(), Some("g"));
        assert!(matches!(arguments.command, Some(EvidenceCommand::Verify(_))));
    }
}

#[test]
fn evidence_is_looked_for_in_one_kind_of_place() {
    assert!(parse("logothete evidence --api http://a:1 --api http://b:2").is_ok());
    for line in ["--dir a --api http://a:1", "--dir a --data b", "--api http://a:1 --data b"] {
        let error = parse(&format!("logothete evidence {line}")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ArgumentConflict, "{line}");
    }
}

#[test]
fn an_id_has_4_to_64_hexadecimal_digits() {
    let longest = "a".repeat(64);
    for id in ["0123", &longest] {
        assert!(parse(&format!("logothete evidence show {id}")).is_ok(), "{id}");
    }
    for id in ["012", "012g", "0x12", &format!("{longest}a")] {
        let error = parse(&format!("logothete evidence show {id}")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ValueValidation, "{id}");
    }
}

#[test]
fn forensics_takes_two_paths_or_more() {
    for (paths, holds) in [("a", false), ("a b", true), ("a b c", true)] {
        assert_eq!(parse(&format!("logothete forensics {paths}")).is_ok(), holds, "{paths}");
    }
}
