use proptest::prelude::*;

use super::{Amount, AmountError, DECIMALS_MAX, Denomination, DenominationError};

fn denomination(decimals: u8) -> Denomination {
    Denomination::new("LGT", decimals).unwrap()
}

#[track_caller]
fn assert_parses(decimals: u8, text: &str, base_units: u64) {
    assert_eq!(denomination(decimals).parse(text), Ok(Amount::new(base_units)), "{text}");
}

#[track_caller]
fn refusal(text: &str) -> AmountError {
    denomination(2).parse(text).unwrap_err()
}

#[test]
fn whole_numbers_decimals_and_underscores_are_amounts() {
    assert_parses(2, "12", 1_200);
    assert_parses(2, "12.5", 1_250);
    assert_parses(2, "12.50", 1_250);
    assert_parses(2, "1_000", 100_000);
    assert_parses(2, "1_000_000.05", 100_000_005);
    assert_parses(2, "0", 0);
    assert_parses(2, "007", 700);
    assert_parses(0, "7", 7);
    assert_parses(6, "0.000_001", 1);
    assert_parses(18, "18.446744073709551615", u64::MAX);
    assert_parses(0, "18446744073709551615", u64::MAX);
}

#[test]
fn everything_else_is_refused_with_its_own_reason() {
    assert_eq!(refusal(""), AmountError::Empty);
    assert_eq!(refusal("-1"), AmountError::Sign { found: '-' });
    assert_eq!(refusal("+1"), AmountError::Sign { found: '+' });
    assert_eq!(refusal("\u{2212}1"), AmountError::Sign { found: '\u{2212}' });
    assert_eq!(refusal("1e6"), AmountError::Exponent);
    assert_eq!(refusal("1.5E3"), AmountError::Exponent);
    assert_eq!(refusal("1,000"), AmountError::Comma);
    assert_eq!(refusal("1.2.3"), AmountError::SecondPoint);
    assert_eq!(refusal("1..2"), AmountError::SecondPoint);
    assert_eq!(refusal("."), AmountError::MissingDigit);
    assert_eq!(refusal(".5"), AmountError::MissingDigit);
    assert_eq!(refusal("5."), AmountError::MissingDigit);
    for text in ["_1", "1_", "1__0", "1_.5", "1._5", "_"] {
        assert_eq!(refusal(text), AmountError::Underscore, "{text}");
    }
    for (text, found, position) in [
        ("NaN", 'N', 1),
        ("inf", 'i', 1),
        ("12 ", ' ', 3),
        (" 12", ' ', 1),
        ("0x10", 'x', 2),
        ("12 LGT", ' ', 3),
        ("e6", 'e', 1),
        ("1٣", '٣', 2),
    ] {
        assert_eq!(refusal(text), AmountError::NotANumber { found, position }, "{text}");
    }
}

#[test]
fn decimals_that_do_not_exist_are_refused_and_never_rounded() {
    for text in ["1.001", "1.000", "0.0_0_1"] {
        let refused = refusal(text);

        assert_eq!(refused.to_string(), "3 decimals, LGT has 2");
    }
    assert_eq!(denomination(0).parse("1.0").unwrap_err().to_string(), "1 decimals, LGT has 0");
}

#[test]
fn more_than_the_greatest_amount_is_refused() {
    for text in ["184467440737095516.16", "999999999999999999999999", &"9".repeat(10_000)] {
        assert!(matches!(refusal(text), AmountError::TooLarge { .. }), "{text}");
    }
    assert_eq!(
        refusal("184467440737095516.16").to_string(),
        "the amount is too large, at most 184467440737095516.15 LGT is possible"
    );
    assert_parses(2, "184467440737095516.15", u64::MAX);
}

#[test]
fn amounts_are_written_with_all_decimals() {
    assert_eq!(denomination(2).format(Amount::new(1_250)), "12.50");
    assert_eq!(denomination(2).format(Amount::new(5)), "0.05");
    assert_eq!(denomination(2).format(Amount::ZERO), "0.00");
    assert_eq!(denomination(0).format(Amount::new(12)), "12");
    assert_eq!(denomination(18).format(Amount::new(1)), "0.000000000000000001");
    assert_eq!(denomination(2).format_with_symbol(Amount::new(1_250)), "12.50 LGT");
}

#[test]
fn sums_and_differences_that_do_not_exist_are_none() {
    assert_eq!(Amount::MAX.checked_add(Amount::new(1)), None);
    assert_eq!(Amount::ZERO.checked_sub(Amount::new(1)), None);
    assert_eq!(Amount::new(3).checked_sub(Amount::new(1)), Some(Amount::new(2)));
    assert_eq!(Amount::checked_sum([1, 2, 3].map(Amount::new)), Some(Amount::new(6)));
    assert_eq!(Amount::checked_sum([Amount::MAX, Amount::new(1)]), None);
    assert!(Amount::ZERO.is_zero());
    assert_eq!(format!("{} {:?}", Amount::new(7), Amount::new(7)), "7 Amount(7)");
}

#[test]
fn symbols_and_decimals_are_bounded() {
    for symbol in ["", "1A", "A-B", "TOOLONGASYMBO", "€"] {
        let refused = Denomination::new(symbol, 2).unwrap_err();
        assert!(matches!(refused, DenominationError::Symbol { .. }), "{symbol}");
    }
    assert_eq!(
        Denomination::new("LGT", DECIMALS_MAX + 1),
        Err(DenominationError::Decimals { decimals: 19 })
    );
    assert_eq!(Denomination::new("Lgt2", 18).unwrap().symbol(), "Lgt2");
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(base_units: u64, decimals in 0..=DECIMALS_MAX) {
        let denomination = denomination(decimals);
        let text = denomination.format(Amount::new(base_units));

        prop_assert_eq!(denomination.parse(&text), Ok(Amount::new(base_units)));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[0-9_.eE+, -]{0,24}|\\PC{0,12}", decimals in 0..=DECIMALS_MAX) {
        if let Ok(amount) = denomination(decimals).parse(&text) {
            let plain = text.replace('_', "");
            prop_assert!(plain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
            prop_assert_eq!(denomination(decimals).parse(&plain), Ok(amount));
        }
    }
}
