use super::ledger::address;
use super::run::Net;
use super::validator::Conduct;

#[test]
fn the_genesis_is_certain_before_the_first_block() {
    let net = Net::start();

    let result = net.run_json(&["balance", "alice"]).ends_with(0).json();

    assert_eq!(result["accounts"][0]["balance"], "100000000");
    assert_eq!(result["accounts"][0]["height"], 0);
}

#[test]
fn balances_are_certified_and_follow_transfers() {
    let net = Net::start();
    net.run(&["transfer", "alice", "bob", "12.50", "--yes"]).ends_with(0);

    let result = net.run_json(&["balance"]).ends_with(0).json();

    let accounts = result["accounts"].as_array().unwrap();
    let balances: Vec<&str> =
        accounts.iter().map(|account| account["balance"].as_str().unwrap()).collect();
    assert_eq!(balances, ["99998750", "100001250", "100000000", "100000000"]);
    assert_eq!(accounts[0]["nonce"], 1);
    let shown = net.run(&["balance", "bob"]).ends_with(0);
    assert!(shown.stdout.contains("1000012.50"), "{}", shown.stdout);
    assert!(shown.stdout.contains("certified at height 1, signed by "), "{}", shown.stdout);
    // As many as make a quorum of four, and who has nothing yet is believed by the genesis.
    assert_eq!(accounts[0]["signers"].as_array().unwrap().len(), 3);
}

#[test]
fn a_lying_validator_is_named_and_not_believed() {
    let net = Net::start();
    net.run(&["transfer", "alice", "bob", "12.50", "--yes"]).ends_with(0);
    net.validators[1].behave(Conduct::Forges);
    net.validators[2].behave(Conduct::Denies);

    let ran = net.run_json(&["balance", "alice"]).ends_with(0);

    assert_eq!(ran.json()["accounts"][0]["balance"], "99998750");
    assert!(ran.stderr.contains("node1"), "{}", ran.stderr);
}

#[test]
fn history_is_proved_and_newest_first() {
    let net = Net::start();
    net.run(&["transfer", "alice", "bob", "1", "--yes", "--memo", "first"]).ends_with(0);
    net.run(&["transfer", "bob", "alice", "2", "--yes"]).ends_with(0);
    net.run(&["transfer", "carol", "dave", "4", "--yes"]).ends_with(0);
    net.validators[0].behave(Conduct::Denies);
    net.validators[3].behave(Conduct::Forges);

    let result = net.run_json(&["history", "alice"]).ends_with(0).json();
    let limited = net.run_json(&["history", "alice", "--limit", "1"]).ends_with(0).json();

    let entries = result["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(
        (&entries[0]["direction"], &entries[1]["direction"]),
        (&"received".into(), &"sent".into())
    );
    assert_eq!(entries[1]["memo"], "first");
    assert_eq!(entries[0]["counterparty"], address("bob").to_text("rlgt"));
    assert_eq!(limited["entries"].as_array().unwrap().len(), 1);
    let shown = net.run(&["history", "alice"]).ends_with(0).stdout;
    assert!(shown.contains("+") && shown.contains("\"first\""), "{shown}");
}

#[test]
fn an_account_without_a_transfer_has_an_empty_history() {
    let net = Net::start();

    let result = net.run_json(&["history", "carol"]).ends_with(0).json();

    assert_eq!(result["entries"].as_array().unwrap().len(), 0);
    let shown = net.run(&["history", "carol"]).ends_with(0).stdout;
    assert_eq!(shown, "no transfer yet\n");
}

#[test]
fn a_transaction_is_shown_with_what_it_says_and_who_signed() {
    let net = Net::start();
    let sent = net.run_json(&["transfer", "alice", "bob", "1", "--yes"]).ends_with(0).json();
    let id = sent["id"].as_str().unwrap();

    let found = net.run_json(&["transaction", id]).ends_with(0).json();

    for field in ["id", "height", "block", "amount", "sender", "recipient", "nonce"] {
        assert_eq!(found[field], sent[field], "{field}");
    }
    assert_eq!(found["status"], "final");
}

#[test]
fn accounts_shows_the_names_of_both_kinds() {
    let net = Net::start();
    let password = net.write("password", "secret\n");
    net.run(&["keys", "new", "mine", "--password-file", password.to_str().unwrap()]).ends_with(0);

    let result = net.run_json(&["accounts"]).ends_with(0).json();

    let names: Vec<&str> = result["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|account| account["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["alice", "bob", "carol", "dave", "mine"]);
    assert_eq!(result["accounts"][0]["source"], "testnet");
    assert_eq!(result["accounts"][4]["source"], "keystore");
}

#[test]
fn colour_is_left_out_where_there_is_no_terminal() {
    let net = Net::start();

    let ran = net.run(&["balance", "alice"]).ends_with(0);

    assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'));
}
