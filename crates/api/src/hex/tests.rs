use crypto::encoding::DecodeError;
use proptest::prelude::*;
use types::transaction::SignedTransaction;

use super::{WireTextError, from_hex_wire, to_hex_wire};
use crate::tests::network;

#[test]
fn what_is_written_is_read_back_in_either_case() {
    let transaction = network::transfer(0, 1, 0);
    let text = to_hex_wire(&transaction);

    assert!(text.starts_with("01"));
    assert_eq!(from_hex_wire(&text, 1_000), Ok(transaction.clone()));
    assert_eq!(from_hex_wire(&text.to_uppercase(), 1_000), Ok(transaction));
}

#[test]
fn a_text_is_judged_by_its_length_before_it_is_read() {
    let text = "g".repeat(22);

    assert_eq!(
        from_hex_wire::<SignedTransaction>(&text, 10),
        Err(WireTextError::Bytes(DecodeError::TooLong { bytes: 11, bytes_max: 10 }))
    );
    assert_eq!(
        from_hex_wire::<SignedTransaction>(&text, 11),
        Err(WireTextError::NotHexadecimal { position: 1 })
    );
}

proptest! {
    #[test]
    fn any_text_is_a_value_or_refused(text in ".{0,200}") {
        drop(from_hex_wire::<SignedTransaction>(&text, 1_000));
    }

    #[test]
    fn any_bytes_that_decode_are_the_only_text_of_their_value(
        edits in prop::collection::vec((any::<prop::sample::Index>(), "[0-9a-f]"), 0..4),
    ) {
        let mut text = to_hex_wire(&network::transfer(0, 1, 0));
        for (at, digit) in edits {
            let at = at.index(text.len());
            text.replace_range(at..=at, &digit);
        }
        if let Ok(value) = from_hex_wire::<SignedTransaction>(&text, 1_000) {
            prop_assert_eq!(to_hex_wire(&value), text);
        }
    }
}
