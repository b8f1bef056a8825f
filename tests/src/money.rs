//! Transfers between the accounts of a local testnet, made without the wallet.

use api::client::Wait;
use crypto::derivation::Words;
use crypto::keys::SecretKey;
use types::address::Address;
use types::amount::Amount;
use types::memo::Memo;
use types::number::Nonce;
use types::transaction::{Action, SignedTransaction, Transaction, Transfer};

use crate::testnet::Testnet;
use crate::wait::PATIENCE;

/// The words of the accounts of seed 0.
const WORDS: &str = "test test test test test test test test test test test junk";

/// The key of an account of a testnet of seed 0: alice is 0, bob is 1.
///
/// # Panics
///
/// Never: the words have a valid checksum.
pub fn key(account: u32) -> SecretKey {
    Words::parse(WORDS).expect("the words of every test wallet").account(account)
}

/// The address of such an account.
pub fn address(account: u32) -> Address {
    Address::Key(key(account).public_key())
}

/// What such an account has according to a validator, in base units.
///
/// # Panics
///
/// When the validator does not answer.
pub fn balance(testnet: &Testnet, node: usize, account: u32) -> u64 {
    let text = address(account).to_text("rlgt");
    let answer = testnet.client(node).account(&text).expect("the validator answers");
    answer.expect("the accounts of the genesis exist").balance.get()
}

/// Base units from alice to bob, signed with the nonce that a validator says is next.
///
/// # Panics
///
/// When the validator does not answer.
pub fn signed(testnet: &Testnet, node: usize, amount: u64) -> SignedTransaction {
    let client = testnet.client(node);
    let alice = key(0);
    let text = address(0).to_text("rlgt");
    let account = client.account(&text).expect("the validator answers").expect("alice exists");
    let transaction = Transaction {
        chain: *testnet.genesis().chain(),
        sender: address(0),
        nonce: Nonce::new(account.next_nonce.get()),
        valid_until: account.height.saturating_add(1_000),
        action: Action::Transfer(Transfer {
            recipient: address(1),
            amount: Amount::new(amount),
            memo: Memo::default(),
        }),
    };
    SignedTransaction::sign(transaction, &alice)
}

/// Sends base units from alice to bob through a validator, waits until they are committed there, and gives the
/// height.
///
/// # Panics
///
/// When they are not.
pub fn transfer(testnet: &Testnet, node: usize, amount: u64) -> u64 {
    let signed = signed(testnet, node, amount);
    let answer =
        testnet.client(node).submit(&signed, Wait::Committed(PATIENCE)).expect("it is taken in");
    let receipt = answer.receipt.as_ref();
    receipt.unwrap_or_else(|| panic!("it is not committed: {answer:?}")).header.height.get()
}
