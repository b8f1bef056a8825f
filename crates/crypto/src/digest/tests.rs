//! Published vectors of the hash, and the keys that must never change.

use std::collections::BTreeSet;

use super::*;
use crate::vectors::{self, Blake3, bytes};

/// The keys as first published. A change here is another network format, not a repair.
const KEYS: &[(&str, &str)] = &[
    ("ChainId", "8305ae0b1416e11bbbee32299f2b802fa449e18733cedd02a252e342b0c5ff8a"),
    ("BlockId", "9f880eeb82a16db7e757b7ecb705a41ca83f79fdc065d5e745a00d5a901d38c2"),
    ("TransactionId", "3857c5bfc5103125348716996405916cf53531e3b80420fefc8ba73a3edc3be9"),
    ("TransactionLeaf", "ccbc54a4fbf195ab3bef1dc00ed6d8d801ede176cdca0b9b0941f13b9193d451"),
    ("TransactionNode", "33a5db7a2a107de23ca189b769e8041546da66ca407003aeb32f592b6fc6434b"),
    ("AccountLeaf", "cf44be78d96e83fbebfb4e2b408b4261839740dadc9672e4826188909671b3c4"),
    ("AccountNode", "751b82c67c68777e11b9de482124664981a086c1364ca5f73e128b4a6e09462e"),
    ("StateRoot", "6219572425f7c0414b69da1e5800f43beacfb71f277c456305d84feeba3a4912"),
    ("BodyRoot", "4590915b617fe1b8cd04278a2dbdabeef45a63d80d2e2c0bba3705380049fe93"),
    ("SnapshotPage", "169109d086c9bc6c07fe21e48e16e552ef9ebc0791fd1cf4463a29848ecc824d"),
    ("StoredRecord", "a5e971f9e58c3640abe23401122f0a2381eb77e3c54f964455e39e6132e33be2"),
    ("SignedTransaction", "90d4b037e9ea658672a6338d35dbbd7a6d95d18451c4deaa39b68d0b6c30aef4"),
    ("SignedVote", "215a622912597c7f78a36a45ca891f4ee446c5b1e921e2342fc7377f0073abac"),
    ("SignedViewChange", "1012eac9c9daa347a11c97740a7ca620c33562c5a9718609f65b6f0282e7515a"),
    ("SignedNewView", "1d9acb8c2798e7bb5656e3953dbb0a413f900e0b573ef231563c358891178aef"),
    ("SignedStatus", "c5b07c3ce25fcc361caec1e404e4a64802cb423d52e0ecda21cfeec859946d4e"),
    ("SignedHandover", "b539a9e63f3b185d3dc6b3422b0872b3fb7106e20b055c11d83253e0d798d7e4"),
    ("EvidenceId", "bf0fc394c43ddb969117ed15fbdddd80b77bc2905a1f081ae0c7654a0676664c"),
    ("SignedReply", "6ef553e758c5a0073779bcb3008fb9d63dabeab40dfd404dd52a543e147e1215"),
    ("SignedAnnouncement", "d412f312ff48f6ff21dbeefeb79d1f04d0aee6ee5d77eace2c1d4a4bd122690a"),
    ("SeedDerivation", "939cad1c360a1a1840202ff76ffe93e9d437a825344e9f336d4074ae0138aeac"),
    ("BatchCoefficients", "b7e80b76beedb9d25c178dc7c7a8715318b5cf4c6a69239c318336fd3eb5048e"),
];

#[test]
fn every_domain_has_its_published_key() {
    let keys: Vec<(String, String)> = Domain::ALL
        .iter()
        .map(|domain| (format!("{domain:?}"), hex::format(domain.key())))
        .collect();

    let published: Vec<(String, String)> =
        KEYS.iter().map(|(name, key)| ((*name).to_owned(), (*key).to_owned())).collect();
    assert_eq!(keys, published);
}

#[test]
fn no_two_domains_share_a_key_or_a_context() {
    let keys: BTreeSet<_> = Domain::ALL.iter().map(|domain| domain.key()).collect();
    let contexts: BTreeSet<_> = Domain::ALL.iter().map(|domain| domain.context()).collect();

    assert_eq!(keys.len(), Domain::ALL.len());
    assert_eq!(contexts.len(), Domain::ALL.len());
}

#[test]
fn a_key_is_derived_from_the_context_of_its_domain() {
    for domain in Domain::ALL {
        assert_eq!(*domain.key(), blake3::derive_key(domain.context(), b""));
    }
}

#[test]
fn the_same_bytes_have_another_digest_in_every_domain() {
    let digests: BTreeSet<_> =
        Domain::ALL.iter().map(|domain| digest(*domain, b"the same bytes")).collect();

    assert_eq!(digests.len(), Domain::ALL.len());
}

#[test]
fn the_digest_of_a_pair_is_that_of_its_64_bytes() {
    let left = digest(Domain::BlockId, b"left");
    let right = digest(Domain::BlockId, b"right");

    let pair = digest_pair(Domain::AccountNode, &left, &right);

    let joined = [*left.as_bytes(), *right.as_bytes()].concat();
    assert_eq!(pair, digest(Domain::AccountNode, &joined));
    assert_eq!(pair, digest_of(Domain::AccountNode, &(left, right)));
    assert_ne!(pair, digest_pair(Domain::AccountNode, &right, &left));
}

#[test]
fn the_hash_gives_the_published_vectors() {
    let Some(file) = vectors::read::<Blake3>("blake3_test_vectors.json") else {
        return;
    };
    let key: [u8; 32] = file.key.as_bytes().try_into().unwrap();
    assert_eq!(file.cases.len(), 35);

    for case in &file.cases {
        let input: Vec<u8> = (0..=250).cycle().take(case.input_len).collect();
        let mut output = vec![0; case.hash.len() / 2];

        assert_eq!(blake3::hash(&input).as_bytes()[..], bytes(&case.hash)[..32]);
        let keyed = bytes(&case.keyed_hash);
        assert_eq!(blake3::keyed_hash(&key, &input).as_bytes()[..], keyed[..32]);
        let derived = bytes(&case.derive_key);
        assert_eq!(blake3::derive_key(&file.context_string, &input)[..], derived[..32]);
        // The extended output feeds the coefficients of signature batches.
        blake3::Hasher::new_keyed(&key).update(&input).finalize_xof().fill(&mut output);
        assert_eq!(output, keyed);
    }
}

#[test]
fn a_digest_reads_back_from_its_text() {
    let original = digest(Domain::BlockId, b"block");

    assert_eq!(original.to_string().parse(), Ok(original));
    assert_eq!(original.to_string().len(), 64);
    assert_eq!(format!("{original:?}"), original.to_string());
    assert!(original.to_string().starts_with(&original.short()));
    assert_eq!(original.short().len(), 8);
    assert!("".parse::<Digest>().is_err());
}

#[test]
fn a_digest_encodes_as_its_32_bytes() {
    let original = digest(Domain::BlockId, b"block");

    assert_eq!(encoding::encode(&original), original.as_bytes());
    assert_eq!(Digest::from_bytes(*original.as_bytes()), original);
}
