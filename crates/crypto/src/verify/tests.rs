//! Published vectors under the ZIP 215 rule, and batches that agree with single checks.

use proptest::prelude::*;

use super::*;
use crate::digest::digest;
use crate::keys::{SecretKey, Signer};
use crate::vectors::{self, Case};

/// The order of the base point, little endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

impl Case {
    fn item(&self) -> Item<'_> {
        Item { key: &self.key, message: &self.message, signature: &self.signature }
    }

    fn holds(&self) -> bool {
        verify(&self.key, &self.message, &self.signature)
    }
}

/// A claim that holds; few keys, so that batches meet the same key more than once.
fn claim(number: u64) -> Claim {
    let [seed, ..] = number.to_le_bytes();
    let secret = SecretKey::from_seed([seed % 5; 32]);
    let message = digest(Domain::SignedVote, &number.to_le_bytes());
    Claim { key: secret.public_key(), message, signature: secret.sign(&message) }
}

fn with_bit_flipped(mut claim: Claim, bit: usize) -> Claim {
    let mut bytes = *claim.signature.as_bytes();
    bytes[bit / 8 % 64] ^= 1 << (bit % 8);
    claim.signature = Signature::from_bytes(bytes);
    claim
}

fn neighbour(number: u64) -> Case {
    let claim = claim(number);
    Case {
        name: format!("neighbour {number}"),
        key: claim.key,
        message: claim.message.as_bytes().to_vec(),
        signature: claim.signature,
        accepted: true,
    }
}

fn all_cases() -> Vec<Case> {
    let mut cases = vectors::rfc8032();
    cases.extend(vectors::speccheck());
    cases.extend(vectors::wycheproof().0);
    cases.extend(vectors::small_order());
    cases
}

fn batch_of<'a>(cases: impl IntoIterator<Item = &'a Case>) -> bool {
    equation_holds(cases.into_iter().map(Case::item))
}

/// Adds `addend` to the s of a signature, as little-endian numbers below 2^256.
fn with_s_plus(signature: &Signature, addend: &[u8; 32]) -> Signature {
    let mut bytes = *signature.as_bytes();
    let mut carry = 0;
    for (byte, addend) in bytes[32..].iter_mut().zip(addend) {
        let sum = u16::from(*byte) + u16::from(*addend) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    Signature::from_bytes(bytes)
}

#[test]
fn the_published_cases_are_all_there_when_any_is() {
    let (wycheproof, unreadable) = vectors::wycheproof();
    assert!([0, 151].contains(&(wycheproof.len() + unreadable)));
    assert!([0, 12].contains(&vectors::speccheck().len()));
    assert!([0, 3].contains(&vectors::rfc8032().len()));
}

#[test]
fn each_published_case_alone_has_the_verdict_of_zip_215() {
    for case in all_cases() {
        assert_eq!(case.holds(), case.accepted, "{}", case.name);
    }
}

#[test]
fn each_published_case_has_the_same_verdict_in_any_batch() {
    for (number, case) in (0..).zip(all_cases()) {
        assert_eq!(batch_of([&case]), case.accepted, "{} alone", case.name);
        for place in 0..3 {
            let mut batch: Vec<Case> = (0..4).map(|other| neighbour(number * 7 + other)).collect();
            batch.insert(place, case.clone());
            assert_eq!(batch_of(&batch), case.accepted, "{} in a batch", case.name);
        }
    }
}

#[test]
fn all_accepted_cases_hold_together() {
    let accepted: Vec<Case> = all_cases().into_iter().filter(|case| case.accepted).collect();
    assert!(batch_of(&accepted));
}

proptest! {
    #[test]
    fn a_batch_of_published_cases_holds_exactly_when_each_does(
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..12),
        neighbours in prop::collection::vec(any::<u64>(), 0..6),
        only_accepted in any::<bool>(),
    ) {
        let cases: Vec<Case> =
            all_cases().into_iter().filter(|case| case.accepted || !only_accepted).collect();
        let mut batch: Vec<Case> = picks.iter().map(|pick| pick.get(&cases).clone()).collect();
        batch.extend(neighbours.into_iter().map(neighbour));

        prop_assert_eq!(batch_of(&batch), batch.iter().all(Case::holds));
    }

    #[test]
    fn a_batch_of_claims_holds_exactly_when_each_does(
        claims in prop::collection::vec((any::<u64>(), prop::option::weighted(0.1, 0_usize..512)), 0..40),
    ) {
        let claims: Vec<Claim> = claims
            .into_iter()
            .map(|(number, flip)| flip.map_or(claim(number), |bit| with_bit_flipped(claim(number), bit)))
            .collect();
        let singles: Vec<bool> = claims.iter().map(Claim::holds).collect();

        prop_assert_eq!(batch_holds(&claims), singles.iter().all(|held| *held));
        prop_assert_eq!(check_each(&claims), singles);
    }

    #[test]
    fn any_bytes_have_one_verdict(
        key in any::<[u8; 32]>(), message in any::<[u8; 32]>(), r in any::<[u8; 32]>(), s in any::<[u8; 32]>(),
    ) {
        let signature = Signature::from_bytes([r, s].concat().try_into().unwrap());
        let strange = Claim {
            key: PublicKey::from_bytes(key),
            message: Digest::from_bytes(message),
            signature,
        };

        prop_assert!(!strange.holds());
        prop_assert!(!batch_holds(&[claim(1), strange, claim(2)]));
        prop_assert_eq!(check_each(&[claim(1), strange, claim(2)]), [true, false, true]);
    }
}

#[test]
fn any_number_of_culprits_is_named_in_place() {
    // From one to all: beyond a few the work for halving is spent and single checks take over.
    for every in [1, 2, 3, 5, 16, 63, 100] {
        let claims: Vec<Claim> = (0..100_usize)
            .map(|number| match number % every {
                0 => with_bit_flipped(claim(7), 300),
                _ => claim(7),
            })
            .collect();

        let expected: Vec<bool> = (0..100).map(|number| number % every != 0).collect();
        assert_eq!(check_each(&claims), expected, "every {every}");
    }
}

#[test]
fn errors_that_cancel_each_other_are_found() {
    // s + 1 in one signature and s - 1 in another: their plain sum still holds.
    let minus_one = [0xff; 32];
    let mut plus_one = [0; 32];
    plus_one[0] = 1;
    let (mut first, mut second) = (claim(10), claim(15));
    assert_eq!(first.key, second.key);
    first.signature = with_s_plus(&first.signature, &plus_one);
    second.signature = with_s_plus(&second.signature, &minus_one);

    assert!(!batch_holds(&[first, second]));
    assert_eq!(check_each(&[first, claim(3), second]), [false, true, false]);
}

#[test]
fn a_signature_with_the_order_added_to_s_is_refused() {
    let mut claim = claim(1);
    assert!(claim.holds());

    claim.signature = with_s_plus(&claim.signature, &ORDER);

    assert!(!claim.holds());
    assert!(!batch_holds(&[claim, claim]));
}

#[test]
fn no_claims_hold() {
    assert!(batch_holds(&[]));
    assert_eq!(check_each(&[]), Vec::<bool>::new());
}

#[test]
fn coefficients_are_the_bytes_of_the_hash_in_order() {
    let reader = || blake3::Hasher::new().update(b"batch").finalize_xof();
    let mut expected = [0; 28];
    reader().fill(&mut expected);
    let mut coefficients = Coefficients(reader());
    let mut bytes = [0; 16];

    let Ok(first) = coefficients.try_next_u32();
    let Ok(second) = coefficients.try_next_u64();
    let Ok(()) = coefficients.try_fill_bytes(&mut bytes);

    assert_eq!(first.to_le_bytes(), expected[..4]);
    assert_eq!(second.to_le_bytes(), expected[4..12]);
    assert_eq!(bytes, expected[12..]);
}
