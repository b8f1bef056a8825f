//! Two chains of one network, each proved by a quorum: what is told of it, and who is accused.

use std::time::Duration;

use storage::{Directory, WhenDamaged};
use tempfile::TempDir;
use tokio::time::timeout;
use types::genesis::Genesis;

use super::*;
use crate::fixture::{genesis, key, proved, rivals};

/// No wait is longer; a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

struct Setting {
    rivals: mpsc::Sender<ProvedBlock>,
    inputs: mpsc::Receiver<Arrived>,
    seen: watch::Receiver<Option<Height>>,
    met: Counter,
    _folder: TempDir,
    _directory: Directory,
    _durable: watch::Sender<Height>,
}

/// An alarm beside a chain of three blocks.
fn setting(genesis: &Genesis) -> Setting {
    let folder = tempfile::tempdir().unwrap();
    let directory =
        Directory::open(&folder.path().join("data"), *genesis.chain(), key(0).public_key())
            .unwrap();
    let store = Store::open(&directory, genesis, WhenDamaged::Refuse).unwrap().0;
    store.append(&proved(genesis, 3)).unwrap();
    let (rivals, rivals_in) = mpsc::channel(WAITING_MAX);
    let (inputs_out, inputs) = mpsc::channel(16);
    let (seen_out, seen) = watch::channel(None);
    let (durable_out, durable) = watch::channel(Height::new(3));
    let met = Counter::default();
    let alarm = ForkAlarm {
        validators: genesis.validators().clone(),
        genesis: genesis.header().id(),
        store,
        durable,
        rivals: rivals_in,
        inputs: inputs_out,
        seen: seen_out,
        met: met.clone(),
    };
    tokio::spawn(alarm.run());
    Setting {
        rivals,
        inputs,
        seen,
        met,
        _folder: folder,
        _directory: directory,
        _durable: durable_out,
    }
}

/// Whom the core is told to have lied.
async fn accused(setting: &mut Setting, genesis: &Genesis) -> BTreeSet<u16> {
    let mut accused = BTreeSet::new();
    while accused.len() < genesis.validators().quorum().q() {
        let arrived = timeout(PATIENCE, setting.inputs.recv()).await.unwrap().unwrap();
        let Input::Evidence(evidence) = arrived.take() else { panic!("another input") };
        accused.insert(evidence.get().accused(genesis.validators()).get());
    }
    accused
}

#[tokio::test]
async fn a_block_in_the_place_of_a_committed_one_is_told_and_its_signers_are_accused() {
    let genesis = genesis(4);
    let mut setting = setting(&genesis);

    setting.rivals.send(rivals(&genesis, 3).remove(2)).await.unwrap();

    assert_eq!(accused(&mut setting, &genesis).await, BTreeSet::from([0, 1, 2]));
    assert_eq!(*setting.seen.borrow(), Some(Height::new(3)));
    assert_eq!(setting.met.get(), 1);
}

#[tokio::test]
async fn a_child_of_another_block_accuses_as_well_and_the_lowest_place_is_kept() {
    let genesis = genesis(4);
    let mut setting = setting(&genesis);
    let rivals = rivals(&genesis, 4);

    setting.rivals.send(rivals[3].clone()).await.unwrap();

    assert_eq!(accused(&mut setting, &genesis).await, BTreeSet::from([0, 1, 2]));
    assert_eq!(*setting.seen.borrow(), Some(Height::new(4)));
    setting.rivals.send(rivals[1].clone()).await.unwrap();
    let lowest = setting.seen.wait_for(|seen| *seen == Some(Height::new(2)));
    drop(timeout(PATIENCE, lowest).await.unwrap().unwrap());
}

#[tokio::test]
async fn a_block_of_the_chain_here_and_its_next_one_raise_no_alarm() {
    let genesis = genesis(4);
    let mut setting = setting(&genesis);
    let (own, rivals) = (proved(&genesis, 4), rivals(&genesis, 3));

    for block in [&own[0], &own[2], &own[3], &rivals[2]] {
        setting.rivals.send(block.clone()).await.unwrap();
    }

    assert_eq!(accused(&mut setting, &genesis).await, BTreeSet::from([0, 1, 2]));
    // The last of them alone.
    assert_eq!(setting.met.get(), 1);
}
