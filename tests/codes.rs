//! What validators and tools refuse and with which code, by the built programs: reasons to refuse a
//! transaction, exit codes of `logothete`, reasons why a validator does not start.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use api::client::Wait;
use api::types::SubmitStatus;
use crypto::digest::Digest;
use crypto::keys::{PublicKey, SecretKey};
use crypto::signed::ChainId;
use rustix::process::Signal;
use serde_json::Value;
use tests::money::{address, key, transfer};
use tests::programs::{self, Ended};
use tests::testnet::Testnet;
use tests::wait::until_true;
use types::address::Address;
use types::amount::Amount;
use types::memo::Memo;
use types::number::{Height, Nonce};
use types::rejection::Rejection;
use types::transaction::{Action, SignedTransaction, Transaction, Transfer};

/// What every account of a new testnet has, in base units.
const BALANCE: u64 = 100_000_000;

/// Most pending transactions of one account.
const ACCOUNT_TRANSACTIONS_MAX: u64 = 1_024;

/// One base unit from one account of a testnet to another, with one thing changed before it is
/// signed.
fn changed(
    testnet: &Testnet,
    from: u32,
    nonce: u64,
    change: impl FnOnce(&mut Transaction),
) -> SignedTransaction {
    let mut transaction = Transaction {
        chain: *testnet.genesis().chain(),
        sender: address(from),
        nonce: Nonce::new(nonce),
        valid_until: Height::new(1_000),
        action: Action::Transfer(Transfer {
            recipient: address(3),
            amount: Amount::new(1),
            memo: Memo::default(),
        }),
    };
    change(&mut transaction);
    SignedTransaction::sign(transaction, &key(from))
}

fn set_amount(transaction: &mut Transaction, amount: u64) {
    let Action::Transfer(transfer) = &mut transaction.action;
    transfer.amount = Amount::new(amount);
}

/// Four validators of which two are gone, so that nothing is decided and all that is sent stays
/// pending. Alice has used nonce 0; bob waits with nonce 0, and carol with all her nonces.
fn undecided() -> Testnet {
    let testnet = Testnet::up(&[]);
    testnet.level(transfer(&testnet, 0, 1));
    drop(testnet.run(&["kill", "2", "3"]).with_code(0));
    let client = testnet.client(0);
    client.submit(&changed(&testnet, 1, 0, |_| {}), Wait::None).unwrap();
    let all: Vec<_> =
        (0..ACCOUNT_TRANSACTIONS_MAX).map(|nonce| changed(&testnet, 2, nonce, |_| {})).collect();
    for part in all.chunks(512) {
        let answer = client.submit_batch(part).unwrap();
        assert!(answer.results.iter().all(|result| result.code.is_none()), "{answer:?}");
    }
    testnet
}

/// A transaction that is refused for this reason; `None` where no single one is.
fn refused_for(testnet: &Testnet, code: &str) -> Option<SignedTransaction> {
    Some(match code {
        "foreign-chain" => changed(testnet, 0, 1, |wrong| wrong.chain = ChainId::new(Digest::ZERO)),
        "weak-key" => changed(testnet, 0, 1, |wrong| {
            let mut neutral = [0; 32];
            neutral[0] = 1;
            wrong.sender = Address::Key(PublicKey::from_bytes(neutral));
        }),
        "memo-too-long" => changed(testnet, 0, 1, |wrong| {
            let Action::Transfer(transfer) = &mut wrong.action;
            transfer.memo = Memo::new("m".repeat(65));
        }),
        "zero-amount" => changed(testnet, 0, 1, |wrong| set_amount(wrong, 0)),
        "bad-signature" => {
            let mut forged = changed(testnet, 0, 1, |_| {});
            set_amount(&mut forged.transaction, 2);
            forged
        }
        "expired" => changed(testnet, 0, 1, |wrong| wrong.valid_until = Height::new(1)),
        "unknown-sender" => {
            let nobody = SecretKey::from_seed([9; 32]);
            let mut transaction = changed(testnet, 0, 0, |_| {}).transaction;
            transaction.sender = Address::Key(nobody.public_key());
            SignedTransaction::sign(transaction, &nobody)
        }
        "nonce-too-low" => changed(testnet, 0, 0, |wrong| set_amount(wrong, 7)),
        "nonce-too-high" => changed(testnet, 0, 1 + ACCOUNT_TRANSACTIONS_MAX, |_| {}),
        "overdraft" => changed(testnet, 0, 1, |wrong| set_amount(wrong, BALANCE)),
        // This very one of bob waits already: a status, as for everything that is no refusal.
        "already-pending" => changed(testnet, 1, 0, |_| {}),
        "conflicting-nonce" => changed(testnet, 1, 0, |wrong| set_amount(wrong, 2)),
        "account-full" => changed(testnet, 2, ACCOUNT_TRANSACTIONS_MAX, |_| {}),
        // No state that begins with a genesis allows it: all balances are parts of one supply.
        "overflow" => return None,
        // It needs 100,000 transactions of a hundred accounts; `ledger` fills a smaller pool.
        "pool-full" => return None,
        other => panic!("no test provokes {other}"),
    })
}

#[test]
fn every_reason_to_refuse_a_transaction_comes_from_a_validator_with_its_code() {
    let testnet = undecided();
    let client = testnet.client(0);

    for code in Rejection::CODES {
        let Some(transaction) = refused_for(&testnet, code) else { continue };
        match client.submit(&transaction, Wait::None) {
            Ok(answer) => {
                assert_eq!(answer.status, SubmitStatus::AlreadyPending, "{code}");
                assert_eq!(code, "already-pending");
            }
            Err(refusal) => {
                assert_eq!(refusal.code().map(|code| code.as_str()), Some(code), "{refusal}");
            }
        }
    }

    let good = client.submit(&changed(&testnet, 0, 1, |_| {}), Wait::None).unwrap();
    assert_eq!(good.status, SubmitStatus::Pending);
}

/// The exit codes of the reference page and their words.
fn documented_exits() -> Vec<(i32, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/logothete.md");
    let page = fs::read_to_string(page).unwrap();
    let rows = page.lines().skip_while(|line| !line.starts_with("| exit |")).skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            (cells[1].parse().unwrap(), cells[2].trim_matches('`').to_owned())
        })
        .collect()
}

/// What `logothete --json` does that ends with this word.
fn ended_with(word: &str) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let inside = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let run = |arguments: &[&str]| programs::run("logothete", &[&["--json"], arguments].concat());
    match word {
        "done" => run(&["keys", "new", &inside("key")]),
        "fault" => run(&["keys", "show", &inside("none")]),
        "usage" => run(&["status", "--api", "https://127.0.0.1"]),
        "refused" => {
            fs::write(inside("thesis.tex"), "years of work").unwrap();
            run(&["testnet", "up", "--detach", "--dir", &inside("")])
        }
        "unreachable" => run(&["status", "--api", "http://127.0.0.1:1"]),
        "not-found" => run(&["testnet", "status", "--dir", &inside("none")]),
        "timed-out" => Testnet::never_ready().run(&["--json", "up", "--detach", "--timeout", "1"]),
        "contradiction" => {
            let two = [Testnet::up(&["-n", "1"]), Testnet::up(&["-n", "1"])];
            let urls = two.each_ref().map(|testnet| {
                transfer(testnet, 0, 1);
                testnet.client(0).url().to_owned()
            });
            run(&["status", "--api", &urls[0], "--api", &urls[1]])
        }
        "interrupted" => {
            let testnet = Testnet::never_ready();
            let up = testnet.start(&["--json", "up", "--detach"]);
            until_true("both run", || testnet.pids().len() == 2);
            up.signal(Signal::INT);
            up.end()
        }
        other => panic!("nothing ends with {other}"),
    }
}

#[test]
fn the_tool_ends_with_every_exit_code_of_its_reference_page() {
    let exits = documented_exits();
    assert!(exits.len() > 5, "{exits:?}");

    for (exit, word) in exits {
        let ended = ended_with(&word).with_code(exit);

        // What failed is told on standard error; what was found out is a result.
        let error = ended.stderr.lines().find(|line| line.starts_with("{\"error\""));
        if let Some(error) = error {
            let error: Value = serde_json::from_str(error).unwrap();
            assert_eq!(
                (&error["error"]["exit"], &error["error"]["code"]),
                (&exit.into(), &word.into())
            );
        } else {
            assert!(ended.json().is_object(), "{ended:?}");
        }
    }
}

/// Changes a file of a validator's folder, or removes it.
type Spoil = fn(&mut Vec<u8>) -> Option<()>;

fn replace(bytes: &mut Vec<u8>, from: &str, to: &str) -> Option<()> {
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.contains(from), "{text}");
    *bytes = text.replacen(from, to, 1).into_bytes();
    Some(())
}

/// A file, what is wrong with it, and what the validator says to that.
const SPOILT: [(&str, Spoil, &str); 8] = [
    ("config.toml", |_| None, "config.toml"),
    ("config.toml", |bytes| replace(bytes, "data =", "date ="), "did you mean `data`?"),
    ("config.toml", |bytes| replace(bytes, "node0", "node7"), "node7"),
    (
        "../genesis.toml",
        |bytes| replace(bytes, "batch_delay_ms = 20", "batch_delay_ms = 21"),
        "belongs to chain ",
    ),
    (
        "validator.key",
        |bytes| {
            bytes[..64].fill(b'7');
            Some(())
        },
        "validator.key",
    ),
    (
        "data/journal",
        |bytes| {
            bytes[100] ^= 1;
            Some(())
        },
        "the vote journal ",
    ),
    (
        "data/journal",
        |bytes| {
            bytes.truncate(72);
            Some(())
        },
        "was cut: it ends at byte 72",
    ),
    ("data/store/tip", |_| None, "the block store "),
];

#[test]
fn a_validator_whose_files_are_not_its_own_or_not_whole_says_so_and_does_not_start() {
    let testnet = Testnet::up(&["-n", "1"]);
    for _ in 0..3 {
        transfer(&testnet, 0, 1);
    }
    drop(testnet.run(&["down"]).with_code(0));
    let folder = testnet.node(0);
    let config = folder.join("config.toml");
    let start = || programs::run("logothete", &["validator", "--config", config.to_str().unwrap()]);

    for (name, spoil, text) in SPOILT {
        let file = folder.join(name);
        let (sound, permissions) =
            (fs::read(&file).unwrap(), fs::metadata(&file).unwrap().permissions());
        let mut spoilt = sound.clone();
        match spoil(&mut spoilt) {
            Some(()) => fs::write(&file, spoilt).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }

        let ended = start().with_code(1);

        let last = ended.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("error: ") && last.contains(text), "{name}: {ended:?}");
        fs::write(&file, sound).unwrap();
        fs::set_permissions(&file, permissions).unwrap();
    }

    drop(testnet.run(&["up", "--detach"]).with_code(0));
    assert_eq!(testnet.level(3), 3);
}

#[test]
fn a_validator_whose_port_is_taken_says_which_and_does_not_start() {
    let testnet = Testnet::up(&["-n", "1"]);
    drop(testnet.run(&["down"]).with_code(0));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let config = testnet.node(0).join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    let to = format!("api_listen = \"{address}\"");
    fs::write(&config, text.replace("api_listen = \"127.0.0.1:0\"", &to)).unwrap();

    let ended = programs::run("logothete", &["validator", "--config", config.to_str().unwrap()]);

    let ended = ended.with_code(1);
    assert!(ended.stderr.contains(&format!("HTTP API on {address}")), "{ended:?}");
}
