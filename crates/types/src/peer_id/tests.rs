use crypto::keys::{KeyError, PublicKey};
use proptest::prelude::*;

use super::{PeerIdError, from_base58, key_of, of_key, to_base58};
use crate::tests::fixtures::{VECTORS, WEAK_KEY};

/// Made with independent software from the keys of [`VECTORS`].
const PEER_IDS: [&str; 2] = [
    "12D3KooWBhYX1Sm86eroCuAVC3poAPXqXSo68KX2NWCc7JAhfqRD",
    "12D3KooWEUFuV2VXxthXSUeKmVcXXrKr8EYZBi9iNx9sLzRp4o5x",
];

/// The Ed25519 example of the libp2p specification.
const SPECIFIED: &str = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";

#[test]
fn the_vectors_of_independent_software_hold_both_ways() {
    for ((key, _), peer_id) in VECTORS.into_iter().zip(PEER_IDS) {
        let key: PublicKey = key.parse().unwrap();

        assert_eq!(of_key(&key), peer_id);
        assert_eq!(key_of(peer_id), Ok(key));
    }
}

#[test]
fn the_example_of_the_specification_is_that_of_an_ed25519_key() {
    let bytes = from_base58(SPECIFIED);

    assert_eq!(bytes[..6], super::HEAD);
    assert_eq!(to_base58(&bytes), SPECIFIED);
}

#[test]
fn other_texts_are_refused_each_with_its_reason() {
    assert_eq!(key_of(""), Err(PeerIdError::Length { found: 0 }));
    assert_eq!(key_of(&SPECIFIED[1..]), Err(PeerIdError::Length { found: 51 }));
    assert_eq!(
        key_of("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"),
        Err(PeerIdError::Length { found: 46 })
    );
    let zero = SPECIFIED.replace('o', "0");
    assert_eq!(key_of(&zero), Err(PeerIdError::Character { found: '0', position: 6 }));
    assert_eq!(key_of("é"), Err(PeerIdError::Character { found: 'é', position: 1 }));
    assert_eq!(key_of(&"z".repeat(52)), Err(PeerIdError::OtherKind));
    assert_eq!(key_of(&"1".repeat(52)), Err(PeerIdError::OtherKind));
    assert_eq!(
        key_of("12D3KubARxXbZYNcQ2iogxe5RaZPNAM6hDFafiJZ5DLUqJWZsvwr"),
        Err(PeerIdError::OtherKind),
        "a key of another kind"
    );
    assert_eq!(
        key_of(&of_key(&PublicKey::from_bytes(WEAK_KEY))),
        Err(PeerIdError::WeakKey(KeyError::SmallOrder))
    );
}

proptest! {
    #[test]
    fn every_key_has_a_peer_id_of_52_characters(bytes: [u8; 32]) {
        let key = PublicKey::from_bytes(bytes);
        let peer_id = of_key(&key);

        prop_assert_eq!(peer_id.len(), 52);
        prop_assert_eq!(key_of(&peer_id), key.check().map(|()| key).map_err(PeerIdError::WeakKey));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}|12D3KooW[1-9A-HJ-NP-Za-km-z]{44}") {
        if let Ok(key) = key_of(&text) {
            prop_assert_eq!(of_key(&key), text);
        }
    }
}
