//! What a file must be like, and what is said when it is not.

use crate::{Kind, QuorumRule, Scenario, Window, faulty, shipped};

const GOOD: &str = r#"name = "good"
class = "crash"
title = "A title"
question = "A question?"
answer = "An answer."
run-ms = 9000

[network]
validators = 4
view-timeout-ms = 600

[load]
clients = 2
transfers = 40
every-ms = 100

[[fault]]
kind = "crash"
validator = 0
at-ms = 1000

[expect]
live-within-ms = 4000

[[beyond.fault]]
kind = "pause"
validator = 1
at-ms = 2000

[beyond.expect]
fails = "progress"
why = "Too few are left."
halts-from-ms = 3000
"#;

fn errors(text: &str) -> String {
    Scenario::parse("f.toml", text).unwrap_err().to_string()
}

/// What is said of the good file with one change.
fn said(from: &str, to: &str) -> String {
    assert_eq!(GOOD.matches(from).count(), 1, "{from:?} must occur once");
    errors(&GOOD.replace(from, to))
}

/// What is said of the good file with another fault.
fn said_of_fault(lines: &str) -> String {
    said("kind = \"crash\"\nvalidator = 0\nat-ms = 1000", lines)
}

#[test]
fn a_good_file_is_read_with_what_it_leaves_out() {
    let good = Scenario::parse("f.toml", GOOD).unwrap();

    assert_eq!((good.file.as_str(), good.name.as_str()), ("f.toml", "good"));
    assert_eq!((good.network.q(), good.network.faulty_max()), (3, 1));
    assert_eq!(good.network.quorum, QuorumRule::Kept);
    assert_eq!((good.network.delay_min_ms, good.network.delay_max_ms), (1, 5));
    assert_eq!((good.network.loss_per_mille, good.network.clock_drift_max_ms), (0, 2_000));
    assert_eq!(good.load.burst, 1);
    assert_eq!(good.base.faults[0].when, Window { at_ms: 1_000, end_ms: 9_000 });
    assert_eq!(good.base.faults[0].kind, Kind::Crash { validator: 0 });
    let beyond: Vec<&str> = good.beyond.faults.iter().map(|fault| fault.kind.name()).collect();
    assert_eq!(beyond, ["crash", "pause"]);
    assert!(good.base.expect.safe() && good.beyond.expect.safe());
    assert_eq!((good.settled_ms(false), good.settled_ms(true)), (1_000, 2_000));
}

#[test]
fn every_shipped_file_is_sound() {
    for scenario in shipped::all().unwrap() {
        assert_eq!(scenario.file, format!("{}.toml", scenario.name));
    }
}

#[test]
fn what_is_no_toml_is_said_with_its_line() {
    let said = said("[load]", "[load");
    assert!(said.starts_with("f.toml: line 12: "), "{said}");
}

#[test]
fn unknown_and_missing_keys_are_named_with_the_right_one() {
    for (from, to, expected) in [
        (
            "title =",
            "titel =",
            "f.toml: the scenario lacks title\n\
          f.toml: line 3: unknown key \"titel\" in the scenario: did you mean title?",
        ),
        (
            "validators = 4",
            "validaters = 4",
            "f.toml: line 8: [network] lacks validators\n\
          f.toml: line 9: unknown key \"validaters\" in [network]: did you mean validators?",
        ),
        (
            "every-ms = 100",
            "every-ms = 100\nzeal = 1",
            "f.toml: line 16: unknown key \"zeal\" in [load]: its keys are \
          clients, transfers, every-ms, burst",
        ),
        (
            "live-within-ms = 4000",
            "live-within-ms = 4000\nlevle = true",
            "f.toml: line 24: unknown key \"levle\" in [expect]: did you mean level?",
        ),
        (
            "why = ",
            "whyy = ",
            "f.toml: line 30: [beyond.expect] lacks why\n\
          f.toml: line 32: unknown key \"whyy\" in [beyond.expect]: did you mean why?",
        ),
        (
            "halts-from-ms = 3000",
            "live-within-ms = 1\nhalts-from-ms = 3000",
            "f.toml: line 33: unknown key \"live-within-ms\" in [beyond.expect]: its keys are fails, why, height-min, \
          culprits, convicted, forks-min, view-changes-min, view-changes-max, halts-from-ms",
        ),
        (
            "[beyond.expect]",
            "[beyond.expectation]",
            "f.toml: line 25: [beyond] lacks expect\n\
          f.toml: line 30: unknown key \"expectation\" in [beyond]: did you mean expect?",
        ),
        (
            "kind = \"pause\"",
            "kind = \"pause\"\nsync-ms = 1",
            "f.toml: line 27: unknown key \"sync-ms\" in \
          [[beyond.fault]] of kind pause: its keys are kind, validator, at-ms, for-ms",
        ),
        (
            "kind = \"pause\"\n",
            "",
            "f.toml: line 25: [[beyond.fault]] lacks kind\n\
          f.toml: line 26: unknown key \"validator\" in [[beyond.fault]]: its keys are kind\n\
          f.toml: line 27: unknown key \"at-ms\" in [[beyond.fault]]: its keys are kind",
        ),
    ] {
        assert_eq!(said(from, to), expected);
    }
}

#[test]
fn unknown_words_are_named_with_the_right_one() {
    for (from, to, expected) in [
        (
            "\"crash\"\ntitle",
            "\"crush\"\ntitle",
            "line 2: unknown class \"crush\": did you mean crash?",
        ),
        (
            "\"crash\"\ntitle",
            "\"x\"\ntitle",
            "line 2: unknown class \"x\": there are crash, omission, timing, byzantine",
        ),
        (
            "validators = 4",
            "validators = 4\nquorum = \"majorty\"",
            "line 10: unknown quorum rule \"majorty\": did you mean majority?",
        ),
        (
            "\"progress\"",
            "\"progres\"",
            "line 31: unknown property \"progres\": did you mean progress?",
        ),
        (
            "\"pause\"",
            "\"pauze\"",
            "line 26: unknown kind \"pauze\" of [[beyond.fault]]: did you mean pause?",
        ),
        (
            "\"pause\"",
            "\"x\"",
            "line 26: unknown kind \"x\" of [[beyond.fault]]: its kinds are crash, pause, omit-send, \
          omit-receive, cut, partition, delay, delay-link, slow-disk, clock",
        ),
    ] {
        assert_eq!(said(from, to), format!("f.toml: {expected}"));
    }
}

#[test]
fn values_of_another_kind_are_named() {
    for (from, to, expected) in [
        ("\"A title\"", "1", "line 3: title must be a text in quotes, found an integer"),
        ("9000", "\"9000\"", "line 6: run-ms must be a whole number, found a string"),
        ("9000", "-9000", "line 6: run-ms is -9000, which is out of bounds"),
        (
            "live-within-ms = 4000",
            "live-within-ms = 4000\nlevel = 1",
            "line 24: level must be true or false, found an integer",
        ),
        (
            "live-within-ms = 4000",
            "live-within-ms = 4000\nculprits = 1",
            "line 24: culprits must be a list of whole numbers, found an integer",
        ),
        (
            "live-within-ms = 4000",
            "live-within-ms = 4000\nculprits = [\"0\"]",
            "line 24: culprits must be a whole number, found a string",
        ),
        (
            "run-ms = 9000",
            "run-ms = 9000\nattack = 1",
            "line 7: attack must be a list of tables [[attack]], found an integer",
        ),
    ] {
        assert_eq!(said(from, to), format!("f.toml: {expected}"));
    }
    let network = GOOD.replace("[network]\nvalidators = 4\nview-timeout-ms = 600\n", "");
    let network = network.replace("run-ms = 9000", "run-ms = 9000\nnetwork = 4");
    assert_eq!(
        errors(&network),
        "f.toml: line 7: network must be a table [network], found an integer"
    );
}

#[test]
fn numbers_have_bounds() {
    for (from, to, expected) in [
        ("9000", "900", "line 6: run-ms is 900, it must be 1000 to 60000"),
        ("validators = 4", "validators = 17", "line 9: validators is 17, it must be 1 to 16"),
        ("= 600", "= 60", "line 10: view-timeout-ms is 60, it must be 100 to 10000"),
        (
            "= 600",
            "= 600\ndelay-max-ms = 1001",
            "line 11: delay-max-ms is 1001, it must be 0 to 1000",
        ),
        (
            "= 600",
            "= 600\ndelay-min-ms = 1001",
            "line 11: delay-min-ms is 1001, it must be 0 to 1000",
        ),
        (
            "= 600",
            "= 600\nloss-per-mille = 501",
            "line 11: loss-per-mille is 501, it must be 0 to 500",
        ),
        (
            "= 600",
            "= 600\nclock-drift-max-ms = 99",
            "line 11: clock-drift-max-ms is 99, it must be 100 to 60000",
        ),
        (
            "= 600",
            "= 600\ndelay-min-ms = 6",
            "line 8: delay-min-ms is 6 and delay-max-ms is 5: the first must not be greater",
        ),
        ("clients = 2", "clients = 0", "line 13: clients is 0, it must be 1 to 16"),
        ("transfers = 40", "transfers = 401", "line 14: transfers is 401, it must be 1 to 400"),
        ("every-ms = 100", "every-ms = 0", "line 15: every-ms is 0, it must be 1 to 10000"),
        (
            "every-ms = 100",
            "every-ms = 100\nburst = 101",
            "line 16: burst is 101, it must be 1 to 100",
        ),
        ("= 4000", "= 0", "line 23: live-within-ms is 0, it must be 1 to 60000"),
        ("= 4000", "= 4000\nheight-min = 0", "line 24: height-min is 0, it must be 1 to 100000"),
        ("= 4000", "= 4000\nforks-min = 0", "line 24: forks-min is 0, it must be 1 to 100000"),
        (
            "= 4000",
            "= 4000\nview-changes-min = 0",
            "line 24: view-changes-min is 0, it must be 1 to 1000",
        ),
        (
            "= 4000",
            "= 4000\nview-changes-max = 1001",
            "line 24: view-changes-max is 1001, it must be 0 to 1000",
        ),
        ("= 3000", "= 60001", "line 33: halts-from-ms is 60001, it must be 0 to 60000"),
    ] {
        assert_eq!(said(from, to), format!("f.toml: {expected}"));
    }
}

#[test]
fn texts_have_bounds() {
    let long = format!("\"{}\"", "x".repeat(91));
    for (from, to, expected) in [
        (
            "\"good\"",
            "\"Good\"",
            "line 1: name \"Good\" is not 1 to 32 lower-case letters, digits and hyphens",
        ),
        ("\"A title\"", long.as_str(), "line 3: title has 91 characters, at most 90 fit"),
        ("\"An answer.\"", "\" \"", "line 5: answer is empty: it is for the reader"),
    ] {
        assert_eq!(said(from, to), format!("f.toml: {expected}"));
    }
}

#[test]
fn faults_have_validators_and_links_that_there_are() {
    for (lines, expected) in [
        (
            "kind = \"crash\"\nvalidator = 4",
            "line 19: validator is 4, and the validators are 0 to 3",
        ),
        (
            "kind = \"cut\"\nfrom = 1\nto = 1",
            "line 17: from and to are both 1: a link has two ends",
        ),
        (
            "kind = \"partition\"\nside = []",
            "line 19: side must name some of the validators, and not all of them",
        ),
        (
            "kind = \"partition\"\nside = [0, 1, 2, 3]",
            "line 19: side must name some of the validators, and not all of them",
        ),
        ("kind = \"partition\"\nside = [1, 1]", "line 19: side names a validator twice"),
        ("kind = \"partition\"\nside = [4]", "line 19: side is 4, and the validators are 0 to 3"),
        (
            "kind = \"delay\"\nvalidator = 1\ndelay-ms = 0",
            "line 20: delay-ms is 0, it must be 1 to 10000",
        ),
        (
            "kind = \"delay-link\"\nfrom = 0\nto = 1\ndelay-ms = 10001",
            "line 21: delay-ms is 10001, it must be 1 to 10000",
        ),
        (
            "kind = \"slow-disk\"\nvalidator = 1\nsync-ms = 0",
            "line 20: sync-ms is 0, it must be 1 to 10000",
        ),
        (
            "kind = \"clock\"\nvalidator = 1\nshift-ms = 0",
            "line 20: shift-ms is 0, it must be 1 to 3600000 either way",
        ),
        (
            "kind = \"clock\"\nvalidator = 1\nshift-ms = -3600001",
            "line 20: shift-ms is -3600001, it must be 1 to 3600000 either way",
        ),
    ] {
        assert_eq!(said_of_fault(lines), format!("f.toml: {expected}"));
    }
}

#[test]
fn times_are_within_the_run() {
    for (from, to, expected) in [
        (
            "at-ms = 1000",
            "at-ms = 9000",
            "line 20: it begins at 9000 ms, and the run ends at 9000 ms",
        ),
        (
            "at-ms = 1000",
            "at-ms = 1000\nfor-ms = 8001",
            "line 21: it begins at 1000 ms and lasts 8001 ms: give at least 1, and an end within the 9000 ms of the run, \
          or leave for-ms out",
        ),
        (
            "at-ms = 1000",
            "at-ms = 1000\nfor-ms = 0",
            "line 21: it begins at 1000 ms and lasts 0 ms: give at least 1, and an end within the 9000 ms of the run, or \
          leave for-ms out",
        ),
        ("= 4000", "= 9000", "line 22: [expect] names a time after the end of the run at 9000 ms"),
        (
            "= 3000",
            "= 9000",
            "line 30: [beyond.expect] names a time after the end of the run at 9000 ms",
        ),
        (
            "transfers = 40",
            "transfers = 90",
            "line 12: the clients send for about 9000 ms, and the run ends at 9000 ms: they would not be done",
        ),
    ] {
        assert_eq!(said(from, to), format!("f.toml: {expected}"));
    }
    assert!(
        Scenario::parse("f.toml", &GOOD.replace("transfers = 40", "transfers = 90\nburst = 2"))
            .is_ok()
    );
}

#[test]
fn the_base_situation_is_what_the_network_bears_and_the_other_is_more() {
    let second = "\n[[fault]]\nkind = \"pause\"\nvalidator = 2\nat-ms = 1500\n\n[expect]";
    assert_eq!(
        said("\n[expect]", second),
        "f.toml: line 17: at 1500 ms validators 0, 2 are faulty at once, and 4 validators bear 1: put one of the faults \
         into [beyond]"
    );
    let liar = "\n[[attack]]\nvalidator = 2\nattack = \"silent\"\n\n[expect]";
    assert_eq!(
        said("\n[expect]", liar),
        "f.toml: line 17: at 1000 ms validators 0, 2 are faulty at once, and 4 validators bear 1: put one of the faults \
         into [beyond]"
    );
    assert_eq!(
        said("validator = 1", "validator = 0"),
        "f.toml: line 25: [beyond] must be more than the network bears: at most 1 faulty at once, and 4 validators \
         bear 1"
    );
    let majority = "[network]\nquorum = \"majority\"\nvalidators = 5";
    let majority = GOOD.replace("[network]\nvalidators = 4", majority);
    let majority = majority.replace("kind = \"crash\"\nvalidator = 0\nat-ms = 1000\n", "");
    let majority = majority.replace("[[fault]]", "[[attack]]\nvalidator = 0\nattack = \"silent\"");
    assert_eq!(
        errors(&majority),
        "f.toml: line 20: 1 of 5 validators lie, and with this quorum they bear 0: put one of the attacks into [beyond]"
    );
}

#[test]
fn nothing_is_said_twice() {
    let again = "\n[[fault]]\nkind = \"crash\"\nvalidator = 0\nat-ms = 2000\n\n[expect]";
    assert_eq!(
        said("\n[expect]", again),
        "f.toml: line 22: validator 0 is down from 2000 to 9000 ms: it is so at that time already, by an earlier fault"
    );
    let attack = "[[beyond.attack]]\nvalidator = 3\nattack = \"silent\"\n\n";
    let twice = format!("{attack}{attack}[beyond.expect]");
    assert_eq!(
        said("[beyond.expect]", &twice),
        "f.toml: line 36: validator 3 has the attack \"silent\" twice"
    );
}

#[test]
fn expectations_do_not_contradict_themselves() {
    for (from, to, expected) in [
        (
            "= 4000",
            "= 4000\nview-changes-min = 2\nview-changes-max = 1",
            "line 22: view-changes-min of [expect] is greater than view-changes-max",
        ),
        (
            "= 4000",
            "= 4000\nculprits = [1]",
            "line 22: [expect] accuses validator 1, whom no attack lets lie",
        ),
        (
            "= 3000",
            "= 3000\nconvicted = [1]",
            "line 30: [beyond.expect] accuses validator 1, whom no attack lets lie",
        ),
        (
            "halts-from-ms = 3000\n",
            "",
            "line 30: [beyond.expect] lacks halts-from-ms: from when on nothing is committed any more",
        ),
        (
            "\"progress\"",
            "\"agreement\"",
            "line 30: [beyond.expect] has halts-from-ms, which belongs to fails = \"progress\"",
        ),
        ("= 4000", "= 4000\nculprits = [1, 1]", "line 24: culprits names a validator twice"),
    ] {
        assert_eq!(said(from, to), format!("f.toml: {expected}"));
    }
    let liar = GOOD.replace("kind = \"crash\"\nvalidator = 0\nat-ms = 1000\n", "");
    let liar = liar.replace("[[fault]]", "[[attack]]\nvalidator = 0\nattack = \"silent\"");
    let liar = liar.replace("= 4000", "= 4000\nculprits = []\nconvicted = [0]");
    assert_eq!(
        errors(&liar),
        "f.toml: line 21: convicted of [expect] names somebody who is not among the culprits"
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once_in_the_order_of_its_lines() {
    let text =
        GOOD.replace("\"crash\"\ntitle", "\"x\"\ntitle").replace("clients = 2", "clients = 99");
    let text = text.replace("validator = 1", "validator = 9");
    let said = errors(&text);
    let lines: Vec<&str> = said.lines().filter_map(|line| line.split(": ").nth(1)).collect();

    assert_eq!(lines, ["line 2", "line 13", "line 27"], "{said}");
}

#[test]
fn a_name_that_there_is_not_is_answered_with_one_that_there_is() {
    let error = |name| shipped::find(name).unwrap_err().to_string();

    assert_eq!(
        error("one-way-lnk"),
        "one-way-lnk: no scenario of this name: did you mean one-way-link?"
    );
    assert!(error("z").starts_with("z: no scenario of this name: there are down-and-back, "));
}

/// Who is faulty in the good file with another fault, at two seconds, without what is beyond.
fn who(lines: &str) -> Vec<u16> {
    let text = GOOD.replace("kind = \"crash\"\nvalidator = 0\nat-ms = 1000", lines);
    let text = text.replace("validators = 4", "validators = 7");
    let text = text.replace("[beyond.expect]", "[[beyond.fault]]\nkind = \"crash\"\nvalidator = 6\n[[beyond.fault]]\nkind = \"crash\"\nvalidator = 5\n[beyond.expect]");
    let scenario = Scenario::parse("f.toml", &text).unwrap();
    faulty::faulty_at(&scenario.base, 7, 2_000).into_iter().collect()
}

#[test]
fn a_broken_link_counts_as_one_of_its_ends_and_a_partition_as_its_smaller_side() {
    assert_eq!(who("kind = \"cut\"\nfrom = 0\nto = 1").len(), 1);
    assert_eq!(who("kind = \"partition\"\nside = [0, 1, 2, 3, 4]"), [5, 6]);
    assert_eq!(who("kind = \"partition\"\nside = [2]"), [2]);
    assert_eq!(
        who("kind = \"cut\"\nfrom = 0\nto = 3\n[[fault]]\nkind = \"cut\"\nfrom = 3\nto = 1"),
        [3]
    );
    assert_eq!(
        who("kind = \"crash\"\nvalidator = 3\n[[fault]]\nkind = \"cut\"\nfrom = 3\nto = 1"),
        [3]
    );
    assert_eq!(who("kind = \"omit-send\"\nvalidator = 4"), [4]);
}

#[test]
fn what_is_over_does_not_count() {
    assert!(who("kind = \"crash\"\nvalidator = 3\nfor-ms = 2000").is_empty());
    assert_eq!(who("kind = \"crash\"\nvalidator = 3\nfor-ms = 2001"), [3]);
    assert!(who("kind = \"crash\"\nvalidator = 3\nat-ms = 2001").is_empty());
}
