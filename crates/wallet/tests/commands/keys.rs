use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Stdio;

use tempfile::tempdir;

use super::ledger::JUNK;
use super::run::{Net, Ran, text, wallet};

const FIRST: &str = "rlgt1qqdlsq4pzz3xltmcff9a28vx0w4vyjlcxt4awf9lgrxp987cfqqccrpz9ch";
const SECOND: &str = "rlgt1qpzj80y68pkx6szsjvw7qej37vtrwr4ml0gma5a409rncl80htdt7qj2ssa";

#[test]
fn words_make_the_addresses_that_independent_software_made() {
    let net = Net::start();
    let (words, password) = (net.write("words", JUNK), net.write("password", "secret\n"));
    for (name, account, address, path) in
        [("first", "0", FIRST, "m/44'/1'/0'/0'/0'"), ("second", "1", SECOND, "m/44'/1'/1'/0'/0'")]
    {
        let ran = net.run_json(&[
            "keys",
            "import",
            name,
            "--account",
            account,
            "--words-file",
            text(&words),
            "--password-file",
            text(&password),
        ]);
        let result = ran.ends_with(0).json();
        assert_eq!((&result["address"], &result["path"]), (&address.into(), &path.into()));
        let shown = net.run(&["keys", "show", name]).ends_with(0).stdout;
        assert!(shown.contains(address) && shown.contains(path), "{shown}");
    }
    let list = net.run(&["keys", "list"]).ends_with(0).stdout;
    assert!(list.lines().next().unwrap().starts_with("first"), "{list}");
    let exported = net
        .run(&["keys", "export", "second", "--yes", "--password-file", text(&password)])
        .ends_with(0);
    assert_eq!(exported.stdout.trim(), JUNK);
}

#[test]
fn keys_need_no_network() {
    let home = tempdir().unwrap();
    let mut command = wallet(&["keys", "new", "mine", "--json", "--password-file", "-"]);
    command.env("HOME", home.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"secret\nnot the password\n").unwrap();

    let ran = Ran::of(child.wait_with_output().unwrap()).ends_with(0);

    let file = home.path().join(".local/share/logothete/keys/mine.key");
    assert_eq!(ran.json()["file"], text(&file));
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().mode() & 0o7777, 0o700);
    assert!(ran.json()["address"].as_str().unwrap().starts_with("rlgt1"));
}

#[test]
fn the_data_directory_of_the_user_is_honoured() {
    let data = tempdir().unwrap();
    let password = data.path().join("password");
    fs::write(&password, "secret").unwrap();
    let mut command = wallet(&["keys", "new", "mine", "--password-file", text(&password)]);

    let ran = Ran::of(command.env("XDG_DATA_HOME", data.path()).output().unwrap()).ends_with(0);

    assert!(data.path().join("logothete/keys/mine.key").exists());
    assert!(ran.stderr.contains("others may read"), "{}", ran.stderr);
}

#[test]
fn new_words_are_not_written_where_nobody_sees_them() {
    let net = Net::start();
    let password = net.write("password", "secret\n");
    let made =
        net.run(&["keys", "new", "mine", "--words", "24", "--password-file", text(&password)]);
    let made = made.ends_with(0);

    let exported =
        net.run(&["keys", "export", "mine", "--yes", "--password-file", text(&password)]);

    let exported = exported.ends_with(0);
    let words: Vec<&str> = exported.stdout.split_whitespace().collect();
    assert_eq!(words.len(), 24);
    let phrase = words.join(" ");
    assert!(!made.stdout.contains(&phrase) && !made.stderr.contains(&phrase));
}

#[test]
fn a_key_file_that_others_may_read_is_not_used_and_hides_no_other() {
    let net = Net::start();
    let password = net.write("password", "secret\n");
    for name in ["open", "safe"] {
        net.run(&["keys", "new", name, "--password-file", text(&password)]).ends_with(0);
    }
    fs::set_permissions(net.path("keys/open.key"), Permissions::from_mode(0o644)).unwrap();

    let refused = net.run(&["keys", "show", "open"]).ends_with(8);
    let list = net.run(&["keys", "list"]).ends_with(0);

    assert!(refused.stderr.contains("0644"), "{}", refused.stderr);
    assert!(list.stdout.contains("safe") && !list.stdout.contains("open"));
    assert!(list.stderr.contains("0644"));
}

#[test]
fn words_and_password_do_not_both_come_from_standard_input() {
    let net = Net::start();

    let ran = net.run(&["keys", "import", "mine", "--words-file", "-", "--password-file", "-"]);

    ran.ends_with(2);
}

#[test]
fn a_name_that_the_testnet_has_too_draws_a_warning() {
    let net = Net::start();
    let password = net.write("password", "secret\n");
    let new = |name: &str| {
        net.run(&["keys", "new", name, "--password-file", text(&password)]).ends_with(0).stderr
    };

    let (alice, mine) = (new("alice"), new("mine"));

    assert!(alice.contains("say key:alice or local:alice"), "{alice}");
    assert!(!mine.contains("local:"), "{mine}");
}
