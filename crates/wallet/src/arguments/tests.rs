use std::time::Duration;

use clap::{CommandFactory, Parser};

use super::{Arguments, Command, Wait, seconds};

#[test]
fn the_command_line_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn global_flags_may_follow_the_command() {
    let arguments = Arguments::try_parse_from([
        "logothete-wallet",
        "transfer",
        "alice",
        "bob",
        "12.50",
        "--yes",
        "--json",
        "--dir",
        "net",
    ])
    .unwrap();

    assert!(arguments.json);
    assert_eq!(arguments.places.dir.unwrap().to_str(), Some("net"));
    let Command::Transfer(transfer) = arguments.command else { panic!("another command") };
    assert_eq!((transfer.wait, transfer.timeout), (Wait::Final, Duration::from_secs(30)));
}

#[test]
fn a_negative_amount_is_an_amount_to_be_refused_and_not_a_flag() {
    let parsed = Arguments::try_parse_from(["logothete-wallet", "transfer", "a", "b", "-5"]);

    let Command::Transfer(transfer) = parsed.unwrap().command else { panic!("another command") };
    assert_eq!(transfer.amount, "-5");
}

#[test]
fn seconds_are_positive_and_at_most_a_day() {
    assert_eq!(seconds("0.5").unwrap(), Duration::from_millis(500));
    for bad in ["0", "-1", "nan", "inf", "86401", "soon", ""] {
        assert!(seconds(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_reference_page_names_every_command_and_flag() {
    let page = include_str!("../../../../docs/reference/wallet.md");
    let mut commands = vec![Arguments::command()];
    while let Some(command) = commands.pop() {
        let name = command.get_name().to_owned();
        assert!(page.contains(&name), "the command {name} is missing");
        for argument in command.get_arguments().filter_map(|argument| argument.get_long()) {
            let flag = format!("--{argument}");
            let told = page.contains(&flag) || ["--help", "--version"].contains(&flag.as_str());
            assert!(told, "the flag {flag} of {name} is missing");
        }
        commands.extend(command.get_subcommands().cloned());
    }
}
