use std::fs;

use crypto::keys::SecretKey;
use types::block::BlockId;
use types::evidence::{Evidence, EvidenceId};
use types::number::{Height, View};
use types::replica::ReplicaId;
use types::vote::{Phase, Statement, Vote};

use super::EvidenceStore;
use crate::directory::Directory;
use crate::error::StorageError;
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

fn directory(root: &tempfile::TempDir) -> Directory {
    Directory::open(root.path(), *genesis("net").chain(), key(1)).unwrap()
}

fn open(directory: &Directory) -> EvidenceStore {
    EvidenceStore::open(directory, genesis("net").validators()).unwrap()
}

fn ids(store: &EvidenceStore, after: Option<EvidenceId>, limit: usize) -> Vec<EvidenceId> {
    store.list(after, limit).iter().map(|kept| kept.outline.id).collect()
}

#[test]
fn evidence_is_found_again_and_one_of_each_kind_against_each_key_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let directory = directory(&root);
    let store = open(&directory);

    assert!(store.save(&evidence(2, 1), ReplicaId::new(2)).unwrap());
    assert!(!store.save(&evidence(2, 5), ReplicaId::new(2)).unwrap());
    assert!(store.save(&evidence(3, 1), ReplicaId::new(3)).unwrap());

    let again = open(&directory);
    for store in [&store, &again] {
        for piece in [evidence(2, 1), evidence(3, 1)] {
            let (found, kept) = store.find(&piece.id()).unwrap().unwrap();
            assert_eq!(
                (&found, kept.outline),
                (&piece, piece.outline(genesis("net").validators()))
            );
            assert!(kept.stored_ms.is_some_and(|stored| stored > 1_700_000_000_000));
        }
        assert_eq!(store.find(&evidence(2, 5).id()).unwrap(), None);
    }
}

#[test]
fn what_is_kept_is_listed_by_id_page_by_page() {
    let root = tempfile::tempdir().unwrap();
    let directory = directory(&root);
    let store = open(&directory);
    let mut all = Vec::new();
    for replica in 0..5 {
        store.save(&evidence(replica, 1), ReplicaId::new(replica)).unwrap();
        all.push(evidence(replica, 1).id());
    }
    all.sort_unstable();

    assert_eq!(ids(&store, None, 9), all);
    assert_eq!(ids(&store, None, 2), all[..2]);
    assert_eq!(ids(&store, Some(all[1]), 2), all[2..4]);
    assert_eq!(ids(&store, Some(all[4]), 2), []);
    assert_eq!(ids(&open(&directory), None, 9), all);
}

#[test]
fn a_damaged_file_is_named_and_not_believed_and_the_others_are() {
    let root = tempfile::tempdir().unwrap();
    let directory = directory(&root);
    let store = open(&directory);
    store.save(&evidence(2, 1), ReplicaId::new(2)).unwrap();
    store.save(&evidence(3, 1), ReplicaId::new(3)).unwrap();
    let file = root.path().join("evidence/votes-2");
    let mut bytes = fs::read(&file).unwrap();
    bytes[60] ^= 1;
    fs::write(&file, bytes).unwrap();

    let error = store.find(&evidence(2, 1).id()).unwrap_err().to_string();
    assert!(error.contains("evidence/votes-2"), "{error}");
    let again = open(&directory);
    assert_eq!(ids(&again, None, 9), [evidence(3, 1).id()]);
    drop((store, directory));
    drop(again);
    let error = EvidenceStore::read_stopped(root.path()).unwrap_err().to_string();
    assert!(error.contains("evidence/votes-2"), "{error}");

    let directory = self::directory(&root);
    assert!(open(&directory).save(&evidence(2, 5), ReplicaId::new(2)).unwrap());
    assert!(open(&directory).find(&evidence(2, 5).id()).unwrap().is_some());
}

#[test]
fn a_stopped_directory_is_read_and_a_running_one_is_not() {
    let root = tempfile::tempdir().unwrap();
    assert!(EvidenceStore::read_stopped(root.path()).unwrap().is_empty());
    let directory = directory(&root);
    let store = open(&directory);
    store.save(&evidence(2, 1), ReplicaId::new(2)).unwrap();

    let refused = EvidenceStore::read_stopped(root.path()).unwrap_err();
    assert!(matches!(refused, StorageError::Locked { .. }));
    drop((store, directory));

    let read = EvidenceStore::read_stopped(root.path()).unwrap();
    assert_eq!(read.iter().map(|(piece, _)| piece).collect::<Vec<_>>(), [&evidence(2, 1)]);
}
