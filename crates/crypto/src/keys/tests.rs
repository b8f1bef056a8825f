//! RFC 8032 signing, and which keys may enter.

use super::*;
use crate::digest::{Domain, digest};
use crate::encoding;
use crate::vectors::{self, Rfc8032, SMALL_ORDER, bytes};

/// A y-coordinate in little endian with its low byte, all other bytes and its high byte given.
fn encoded(low: u8, middle: u8, high: u8) -> PublicKey {
    let mut bytes = [middle; 32];
    bytes[0] = low;
    bytes[31] = high;
    PublicKey::from_bytes(bytes)
}

#[test]
fn signing_gives_the_signatures_of_rfc_8032() {
    for vector in vectors::read::<Vec<Rfc8032>>("rfc8032.json").unwrap_or_default() {
        let secret = SecretKey::from_seed(bytes(&vector.seed).try_into().unwrap());

        assert_eq!(secret.public_key().to_string(), vector.public_key);
        assert_eq!(secret.public_key().check(), Ok(()));
        let signature = secret.sign_bytes(&bytes(&vector.message));
        assert_eq!(signature.to_string(), vector.signature);
    }
}

#[test]
fn a_signer_signs_the_32_bytes_of_the_digest() {
    let secret = SecretKey::from_seed([7; 32]);
    let message = digest(Domain::SignedVote, b"vote");

    let signature = Signer::sign(&secret, &message);

    assert_eq!(signature, secret.sign_bytes(message.as_bytes()));
    assert_eq!(Signer::public_key(&secret), secret.public_key());
}

#[test]
fn keys_of_seeds_may_enter() {
    for seed in 0..=255 {
        let key = SecretKey::from_seed([seed; 32]).public_key();
        assert_eq!(key.check(), Ok(()));
    }
}

#[test]
fn every_encoding_of_a_small_order_point_is_refused() {
    for text in SMALL_ORDER {
        let key: PublicKey = text.parse().unwrap();
        assert_eq!(key.check(), Err(KeyError::SmallOrder), "{text}");
    }
}

#[test]
fn every_encoding_above_the_field_is_refused() {
    // y = p + 2 .. p + 18 with both signs: the encodings of y = 2 .. 18 that are not canonical.
    let verdicts: Vec<Result<(), KeyError>> = (0xef..=0xff)
        .flat_map(|low| [encoded(low, 0xff, 0x7f), encoded(low, 0xff, 0xff)])
        .map(|key| key.check())
        .collect();

    assert_eq!(verdicts.len(), 34);
    for (verdict, y) in verdicts.iter().zip((2..=18_u8).flat_map(|y| [y, y])) {
        let canonical = encoded(y, 0, 0).check();
        match canonical {
            Ok(()) => assert_eq!(*verdict, Err(KeyError::NotCanonical)),
            Err(refused) => assert_eq!(*verdict, Err(refused)),
        }
    }
    assert!(verdicts.contains(&Err(KeyError::NotCanonical)));
    assert!(verdicts.contains(&Err(KeyError::NotOnCurve)));
}

#[test]
fn bytes_off_the_curve_are_refused() {
    assert_eq!(encoded(2, 0, 0).check(), Err(KeyError::NotOnCurve));
    let refused = (0..=255)
        .filter(|low| encoded(*low, 0x55, 0x55).check() == Err(KeyError::NotOnCurve))
        .count();
    assert!((64..192).contains(&refused), "about half of all bytes, found {refused}");
}

#[test]
fn any_bytes_decode_as_a_key_and_as_a_signature() {
    let key: PublicKey = encoding::decode(&[0xff; 32]).unwrap();
    let signature: Signature = encoding::decode(&[0xff; 64]).unwrap();

    assert_eq!(encoding::encode(&key), [0xff; 32]);
    assert_eq!(encoding::encode(&signature), [0xff; 64]);
    assert_eq!(key.to_string().parse(), Ok(key));
    assert_eq!(signature.to_string().parse(), Ok(signature));
}

#[test]
fn a_secret_key_shows_its_public_key_only() {
    let secret = SecretKey::from_seed([0xab; 32]);

    let shown = format!("{secret:?}");

    assert_eq!(shown, format!("SecretKey(of {})", secret.public_key()));
    assert!(!shown.contains("abababab"));
    assert_eq!(*secret.seed(), [0xab; 32]);
}

/// Whether the quick check of the bytes says of a key what the whole check says.
fn agree(key: &PublicKey) -> bool {
    match key.check() {
        Ok(()) => key.check_bytes().is_ok(),
        Err(KeyError::NotOnCurve) => true,
        Err(error) => key.check_bytes() == Err(error),
    }
}

#[test]
fn the_check_of_the_bytes_agrees_with_the_whole_one_at_every_edge() {
    for high in [0x7f, 0xff, 0x00, 0x80] {
        for middle in [0x00, 0xff] {
            for low in 0..=u8::MAX {
                let key = encoded(low, middle, high);
                assert!(agree(&key), "{key}: {:?} and {:?}", key.check(), key.check_bytes());
            }
        }
    }
    for y in SMALL_ORDER_Y {
        for sign in [0, 0x80] {
            let mut bytes = y;
            bytes[31] |= sign;
            let key = PublicKey::from_bytes(bytes);
            assert_eq!(key.check_bytes(), Err(KeyError::SmallOrder), "{key}");
            assert!(agree(&key), "{key}");
        }
    }
}

#[test]
fn the_check_of_the_bytes_agrees_with_the_whole_one_for_any_bytes() {
    let mut refused = 0;
    for number in 0..20_000_u64 {
        let bytes = crate::digest::digest_of(crate::digest::Domain::SeedDerivation, &number);
        let key = PublicKey::from_bytes(*bytes.as_bytes());
        assert!(agree(&key), "{key}");
        refused += u64::from(key.check().is_err());
    }
    // About half of all bytes are no point: both kinds were met.
    assert!((8_000..12_000).contains(&refused), "{refused}");
}
