//! Text of fixed-size values.

use super::*;

#[test]
fn either_case_reads_and_lower_case_is_written() {
    assert_eq!(parse::<3>("00aBfF"), Ok([0, 0xab, 0xff]));
    assert_eq!(format(&[0, 0xab, 0xff]), "00abff");
}

#[test]
fn another_length_is_refused_with_both_numbers() {
    let refused = parse::<2>("00112");

    assert_eq!(refused, Err(HexError::Length { expected: 4, found: 5 }));
    assert_eq!(refused.unwrap_err().to_string(), "expected 4 hexadecimal characters, found 5");
}

#[test]
fn a_foreign_character_is_refused_with_its_position() {
    assert_eq!(parse::<2>("00g0"), Err(HexError::Character { position: 3 }));
    assert_eq!(parse::<2>("00 0"), Err(HexError::Character { position: 3 }));
    // Two bytes of UTF-8 that have the right length together.
    assert_eq!(parse::<1>("é"), Err(HexError::Character { position: 1 }));
}
