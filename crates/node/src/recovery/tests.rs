use crypto::keys::SecretKey;
use ledger::ReplayError;
use pbft::Protocol;
use tempfile::TempDir;
use types::account::Snapshot;
use types::block::Block;
use types::certificate::Certificate;
use types::proof::ProvedBlock;

use super::*;
use crate::fixture::{certificate, executed, genesis, key, proved_by_quorum, vote};

/// What replica 0 of 4 stored.
struct Stored {
    genesis: Genesis,
    blocks: Vec<ProvedBlock>,
    /// One append for each block.
    journal: Vec<Vec<Record>>,
    snapshots: Vec<Snapshot>,
}

impl Stored {
    /// So many blocks with a transfer each, executed, voted for and proved, and the state after some of them.
    fn new(heights: u64, snapshots_at: &[u64]) -> Self {
        let genesis = genesis(4);
        let (blocks, mut snapshots) = executed(&genesis, heights);
        snapshots.retain(|snapshot| snapshots_at.contains(&snapshot.height.get()));
        let journal = blocks.iter().map(|proved| said(&genesis, &proved.block)).collect();
        Self { genesis, blocks, journal, snapshots }
    }

    /// Writes it as a validator does.
    fn written(&self) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        let own = key(0).public_key();
        let directory = Directory::open(root.path(), *self.genesis.chain(), own).unwrap();
        let (mut journal, _) = Journal::open(&directory).unwrap();
        for records in &self.journal {
            journal.append(records).unwrap();
        }
        let (store, _) = Store::open(&directory, &self.genesis, WhenDamaged::Refuse).unwrap();
        store.append(&self.blocks).unwrap();
        for snapshot in &self.snapshots {
            store.save_snapshot(snapshot).unwrap();
        }
        root
    }

    fn tip(&self) -> &Header {
        &self.blocks.last().unwrap().block.header
    }

    /// Writes it and starts from it.
    fn restarted(&self) -> Result<Recovered, NodeError> {
        self.restarted_in(self.written().path(), OwnWord::Binds)
    }

    fn restarted_in(&self, path: &Path, word: OwnWord) -> Result<Recovered, NodeError> {
        let used = UsedKey::beside(&path.join("validator.key"));
        let signer: Arc<SecretKey> = Arc::new(key(0));
        recover(path, &used, &self.genesis, ReplicaId::new(0), signer, word)
    }
}

/// What the replica wrote down for a block.
fn said(genesis: &Genesis, block: &Block) -> Vec<Record> {
    let vote = |phase| vote(genesis, 0, phase, &block.header);
    let certificate = certificate(genesis, Phase::Prepare, &block.header);
    vec![
        Record::Vote { vote: vote(Phase::Prepare), block: Some(block.clone()) },
        Record::Certificate { certificate },
        Record::Vote { vote: vote(Phase::Commit), block: None },
    ]
}

#[test]
fn a_restart_begins_at_the_newest_snapshot_and_executes_the_blocks_above_it() {
    let cases: [(&[u64], u64, u64); 4] = [(&[], 0, 5), (&[2], 2, 3), (&[2, 4], 4, 1), (&[5], 5, 0)];
    for (snapshots, begins, replayed) in cases {
        let stored = Stored::new(5, snapshots);

        let recovered = stored.restarted().unwrap();

        assert_eq!((recovered.snapshot, recovered.replayed), (Height::new(begins), replayed));
        let ledger = recovered.replica.application();
        assert_eq!(ledger.committed(), (Height::new(5), stored.tip().id()));
        assert_eq!(ledger.state_root(), stored.tip().state_root);
        assert_eq!(ledger.supply(), stored.genesis.supply());
        assert!(recovered.replica.status().voting);
    }
}

/// Its checksum is right and its money is all there; the block that it was taken after knows better.
#[test]
fn a_snapshot_that_is_not_the_state_of_its_block_is_refused() {
    let mut stored = Stored::new(5, &[4]);
    let [one, other, ..] = &mut *stored.snapshots[0].accounts else {
        panic!("somebody received something");
    };
    std::mem::swap(&mut one.balance, &mut other.balance);

    let refused = stored.restarted().err();

    let Some(NodeError::Replay(ReplayError::OtherState { height, .. })) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(height, Height::new(4));
}

#[test]
fn a_block_above_the_snapshot_that_execution_contradicts_is_refused() {
    let mut stored = Stored::new(5, &[4]);
    let mut block = stored.blocks.pop().unwrap().block;
    block.header.state_root = crypto::digest::Digest::ZERO;
    stored.journal.pop();
    stored.journal.push(said(&stored.genesis, &block));
    stored.blocks.push(proved_by_quorum(&stored.genesis, block));

    let refused = stored.restarted().err();

    let Some(NodeError::Replay(ReplayError::Refused { height, .. })) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(height, Height::new(5));
}

/// As where an older copy of the journal was put in its place, or its content was wiped.
#[test]
fn who_finds_its_votes_in_its_blocks_and_not_in_its_journal_never_votes_again() {
    for kept in 0..5 {
        let mut stored = Stored::new(5, &[]);
        stored.journal.truncate(kept);
        let root = stored.written();

        let recovered = stored.restarted_in(root.path(), OwnWord::Binds).unwrap();
        let status = recovered.replica.status();
        drop(recovered);
        let again = stored.restarted_in(root.path(), OwnWord::Binds).unwrap();

        assert!(status.retired && !status.voting, "{kept} appends kept");
        assert!(again.replica.status().retired, "it was not written down");
    }
}

#[test]
fn the_word_of_one_that_attacks_its_network_binds_it_to_nothing() {
    let mut stored = Stored::new(5, &[]);
    stored.journal.clear();
    let root = stored.written();

    let recovered = stored.restarted_in(root.path(), OwnWord::IsNothing).unwrap();

    assert!(!recovered.replica.status().retired);
}

#[test]
fn blocks_that_others_proved_say_nothing_about_a_journal() {
    let mut stored = Stored::new(3, &[]);
    stored.journal.clear();
    for proved in &mut stored.blocks {
        let header = &proved.block.header;
        let votes = [1, 2, 3].map(|replica| vote(&stored.genesis, replica, Phase::Commit, header));
        let validators = stored.genesis.validators();
        proved.proof.certificate =
            Certificate::from_votes(votes[0].statement, &votes, validators).unwrap();
    }

    assert!(stored.restarted().unwrap().replica.status().voting);
}

#[test]
fn a_cut_journal_is_no_journal_to_start_from() {
    let stored = Stored::new(3, &[]);
    let root = stored.written();
    let journal = std::fs::File::options().write(true).open(root.path().join("journal")).unwrap();
    journal.set_len(72).unwrap();

    let refused = stored.restarted_in(root.path(), OwnWord::Binds).err();

    assert!(
        matches!(refused, Some(NodeError::Storage(storage::StorageError::CutJournal { .. }))),
        "{refused:?}"
    );
}
