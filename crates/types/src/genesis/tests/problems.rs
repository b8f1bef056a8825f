//! Everything that can be wrong with a genesis, and on which line it is said.

use super::{builder, genesis};
use crate::genesis::{Genesis, GenesisBuilder, Problem};
use crate::peer_id;
use crate::tests::fixtures::{self, WEAK_KEY};
use crate::{Address, Amount, Validator};
use crypto::keys::PublicKey;

/// The problems of the sound document with one text replaced by another, as displayed.
#[track_caller]
fn problems_after(from: &str, to: &str) -> Vec<String> {
    let document = genesis().to_toml();
    assert!(document.contains(from), "{from:?} is not in the document");
    problems_of(&document.replacen(from, to, 1))
}

fn problems_of(document: &str) -> Vec<String> {
    let errors = Genesis::parse(document).unwrap_err();
    errors.problems().iter().map(Problem::to_string).collect()
}

/// The number of the line that begins with `start`.
fn line_of(start: &str) -> usize {
    let document = genesis().to_toml();
    let found = document.lines().position(|line| line.starts_with(start));
    found.unwrap() + 1
}

/// The problems of a sound genesis with one thing changed.
fn problems_built(change: impl FnOnce(&mut GenesisBuilder)) -> Vec<String> {
    let mut builder = builder();
    change(&mut builder);
    let errors = builder.build().unwrap_err();
    errors.problems().iter().map(Problem::to_string).collect()
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_right_one() {
    let line = line_of("window_heights");
    assert_eq!(
        problems_after("window_heights =", "window_height ="),
        [
            format!("line {}: [parameters] lacks window_heights", line_of("[parameters]")),
            format!(
                "line {line}: unknown key \"window_height\" in [parameters]: did you mean window_heights?"
            ),
        ]
    );
    assert_eq!(
        problems_after("peer_id =", "peerid ="),
        [
            format!("line {}: [[validators]] lacks peer_id", line_of("[[validators]]")),
            format!(
                "line {}: unknown key \"peerid\" in [[validators]]: did you mean peer_id?",
                line_of("peer_id")
            ),
        ]
    );
}

#[test]
fn an_unknown_key_like_no_other_is_answered_with_all_there_are() {
    let document = format!("zzz = 1\n{}", genesis().to_toml());

    assert_eq!(
        problems_of(&document),
        [
            "line 1: unknown key \"zzz\" in the genesis: its keys are name, prefix, symbol, decimals, \
          parameters, validators, accounts"
        ]
    );
}

#[test]
fn an_empty_document_lacks_everything() {
    assert_eq!(
        problems_of(""),
        ["accounts", "decimals", "name", "parameters", "prefix", "symbol", "validators"]
            .map(|key| format!("the genesis lacks {key}"))
    );
}

#[test]
fn what_is_not_toml_is_refused_with_its_line() {
    let problems = problems_of("name = \"x\"\nprefix =\nsymbol = \"\n");
    assert!(problems.len() >= 2, "{problems:?}");
    assert!(problems[0].starts_with("line 2: "), "{problems:?}");
    assert!(problems[1].starts_with("line 3: "), "{problems:?}");

    let twice = problems_of("name = \"x\"\nname = \"y\"\n");
    assert_eq!(twice.len(), 1);
    assert!(twice[0].starts_with("line 2: duplicate key"), "{twice:?}");
}

#[test]
fn values_of_another_kind_say_what_is_expected() {
    assert_eq!(
        problems_after("name = \"local\"", "name = 5"),
        ["line 4: name must be a text in quotes, found an integer"]
    );
    assert_eq!(
        problems_after("decimals = 2", "decimals = 2.0"),
        [format!("line {}: decimals must be a whole number, found a float", line_of("decimals"))]
    );
    assert_eq!(
        problems_after("balance = \"200000.00\"", "balance = 200000.00"),
        [format!("line {}: balance must be a text in quotes, found a float", line_of("balance"))]
    );
    let head: String = genesis().to_toml().split("[parameters]").next().unwrap().to_owned();
    let kinds = problems_of(&format!("{head}parameters = 1\nvalidators = 2\naccounts = [3]\n"));
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    assert!(kinds[0].ends_with("parameters must be a table [parameters], found an integer"));
    assert!(
        kinds[1].ends_with("validators must be a list of tables [[validators]], found an integer")
    );
    assert!(kinds[2].ends_with("accounts must be a list of tables [[accounts]], found an integer"));
}

#[test]
fn names_prefix_symbol_and_decimals_are_bounded() {
    for name in ["", "Local", "a b", "ö", &"x".repeat(33)] {
        let problems = problems_after("name = \"local\"", &format!("name = {name:?}"));
        assert_eq!(
            problems,
            [format!(
                "line 4: the network's name {name:?} is not 1 to 32 lower-case letters, digits and hyphens"
            )]
        );
    }
    assert_eq!(
        problems_built(|builder| builder.prefix = "r1".to_owned()),
        ["prefix \"r1\" is not 1 to 16 lower-case ASCII letters"]
    );
    assert_eq!(
        problems_built(|builder| builder.symbol = "L-T".to_owned()),
        ["symbol \"L-T\" is not 1 to 12 ASCII letters and digits that begin with a letter"]
    );
    let line = line_of("decimals");
    assert_eq!(
        problems_after("decimals = 2", "decimals = 19"),
        [format!("line {line}: 19 decimals, at most 18 are possible")]
    );
    assert_eq!(
        problems_after("decimals = 2", "decimals = -1"),
        [format!("line {line}: decimals is -1, which is out of bounds")]
    );
}

#[test]
fn a_bad_prefix_is_not_reported_again_for_every_account() {
    let problems = problems_after("prefix = \"rlgt\"", "prefix = \"RLGT\"");

    assert_eq!(
        problems,
        [format!(
            "line {}: prefix \"RLGT\" is not 1 to 16 lower-case ASCII letters",
            line_of("prefix")
        )]
    );
}

#[test]
fn each_parameter_is_bounded() {
    for (key, below, above) in [
        ("window_heights = 8", "0", "65"),
        ("block_transactions_max = 4000", "0", "65537"),
        ("block_bytes_max = 1048576", "1023", "8388609"),
        ("batch_delay_ms = 20", "-1", "1001"),
        ("view_timeout_ms = 2000", "99", "600001"),
        ("snapshot_interval_blocks = 1000", "0", "1000001"),
        ("clock_drift_max_ms = 10000", "99", "18446744073709551616"),
    ] {
        let name = key.split(' ').next().unwrap();
        for value in [below, above] {
            let problems = problems_after(key, &format!("{name} = {value}"));
            assert_eq!(problems.len(), 1, "{problems:?}");
            let start = format!("line {}: {name} is {value}, ", line_of(name));
            assert!(problems[0].starts_with(&start), "{problems:?}");
        }
    }
    assert_eq!(
        problems_built(|builder| {
            builder.parameters.view_timeout_ms = 500;
            builder.parameters.batch_delay_ms = 500;
        }),
        ["batch_delay_ms is 500, it must be less than view_timeout_ms, which is 500"]
    );
}

#[test]
fn there_are_1_to_128_validators() {
    let none = problems_built(|builder| builder.validators.clear());
    let many = problems_built(|builder| builder.validators = (0..129).map(numbered).collect());

    assert_eq!(none, ["0 validators, a network has 1 to 128"]);
    assert_eq!(many, ["129 validators, a network has 1 to 128"]);
}

#[test]
fn the_most_validators_there_can_be_are_accepted() {
    let mut builder = builder();
    builder.validators = (0..128).map(numbered).collect();

    assert_eq!(builder.build().unwrap().validators().len(), 128);
}

/// A validator with two keys of its own for each of 129 numbers.
fn numbered(number: u8) -> Validator {
    let node_key = crypto::keys::SecretKey::from_seed([number; 32].map(|byte| byte ^ 0x5a));
    let mut validator = fixtures::validator(number.min(100));
    validator.name = format!("node{number}");
    validator.key = crypto::keys::SecretKey::from_seed({
        let mut seed = [number; 32];
        seed[0] = 0xff;
        seed
    })
    .public_key();
    validator.peer_id = peer_id::of_key(&node_key.public_key());
    validator
}

#[test]
fn names_keys_and_peer_ids_of_validators_differ() {
    let document = genesis().to_toml();
    let second = |key: &str| {
        let mut lines = (1..).zip(document.lines()).filter(|(_, line)| line.starts_with(key));
        let (first, text) = lines.nth(usize::from(key == "name")).unwrap();
        let (line, other) = lines.next().unwrap();
        let value = text.split('"').nth(1).unwrap();
        (first, line, value.to_owned(), text.to_owned(), other.to_owned())
    };
    for (key, kind) in
        [("name", "validator name"), ("key", "validator key"), ("peer_id", "peer id")]
    {
        let (first, line, value, text, other) = second(key);
        assert_eq!(
            problems_after(&other, &text),
            [format!("line {line}: {kind} {value} occurs twice, first on line {first}")]
        );
    }
    assert_eq!(
        problems_built(|builder| builder.validators[3].name = "node0".to_owned()),
        ["validator name node0 occurs twice"]
    );
}

#[test]
fn validators_have_plain_names_sound_keys_and_peer_ids_of_their_own() {
    assert_eq!(
        problems_built(|builder| builder.validators[0].name = "Node 0".to_owned()),
        ["a validator's name \"Node 0\" is not 1 to 32 lower-case letters, digits and hyphens"]
    );
    assert_eq!(
        problems_built(|builder| builder.validators[0].key = PublicKey::from_bytes(WEAK_KEY)),
        ["the key has small order, anyone can sign for it"]
    );
    assert_eq!(
        problems_built(|builder| builder.validators[0].peer_id = "Qm".to_owned()),
        ["a peer id has 52 characters, found 2"]
    );
    assert_eq!(
        problems_built(|builder| {
            builder.validators[0].peer_id = peer_id::of_key(&builder.validators[0].key);
        }),
        ["the validator key is also the node key of the peer id: they are two keys"]
    );
    let line = line_of("key");
    assert_eq!(
        problems_after("\nkey = \"", "\nkey = \"x"),
        [format!("line {line}: key: expected 64 hexadecimal characters, found 65")]
    );
}

#[test]
fn addresses_differ_and_are_of_this_network() {
    assert_eq!(
        problems_built(|builder| builder.accounts[3].0 = builder.accounts[1].0),
        [format!("address {} occurs twice", fixtures::address(201).to_text("rlgt"))]
    );
    let line = line_of("address");
    let first = fixtures::address(200);
    assert_eq!(
        problems_after(&first.to_text("rlgt"), &first.to_text("lgt")),
        [format!(
            "line {line}: the address begins with \"lgt\", those of this network begin with \"rlgt\""
        )]
    );
    let weak = Address::Key(PublicKey::from_bytes(WEAK_KEY)).to_text("rlgt");
    assert_eq!(
        problems_after(&first.to_text("rlgt"), &weak),
        [format!(
            "line {line}: the address is of an unsound key: the key has small order, anyone can sign for it"
        )]
    );
}

#[test]
fn balances_are_amounts_and_their_sum_fits() {
    let line = line_of("balance");
    assert_eq!(
        problems_after("balance = \"200000.00\"", "balance = \"1.234\""),
        [format!("line {line}: 3 decimals, LGT has 2")]
    );
    assert_eq!(
        problems_built(|builder| {
            builder.accounts[0].1 = Amount::MAX;
        }),
        ["with this balance the supply exceeds 184467440737095516.15 LGT, the most possible"]
    );
    assert_eq!(
        problems_built(|builder| builder.accounts.clear()),
        ["no account has a balance, so no transfer could ever be made"]
    );
}

#[test]
fn there_are_at_most_a_million_accounts() {
    let one = (fixtures::address(200), Amount::new(1));

    assert_eq!(
        problems_built(|builder| builder.accounts = vec![one; 1_000_001]),
        ["1000001 accounts, at most 1000000 are possible"]
    );
}

#[test]
fn all_problems_are_listed_in_the_order_of_their_lines() {
    let document = genesis()
        .to_toml()
        .replacen("name = \"local\"", "name = \"LOCAL\"", 1)
        .replacen("window_heights = 8", "window_heights = 0", 1)
        .replacen("name = \"node1\"", "name = \"node0\"", 1)
        .replacen("balance = \"200000.00\"", "balance = \"NaN\"", 1);

    let errors = Genesis::parse(&document).unwrap_err();

    let lines: Vec<usize> = errors.problems().iter().filter_map(|problem| problem.line).collect();
    assert_eq!(errors.problems().len(), 4);
    assert!(lines.is_sorted());
    assert_eq!(lines.len(), 4);
    assert_eq!(errors.to_string().lines().count(), 4);
    assert!(errors.to_string().starts_with("line 4: the network's name \"LOCAL\""));
}
