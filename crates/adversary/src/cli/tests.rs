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
    let line = "logothete-adversary run --attack silent:until=9 --attack equivocate --seed 7 \
                --config c.toml --bootstrap /ip4/1.2.3.4/tcp/5/p2p/a --stop-with-stdin";
    let Command::Run(run) = parse(line).unwrap().command else { panic!("not run") };

    let names: Vec<&str> = run.attacks.iter().map(|attack| attack.kind.name).collect();
    assert_eq!(names, ["silent", "equivocate"]);
    assert_eq!(run.attacks[0].knobs.heights.1.get(), 9);
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
