//! `logothete testnet` with real processes: what a person does with a local network.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use api::client::Wait;
use rustix::process::Signal;
use serde_json::Value;
use tests::money::{balance, signed, transfer};
use tests::process::is_alive;
use tests::programs::{self, Ended};
use tests::testnet::Testnet;
use tests::wait::until_true;

/// The entries of a list in a document.
fn rows<'a>(json: &'a Value, list: &str) -> &'a [Value] {
    let rows = json.get(list).and_then(Value::as_array);
    rows.unwrap_or_else(|| panic!("no {list} in {json}"))
}

/// The pids in the JSON of `testnet up` or `testnet status`.
fn pids(json: &Value) -> Vec<u32> {
    let pids = rows(json, "validators").iter().filter_map(|row| row.get("pid")?.as_u64());
    pids.filter_map(|pid| pid.try_into().ok()).collect()
}

fn states(json: &Value) -> Vec<&str> {
    rows(json, "validators").iter().filter_map(|row| row.get("state")?.as_str()).collect()
}

fn addresses(json: &Value) -> Vec<&str> {
    rows(json, "accounts").iter().filter_map(|row| row.get("address")?.as_str()).collect()
}

fn status(testnet: &Testnet) -> Value {
    testnet.run(&["--json", "status"]).with_code(0).json()
}

fn assert_nothing_runs(testnet: &Testnet, pids: &[u32]) {
    assert!(!pids.is_empty());
    for pid in pids {
        assert!(!is_alive(*pid), "process {pid} is still there");
    }
    assert_eq!(testnet.pids(), [0_u32; 0]);
}

/// The detail of a failure that was asked for as JSON.
fn detail(ended: &Ended) -> String {
    let line = ended.stderr.lines().last().unwrap_or_default();
    let json: Value = serde_json::from_str(line).unwrap_or_default();
    let code = json.pointer("/error/exit").and_then(Value::as_i64);
    assert_eq!(code, ended.code.map(i64::from), "{ended:?}");
    let detail = json.pointer("/error/detail").and_then(Value::as_str);
    detail.unwrap_or_default().to_owned()
}

#[test]
fn four_validators_come_up_agree_and_go_down_without_a_trace() {
    let testnet = Testnet::new();

    let screen = testnet.run(&["--json", "up", "--detach"]).with_code(0).json();
    let pids = pids(&screen);
    assert_eq!(pids.len(), 4);
    assert_eq!(testnet.pids(), pids);
    assert!(screen["seconds"].as_f64().unwrap() < 30.0);
    assert_eq!(screen["accounts"][0]["balance_text"], "1000000.00 LGT");
    for index in 0..4 {
        assert_eq!(testnet.client(index).ready(), Ok(true));
    }
    let shown = status(&testnet);
    assert_eq!(states(&shown), ["up"; 4]);
    assert_eq!(shown["agree"], true);
    let down = testnet.run(&["down"]).with_code(0);

    assert_eq!(down.stdout, "node0 stopped\nnode1 stopped\nnode2 stopped\nnode3 stopped\n");
    assert_nothing_runs(&testnet, &pids);
    for index in 0..4 {
        assert!(!testnet.node(index).join("run.json").exists());
    }
    let again = testnet.run(&["down"]).with_code(0);
    assert_eq!((again.stdout.as_str(), again.stderr.as_str()), ("", "nothing was running\n"));
}

#[test]
fn two_testnets_of_the_same_seed_run_side_by_side() {
    let (one, two) = (Testnet::up(&[]), Testnet::up(&[]));

    let height = transfer(&one, 1, 5);

    assert_eq!(one.level(height), height);
    assert_eq!(two.level(0), 0);
    assert_eq!(status(&one)["agree"], true);
    assert_eq!(status(&two)["agree"], true);
    assert_eq!(balance(&two, 0, 1), 100_000_000);
}

#[test]
fn the_same_seed_has_the_same_addresses_and_the_same_chain() {
    let up = |seed: &str| {
        let testnet = Testnet::new();
        testnet.run(&["--json", "up", "--detach", "-n", "1", "--seed", seed]).with_code(0).json()
    };

    let (one, two, other) = (up("5"), up("5"), up("6"));

    assert_eq!(addresses(&one), addresses(&two));
    assert_eq!(one["chain"], two["chain"]);
    assert_ne!(one["chain"], other["chain"]);
    assert!(addresses(&one).iter().all(|address| !addresses(&other).contains(address)));
}

#[test]
fn the_state_survives_down_and_up() {
    let testnet = Testnet::up(&[]);
    testnet.level(transfer(&testnet, 0, 1_250));
    let height = transfer(&testnet, 2, 750);
    testnet.level(height);
    let before = status(&testnet);
    drop(testnet.run(&["down"]).with_code(0));

    let screen = testnet.run(&["--json", "up", "--detach"]).with_code(0).json();

    assert_eq!(screen["created"], false);
    assert_eq!(screen["accounts"][1]["balance"], "100002000");
    let after = status(&testnet);
    for what in ["height", "block", "state_root"] {
        assert_eq!(after[what], before[what], "{what}");
    }
    let next = transfer(&testnet, 3, 1);
    assert_eq!(next, height + 1);
    assert_eq!(testnet.level(next), next);
}

#[test]
fn a_killed_validator_is_missed_by_nobody_and_catches_up_when_it_is_started() {
    let testnet = Testnet::up(&[]);
    let pid = testnet.pid(3).unwrap();

    let killed = testnet.run(&["kill", "node3"]).with_code(0);
    assert_eq!(killed.stdout, "node3 killed\n");
    assert!(!is_alive(pid));
    assert_eq!(states(&status(&testnet)), ["up", "up", "up", "down"]);
    let height = transfer(&testnet, 0, 100);
    let started = testnet.run(&["start", "3"]).with_code(0);

    assert!(started.stdout.starts_with("node3 ready  http://127.0.0.1:"), "{}", started.stdout);
    assert_ne!(testnet.pid(3).unwrap(), pid);
    testnet.level(height);
    let shown = status(&testnet);
    assert_eq!(shown["agree"], true);
    assert_eq!(shown["validators"][3]["block"], shown["validators"][0]["block"]);
    assert_eq!(balance(&testnet, 3, 1), 100_000_100);
}

#[test]
fn a_paused_validator_says_nothing_until_it_is_resumed() {
    let testnet = Testnet::up(&[]);
    let pid = testnet.pid(2).unwrap();

    drop(testnet.run(&["pause", "node2"]).with_code(0));
    assert_eq!(states(&status(&testnet)), ["up", "up", "paused", "up"]);
    let height = transfer(&testnet, 0, 100);
    drop(testnet.run(&["resume", "node2"]).with_code(0));

    assert_eq!(testnet.pid(2), Some(pid));
    assert_eq!(testnet.level(height), height);
    assert_eq!(status(&testnet)["agree"], true);
}

#[test]
fn a_paused_validator_goes_down_with_the_others() {
    let testnet = Testnet::up(&[]);
    let pids = testnet.pids();
    drop(testnet.run(&["pause", "1", "3"]).with_code(0));

    let down = testnet.run(&["down"]).with_code(0);

    assert!(!down.stderr.contains("killed"), "{}", down.stderr);
    assert_nothing_runs(&testnet, &pids);
}

#[test]
fn all_validators_killed_at_once_go_on_when_they_are_started() {
    let testnet = Testnet::up(&[]);
    let height = transfer(&testnet, 0, 100);
    let pids = testnet.pids();
    assert_eq!(pids.len(), 4);

    drop(testnet.run(&["kill", "all"]).with_code(0));
    assert_nothing_runs(&testnet, &pids);
    drop(testnet.run(&["start", "all"]).with_code(0));

    assert!(testnet.level(height) >= height);
    let next = transfer(&testnet, 1, 100);
    assert!(next > height);
    assert_eq!(balance(&testnet, 1, 1), 100_000_200);
}

#[test]
fn a_restarted_validator_is_another_process_with_the_same_chain() {
    let testnet = Testnet::up(&[]);
    let height = transfer(&testnet, 0, 100);
    let pid = testnet.pid(1).unwrap();

    drop(testnet.run(&["restart", "node1"]).with_code(0));

    assert_ne!(testnet.pid(1).unwrap(), pid);
    assert_eq!(testnet.level(height), height);
}

#[test]
fn a_validator_alone_is_a_network() {
    let testnet = Testnet::up(&["-n", "1"]);

    let height = transfer(&testnet, 0, 100);
    drop(testnet.run(&["kill", "0"]).with_code(0));
    drop(testnet.run(&["start", "0"]).with_code(0));

    assert_eq!(height, 1);
    assert_eq!(testnet.status(0).height.get(), 1);
    assert_eq!(transfer(&testnet, 0, 100), 2);
}

#[test]
fn a_validator_that_dies_at_start_shows_its_log_and_takes_the_rest_with_it() {
    let testnet = Testnet::up(&[]);
    drop(testnet.run(&["down"]).with_code(0));
    let key = testnet.node(2).join("validator.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();

    let up = testnet.run(&["up", "--detach"]).with_code(1);

    assert_eq!(up.stdout, "");
    assert!(up.stderr.contains("last lines of the log of node2:"), "{}", up.stderr);
    assert!(up.stderr.contains("may be read by others (mode 0644)"), "{}", up.stderr);
    assert!(up.stderr.contains("error: node2 ended while it was started"), "{}", up.stderr);
    assert_eq!(testnet.pids(), [0_u32; 0]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    drop(testnet.run(&["up", "--detach"]).with_code(0));
}

#[test]
fn in_the_foreground_each_block_is_a_line_and_ctrl_c_leaves_nothing_running() {
    let testnet = Testnet::new();
    let mut up = testnet.start(&["up"]);
    up.line_with("READY in ");
    let pids = testnet.pids();
    assert_eq!(pids.len(), 4);

    transfer(&testnet, 0, 100);
    let line = up.line_with("height 1  ");
    assert!(line.starts_with("height 1  1 transaction  block "), "{line}");
    up.signal(Signal::INT);
    let ended = up.end().with_code(0);

    assert!(ended.stderr.contains("stopping the validators"), "{}", ended.stderr);
    assert_nothing_runs(&testnet, &pids);
}

#[test]
fn in_the_foreground_with_json_every_line_is_a_document() {
    let testnet = Testnet::new();
    let mut up = testnet.start(&["--json", "up", "-n", "1"]);
    let screen: Value = serde_json::from_str(&up.line_with("\"accounts\"")).unwrap();
    assert_eq!(screen["n"], 1);

    transfer(&testnet, 0, 100);
    let block: Value = serde_json::from_str(&up.line_with("\"height\":1")).unwrap();

    assert_eq!(block["transactions"], 1);
    up.signal(Signal::TERM);
    let ended = up.end().with_code(0);
    assert_eq!(ended.stdout.lines().count(), 2);
}

#[test]
fn validators_end_with_the_up_that_was_killed() {
    let testnet = Testnet::new();
    let mut up = testnet.start(&["up"]);
    up.line_with("READY in ");
    let pids = testnet.pids();
    assert_eq!(pids.len(), 4);

    up.signal(Signal::KILL);
    drop(up.end());

    // Nobody waits for them here: the threads of one that has ended may hold its directory a little longer.
    until_true("the validators end", || {
        !pids.iter().any(|pid| is_alive(*pid)) && testnet.pids().is_empty()
    });
}

#[test]
fn an_up_told_to_end_before_it_is_ready_leaves_nothing_running() {
    let testnet = Testnet::never_ready();
    let up = testnet.start(&["up", "--detach"]);
    until_true("both validators run", || testnet.pids().len() == 2);
    let pids = testnet.pids();

    up.signal(Signal::TERM);
    let ended = up.end().with_code(130);

    assert!(ended.stderr.contains("told to end before"), "{ended:?}");
    assert_nothing_runs(&testnet, &pids);
}

#[test]
fn an_up_that_is_not_ready_in_time_says_who_is_not_and_leaves_nothing_running() {
    let testnet = Testnet::never_ready();

    let ended = testnet.run(&["--json", "up", "--detach", "--timeout", "1"]).with_code(6);

    assert!(detail(&ended).contains("in time: node"), "{ended:?}");
    assert_eq!(testnet.pids(), [0_u32; 0]);
}

#[test]
fn down_ends_an_up_in_the_foreground() {
    let testnet = Testnet::new();
    let mut up = testnet.start(&["up", "-n", "1"]);
    up.line_with("READY in ");
    let pids = testnet.pids();

    let down = testnet.run(&["down"]).with_code(0);
    drop(up.end().with_code(0));

    assert_eq!(down.stdout, "node0 stopped\n");
    assert_nothing_runs(&testnet, &pids);
}

#[test]
fn up_again_uses_what_runs_and_starts_what_does_not() {
    let testnet = Testnet::up(&[]);
    let before = testnet.pids();
    drop(testnet.run(&["kill", "2"]).with_code(0));
    drop(testnet.run(&["pause", "1"]).with_code(0));

    let screen = testnet.run(&["--json", "up", "--detach"]).with_code(0).json();

    let after = pids(&screen);
    assert_eq!((after[0], after[1], after[3]), (before[0], before[1], before[3]));
    assert_ne!(after[2], before[2]);
    assert_eq!(states(&status(&testnet)), ["up"; 4]);
}

#[test]
fn another_size_or_seed_is_refused_until_it_is_reset() {
    let testnet = Testnet::up(&["-n", "1"]);
    transfer(&testnet, 0, 100);
    let pid = testnet.pid(0).unwrap();

    let size = testnet.run(&["--json", "up", "--detach", "-n", "4"]).with_code(3);
    let seed = testnet.run(&["--json", "up", "--detach", "--seed", "8"]).with_code(3);
    assert!(detail(&size).contains("is of size 1, not 4"), "{size:?}");
    assert!(detail(&seed).contains("was made from seed 0, not 8"), "{seed:?}");
    assert_eq!(testnet.pid(0), Some(pid));
    assert_eq!(testnet.status(0).height.get(), 1);
    let screen = testnet
        .run(&["--json", "up", "--detach", "--reset", "-n", "1", "--seed", "8"])
        .with_code(0)
        .json();

    assert!(!is_alive(pid));
    assert_eq!((&screen["created"], &screen["seed"]), (&true.into(), &8.into()));
    assert_eq!(testnet.status(0).height.get(), 0);
}

#[test]
fn reset_never_touches_a_directory_that_is_no_testnet() {
    let testnet = Testnet::new();
    fs::create_dir(testnet.directory()).unwrap();
    let precious = testnet.directory().join("thesis.tex");
    fs::write(&precious, "years of work").unwrap();

    let reset = testnet.run(&["--json", "up", "--detach", "--reset"]).with_code(3);

    assert!(detail(&reset).contains("is not a testnet and not empty: it holds thesis.tex"));
    assert_eq!(fs::read_to_string(precious).unwrap(), "years of work");
    assert_eq!(fs::read_dir(testnet.directory()).unwrap().count(), 1);
}

#[test]
fn one_up_at_a_time_has_a_testnet() {
    let testnet = Testnet::new();
    let mut first = testnet.start(&["up", "-n", "1"]);
    first.line_with("READY in ");

    let second = testnet.run(&["--json", "up"]).with_code(3);

    let by = format!("another `logothete testnet up` (process {}) works on", first.pid());
    assert!(detail(&second).starts_with(&by), "{second:?}");
    assert!(testnet.pid(0).is_some());
}

#[test]
fn what_does_not_fit_is_refused_with_its_own_code() {
    let testnet = Testnet::up(&["-n", "1"]);

    for (arguments, code, text) in [
        (["start", "node0"], 3, "node0 runs already"),
        (["kill", "node1"], 5, "there is no node1"),
        (["logs", "node7"], 5, "there is no node7"),
    ] {
        let ended = testnet.run(&["--json", arguments[0], arguments[1]]).with_code(code);
        assert!(detail(&ended).contains(text), "{ended:?}");
    }
    drop(testnet.run(&["kill", "node0"]).with_code(0));
    for command in ["kill", "pause", "resume"] {
        let ended = testnet.run(&["--json", command, "node0"]).with_code(3);
        assert!(detail(&ended).contains("node0 is not running"), "{ended:?}");
    }
}

#[test]
fn every_command_says_how_to_get_a_testnet_when_there_is_none() {
    let testnet = Testnet::new();

    for arguments in [
        &["status"][..],
        &["logs"],
        &["kill", "0"],
        &["pause", "0"],
        &["resume", "0"],
        &["start", "0"],
        &["restart", "0"],
        &["fault"],
        &["down"],
    ] {
        let ended = testnet.run(arguments).with_code(5);
        assert!(ended.stderr.contains("no testnet at "), "{ended:?}");
        assert!(ended.stderr.contains("logothete testnet up"), "{ended:?}");
        assert!(ended.stderr.contains("LOGOTHETE_DIR"), "{ended:?}");
        assert_eq!(ended.stdout, "");
    }
    assert!(!testnet.directory().exists());
}

#[test]
fn the_network_is_found_by_flag_then_variable_then_in_testnet() {
    let testnet = Testnet::up(&["-n", "1"]);
    let elsewhere = Testnet::new();
    let parent = testnet.directory().parent().unwrap();
    fs::rename(testnet.directory(), parent.join("testnet")).unwrap();
    std::os::unix::fs::symlink("testnet", testnet.directory()).unwrap();
    let status = |arguments: &[&str], variable: Option<&Path>| {
        let mut command = programs::command("logothete", arguments);
        command.current_dir(parent);
        if let Some(variable) = variable {
            command.env("LOGOTHETE_DIR", variable);
        }
        programs::Running::start(command).end()
    };

    let flag = ["status", "--dir", testnet.directory().to_str().unwrap()];
    drop(status(&flag, Some(elsewhere.directory())).with_code(0));
    drop(status(&["status"], Some(testnet.directory())).with_code(0));
    drop(status(&["status"], Some(elsewhere.directory())).with_code(5));
    drop(status(&["status"], None).with_code(0));
}

#[test]
fn status_asks_urls_as_well_and_says_when_nobody_answers() {
    let testnet = Testnet::up(&["-n", "1"]);
    let url = testnet.client(0).url().to_owned();

    let shown = programs::run("logothete", &["--json", "status", "--api", &url]).with_code(0);
    assert_eq!(shown.json()["validators"][0]["name"], "node0");
    drop(testnet.run(&["down"]).with_code(0));
    let away = programs::run("logothete", &["status", "--api", &url]).with_code(4);
    let local =
        programs::run("logothete", &["status", "--dir", testnet.directory().to_str().unwrap()]);

    assert!(away.stdout.contains("no validator answers"), "{away:?}");
    drop(local.with_code(4));
    drop(programs::run("logothete", &["status", "--api", "https://x"]).with_code(2));
}

#[test]
fn a_testnet_whose_accounts_are_damaged_is_named_stopped_and_made_anew() {
    let testnet = Testnet::up(&["-n", "1"]);
    let pids = pids(&status(&testnet));
    fs::write(testnet.directory().join("accounts.toml"), "seed = ").unwrap();

    for command in [&["--json", "status"][..], &["--json", "up", "--detach"]] {
        let refused = testnet.run(command).with_code(1);
        assert!(detail(&refused).contains("accounts.toml"), "{refused:?}");
    }
    drop(testnet.run(&["down"]).with_code(0));
    assert_nothing_runs(&testnet, &pids);
    drop(testnet.run(&["up", "--detach", "--reset", "-n", "1"]).with_code(0));
    assert_eq!(states(&status(&testnet)), ["up"]);
}

#[test]
fn a_line_that_cannot_be_meant_is_told_as_one_line_of_json() {
    for line in [&["--json", "testnet", "kill"][..], &["status", "--colour", "--json"]] {
        let ended = programs::run("logothete", line).with_code(2);

        assert!(!detail(&ended).is_empty(), "{ended:?}");
        assert_eq!((ended.stderr.lines().count(), ended.stdout.len()), (1, 0), "{ended:?}");
    }
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    let (gone, to) = std::io::pipe().unwrap();
    drop(gone);
    let mut command = programs::command("logothete", &["testnet", "run"]);

    let ended = command.stdout(to).output().unwrap();

    assert!(ended.status.success(), "{ended:?}");
    assert!(ended.stderr.is_empty(), "{ended:?}");
}

#[test]
fn logs_show_the_last_lines_of_one_or_all_and_follow() {
    let testnet = Testnet::up(&[]);

    let all = testnet.run(&["logs", "-n", "1"]).with_code(0);
    assert_eq!(all.stdout.lines().count(), 4);
    assert!(all.stdout.starts_with("node0 | "), "{}", all.stdout);
    let one = testnet.run(&["--json", "logs", "node1", "-n", "1"]).with_code(0).json();
    assert_eq!(one["validator"], "node1");
    let mut following = testnet.start(&["logs", "2", "-f", "-n", "1"]);
    following.line_with("");
    drop(testnet.run(&["restart", "2"]).with_code(0));

    following.line_with("starting");
}

#[test]
fn a_second_process_on_a_directory_is_refused() {
    let testnet = Testnet::up(&["-n", "1"]);
    let pid = testnet.pid(0).unwrap();
    let config = testnet.node(0).join("config.toml");

    let second = programs::run("logothete", &["validator", "--config", config.to_str().unwrap()]);

    let second = second.with_code(1);
    assert!(second.stderr.contains(&pid.to_string()), "{second:?}");
    assert!(is_alive(pid));
}

#[test]
fn a_backup_far_behind_takes_part_at_once_when_another_one_is_down() {
    let testnet = Testnet::up(&[]);
    drop(testnet.run(&["kill", "node3"]).with_code(0));
    // More heights than a backup keeps messages for: two windows above what it has committed.
    let mut height = 0;
    while height < 20 {
        height = transfer(&testnet, 0, 1);
    }
    drop(testnet.run(&["kill", "node2"]).with_code(0));
    // Two of four decide nothing: this one is proposed, and stays undecided while node3 connects.
    let waiting = signed(&testnet, 0, 1);
    testnet.client(0).submit(&waiting, Wait::None).expect("it is taken in");
    until_true("it is proposed", || testnet.status(0).in_flight > 0);

    drop(testnet.run(&["start", "node3"]).with_code(0));

    assert!(testnet.level(height + 1) > height);
}
