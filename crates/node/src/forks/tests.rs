//! Two chains of one network, each proved by a quorum: what is told of it, and who is accused.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::timeout;
use types::certificate::Certificate;
use types::genesis::Genesis;
use types::vote::Phase;

use super::*;
use crate::fixture::{genesis, proved, rivals, shows, vote};

/// No wait is longer; a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

struct Setting {
    chain: Arc<Mutex<Chain>>,
    rivals: mpsc::Sender<ProvedBlock>,
    inputs: mpsc::Receiver<Arrived>,
    seen: watch::Receiver<Option<Height>>,
    met: Counter,
    durable: watch::Sender<Height>,
}

/// The blocks here, and the one that cannot be read.
struct Chain {
    blocks: Vec<ProvedBlock>,
    damaged: Option<Height>,
}

/// An alarm beside a chain of three blocks.
fn setting(genesis: &Genesis) -> Setting {
    setting_of(genesis, 3)
}

/// An alarm where three blocks are committed, and so many of them durable.
fn setting_of(genesis: &Genesis, stored: usize) -> Setting {
    let blocks = proved(genesis, stored);
    let chain = Arc::new(Mutex::new(Chain { blocks, damaged: None }));
    let (rivals, rivals_in) = mpsc::channel(WAITING_MAX);
    let (inputs_out, inputs) = mpsc::channel(16);
    let (seen_out, seen) = watch::channel(None);
    let (durable_out, durable) = watch::channel(Height::new(u64::try_from(stored).unwrap()));
    let met = Counter::default();
    let here = Arc::clone(&chain);
    let alarm = ForkAlarm {
        validators: genesis.validators().clone(),
        genesis: genesis.header().id(),
        read: Arc::new(move |height| {
            let chain = here.lock().unwrap();
            if chain.damaged == Some(height) {
                let reason = "for a test".to_owned();
                return Err(StorageError::DamagedBlock { height, reason });
            }
            let place = usize::try_from(height.get()).unwrap().checked_sub(1);
            Ok(place.and_then(|place| chain.blocks.get(place)).cloned().map(Arc::new))
        }),
        durable,
        view: watch::channel(shows(Height::new(3))).1,
        rivals: rivals_in,
        inputs: inputs_out,
        seen: seen_out,
        met: met.clone(),
    };
    tokio::spawn(alarm.run());
    Setting { chain, rivals, inputs, seen, met, durable: durable_out }
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

/// The block that it contradicts is committed here, and on its way to the disk.
#[tokio::test]
async fn a_rival_of_a_block_that_is_not_durable_yet_waits_for_it() {
    let genesis = genesis(4);
    let mut setting = setting_of(&genesis, 2);
    // Its parent is the second block of the chain here.
    let mut rival = proved(&genesis, 3).remove(2);
    rival.block.header.timestamp_ms += 1;
    let header = rival.block.header.clone();
    let votes: Vec<_> = (0..3).map(|it| vote(&genesis, it, Phase::Commit, &header)).collect();
    let certificate = Certificate::from_votes(votes[0].statement, &votes, genesis.validators());
    rival.proof.certificate = certificate.unwrap();

    setting.rivals.send(rival).await.unwrap();
    tokio::task::yield_now().await;
    assert_eq!(*setting.seen.borrow(), None);
    setting.chain.lock().unwrap().blocks = proved(&genesis, 3);
    setting.durable.send_replace(Height::new(3));

    assert_eq!(accused(&mut setting, &genesis).await, BTreeSet::from([0, 1, 2]));
}

/// A peer may choose which block is to be compared, and one block may have become unreadable long ago.
#[tokio::test]
async fn a_block_that_cannot_be_read_ends_nothing() {
    let genesis = genesis(4);
    let mut setting = setting(&genesis);
    setting.chain.lock().unwrap().damaged = Some(Height::new(2));
    let rivals = rivals(&genesis, 3);

    for rival in [&rivals[1], &rivals[2]] {
        setting.rivals.send(rival.clone()).await.unwrap();
    }

    assert_eq!(accused(&mut setting, &genesis).await, BTreeSet::from([0, 1, 2]));
    assert_eq!(*setting.seen.borrow(), Some(Height::new(3)));
}
