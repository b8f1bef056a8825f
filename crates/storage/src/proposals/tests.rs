use std::fs;

use crypto::digest::Digest;
use crypto::keys::SecretKey;
use types::block::BlockId;
use types::lost::{LostProposal, Winner};
use types::number::{Height, View};
use types::replica::ReplicaId;
use types::vote::{Phase, Statement, Vote};

use super::LostProposalStore;
use crate::directory::Directory;
use crate::fixture::{genesis, key};

fn lost(height: u64) -> LostProposal {
    let block = BlockId::new(Digest::from_bytes([9; 32]));
    let (phase, view, height) = (Phase::Prepare, View::FIRST, Height::new(height));
    let statement = Statement { phase, view, height, block };
    let signer = SecretKey::from_seed([9; 32]);
    LostProposal {
        proposed: Vote::sign(statement, ReplicaId::new(0), genesis("net").chain(), &signer),
        header: None,
        votes: Vec::new(),
        refused: Some("refused-wrong-parent".to_owned()),
        rival: None,
        left: Some(View::new(1)),
        winner: Some(Winner { block: BlockId::NONE, view: View::new(2) }),
    }
}

#[test]
fn lost_proposals_are_found_again_and_a_damaged_file_holds_none() {
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::open(root.path(), *genesis("net").chain(), key(1)).unwrap();
    let store = LostProposalStore::of(&directory);
    assert_eq!(store.read().unwrap(), []);

    store.write(&vec![lost(1)]).unwrap();
    store.write(&vec![lost(2), lost(3)]).unwrap();

    assert_eq!(LostProposalStore::of(&directory).read().unwrap(), [lost(2), lost(3)]);
    let file = root.path().join("lost-proposals");
    let mut bytes = fs::read(&file).unwrap();
    bytes[40] ^= 1;
    fs::write(&file, bytes).unwrap();
    assert_eq!(store.read().unwrap(), []);
    store.write(&vec![lost(4)]).unwrap();
    assert_eq!(store.read().unwrap(), [lost(4)]);
}
