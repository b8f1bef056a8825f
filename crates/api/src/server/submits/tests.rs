use proptest::prelude::*;

use super::{BATCH_TRANSACTIONS_MAX, read_batch};
use crate::hex;
use crate::problem::Code;
use crate::tests::network;

fn list(texts: &[&str]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("\"{text}\"")).collect();
    format!("{{ \"transactions\" : [ {} ] }}", quoted.join(" , "))
}

#[test]
fn a_batch_is_read_in_order_and_what_is_no_transaction_keeps_its_place() {
    let wire = hex::to_hex_wire(&network::transfer(0, 1, 5));

    let batch = read_batch(list(&["zz", &wire, ""]).as_bytes()).ok().unwrap();

    let ids: Vec<_> = batch
        .decoded
        .iter()
        .map(|decoded| decoded.as_ref().map(|signed| signed.id()).ok())
        .collect();
    assert_eq!(ids, [None, Some(network::transfer(0, 1, 5).id()), None]);
}

#[test]
fn no_more_than_the_most_are_decoded_however_many_come() {
    let texts = vec![""; BATCH_TRANSACTIONS_MAX * 3];

    let batch = read_batch(list(&texts).as_bytes()).ok().unwrap();

    assert_eq!(batch.decoded.len(), BATCH_TRANSACTIONS_MAX);
    assert_eq!(batch.found, texts.len());
}

#[test]
fn a_text_with_escapes_is_read_as_json_means_it() {
    let wire = hex::to_hex_wire(&network::transfer(0, 1, 5));
    let escaped = wire.replacen('0', "\\u0030", 1);

    let batch = read_batch(list(&[&escaped]).as_bytes()).ok().unwrap();

    assert!(batch.decoded[0].is_ok());
}

proptest! {
    #[test]
    fn any_bytes_are_a_batch_or_malformed(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(problem) = read_batch(&bytes) {
            prop_assert_eq!(problem.known_code(), Some(Code::MalformedJson));
        }
    }

    #[test]
    fn any_texts_keep_their_number(texts in prop::collection::vec("[0-9a-f]{0,40}", 0..50)) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let batch = read_batch(list(&texts).as_bytes()).ok().unwrap();
        prop_assert_eq!(batch.found, texts.len());
        prop_assert_eq!(batch.decoded.len(), texts.len());
    }
}
