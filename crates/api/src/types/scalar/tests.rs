use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use types::amount::Amount;
use types::number::{Height, Nonce};
use types::transaction::TransactionId;

use super::{JSON_INTEGER_MAX, parse_decimal};
use crate::tests::network;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Values {
    #[serde(with = "super::whole")]
    height: Height,
    #[serde(with = "super::whole_option", default, skip_serializing_if = "Option::is_none")]
    nonce: Option<Nonce>,
    #[serde(with = "super::base_units")]
    amount: Amount,
    #[serde(with = "super::text_list")]
    ids: Vec<TransactionId>,
}

fn values(height: u64, nonce: Option<u64>, amount: u64) -> Values {
    Values {
        height: Height::new(height),
        nonce: nonce.map(Nonce::new),
        amount: Amount::new(amount),
        ids: vec![network::transfer(0, 1, 0).id()],
    }
}

#[test]
fn integers_are_numbers_up_to_two_to_the_53_and_text_above() {
    for (value, json) in [
        (0, "0".to_owned()),
        (JSON_INTEGER_MAX, "9007199254740992".to_owned()),
        (JSON_INTEGER_MAX + 1, "\"9007199254740993\"".to_owned()),
        (u64::MAX, format!("\"{}\"", u64::MAX)),
    ] {
        let text = serde_json::to_string(&values(value, Some(value), 1)).unwrap();
        assert!(text.contains(&format!("\"height\":{json},\"nonce\":{json},")), "{text}");
    }
}

#[test]
fn both_forms_of_an_integer_are_read_and_nothing_else() {
    let read = |height: &str| {
        let text = format!("{{\"height\":{height},\"amount\":\"1\",\"ids\":[]}}");
        serde_json::from_str::<Values>(&text).map(|values| values.height.get())
    };

    assert_eq!(read("7").ok(), Some(7));
    assert_eq!(read("\"7\"").ok(), Some(7));
    assert_eq!(read("18446744073709551615").ok(), Some(u64::MAX));
    for wrong in ["-1", "1.0", "1e3", "\"\"", "\"+1\"", "\" 1\"", "null", "18446744073709551616"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn amounts_are_text_and_never_numbers() {
    let text = serde_json::to_string(&values(1, None, u64::MAX)).unwrap();

    assert!(text.contains("\"amount\":\"18446744073709551615\""));
    assert!(!text.contains("nonce"));
    let number = "{\"height\":1,\"amount\":1,\"ids\":[]}";
    assert!(serde_json::from_str::<Values>(number).is_err());
}

#[test]
fn decimal_text_is_digits_and_nothing_else() {
    assert_eq!(parse_decimal("0042"), Some(42));
    for wrong in ["", "+1", "-1", "1_000", "1 ", "\u{661}", "18446744073709551616"] {
        assert_eq!(parse_decimal(wrong), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        height in any::<u64>(),
        nonce in any::<Option<u64>>(),
        amount in any::<u64>(),
    ) {
        let values = values(height, nonce, amount);
        let text = serde_json::to_string(&values).unwrap();
        prop_assert_eq!(serde_json::from_str::<Values>(&text).unwrap(), values);
    }
}
