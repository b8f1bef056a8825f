//! Writes a genesis as the document it could have been read from.

use std::fmt::{self, Write as _};

use crate::genesis::Content;
use crate::parameters::KEYS;

/// A key of the document and the comment it gets.
#[derive(Debug, Clone, Copy)]
pub(super) struct DocumentKey {
    pub(super) name: &'static str,
    comment: &'static str,
}

const fn key(name: &'static str, comment: &'static str) -> DocumentKey {
    DocumentKey { name, comment }
}

/// The keys of the whole document, in order.
pub(super) const ROOT_KEYS: [DocumentKey; 7] = [
    key("name", "the network's name: 1 to 32 lower-case letters, digits and hyphens"),
    key("prefix", "what addresses begin with: 1 to 16 lower-case letters"),
    key("symbol", "what the money is called: 1 to 12 letters and digits, a letter first"),
    key("decimals", "digits after the decimal point of amounts, 0 to 18"),
    key("parameters", "numbers that all validators must have the same"),
    key("validators", "who agrees: replicas 0, 1, 2, … in this order, 1 to 128 of them"),
    key(
        "accounts",
        "who has what at the start, in the order of account numbers; the sum never changes",
    ),
];

/// The keys of a validator, in order.
pub(super) const VALIDATOR_KEYS: [DocumentKey; 3] = [
    key("name", "a name for people: 1 to 32 lower-case letters, digits and hyphens"),
    key("key", "the Ed25519 public key its votes are checked with, 64 hexadecimal digits"),
    key("peer_id", "the libp2p peer id of its node, made from another Ed25519 key"),
];

/// The keys of an account, in order.
pub(super) const ACCOUNT_KEYS: [DocumentKey; 2] = [
    key("address", "whose account it is"),
    key("balance", "what is in it, as text, in whole units: \"1_000.00\""),
];

/// The document. Nothing in it needs escaping: checked contents have plain names and texts.
pub(super) fn document(content: &Content) -> String {
    let mut text = String::new();
    // Writing into a string never fails; the result only exists because the trait is also for other
    // sinks.
    let written = write_document(&mut text, content);
    debug_assert_eq!(written, Ok(()), "a string takes everything");
    text
}

fn write_document(out: &mut String, content: &Content) -> fmt::Result {
    let [name, prefix, symbol, decimals, parameters, validators, accounts] = ROOT_KEYS;
    writeln!(
        out,
        "# Genesis of a Logothete network. Everybody who takes part needs the same content;\n\
         # its digest is the chain id. Comments and layout do not count, and nothing here is secret."
    )?;
    write_key(out, name, format_args!("{:?}", content.name))?;
    write_key(out, prefix, format_args!("{:?}", content.prefix))?;
    write_key(out, symbol, format_args!("{:?}", content.denomination.symbol()))?;
    write_key(out, decimals, format_args!("{}", content.denomination.decimals()))?;

    writeln!(out, "\n# {}", parameters.comment)?;
    writeln!(out, "[parameters]")?;
    for (key, value) in KEYS.iter().zip(content.parameters.values()) {
        writeln!(out, "# {} ({} to {})", key.comment, key.min, key.max)?;
        writeln!(out, "{} = {value}", key.name)?;
    }

    writeln!(out, "\n# {}", validators.comment)?;
    for (index, validator) in content.validators.iter().enumerate() {
        let [name, key, peer_id] = VALIDATOR_KEYS.map(|key| first_commented(key, index));
        writeln!(out, "[[validators]]")?;
        write_key(out, name, format_args!("{:?}", validator.name))?;
        write_key(out, key, format_args!("\"{}\"", validator.key))?;
        write_key(out, peer_id, format_args!("{:?}", validator.peer_id))?;
        writeln!(out)?;
    }

    writeln!(out, "# {}", accounts.comment)?;
    for (index, account) in content.accounts.iter().enumerate() {
        let [address, balance] = ACCOUNT_KEYS.map(|key| first_commented(key, index));
        let text = account.address.to_text(&content.prefix);
        let amount = content.denomination.format(account.balance);
        writeln!(out, "[[accounts]]")?;
        write_key(out, address, format_args!("{text:?}"))?;
        write_key(out, balance, format_args!("{amount:?}"))?;
    }
    Ok(())
}

/// In a list only the first entry explains its keys.
const fn first_commented(key: DocumentKey, index: usize) -> DocumentKey {
    DocumentKey { name: key.name, comment: if index == 0 { key.comment } else { "" } }
}

fn write_key(out: &mut String, key: DocumentKey, value: fmt::Arguments<'_>) -> fmt::Result {
    if !key.comment.is_empty() {
        writeln!(out, "# {}", key.comment)?;
    }
    writeln!(out, "{} = {value}", key.name)
}
