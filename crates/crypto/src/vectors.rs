//! Published test vectors, read from `../shared/vectors` beside the repository; tests that need
//! them say so and pass when they are not there.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::keys::{PublicKey, Signature};

/// RFC 8032 §7.1.
#[derive(Deserialize)]
pub(crate) struct Rfc8032 {
    pub(crate) name: String,
    pub(crate) seed: String,
    pub(crate) public_key: String,
    pub(crate) signature: String,
    pub(crate) message: String,
}

/// A file of the BLAKE3 authors.
#[derive(Deserialize)]
pub(crate) struct Blake3 {
    pub(crate) key: String,
    pub(crate) context_string: String,
    pub(crate) cases: Vec<Blake3Case>,
}

/// One input length and its three outputs.
#[derive(Deserialize)]
pub(crate) struct Blake3Case {
    pub(crate) input_len: usize,
    pub(crate) hash: String,
    pub(crate) keyed_hash: String,
    pub(crate) derive_key: String,
}

#[derive(Deserialize)]
struct Speccheck {
    message: String,
    pub_key: String,
    signature: String,
}

#[derive(Deserialize)]
struct Wycheproof {
    #[serde(rename = "testGroups")]
    groups: Vec<WycheproofGroup>,
}

#[derive(Deserialize)]
struct WycheproofGroup {
    #[serde(rename = "publicKey")]
    key: WycheproofKey,
    tests: Vec<WycheproofTest>,
}

#[derive(Deserialize)]
struct WycheproofKey {
    pk: String,
}

#[derive(Deserialize)]
struct WycheproofTest {
    #[serde(rename = "tcId")]
    number: u32,
    msg: String,
    sig: String,
    result: String,
}

/// A signature and whether the ZIP 215 rule accepts it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) key: PublicKey,
    pub(crate) message: Vec<u8>,
    pub(crate) signature: Signature,
    pub(crate) accepted: bool,
}

/// A file of vectors, or `None` and a printed line when it is absent.
pub(crate) fn read<T: DeserializeOwned>(file: &str) -> Option<T> {
    let path = format!("{}/../../../shared/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) => {
            println!("skipped: {file}: {error}");
            None
        }
    }
}

/// Bytes from hexadecimal text of any length.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}

/// RFC 8032's signatures as cases.
pub(crate) fn rfc8032() -> Vec<Case> {
    read::<Vec<Rfc8032>>("rfc8032.json")
        .unwrap_or_default()
        .into_iter()
        .map(|vector| Case {
            key: vector.public_key.parse().unwrap(),
            message: bytes(&vector.message),
            signature: vector.signature.parse().unwrap(),
            name: vector.name,
            accepted: true,
        })
        .collect()
}

/// The twelve cases of ed25519-speccheck: ZIP 215 accepts all but 6 (s not reduced), 7 (s far above
/// the order) and 8 (R not canonical, and another R hashed).
pub(crate) fn speccheck() -> Vec<Case> {
    read::<Vec<Speccheck>>("speccheck_cases.json")
        .unwrap_or_default()
        .into_iter()
        .enumerate()
        .map(|(number, vector)| Case {
            name: format!("speccheck {number}"),
            key: vector.pub_key.parse().unwrap(),
            message: bytes(&vector.message),
            signature: vector.signature.parse().unwrap(),
            accepted: !(6..=8).contains(&number),
        })
        .collect()
}

/// Wycheproof's cases that have 64 bytes of signature, and how many have not (all of which it calls
/// invalid). Number 151 encodes R without being canonical, which ZIP 215 accepts.
pub(crate) fn wycheproof() -> (Vec<Case>, usize) {
    let mut cases = Vec::new();
    let mut unreadable = 0;
    let groups =
        read::<Wycheproof>("wycheproof_ed25519_test.json").map_or(vec![], |file| file.groups);
    for group in groups {
        for test in group.tests {
            let valid = test.result == "valid";
            match test.sig.parse() {
                Ok(signature) => cases.push(Case {
                    name: format!("wycheproof {}", test.number),
                    key: group.key.pk.parse().unwrap(),
                    message: bytes(&test.msg),
                    signature,
                    accepted: valid || test.number == 151,
                }),
                Err(_) => {
                    assert!(!valid, "wycheproof {}", test.number);
                    unreadable += 1;
                }
            }
        }
    }
    (cases, unreadable)
}

/// Encodings of the eight points of small order, canonical and not.
pub(crate) const SMALL_ORDER: [&str; 14] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
];

/// A key and R of small order with s = 0: 196 signatures of nobody, over any message, that ZIP 215
/// accepts.
pub(crate) fn small_order() -> Vec<Case> {
    let mut cases = Vec::new();
    for key in SMALL_ORDER {
        for r in SMALL_ORDER {
            cases.push(Case {
                name: format!("small order {key} {r}"),
                key: key.parse().unwrap(),
                message: b"anything".to_vec(),
                signature: format!("{r}{}", "0".repeat(64)).parse().unwrap(),
                accepted: true,
            });
        }
    }
    cases
}
