use std::fs;

use crypto::keys::SecretKey;
use types::block::BlockId;
use types::evidence::Evidence;
use types::number::{Height, View};
use types::replica::ReplicaId;
use types::vote::{Phase, Statement, Vote};

use super::EvidenceStore;
use crate::directory::Directory;
use crate::fixture::{genesis, key};

/// Two votes of one replica at one place, of this kind of block.
fn evidence(replica: u16, digit: u8) -> Evidence {
    let genesis = genesis("net");
    let vote = |byte| {
        let block = BlockId::new(crypto::digest::Digest::from_bytes([byte; 32]));
        let (phase, view, height) = (Phase::Prepare, View::FIRST, Height::new(7));
        let statement = Statement { phase, view, height, block };
        let signer = SecretKey::from_seed([9; 32]);
        Vote::sign(statement, ReplicaId::new(replica), genesis.chain(), &signer)
    };
    Evidence::Votes { first: vote(digit), second: vote(digit + 1) }
}

#[test]
fn evidence_is_found_again_and_one_of_each_kind_against_each_key_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::open(root.path(), *genesis("net").chain(), key(1)).unwrap();
    let store = EvidenceStore::open(&directory).unwrap();

    assert!(store.save(&evidence(2, 1), ReplicaId::new(2)).unwrap());
    assert!(!store.save(&evidence(2, 5), ReplicaId::new(2)).unwrap());
    assert!(store.save(&evidence(3, 1), ReplicaId::new(3)).unwrap());
    drop(store);

    let store = EvidenceStore::open(&directory).unwrap();
    assert_eq!(store.all().unwrap(), [evidence(2, 1), evidence(3, 1)]);
}

#[test]
fn a_damaged_file_is_named_and_not_believed() {
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::open(root.path(), *genesis("net").chain(), key(1)).unwrap();
    let store = EvidenceStore::open(&directory).unwrap();
    store.save(&evidence(2, 1), ReplicaId::new(2)).unwrap();
    let file = root.path().join("evidence/votes-2");
    let mut bytes = fs::read(&file).unwrap();
    bytes[60] ^= 1;
    fs::write(&file, bytes).unwrap();

    let error = store.all().unwrap_err().to_string();

    assert!(error.contains("evidence/votes-2"), "{error}");
}
