use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Waker};

use crypto::keys::SecretKey;
use storage::{Directory, WhenDamaged};

use super::*;
use crate::fixture::{genesis, key};

/// Look-ups in an empty store.
fn lookups(root: &tempfile::TempDir) -> Lookups {
    let genesis = genesis(1);
    let owner: SecretKey = key(0);
    let directory = Directory::open(root.path(), *genesis.chain(), owner.public_key()).unwrap();
    let (store, _) = Store::open(&directory, &genesis, WhenDamaged::Refuse).unwrap();
    let evidence = EvidenceStore::open(&directory, genesis.validators()).unwrap();
    Lookups::new(store, evidence)
}

/// Begins a look-up that lasts until its end is dropped, and leaves as a client does that goes away.
fn begin_and_leave(lookups: &Lookups, begun: &mpsc::Sender<()>) -> mpsc::Sender<()> {
    let (end, ended) = mpsc::channel::<()>();
    let begun = begun.clone();
    let mut left = pin!(lookups.run(move |_| {
        begun.send(()).unwrap();
        assert!(ended.recv().is_err());
        Ok(())
    }));
    assert!(left.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    end
}

#[tokio::test]
async fn clients_that_ask_and_leave_keep_no_more_look_ups_at_work_than_there_are_places() {
    let root = tempfile::tempdir().unwrap();
    let lookups = lookups(&root);
    let (begun, begins) = mpsc::channel();

    let mut ends: Vec<_> =
        (0..LOOKUPS_MAX * 8).map(|_| begin_and_leave(&lookups, &begun)).collect();

    // As many have begun as there are places, and the next one waits although their clients have left.
    for _ in 0..LOOKUPS_MAX {
        begins.recv().unwrap();
    }
    let mut next = pin!(lookups.run(|store| Ok(store.committed().get())));
    assert!(next.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(lookups.places.available_permits(), 0);
    ends.clear();
    assert_eq!(next.await, Ok(0));
    // What waited for a place ended with its client.
    assert!(begins.try_recv().is_err());
}

#[tokio::test]
async fn a_look_up_that_panics_gives_its_place_back() {
    let root = tempfile::tempdir().unwrap();
    let lookups = lookups(&root);

    for _ in 0..=LOOKUPS_MAX {
        let broken = lookups.run::<()>(|_| panic!("on purpose")).await;
        assert_eq!(broken, Err(Fault::Stopping));
    }

    assert_eq!(lookups.run(|store| Ok(store.committed().get())).await, Ok(0));
}
