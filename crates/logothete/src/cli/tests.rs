use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use super::{Arguments, Command, NodeChoice, TestnetCommand};

fn parse(line: &str) -> Result<Arguments, clap::Error> {
    Arguments::try_parse_from(line.split_whitespace())
}

fn testnet(line: &str) -> TestnetCommand {
    let Command::Testnet(arguments) = parse(line).unwrap().command else { panic!("{line}") };
    arguments.command
}

#[test]
fn the_definition_holds_together() {
    Arguments::command().debug_assert();
}

#[test]
fn a_testnet_comes_up_without_any_flag() {
    let TestnetCommand::Up(up) = testnet("logothete testnet up") else { panic!("not up") };

    assert_eq!((up.validators, up.seed), (None, None));
    assert!(!up.detach && !up.reset);
    assert_eq!(up.timeout, 30);
}

#[test]
fn a_testnet_takes_its_size_seed_and_place() {
    let arguments =
        parse("logothete testnet up -n 7 --seed 9007199254740992 --dir a --detach --json --reset")
            .unwrap();
    assert!(arguments.json);
    let Command::Testnet(testnet) = arguments.command else { panic!("not testnet") };
    assert_eq!(testnet.dir.unwrap().to_str(), Some("a"));
    let TestnetCommand::Up(up) = testnet.command else { panic!("not up") };

    assert_eq!((up.validators, up.seed), (Some(7), Some(1 << 53)));
    assert!(up.detach && up.reset);
    assert!(parse("logothete testnet up --seed 9007199254740993").is_err());
}

#[test]
fn the_directory_may_stand_before_or_after_the_command() {
    for line in ["logothete testnet --dir a down", "logothete testnet down --dir a"] {
        let Command::Testnet(testnet) = parse(line).unwrap().command else { panic!("{line}") };
        assert_eq!(testnet.dir.unwrap().to_str(), Some("a"));
    }
}

#[test]
fn an_adversary_is_a_validator_and_what_it_does() {
    let line =
        "logothete testnet up --adversary node0=silent:victims=1+2+equivocate --adversary 3=silent";
    let TestnetCommand::Up(up) = testnet(line) else { panic!("not up") };

    let written: Vec<(usize, String)> =
        up.adversaries.iter().map(|one| (one.node, one.attacks.to_string())).collect();
    assert_eq!(
        written,
        [(0, "silent:victims=1+2+equivocate".to_owned()), (3, "silent".to_owned())]
    );
    assert!(!up.break_safety);
    for wrong in ["3", "silent=3", "3=", "=silent", "03=silent"] {
        let error = parse(&format!("logothete testnet up --adversary {wrong}")).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{wrong}");
    }
}

#[test]
fn a_validator_is_turned_and_turned_back() {
    let TestnetCommand::Turn(turn) = testnet("logothete testnet turn node3 equivocate") else {
        panic!("not turn")
    };
    assert_eq!((turn.node, turn.attacks.to_string()), (3, "equivocate".to_owned()));

    let TestnetCommand::Turn(back) = testnet("logothete testnet turn 3 honest") else {
        panic!("not turn")
    };
    assert!(back.attacks.is_honest());
}

#[test]
fn a_network_has_1_to_128_validators() {
    for (count, holds) in [("1", true), ("128", true), ("0", false), ("129", false), ("-1", false)]
    {
        assert_eq!(parse(&format!("logothete testnet up -n {count}")).is_ok(), holds, "{count}");
    }
}

#[test]
fn a_validator_is_named_with_or_without_the_word() {
    let TestnetCommand::Kill(kill) = testnet("logothete testnet kill node2 0 all") else {
        panic!("not kill")
    };
    assert_eq!(kill.nodes, [NodeChoice::One(2), NodeChoice::One(0), NodeChoice::All]);
    for wrong in ["nod2", "node", "+2", "02", "node02", "two", "node-1"] {
        let error = parse(&format!("logothete testnet kill {wrong}")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ValueValidation, "{wrong}");
        assert_eq!(error.exit_code(), 2);
    }
}

#[test]
fn killing_needs_a_name() {
    let error = parse("logothete testnet kill").unwrap_err();

    assert_eq!(error.kind(), ErrorKind::MissingRequiredArgument);
}

#[test]
fn logs_are_of_all_validators_unless_one_is_named() {
    let TestnetCommand::Logs(all) = testnet("logothete testnet logs") else { panic!("not logs") };
    let TestnetCommand::Logs(one) = testnet("logothete testnet logs node1 -f -n 5") else {
        panic!("not logs")
    };

    assert_eq!((all.node, all.follow, all.lines), (None, false, 20));
    assert_eq!((one.node, one.follow, one.lines), (Some(1), true, 5));
}

#[test]
fn status_is_of_a_directory_or_of_urls() {
    assert!(parse("logothete status --api http://127.0.0.1:1 --api http://127.0.0.1:2").is_ok());
    let error = parse("logothete status --dir a --api http://127.0.0.1:1").unwrap_err();

    assert_eq!(error.kind(), ErrorKind::ArgumentConflict);
}

#[test]
fn a_validator_takes_several_bootstrap_addresses() {
    let line = "logothete validator --config c.toml --bootstrap /ip4/1.2.3.4/tcp/5/p2p/a \
                --bootstrap /ip4/1.2.3.4/tcp/6/p2p/b --log-format json --stop-with-stdin";
    let Command::Validator(validator) = parse(line).unwrap().command else { panic!("{line}") };

    assert_eq!(validator.bootstrap.len(), 2);
    assert!(validator.stop_with_stdin);
    assert!(parse("logothete validator").is_err());
}
