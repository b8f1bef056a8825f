use std::sync::Mutex;

use crypto::digest::Digest;
use crypto::keys::{PublicKey, SecretKey, Signature};
use prometheus_client::registry::Registry;
use storage::{Directory, WhenDamaged};
use tempfile::TempDir;
use types::genesis::Genesis;

use super::*;
use crate::fixture::{executed, genesis, key, transfer_at};
use crate::metrics::Metrics;
use crate::waiters::Outcome;

/// Signs, and notes how far the store was durable when it was asked to.
struct Notary {
    key: SecretKey,
    store: Store,
    durable: Mutex<Vec<u64>>,
}

impl Signer for Notary {
    fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    fn sign(&self, message: &Digest) -> Signature {
        self.durable.lock().unwrap().push(self.store.committed().get());
        Signer::sign(&self.key, message)
    }
}

/// A disk thread that does not run yet.
struct Setting {
    disk: Disk,
    notary: Arc<Notary>,
    durable: watch::Receiver<Height>,
    _root: TempDir,
}

fn setting(genesis: &Genesis) -> Setting {
    let root = tempfile::tempdir().unwrap();
    let own = key(0).public_key();
    let directory = Directory::open(root.path(), *genesis.chain(), own).unwrap();
    let (store, _) = Store::open(&directory, genesis, WhenDamaged::Refuse).unwrap();
    let notary = Notary { key: key(0), store: store.clone(), durable: Mutex::new(Vec::new()) };
    let notary = Arc::new(notary);
    let (durable_out, durable) = watch::channel(Height::GENESIS);
    let disk = Disk {
        store,
        evidence: EvidenceStore::open(&directory, genesis.validators()).unwrap(),
        lost: LostProposalStore::of(&directory),
        signer: notary.clone(),
        chain: *genesis.chain(),
        replica: ReplicaId::new(0),
        hub: Arc::new(EventHub::new()),
        waiters: Waiters::default(),
        durable: durable_out,
        metrics: Metrics::register(&mut Registry::default()).disk,
    };
    Setting { disk, notary, durable, _root: root }
}

fn job(blocks: &[ProvedBlock]) -> Job {
    let replies = blocks.iter().map(|proved| {
        let header = &proved.block.header;
        CommittedStatement { height: header.height, block: header.id() }
    });
    Job::Blocks { blocks: blocks.to_vec(), replies: replies.collect() }
}

#[test]
fn blocks_that_wait_become_durable_together_and_only_then_is_anybody_told() {
    let genesis = genesis(4);
    let Setting { disk, notary, durable, _root } = setting(&genesis);
    let (blocks, _) = executed(&genesis, 5);
    let mut waiting: Vec<_> = (0..5)
        .map(|nonce| disk.waiters.wait_for(transfer_at(&genesis, nonce).id()).unwrap())
        .collect();
    let (jobs, jobs_in) = mpsc::channel(JOBS_MAX);
    for group in [&blocks[..1], &blocks[1..3], &blocks[3..]] {
        jobs.try_send(job(group)).ok().unwrap();
    }
    // Nobody sends more: it ends when it has written everything.
    drop(jobs);

    disk.run(jobs_in).unwrap();

    // The first reply was signed when the last block was durable: one flush for all.
    assert_eq!(*notary.durable.lock().unwrap(), [5; 5]);
    assert_eq!(*durable.borrow(), Height::new(5));
    for (proved, waiting) in blocks.iter().zip(&mut waiting) {
        let Ok(Outcome::Committed(committed, 0)) = waiting.try_recv() else {
            panic!("nobody was told of height {}", proved.block.header.height);
        };
        assert_eq!(**committed.block(), *proved);
    }
}

#[test]
fn of_snapshots_that_wait_the_newest_is_kept_behind_its_block() {
    let genesis = genesis(4);
    let Setting { disk, _root, .. } = setting(&genesis);
    let (blocks, snapshots) = executed(&genesis, 3);
    let store = disk.store.clone();
    let (jobs, jobs_in) = mpsc::channel(JOBS_MAX);
    // The core sends a snapshot after its block.
    for (block, snapshot) in blocks.iter().zip(&snapshots) {
        jobs.try_send(job(std::slice::from_ref(block))).ok().unwrap();
        jobs.try_send(Job::Snapshot(snapshot.clone())).ok().unwrap();
    }
    drop(jobs);

    disk.run(jobs_in).unwrap();

    assert_eq!(store.snapshots().unwrap(), [Height::new(3)]);
    assert_eq!(store.snapshot().unwrap().as_ref(), snapshots.last());
}

/// Its directory is gone, and with it the place of what a flush must look at.
#[test]
fn where_a_write_fails_nobody_is_told_and_the_thread_ends() {
    let genesis = genesis(4);
    let Setting { disk, notary, durable, _root: root } = setting(&genesis);
    let (blocks, _) = executed(&genesis, 1);
    let mut waiting = disk.waiters.wait_for(transfer_at(&genesis, 0).id()).unwrap();
    let (jobs, jobs_in) = mpsc::channel(JOBS_MAX);
    jobs.try_send(job(&blocks)).ok().unwrap();
    drop(root);

    let ended = disk.run(jobs_in);

    assert!(matches!(ended, Err(NodeError::Storage(_))), "{ended:?}");
    assert!(notary.durable.lock().unwrap().is_empty());
    assert_eq!(*durable.borrow(), Height::GENESIS);
    assert!(waiting.try_recv().is_err());
}
