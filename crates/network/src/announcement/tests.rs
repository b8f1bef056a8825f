use crypto::digest::Digest;
use crypto::encoding::to_wire;
use crypto::keys::SecretKey;
use crypto::signed::ChainId;
use proptest::prelude::*;
use types::replica::ReplicaId;
use types::validators::{Validator, ValidatorSet};

use super::{
    ADDRESSES_MAX, ANNOUNCEMENT_BYTES_MAX, Announcement, Refusal, SignedAnnouncement, read,
};
use crate::identity::peer_id_of;

const NOW_MS: u64 = 1_000_000;

fn key(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

fn validators(chain: u8) -> ValidatorSet {
    let validators = (0..4).map(|number| Validator {
        name: number.to_string(),
        key: key(number).public_key(),
        peer_id: peer_id_of(&[number; 32]),
    });
    ValidatorSet::new(ChainId::new(Digest::from_bytes([chain; 32])), validators.collect()).unwrap()
}

fn announcement(number: u8) -> Announcement {
    Announcement {
        key: key(number).public_key(),
        peer_id: peer_id_of(&[number; 32]),
        addresses: vec!["/ip4/127.0.0.1/tcp/7000".to_owned()],
        sequence: 1,
        expires_ms: NOW_MS + 1,
    }
}

fn sign(announcement: Announcement, number: u8) -> SignedAnnouncement {
    SignedAnnouncement::sign(announcement, &validators(1), &key(number))
}

fn judge(announcement: &SignedAnnouncement) -> Result<ReplicaId, Refusal> {
    let read = read(&announcement.to_bytes(), &validators(1), NOW_MS)?;
    let replica = read.replica;
    read.verify(&validators(1)).map(|_| replica)
}

#[test]
fn an_announcement_signed_by_its_validator_holds() {
    let signed = sign(announcement(2), 2);

    let read = read(&signed.to_bytes(), &validators(1), NOW_MS).unwrap();

    assert_eq!(read.replica, ReplicaId::new(2));
    assert_eq!(read.sequence, 1);
    assert_eq!(read.addresses.len(), 1);
    assert_eq!(*read.verify(&validators(1)).unwrap().get(), signed);
}

#[test]
fn the_key_of_nobody_is_refused() {
    assert_eq!(judge(&sign(announcement(9), 9)), Err(Refusal::NoValidator));
}

#[test]
fn the_signature_of_another_validator_is_refused() {
    assert_eq!(judge(&sign(announcement(2), 3)), Err(Refusal::Signature));
}

#[test]
fn the_peer_id_of_another_validator_is_refused() {
    let other = Announcement { peer_id: peer_id_of(&[3; 32]), ..announcement(2) };

    assert_eq!(judge(&sign(other, 2)), Err(Refusal::OtherPeer));
}

#[test]
fn an_announcement_for_another_chain_is_refused() {
    let foreign = SignedAnnouncement::sign(announcement(2), &validators(2), &key(2));

    assert_eq!(judge(&foreign), Err(Refusal::Signature));
}

#[test]
fn an_expired_announcement_is_ignored_and_so_is_one_without_end() {
    for expires_ms in [0, NOW_MS, u64::MAX] {
        let refusal = judge(&sign(Announcement { expires_ms, ..announcement(2) }, 2)).unwrap_err();

        assert_eq!(refusal, Refusal::Expired);
        assert!(!refusal.is_fault());
    }
}

#[test]
fn unreadable_too_many_and_foreign_addresses_are_refused() {
    let foreign = format!("/ip4/127.0.0.1/tcp/1/p2p/{}", peer_id_of(&[3; 32]));
    let nothing = format!("/p2p/{}", peer_id_of(&[2; 32]));
    let long = format!("/dns/{}/tcp/1", "a".repeat(300));
    let many = vec!["/ip4/127.0.0.1/tcp/1".to_owned(); ADDRESSES_MAX + 1];
    for addresses in [vec!["nonsense".to_owned()], vec![foreign], vec![nothing], vec![long], many] {
        let signed = sign(Announcement { addresses, ..announcement(2) }, 2);

        assert_eq!(judge(&signed), Err(Refusal::Addresses));
    }
}

#[test]
fn an_announcement_above_the_limit_is_refused_unread() {
    let bytes = vec![1; ANNOUNCEMENT_BYTES_MAX + 1];

    let refused = read(&bytes, &validators(1), NOW_MS).unwrap_err();

    assert!(matches!(refused, Refusal::Encoding(_)));
    assert!(refused.is_fault());
}

#[test]
fn a_changed_announcement_is_refused() {
    let bytes = sign(announcement(2), 2).to_bytes();
    for index in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[index] ^= 1;

        let accepted =
            read(&changed, &validators(1), NOW_MS).and_then(|read| read.verify(&validators(1)));

        assert!(accepted.is_err(), "byte {index}");
    }
}

proptest! {
    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(read(&bytes, &validators(1), NOW_MS).is_err());
        prop_assert!(read(&to_wire(&bytes), &validators(1), NOW_MS).is_err());
    }
}
