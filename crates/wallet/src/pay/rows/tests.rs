use crypto::keys::SecretKey;
use proptest::collection::vec;
use proptest::prelude::*;
use types::{Address, Amount, Denomination};

use super::{Payments, ROWS_MAX};
use crate::exit::Exit;

fn address(seed: u8) -> Address {
    Address::Key(SecretKey::from_seed([seed; 32]).public_key())
}

fn parse(text: &str) -> Result<Payments, Vec<String>> {
    let denomination = Denomination::new("LGT", 2).unwrap();
    let resolve = |who: &str| match who {
        "bob" => Ok(address(1)),
        "carol" => Ok(address(2)),
        other => Err(format!("{other:?} is neither a name nor an address")),
    };
    Payments::parse(text.as_bytes(), &denomination, resolve)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

#[test]
fn rows_come_in_the_order_of_the_file_with_their_lines() {
    let payments =
        parse("to,amount,memo\nbob,12.50,rent\n\ncarol,1_000,\"a, b\"\nbob,1\n").unwrap();

    let lines: Vec<_> = payments.rows.iter().map(|row| row.line).collect();
    let amounts: Vec<_> = payments.rows.iter().map(|row| row.amount.get()).collect();
    let memos: Vec<_> = payments.rows.iter().map(|row| row.memo.text()).collect();
    assert_eq!(lines, [2, 4, 5]);
    assert_eq!(amounts, [1_250, 100_000, 100]);
    assert_eq!(memos, ["rent", "a, b", ""]);
    assert_eq!(payments.total, Amount::new(101_350));
    assert_eq!(payments.rows[1].recipient, address(2));
}

#[test]
fn columns_may_stand_in_any_order_and_spreadsheets_are_understood() {
    let payments = parse("\u{FEFF}amount , to\r\n 5 , bob \r\n").unwrap();

    assert_eq!(payments.rows[0].amount, Amount::new(500));
    assert_eq!(payments.rows[0].to, "bob");
}

#[test]
fn the_digest_is_the_one_sha256sum_prints() {
    let payments = parse("to,amount\nbob,1\n").unwrap();

    assert_eq!(payments.sha256, "856857071f3b9992b943d4a436c30e52c78880821420c899eac097486cfd07a7",);
}

#[test]
fn every_error_of_a_file_is_told_with_its_line() {
    let long = "m".repeat(65);

    let errors = parse(&format!(
        "to,amount,memo\nbob,0\nbob,-1\nnobody,1\nbob,1.234\nbob,1,{long}\nbob\nbob,1,a,b\nbob,1,ok\n"
    ))
    .unwrap_err();

    assert_eq!(errors.len(), 7, "{errors:#?}");
    let starts =
        ["line 2: the amount is zero", "line 3: ", "line 4: \"nobody\"", "line 5: 3 decimals"];
    for (error, start) in errors.iter().zip(starts) {
        assert!(error.starts_with(start), "{error}");
    }
    assert_eq!(errors[4], "line 6: the memo has 65 bytes, at most 64 are allowed");
    assert_eq!(errors[5], "line 7: 1 value, the first line has 3 columns");
    assert_eq!(errors[6], "line 8: 4 values, the first line has 3 columns");
}

#[test]
fn a_file_without_its_first_line_is_refused() {
    for (text, expected) in [
        ("bob,12.50\n", "line 1: \"bob\" is no column"),
        ("to,amount,note\n", "line 1: \"note\" is no column"),
        ("to,memo\n", "line 1: the column amount is missing"),
        ("to,to,amount\n", "line 1: the column to is there twice"),
        ("", "line 1: the column to is missing"),
        ("to,amount\n", "line 2: there are no rows"),
    ] {
        let errors = parse(text).unwrap_err();
        assert!(errors[0].starts_with(expected), "{text:?}: {errors:?}");
    }
}

#[test]
fn bytes_that_are_no_text_name_their_line() {
    let denomination = Denomination::new("LGT", 2).unwrap();
    let bytes = b"to,amount\nbob,1\nb\xFFb,1\n";

    let errors = Payments::parse(bytes, &denomination, |_| Ok(address(1))).unwrap_err();

    assert_eq!(errors[0].to_string(), "line 3: value 1 is not UTF-8 text");
}

#[test]
fn a_sum_beyond_any_supply_is_refused() {
    let errors = parse("to,amount\nbob,184467440737095516.15\ncarol,0.01\n").unwrap_err();

    assert_eq!(errors, ["line 3: the sum of all amounts is larger than any supply"]);
}

#[test]
fn too_many_rows_are_refused() {
    let mut text = "to,amount\n".to_owned();
    text.push_str(&"bob,1\n".repeat(ROWS_MAX + 1));

    let errors = parse(&text).unwrap_err();

    assert_eq!(errors, [format!("line {}: more than {ROWS_MAX} rows", ROWS_MAX + 2)]);
}

#[test]
fn a_missing_file_is_an_error_of_usage() {
    let denomination = Denomination::new("LGT", 2).unwrap();
    let path = std::path::Path::new("/nonexistent/payments.csv");

    let failure = Payments::read(path, &denomination, |_| Ok(address(1))).unwrap_err();

    assert_eq!(failure.exit, Exit::Usage);
    assert!(failure.text.contains("payments.csv"), "{failure}");
}

proptest! {
    #[test]
    fn no_file_makes_the_reader_panic(
        bytes in vec(any::<u8>(), 0..200),
        text in "[to,amuntbrc0-9.\"\r\n]{0,80}",
    ) {
        let denomination = Denomination::new("LGT", 2).unwrap();
        for file in [bytes, format!("to,amount\n{text}").into_bytes()] {
            if let Ok(payments) = Payments::parse(&file, &denomination, |_| Ok(address(1))) {
                prop_assert!(!payments.rows.is_empty());
                prop_assert!(payments.rows.iter().all(|row| !row.amount.is_zero() && row.line > 1));
            }
        }
    }
}
