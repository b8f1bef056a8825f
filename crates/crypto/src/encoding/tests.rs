//! Golden bytes, one encoding per value, and messages made to hurt.

use proptest::prelude::*;

use super::*;
use crate::digest::Digest;
use crate::keys::Signature;

/// One of every shape that the system's types are made of.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::encoding")]
struct Shapes {
    small: u8,
    middle: u16,
    large: u64,
    huge: u128,
    signed: i64,
    yes: bool,
    text: String,
    bytes: Vec<u8>,
    list: Vec<(u16, Signature)>,
    nested: Vec<Vec<u16>>,
    perhaps: Option<Digest>,
    either: Either,
    boxed: Box<Either>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::encoding")]
enum Either {
    Nothing,
    Number(u32),
    Named { name: String, pair: (bool, [u8; 3]) },
}

fn either() -> impl Strategy<Value = Either> {
    prop_oneof![
        Just(Either::Nothing),
        any::<u32>().prop_map(Either::Number),
        (".{0,8}", any::<(bool, [u8; 3])>()).prop_map(|(name, pair)| Either::Named { name, pair }),
    ]
}

prop_compose! {
    fn shapes()(
        numbers in any::<(u8, u16, u64, u128, i64, bool)>(),
        text in ".{0,12}",
        bytes in prop::collection::vec(any::<u8>(), 0..20),
        list in prop::collection::vec((any::<u16>(), any::<[u8; 32]>()), 0..4),
        nested in prop::collection::vec(prop::collection::vec(any::<u16>(), 0..4), 0..4),
        perhaps in any::<Option<[u8; 32]>>(),
        either in either(),
        boxed in either(),
    ) -> Shapes {
        let (small, middle, large, huge, signed, yes) = numbers;
        let doubled = |half: [u8; 32]| Signature::from_bytes([half, half].concat().try_into().unwrap());
        Shapes {
            small, middle, large, huge, signed, yes, text, bytes,
            list: list.into_iter().map(|(number, half)| (number, doubled(half))).collect(),
            nested,
            perhaps: perhaps.map(Digest::from_bytes),
            either,
            boxed: Box::new(boxed),
        }
    }
}

/// Whatever `bytes` decode to encodes to the same bytes.
fn canonical<T: Encode + Decode<()>>(bytes: &[u8]) -> bool {
    decode::<T>(bytes).is_ok_and(|value| {
        assert_eq!(encode(&value), bytes);
        true
    })
}

#[test]
fn every_shape_has_its_golden_bytes() {
    let value = Shapes {
        small: 1,
        middle: 0x0203,
        large: 0x0405,
        huge: 6,
        signed: -2,
        yes: true,
        text: "hé".to_owned(),
        bytes: vec![7, 8],
        list: vec![(9, Signature::from_bytes([0xaa; 64]))],
        nested: vec![vec![], vec![10]],
        perhaps: Some(Digest::from_bytes([0xbb; 32])),
        either: Either::Number(11),
        boxed: Box::new(Either::Named { name: "n".to_owned(), pair: (false, [12, 13, 14]) }),
    };
    let length = |count: u8| vec![count, 0, 0, 0, 0, 0, 0, 0];

    let expected = [
        vec![1],
        vec![3, 2],
        vec![5, 4, 0, 0, 0, 0, 0, 0],
        vec![6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        vec![0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        vec![1],
        [length(3), "hé".as_bytes().to_vec()].concat(),
        [length(2), vec![7, 8]].concat(),
        [length(1), vec![9, 0], vec![0xaa; 64]].concat(),
        [length(2), length(0), length(1), vec![10, 0]].concat(),
        [vec![1], vec![0xbb; 32]].concat(),
        vec![1, 0, 0, 0, 11, 0, 0, 0],
        [vec![2, 0, 0, 0], length(1), b"n".to_vec(), vec![0, 12, 13, 14]].concat(),
    ]
    .concat();

    assert_eq!(encode(&value), expected);
    assert_eq!(decode(&expected), Ok(value));
}

#[test]
fn the_wire_form_is_the_version_and_the_canonical_bytes() {
    assert_eq!(to_wire(&0x0102_u16), [1, 2, 1]);
    assert_eq!(from_wire(&[1, 2, 1], 3), Ok(0x0102_u16));
}

#[test]
fn another_version_is_refused_by_its_number() {
    let refused = from_wire::<u16>(&[2, 2, 1], 3).unwrap_err();

    assert_eq!(refused, DecodeError::Version { found: 2 });
    assert_eq!(
        refused.to_string(),
        "the message has format version 2, this program reads version 1"
    );
}

#[test]
fn an_empty_message_is_refused() {
    assert_eq!(from_wire::<u16>(&[], 3), Err(DecodeError::Empty));
}

#[test]
fn a_message_above_its_bound_is_refused_before_it_is_read() {
    let refused = from_wire::<u16>(&[9; 4], 3).unwrap_err();

    assert_eq!(refused, DecodeError::TooLong { bytes: 4, bytes_max: 3 });
    assert_eq!(refused.to_string(), "the message has 4 bytes, at most 3 are accepted");
}

#[test]
fn bytes_after_the_end_are_refused() {
    let refused = decode::<u16>(&[1, 2, 3, 4]).unwrap_err();

    assert_eq!(refused, DecodeError::Trailing { bytes: 2 });
    assert_eq!(from_wire::<u16>(&[1, 2, 1, 0], 8), Err(DecodeError::Trailing { bytes: 1 }));
}

#[test]
fn malformed_bytes_are_refused_with_a_phrase() {
    let reason = |refused: DecodeError| refused.to_string();
    let text = [vec![1, 0, 0, 0, 0, 0, 0, 0], vec![0xff]].concat();

    let early = "malformed message: it ends early";
    assert_eq!(reason(decode::<u16>(&[1]).unwrap_err()), early);
    assert_eq!(reason(decode::<u16>(&[]).unwrap_err()), early);
    assert_eq!(reason(decode::<bool>(&[2]).unwrap_err()), "malformed message: 2 is not a boolean");
    let variant = decode::<Either>(&[3, 0, 0, 0]).unwrap_err().to_string();
    assert!(variant.ends_with("Either has no variant 3"), "{variant}");
    assert!(decode::<Option<u8>>(&[2, 0]).is_err());
    let text = decode::<String>(&text).unwrap_err().to_string();
    assert!(text.starts_with("malformed message: a text is not UTF-8"), "{text}");
}

#[test]
fn a_reason_given_by_a_decoder_of_ours_passes_unchanged() {
    struct Refusing;
    impl Decode<()> for Refusing {
        fn decode<D: de::Decoder<Context = ()>>(_: &mut D) -> Result<Self, error::DecodeError> {
            Err(error::DecodeError::Other("address type 1 is reserved"))
        }
    }

    let refused = decode::<Refusing>(&[]).err().unwrap();

    assert_eq!(refused.to_string(), "malformed message: address type 1 is reserved");
}

#[test]
fn a_small_message_that_claims_much_is_refused_without_making_room() {
    // Room for what these claim does not exist: making it would end the process.
    for claimed in [1 << 60, 1 << 40, 1 << 33, u64::MAX] {
        let bomb = [claimed.to_le_bytes().to_vec(), vec![0; 5]].concat();
        let refused =
            Err("malformed message: it claims more content than its length allows".to_owned());

        let text = |error: DecodeError| error.to_string();
        assert_eq!(decode::<Vec<u8>>(&bomb).map_err(text), refused.clone().map(|()| vec![]));
        assert!(decode::<Vec<u64>>(&bomb).is_err());
        assert!(decode::<Vec<(u16, Signature)>>(&bomb).is_err());
        assert!(decode::<Vec<Vec<Vec<u8>>>>(&bomb).is_err());
        assert!(decode::<String>(&bomb).is_err());
        assert!(decode::<Vec<Either>>(&bomb).is_err());
    }
}

#[test]
fn claims_are_bounded_by_64_times_the_length() {
    for length in [200_usize, 1_000, 10_000, 100_000, 1_000_000] {
        let mut bytes = vec![0; length];
        let claimed = u64::try_from(length).unwrap() * 64 + 1;
        bytes[..8].copy_from_slice(&claimed.to_le_bytes());

        assert_eq!(
            decode::<Vec<u8>>(&bytes),
            Err(DecodeError::Malformed {
                reason: "it claims more content than its length allows".to_owned()
            })
        );
    }
}

#[test]
fn honest_values_of_every_length_decode() {
    for length in [0, 1, 100, 255, 256, 257, 5_000, 70_000, 300_000, 1_100_000, 17_000_000] {
        let bytes = vec![7_u8; length];
        assert_eq!(decode(&encode(&bytes)), Ok(bytes));
        let lists: Vec<Vec<u64>> = vec![Vec::new(); length / 16];
        assert_eq!(decode(&encode(&lists)), Ok(lists));
        let signatures = vec![(1_u16, Signature::from_bytes([1; 64])); length / 66];
        assert_eq!(decode(&encode(&signatures)), Ok(signatures));
    }
}

proptest! {
    #[test]
    fn values_read_back_from_their_bytes(value in shapes()) {
        let bytes = encode(&value);

        prop_assert_eq!(encoded_bytes(&value), bytes.len());
        prop_assert_eq!(decode::<Shapes>(&bytes), Ok(value.clone()));
        let wire = to_wire(&value);
        prop_assert_eq!(&wire[1..], &bytes);
        prop_assert_eq!(from_wire::<Shapes>(&wire, wire.len()), Ok(value));
    }

    #[test]
    fn random_bytes_that_decode_encode_to_themselves(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        canonical::<u64>(&bytes);
        canonical::<(bool, bool, u8)>(&bytes);
        canonical::<Option<bool>>(&bytes);
        canonical::<Digest>(&bytes);
        canonical::<Signature>(&bytes);
        canonical::<Either>(&bytes);
        canonical::<Vec<Either>>(&bytes);
        canonical::<String>(&bytes);
        canonical::<Vec<(bool, u16)>>(&bytes);
        canonical::<Shapes>(&bytes);
    }

    #[test]
    fn small_random_bytes_that_decode_encode_to_themselves(
        bytes in prop::collection::vec(0_u8..3, 0..40),
    ) {
        // Small bytes are small lengths and known variants, so many of these decode.
        canonical::<Option<u8>>(&bytes);
        canonical::<Either>(&bytes);
        canonical::<(Either, Option<bool>)>(&bytes);
        canonical::<Vec<Option<bool>>>(&bytes);
        canonical::<Vec<Vec<bool>>>(&bytes);
        canonical::<String>(&bytes);
    }

    #[test]
    fn changed_bytes_that_decode_encode_to_themselves(
        value in shapes(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = encode(&value);
        for (place, byte) in changes {
            *place.get_mut(&mut bytes) = byte;
        }

        canonical::<Shapes>(&bytes);
    }

    #[test]
    fn a_value_cut_short_never_decodes(value in shapes(), cut in any::<prop::sample::Index>()) {
        let bytes = encode(&value);
        let length = cut.index(bytes.len());

        prop_assert!(decode::<Shapes>(&bytes[..length]).is_err());
    }
}
