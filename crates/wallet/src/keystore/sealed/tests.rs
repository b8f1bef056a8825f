use crypto::derivation::Words;
use data_encoding::HEXLOWER;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{
    ACCOUNT_MAX, Aead, Cost, Fresh, HEADER_BYTES, Payload, SEALED_BYTES_MAX, SealedError,
    SealedKey, XNonce, entropy_of, words_of,
};

const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
const FRESH: Fresh = Fresh { salt: [7; 16], nonce: [9; 24] };
const JUNK: &str = "test test test test test test test test test test test junk";

fn sealed() -> SealedKey {
    SealedKey::seal(&Words::parse(JUNK).unwrap(), 0, "password", CHEAP, FRESH).unwrap()
}

#[test]
fn every_number_of_words_comes_back() {
    for bytes in [16, 20, 24, 28, 32] {
        let words = words_of(&vec![0xA5; bytes]).unwrap();

        let file = SealedKey::seal(&words, 3, "password", CHEAP, FRESH).unwrap();
        let read = SealedKey::parse(&file.to_bytes()).unwrap();

        assert_eq!(read, file);
        assert_eq!(read.words_count(), bytes / 4 * 3);
        assert_eq!(read.open("password").unwrap().as_str(), words.as_str());
        assert!(u64::try_from(file.to_bytes().len()).unwrap() <= SEALED_BYTES_MAX);
    }
}

#[test]
fn a_wrong_password_opens_nothing() {
    for wrong in ["", "Password", "password ", "passwor"] {
        assert_eq!(sealed().open(wrong).unwrap_err(), SealedError::Authentication, "{wrong:?}");
    }
}

#[test]
fn no_byte_can_be_changed_without_the_password() {
    let bytes = sealed().to_bytes();
    assert!(bytes.len() > HEADER_BYTES);

    for position in 0..bytes.len() {
        for flip in [0x01, 0x80] {
            let mut changed = bytes.clone();
            changed[position] ^= flip;

            let opened = SealedKey::parse(&changed).and_then(|file| file.open("password"));

            assert!(opened.is_err(), "byte {position} flipped by {flip:#x} was accepted");
        }
    }
}

#[test]
fn every_other_length_is_refused() {
    let mut bytes = sealed().to_bytes();
    for length in 0..bytes.len() {
        assert!(SealedKey::parse(&bytes[..length]).is_err(), "{length}");
    }

    bytes.push(0);

    assert_eq!(SealedKey::parse(&bytes).unwrap_err(), SealedError::Length(bytes.len()));
}

#[test]
fn a_file_cannot_ask_for_all_memory() {
    let mut bytes = sealed().to_bytes();
    bytes[9..13].copy_from_slice(&u32::MAX.to_le_bytes());

    let refused = SealedKey::parse(&bytes).unwrap_err();

    assert!(matches!(refused, SealedError::Cost { memory_kib: u32::MAX, .. }));
}

#[test]
fn an_account_that_no_path_can_name_is_refused() {
    let mut bytes = sealed().to_bytes();
    let account = ACCOUNT_MAX + 1;
    bytes[HEADER_BYTES - 36..HEADER_BYTES - 32].copy_from_slice(&account.to_le_bytes());

    assert_eq!(SealedKey::parse(&bytes).unwrap_err(), SealedError::Account(account));
}

#[test]
fn words_that_are_not_those_of_the_public_key_are_refused_even_when_sealed_with_it() {
    let words = Words::parse(JUNK).unwrap();
    let mut file = sealed();
    file.public_key = words.account(1).public_key();
    let (entropy, header) = (entropy_of(&words).unwrap(), file.header());
    let payload = Payload { msg: &entropy, aad: &header };
    let cipher = file.cipher("password").unwrap();
    file.sealed = cipher.encrypt(&XNonce::from(file.fresh_nonce), payload).unwrap();

    assert_eq!(file.open("password").unwrap_err(), SealedError::Mismatch);
}

#[test]
fn a_later_version_is_told_from_damage() {
    let mut bytes = sealed().to_bytes();
    bytes[8] = 2;

    assert_eq!(SealedKey::parse(&bytes).unwrap_err(), SealedError::Version(2));
    assert_eq!(SealedKey::parse(b"{\"kty\":1}").unwrap_err(), SealedError::NotAKeyFile);
}

#[test]
fn the_standard_cost_is_the_documented_one() {
    assert_eq!(Cost::STANDARD, Cost { memory_kib: 65_536, passes: 3, lanes: 4 });
    assert!(Cost::STANDARD.bearable());
}

/// Made with independent software (Argon2id of OpenSSL, HChaCha20 by its definition,
/// ChaCha20-Poly1305 of OpenSSL) at the cost and the salt of [`sealed`]. No later version may fail
/// to open it.
const GOLDEN: &str = "\
    4c4754484b45590a01400000000100000001000000070707070707070707070707070707070909090909090909 \
    09090909090909090909090909090909000000001bf802a110a26faf784a4bd51d867baac24bf832ebd724bf40 \
    cc129fd848018c44dfc02127aa2349a2c4a2de422031e17226465bf4d3f122b5ca7312bfe9bfe6";

/// The same words at the cost that new files have; salt 00 01 … 0f, nonce 00 01 … 17.
const GOLDEN_STANDARD: &str = "\
    4c4754484b45590a01000001000300000004000000000102030405060708090a0b0c0d0e0f0001020304050607 \
    08090a0b0c0d0e0f1011121314151617000000001bf802a110a26faf784a4bd51d867baac24bf832ebd724bf40 \
    cc129fd848018cf43e88fb9fd441fe1a96c66e33f3b43d71b2609494c3191a4b97daa171995271";

fn golden(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.replace(' ', "").as_bytes()).unwrap()
}

#[test]
fn an_old_key_file_opens_for_ever() {
    for text in [GOLDEN, GOLDEN_STANDARD] {
        let file = SealedKey::parse(&golden(text)).unwrap();

        assert_eq!(file.open("password").unwrap().as_str(), JUNK);
        assert_eq!(
            file.public_key().to_string(),
            "1bf802a110a26faf784a4bd51d867baac24bf832ebd724bf40cc129fd848018c",
        );
    }
}

#[test]
fn a_new_key_file_has_the_bytes_that_other_software_makes() {
    assert_eq!(sealed().to_bytes(), golden(GOLDEN));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic_and_what_it_reads_it_writes(
        bytes in vec(any::<u8>(), 0..300),
        with_magic in any::<bool>(),
    ) {
        let mut bytes = bytes;
        if with_magic {
            bytes.splice(..0, *b"LGTHKEY\n\x01");
        }
        if let Ok(file) = SealedKey::parse(&bytes) {
            prop_assert_eq!(file.to_bytes(), bytes);
        }
    }
}
