use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use super::{Arguments, Command};

fn parse(line: &str) -> Result<Arguments, clap::Error> {
    Arguments::try_parse_from(line.split_whitespace())
}

#[test]
fn the_definition_holds_together() {
    Arguments::command().debug_assert();
}

#[test]
fn it_takes_several_attacks_and_what_a_validator_takes() {
    let line = "logothete-adversary run --attack silent:until=9 --attack false-receipts --seed 7 \
                --config c.toml --bootstrap /ip4/1.2.3.4/tcp/5/p2p/a --stop-with-stdin";
    let Command::Run(run) = parse(line).unwrap().command else { panic!("not run") };

    let names: Vec<&str> = run.attacks.iter().map(|known| known.0.kind.name).collect();
    assert_eq!(names, ["silent", "false-receipts"]);
    assert_eq!(run.attacks[0].0.knobs.heights.1.get(), 9);
    assert_eq!(run.seed, 7);
    assert_eq!(run.validator.bootstrap.len(), 1);
    assert!(run.validator.stop_with_stdin);
}

#[test]
fn without_an_attack_there_is_nothing_to_run() {
    let error = parse("logothete-adversary run --config c.toml").unwrap_err();

    assert_eq!(error.kind(), ErrorKind::MissingRequiredArgument);
}

#[test]
fn an_unknown_attack_is_answered_with_those_that_there_are() {
    let line = "logothete-adversary run --config c.toml --attack equivocat";
    let error = parse(line).unwrap_err();

    assert_eq!(error.exit_code(), 2);
    let text = error.to_string();
    assert!(text.contains("the attacks are ") && text.contains(" equivocate, "), "{text}");
}

#[test]
fn a_client_has_attacks_of_its_own() {
    let line = "logothete-adversary client --attack replay --attack double-spend --seconds 3";
    let Command::Client(client) = parse(line).unwrap().command else { panic!("not client") };
    let names: Vec<&str> = client.attacks.iter().map(|kind| kind.name).collect();
    assert_eq!((names, client.seconds, client.account), (vec!["replay", "double-spend"], 3, 3));

    let other = parse("logothete-adversary client --attack silent").unwrap_err();
    assert_eq!(other.exit_code(), 2);
    assert!(other.to_string().contains("double-spend"), "{other}");
}
