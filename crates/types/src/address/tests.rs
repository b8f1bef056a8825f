use bech32::{Bech32, Bech32m, Hrp};
use crypto::encoding::{DecodeError, decode, encode};
use crypto::keys::{KeyError, PublicKey};
use proptest::prelude::*;

use super::{Address, AddressError, PREFIX_BYTES_MAX, check_prefix};
use crate::tests::fixtures::{VECTORS, WEAK_KEY, address};

/// The text of any bytes, with any checksum's constant.
fn text_of(bytes: &[u8]) -> String {
    bech32::encode::<Bech32m>(Hrp::parse("rlgt").unwrap(), bytes).unwrap()
}

fn refusal(text: &str) -> AddressError {
    Address::from_text("rlgt", text).unwrap_err()
}

fn vector(index: usize) -> (Address, &'static str) {
    let (key, text) = VECTORS[index];
    (Address::Key(key.parse().unwrap()), text)
}

#[test]
fn the_vectors_of_independent_software_hold_both_ways() {
    for (address, text) in [vector(0), vector(1)] {
        assert_eq!(address.to_text("rlgt"), text);
        assert_eq!(Address::from_text("rlgt", text), Ok(address));
    }
}

#[test]
fn all_upper_case_is_the_same_address() {
    let (address, text) = vector(0);

    assert_eq!(Address::from_text("rlgt", &text.to_uppercase()), Ok(address));
}

#[test]
fn mixed_case_is_refused() {
    let (_, text) = vector(0);
    let mixed = text.replace('q', "Q");

    assert_eq!(refusal(&mixed), AddressError::MixedCase);
}

#[test]
fn every_single_typing_error_is_found() {
    let (_, text) = vector(0);
    for (index, original) in text.char_indices().skip(5) {
        for other in "qpzry9x8gf2tvdw0s3jn54khce6mua7l".chars() {
            if other == original {
                continue;
            }
            let mut typo = text.to_owned();
            typo.replace_range(index..=index, &other.to_string());
            assert_eq!(refusal(&typo), AddressError::Checksum, "{typo}");
        }
    }
}

#[test]
fn the_address_of_another_network_says_so() {
    let (address, _) = vector(0);
    let other = address.to_text("lgt");

    assert_eq!(
        refusal(&other).to_string(),
        "the address begins with \"lgt\", those of this network begin with \"rlgt\""
    );
    assert_eq!(Address::from_text("lgt", &other), Ok(address));
}

#[test]
fn bech32_without_m_is_taken_for_a_typing_error() {
    let text = bech32::encode::<Bech32>(Hrp::parse("rlgt").unwrap(), &address(1).to_bytes());

    assert_eq!(refusal(&text.unwrap()), AddressError::Checksum);
}

#[test]
fn the_reserved_type_and_unknown_types_say_so() {
    let mut bytes = address(1).to_bytes();
    bytes[0] = 1;
    assert_eq!(refusal(&text_of(&bytes)), AddressError::ReservedType);
    bytes[0] = 2;
    assert_eq!(refusal(&text_of(&bytes)), AddressError::UnknownType { found: 2 });
}

#[test]
fn other_numbers_of_bytes_are_refused() {
    let bytes = address(1).to_bytes();

    for length in [0, 1, 32] {
        let text = text_of(&bytes[..length]);
        assert!(matches!(refusal(&text), AddressError::Length { .. }), "{text}");
    }
    let mut longer = bytes.to_vec();
    longer.push(0);
    assert_eq!(refusal(&text_of(&longer)), AddressError::Length { expected: 64, found: 66 });
    assert_eq!(refusal(&text_of(&[0; 60])), AddressError::TooLong { bytes: 107 });
}

#[test]
fn unused_bits_that_are_not_zero_are_refused() {
    use bech32::Fe32;
    use bech32::primitives::iter::{ByteIterExt as _, Fe32IterExt as _};
    let mut digits: Vec<Fe32> = address(1).to_bytes().into_iter().bytes_to_fes().collect();
    let last = digits.last_mut().unwrap();
    *last = Fe32::try_from(last.to_u8() | 1).unwrap();

    let hrp = Hrp::parse("rlgt").unwrap();
    let text: String = digits.into_iter().with_checksum::<Bech32m>(&hrp).chars().collect();

    assert_eq!(refusal(&text), AddressError::Padding);
}

#[test]
fn what_is_no_address_at_all_says_so() {
    assert_eq!(refusal(""), AddressError::Empty);
    assert_eq!(refusal("alice"), AddressError::NoPrefix);
    assert_eq!(refusal("Alice"), AddressError::NoPrefix);
    assert_eq!(refusal("rlgt1"), AddressError::Length { expected: 64, found: 5 });
    assert_eq!(refusal("1qqqqqq"), AddressError::NoPrefix);
    assert_eq!(refusal("rlgt1bq"), AddressError::Character { found: 'b', position: 6 });
    assert_eq!(refusal("rlgt1é"), AddressError::Character { found: 'é', position: 6 });
}

#[test]
fn unsound_keys_are_refused_when_typed_and_accepted_when_decoded() {
    let weak = Address::Key(PublicKey::from_bytes(WEAK_KEY));
    let not_on_curve = Address::Key(PublicKey::from_bytes([2; 32]));

    assert_eq!(refusal(&weak.to_text("rlgt")), AddressError::WeakKey(KeyError::SmallOrder));
    assert_eq!(refusal(&not_on_curve.to_text("rlgt")), AddressError::WeakKey(KeyError::NotOnCurve));
    assert_eq!(decode(&encode(&weak)), Ok(weak));
}

#[test]
fn the_reserved_type_does_not_decode_and_says_why() {
    let mut bytes = encode(&address(1));
    bytes[0] = 1;
    let reserved: Result<Address, DecodeError> = decode(&bytes);

    assert_eq!(
        reserved.unwrap_err().to_string(),
        "malformed message: addresses of type 1 (multisignature policies) are reserved and not \
         supported yet"
    );
    bytes[0] = 77;
    assert!(decode::<Address>(&bytes).is_err());
}

#[test]
fn an_impossible_prefix_gives_hexadecimal_and_no_panic() {
    let (address, _) = vector(0);

    for prefix in ["", "Mixed", "sp ace", "pre1fix", "é", &"x".repeat(100)] {
        let text = address.to_text(prefix);
        assert_eq!(text, format!("00{}", VECTORS[0].0));
        assert!(Address::from_text(prefix, &text).is_err());
    }
}

#[test]
fn prefixes_are_lower_case_letters() {
    let longest = "x".repeat(PREFIX_BYTES_MAX);

    assert_eq!(check_prefix("rlgt"), Ok(()));
    assert_eq!(check_prefix(&longest), Ok(()));
    assert_eq!(address(1).to_text(&longest).len(), PREFIX_BYTES_MAX + 60);
    for prefix in ["", "RLGT", "r1", "r-t", &"x".repeat(PREFIX_BYTES_MAX + 1)] {
        assert!(check_prefix(prefix).is_err(), "{prefix}");
    }
}

proptest! {
    #[test]
    fn any_key_is_written_and_read_back_or_refused(bytes: [u8; 32], prefix in "[a-z]{1,16}") {
        let key = PublicKey::from_bytes(bytes);
        let address = Address::Key(key);

        let read = Address::from_text(&prefix, &address.to_text(&prefix));

        match key.check() {
            Ok(()) => prop_assert_eq!(read, Ok(address)),
            Err(error) => prop_assert_eq!(read, Err(AddressError::WeakKey(error))),
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,100}|rlgt1[ac-hj-np-z02-9]{59}") {
        if let Ok(address) = Address::from_text("rlgt", &text) {
            prop_assert_eq!(address.to_text("rlgt"), text.to_lowercase());
        }
    }
}
