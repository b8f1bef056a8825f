//! Clients that attack, and validators that attack those who ask them: real processes, the real wallet, real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use api::client::Wait;
use serde_json::Value;
use tests::audit::assert_audits_of_pass;
use tests::load::{Load, Wallet, assert_paid_once_by, paid};
use tests::money::{balance, signed, transfer};
use tests::process::peak_bytes;
use tests::programs::{self, Ended, Running};
use tests::story::until_paid;
use tests::testnet::Testnet;
use tests::traitors::{deeds, evidence_files, proved_liars};
use tests::wait::until_true;
use types::transaction::{Action, SignedTransaction};

/// What every account of a new testnet has, in base units.
const BALANCE: u64 = 100_000_000;

/// No honest validator of a small network may take more memory than this, whatever arrives.
const MEMORY_BYTES: u64 = 160 << 20;

/// An amount that nobody has: such a transfer never commits.
const TOO_MUCH: u64 = 10 * BALANCE;

fn wallet(testnet: &Testnet, arguments: &[&str]) -> Ended {
    let directory = testnet.directory().to_str().unwrap();
    programs::run("logothete-wallet", &[&["--json", "--dir", directory], arguments].concat())
}

fn pay(testnet: &Testnet, amount: &str) -> Ended {
    wallet(testnet, &["transfer", "alice", "bob", amount, "--yes", "--timeout", "20"])
}

/// Alice's balance, as the wallet believes it, and who signed that.
fn believed(testnet: &Testnet) -> (u64, BTreeSet<String>) {
    let shown = wallet(testnet, &["balance", "alice"]).with_code(0).json();
    let account = &shown["accounts"][0];
    let balance = account["balance"].as_str().unwrap().parse().unwrap();
    (balance, names(&account["signers"]))
}

fn names(list: &Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// No validator's log tells of a panic, and none took more memory than is stated.
fn assert_sound(testnet: &Testnet, nodes: &[usize]) {
    for node in nodes {
        let log = fs::read_to_string(testnet.node(*node).join("log")).unwrap();
        assert!(!log.contains("panicked"), "node{node}: {log}");
        if let Some(pid) = testnet.pid(*node) {
            let peak = peak_bytes(pid);
            assert!(peak < MEMORY_BYTES, "node{node} took {peak} bytes");
        }
    }
}

/// What the client did, by attack.
fn submissions(told: &str) -> BTreeMap<String, Vec<Value>> {
    let mut by_attack: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in told.lines() {
        let deed: Value = serde_json::from_str(line).unwrap();
        by_attack.entry(deed["attack"].as_str().unwrap().to_owned()).or_default().push(deed);
    }
    by_attack
}

/// Which answers were given, at all.
fn answers(deeds: &[Value]) -> BTreeSet<String> {
    deeds.iter().flat_map(|deed| deed["answers"].as_object().unwrap().keys().cloned()).collect()
}

#[test]
fn clients_that_attack_in_every_way_change_nothing_for_the_others() {
    let testnet = Testnet::up(&["--timeout", "60"]);
    let all = [0, 1, 2, 3];
    let directory = testnet.directory().to_str().unwrap();
    let mut arguments = vec!["--json", "client", "--dir", directory, "--seconds", "10"];
    let attacks = ["decode-bombs", "double-spend", "malleate", "nonce-gaps", "replay"];
    arguments.extend(attacks.iter().flat_map(|attack| ["--attack", *attack]));
    let client = Running::start(programs::command("logothete-adversary", &arguments));

    // Dave attacks; alice pays bob all the while.
    let pid = client.pid();
    let mut payments = 0;
    while tests::process::is_alive(pid) {
        transfer(&testnet, 0, 1);
        payments += 1;
    }
    let client = client.end().with_code(0);

    let height = testnet.level(1);
    println!("{payments} payments while clients attacked, to height {height}");
    assert!(payments >= 5, "{payments}");
    for node in all {
        let paid = u64::try_from(payments).unwrap();
        assert_eq!(balance(&testnet, node, 0), BALANCE - paid, "node{node}");
    }
    let deeds = submissions(&client.stdout);
    assert_eq!(deeds.keys().map(String::as_str).collect::<Vec<_>>(), attacks);
    for (attack, deeds) in &deeds {
        println!("{attack}: {} submissions, answers {:?}", deeds.len(), answers(deeds));
    }
    // What is no transaction is a problem of the asker, never a fault of the validator.
    let bombs = answers(&deeds["decode-bombs"]);
    assert!(bombs.iter().all(|status| status.starts_with('4')), "{bombs:?}");
    assert!(answers(&deeds["malleate"]).contains("bad-signature"));
    assert!(answers(&deeds["replay"]).contains("foreign-chain"));
    assert!(answers(&deeds["replay"]).contains("already-committed"));
    assert!(answers(&deeds["nonce-gaps"]).contains("nonce-too-high"));

    // Of the payments with one nonce exactly one is made, and it is the same everywhere.
    let mut rivals: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
    for deed in &deeds["double-spend"] {
        let nonce = deed["nonce"].as_u64().unwrap();
        rivals.entry(nonce).or_default().insert(deed["transaction"].as_str().unwrap());
    }
    let used = testnet.client(0).account(&tests::money::address(3).to_text("rlgt"));
    let used = used.unwrap().unwrap().nonce.get();
    let mut settled = 0;
    for (_, rivals) in rivals.iter().filter(|(nonce, rivals)| **nonce < used && rivals.len() > 1) {
        let committed = |node: usize| -> Vec<&str> {
            let client = testnet.client(node);
            let is_committed = |id: &&&str| {
                let found = client.transaction(&id.parse().unwrap()).unwrap();
                found.is_some_and(|found| found.status.is_committed())
            };
            rivals.iter().filter(is_committed).copied().collect()
        };
        let first = committed(0);
        assert!(first.len() <= 1, "{first:?}");
        assert!(all.iter().all(|node| committed(*node) == first));
        settled += first.len();
    }
    assert!(settled > 0, "no double spend was decided");
    assert_sound(&testnet, &all);
    assert_audits_of_pass(&testnet, &all);
    for node in all {
        assert!(proved_liars(&testnet, node).is_empty());
    }
}

#[test]
fn a_wiped_validator_catches_up_past_one_that_forges_and_one_that_is_slow() {
    for attack in ["forged-blocks", "slow-blocks:delay=1500"] {
        let adversary = format!("1={attack}");
        let testnet = Testnet::up(&["--timeout", "60", "--adversary", &adversary]);
        let load = Load::start(&testnet, 50, Wallet::GivesUp);
        until_paid(&testnet, 0, 100);
        testnet.crash(3);
        fs::remove_dir_all(testnet.node(3).join("data/store")).unwrap();
        until_paid(&testnet, 0, load.offered() + 50);

        drop(testnet.run(&["start", "node3"]).with_code(0));

        until_paid(&testnet, 3, paid(&testnet, 0));
        until_true("the attacker was asked", || !deeds(&testnet, 1).is_empty());
        if attack == "forged-blocks" {
            let refused = |node| testnet.metric(node, "logothete_fetches_refused_total");
            until_true("what it forged is refused", || {
                [0, 2, 3].map(refused).iter().sum::<u64>() > 0
            });
        }
        let count = load.stop();
        assert_paid_once_by(&testnet, &[0, 2, 3], count);
        assert_sound(&testnet, &[0, 2, 3]);
        assert_audits_of_pass(&testnet, &[0, 2, 3]);
        println!("{attack}: {count} transfers, {} answers", deeds(&testnet, 1).len());
    }
}

#[test]
fn false_accusations_and_bytes_that_are_no_message_hurt_nobody() {
    let honest = [0, 1, 3];
    let testnet = Testnet::up(&["--timeout", "60", "--adversary", "2=garbage-frames"]);
    let sent =
        |attack: &str| deeds(&testnet, 2).iter().filter(|deed| deed["attack"] == attack).count();
    let refused = || testnet.metric(0, "logothete_messages_forged_total");

    let load = Load::start(&testnet, 50, Wallet::GivesUp);
    until_paid(&testnet, 0, 200);
    until_true("noise arrives and is refused", || {
        sent("garbage-frames") >= 500 && refused() >= 100
    });
    let before = refused();
    drop(testnet.run(&["turn", "node2", "false-evidence"]).with_code(0));
    until_true("accusations arrive and are refused", || {
        sent("false-evidence") >= 50 && refused() > before
    });
    until_paid(&testnet, 0, load.offered() + 100);
    let count = load.stop();

    assert_paid_once_by(&testnet, &honest, count);
    for node in honest {
        assert!(evidence_files(&testnet, node).is_empty(), "node{node} accuses somebody");
        assert!(testnet.status(node).convicted.is_empty());
    }
    assert_sound(&testnet, &honest);
    assert_audits_of_pass(&testnet, &honest);
}

/// A payment of alice that can never commit.
fn impossible(testnet: &Testnet) -> SignedTransaction {
    let mut wanted = signed(testnet, 0, 1).transaction;
    let Action::Transfer(transfer) = &mut wanted.action;
    transfer.amount = types::amount::Amount::new(TOO_MUCH);
    SignedTransaction::sign(wanted, &tests::money::key(0))
}

#[test]
fn a_wallet_believes_nothing_of_what_t_validators_say_falsely() {
    let lies = "1=false-receipts+false-balances+own-chain";
    let testnet = Testnet::up(&["--timeout", "60", "--adversary", lies]);

    let paid = pay(&testnet, "1.00").with_code(0).json();
    let height = paid["height"].as_u64().unwrap();
    let signers = names(&paid["signers"]);
    assert!(signers.len() >= 2 && !signers.contains("node1"), "{paid}");
    let truth =
        testnet.client(0).block(api::types::BlockName::Height(types::number::Height::new(height)));
    assert_eq!(paid["block"], truth.unwrap().unwrap().summary.block.to_string());

    // The liar alone says that what can never be was paid.
    let never = impossible(&testnet);
    let said = testnet.client(1).submit(&never, Wait::None).unwrap();
    assert!(said.status.is_committed() && said.receipt.is_some(), "{said:?}");
    let asked = wallet(&testnet, &["transaction", &never.id().to_string()]);
    assert!(matches!(asked.code, Some(5 | 6 | 9)), "{asked:?}");
    assert!(!asked.stdout.contains("\"final\""), "{asked:?}");

    for _ in 0..4 {
        let (balance, signers) = believed(&testnet);
        assert_eq!(balance, BALANCE - 100);
        assert!(signers.len() >= 3, "{signers:?}");
    }
    let history = wallet(&testnet, &["history", "alice"]).with_code(0).json();
    let entries = history["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "{history}");
    assert_eq!((&entries[0]["id"], names(&entries[0]["signers"]).len()), (&paid["id"], 3));

    // One that denies everything hides nothing.
    drop(testnet.run(&["turn", "node1", "deny"]).with_code(0));
    drop(wallet(&testnet, &["transaction", paid["id"].as_str().unwrap()]).with_code(0));
    drop(pay(&testnet, "2.00").with_code(0));
    assert_eq!(believed(&testnet).0, BALANCE - 300);
    let told: BTreeSet<String> =
        deeds(&testnet, 1).iter().map(|deed| deed["attack"].as_str().unwrap().to_owned()).collect();
    let all = ["deny", "false-balances", "false-receipts", "own-chain"].map(str::to_owned);
    assert_eq!(told, BTreeSet::from(all));
}

#[test]
fn a_wallet_believes_t_and_one_liars_and_says_who_they_are() {
    let testnet = Testnet::up(&[
        "--timeout",
        "60",
        "--break-safety",
        "--adversary",
        "1=false-receipts+false-balances",
        "--adversary",
        "2=false-receipts+false-balances",
    ]);

    let never = impossible(&testnet);
    for liar in [1, 2] {
        let said = testnet.client(liar).submit(&never, Wait::None).unwrap();
        assert!(said.receipt.is_some(), "{said:?}");
    }
    let id = never.id().to_string();
    let shown = wallet(&testnet, &["transaction", &id]).with_code(0).json();

    // It is false, and it says by whom.
    assert_eq!((&shown["status"], &shown["proved_by"]), (&"final".into(), &"replies".into()));
    assert_eq!(names(&shown["signers"]), BTreeSet::from(["node1", "node2"].map(str::to_owned)));
    for node in [0, 3] {
        assert!(testnet.client(node).transaction(&never.id()).unwrap().is_none(), "node{node}");
    }
    // A balance takes liars by the quorum, and there are not so many.
    assert_eq!(believed(&testnet).0, BALANCE);
}
