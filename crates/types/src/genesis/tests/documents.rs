//! Documents, written and read.

use super::{builder, genesis};
use crate::genesis::Genesis;
use crate::tests::fixtures;
use crate::{Address, Amount};
use crypto::digest::{Domain, digest};
use crypto::keys::SecretKey;
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn a_document_parses_back_to_the_same_genesis() {
    let read = Genesis::parse(&genesis().to_toml()).unwrap();

    assert_eq!(read, genesis());
    assert_eq!(read.chain(), genesis().chain());
    assert_eq!(read.to_toml(), genesis().to_toml());
}

#[test]
fn every_key_of_a_document_has_a_comment() {
    let document = genesis().to_toml();
    let mut explained = Vec::new();
    let mut above = "";
    for line in document.lines() {
        let key = line.split(" = ").next().unwrap();
        if line.contains(" = ") && !explained.contains(&key) {
            assert!(above.starts_with("# "), "{line:?} has no comment");
            explained.push(key);
        }
        above = line;
    }

    let expected = [
        "name",
        "prefix",
        "symbol",
        "decimals",
        "window_heights",
        "block_transactions_max",
        "block_bytes_max",
        "batch_delay_ms",
        "view_timeout_ms",
        "snapshot_interval_blocks",
        "clock_drift_max_ms",
        "key",
        "peer_id",
        "address",
        "balance",
    ];
    assert_eq!(explained, expected);
}

#[test]
fn comments_layout_and_spelling_of_numbers_do_not_change_the_chain_id() {
    let document = genesis().to_toml();
    let bare: String = document
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| format!("  {line}  # noted\r\n"))
        .collect();
    let spelled = bare
        .replace("block_transactions_max = 4000", "block_transactions_max = 0xfa0")
        .replace("balance = \"200000.00\"", "balance = \"200_000\"")
        .replace("rlgt1", "RLGT1");
    assert_ne!(spelled, bare);
    let spelled: String = spelled
        .lines()
        .map(|line| match line.split_once("RLGT1") {
            Some(_) => line.to_uppercase().replace("ADDRESS", "address") + "\n",
            None => line.to_owned() + "\n",
        })
        .collect();

    assert_eq!(Genesis::parse(&spelled).unwrap().chain(), genesis().chain());
}

#[test]
fn ten_thousand_accounts_are_written_and_read() {
    let mut builder = builder();
    builder.accounts = (0..10_000_u32)
        .map(|number| {
            let seed = digest(Domain::SeedDerivation, &number.to_le_bytes());
            let key = SecretKey::from_seed(*seed.as_bytes()).public_key();
            (Address::Key(key), Amount::new(u64::from(number)))
        })
        .collect();
    let genesis = builder.build().unwrap();

    let read = Genesis::parse(&genesis.to_toml()).unwrap();

    assert_eq!(read, genesis);
    assert_eq!(read.accounts().len(), 10_000);
}

#[test]
fn the_template_of_the_repository_is_sound_and_up_to_date() {
    let template = include_str!("../../../../../genesis/local.toml");

    let genesis = Genesis::parse(template).unwrap();

    assert_eq!(genesis.name(), "local-template");
    assert_eq!(genesis.validators().len(), 4);
    let first = Address::from_text("rlgt", fixtures::VECTORS[0].1).unwrap();
    assert_eq!(genesis.accounts()[0].address, first);
    let (_, document) = template.split_once("\n\n").unwrap();
    assert_eq!(document, genesis.to_toml());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_reasons(
        places in vec((any::<prop::sample::Index>(), "\\PC{0,3}|[\\[\\]{}=\".#,0-9\n\r]{1,4}"), 1..4),
    ) {
        let mut document = genesis().to_toml();
        for (place, text) in places {
            let ends: Vec<usize> = document.char_indices().map(|(at, _)| at).collect();
            let at = *place.get(&ends);
            document.insert_str(at, &text);
        }

        match Genesis::parse(&document) {
            Ok(read) => prop_assert_eq!(Genesis::parse(&read.to_toml()).unwrap(), read),
            Err(errors) => prop_assert!(!errors.problems().is_empty()),
        }
    }
}
