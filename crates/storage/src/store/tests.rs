mod crash;
mod damage;
mod descriptors;
mod headers;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use types::genesis::Genesis;
use types::number::Height;
use types::proof::ProvedBlock;

use super::{Store, WhenDamaged, path};
use crate::directory::Directory;
use crate::error::StorageError;
use crate::fixture::{self, Chain, address, key};

/// A directory with a store that can be closed, copied and opened again.
struct Place {
    root: tempfile::TempDir,
    genesis: Genesis,
}

impl Place {
    fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap(), genesis: fixture::genesis("net") }
    }

    fn directory(&self) -> Directory {
        self.try_directory().unwrap()
    }

    fn try_directory(&self) -> Result<Directory, StorageError> {
        Directory::open(self.root.path(), *self.genesis.chain(), key(1))
    }

    fn store_path(&self) -> PathBuf {
        path(self.root.path())
    }

    fn chain(&self) -> Chain {
        Chain::new(&self.genesis)
    }

    fn open(&self) -> Store {
        self.try_open().unwrap()
    }

    fn try_open(&self) -> Result<Store, StorageError> {
        Store::open(&self.try_directory()?, &self.genesis, WhenDamaged::Refuse)
            .map(|(store, _)| store)
    }

    /// Opens a copy of a store somewhere else.
    fn open_copy(&self, copy: &Path) -> Result<Store, StorageError> {
        super::open(copy, &self.genesis, None).map(|(store, _)| store)
    }
}

/// Every answer about these blocks is right.
fn assert_holds(store: &Store, blocks: &[ProvedBlock]) {
    for proved in blocks {
        let height = proved.block.header.height;
        assert_eq!(store.block(height).unwrap().as_deref(), Some(proved));
        assert_eq!(store.height_of(&proved.block.id()).unwrap(), Some(height));
        for (position, signed) in (0..).zip(proved.block.body.transactions()).step_by(5) {
            let place = store.transaction(&signed.id()).unwrap();
            assert_eq!(place, Some((height, position)));
        }
    }
}

#[test]
fn an_empty_store_is_at_the_genesis() {
    let place = Place::new();
    let (store, report) =
        Store::open(&place.directory(), &place.genesis, WhenDamaged::Refuse).unwrap();
    let genesis = place.genesis.block().id();

    assert!(report.created);
    assert_eq!(store.newest(), (Height::GENESIS, genesis));
    assert_eq!(store.height_of(&genesis).unwrap(), Some(Height::GENESIS));
    assert_eq!(store.block(Height::GENESIS).unwrap(), None);
    assert_eq!(store.blocks(Height::GENESIS, 1000).unwrap(), []);
    assert_eq!(store.snapshot().unwrap(), None);
    store.append(&[]).unwrap();
}

#[test]
fn what_was_appended_is_found_now_and_after_a_reopen() {
    let place = Place::new();
    let blocks = place.chain().blocks(40, 6);
    let store = place.open();

    store.append(&blocks[..1]).unwrap();
    store.append(&blocks[1..]).unwrap();

    assert_holds(&store, &blocks);
    let newest = (Height::new(40), blocks[39].block.id());
    assert_eq!(store.newest(), newest);
    assert!(store.disk_bytes() > 40 * 6 * 200);
    drop(store);
    let store = place.open();
    assert_eq!(store.newest(), newest);
    assert_holds(&store, &blocks);
    assert_eq!(store.block(Height::new(41)).unwrap(), None);
}

#[test]
fn unknown_ids_and_addresses_are_not_found() {
    let place = Place::new();
    let store = place.open();
    store.append(&place.chain().blocks(3, 6)).unwrap();
    let mut other = Chain::new(&fixture::genesis("other"));
    let stranger = other.block(1, 0);

    assert_eq!(store.height_of(&stranger.block.id()).unwrap(), None);
    let id = stranger.block.body.transactions()[0].id();
    assert_eq!(store.transaction(&id).unwrap(), None);
    assert_eq!(store.history(&address(999), None, 10).unwrap(), []);
}

#[test]
fn blocks_of_a_mebibyte_come_back_as_they_were() {
    let place = Place::new();
    let mut chain = place.chain();
    let blocks: Vec<ProvedBlock> = (0..4).map(|_| chain.block(4100, 64)).collect();
    let store = place.open();

    store.append(&blocks).unwrap();
    drop(store);

    let store = place.open();
    let newest = store.block(Height::new(4)).unwrap().unwrap();
    assert!(*newest == blocks[3] && crypto::encoding::encoded_bytes(&*newest) > 1 << 20);
    assert!(store.blocks(Height::new(1), usize::MAX).unwrap() == blocks);
}

#[test]
fn blocks_are_served_up_to_a_size_and_one_at_least() {
    let place = Place::new();
    let blocks = place.chain().blocks(10, 2);
    let store = place.open();
    store.append(&blocks).unwrap();
    let one = crypto::encoding::to_wire(&blocks[4]).len();

    let heights = |bytes_max| store.blocks(Height::new(5), bytes_max).unwrap().len();

    assert_eq!(heights(0), 1);
    assert_eq!(heights(one * 3), 3);
    assert_eq!(heights(one * 3 - 1), 2);
    assert_eq!(heights(usize::MAX), 6);
    assert_eq!(store.blocks(Height::new(11), 1000).unwrap(), []);
}

#[test]
fn history_is_given_newest_first_page_by_page() {
    let place = Place::new();
    let store = place.open();
    let blocks = place.chain().blocks(60, 7);
    for group in blocks.chunks(7) {
        store.append(group).unwrap();
    }
    let wanted = address(3);

    let whole = store.history(&wanted, None, 10_000).unwrap();
    let mut paged = Vec::new();
    while let page = store.history(&wanted, paged.last().copied(), 11).unwrap()
        && !page.is_empty()
    {
        paged.extend(page);
    }

    assert_eq!(paged, whole);
    assert!(whole.is_sorted_by(|a, b| a > b) && whole.len() > 60);
    for (height, position) in &whole {
        let block = store.block(*height).unwrap().unwrap();
        let signed = &block.block.body.transactions()[usize::try_from(*position).unwrap()];
        let types::transaction::Action::Transfer(transfer) = &signed.transaction.action;
        assert!(signed.transaction.sender == wanted || transfer.recipient == wanted);
    }
}

#[test]
fn an_entry_whose_prefix_only_collides_is_passed_over() {
    let place = Place::new();
    let store = place.open();
    let blocks = place.chain().blocks(2, 4);
    store.append(&blocks).unwrap();
    let id = blocks[0].block.body.transactions()[1].id();
    let wanted = address(3);
    let before = store.history(&wanted, None, 100).unwrap();
    // Entries that lead to other transactions, to none, and to no block, as a collision would.
    let mut staged = super::index::Staged::default();
    for (height, position) in [(1, 0), (2, 3), (2, 99), (77, 0)] {
        staged.add_for_test(
            super::prefix_of_id(&id),
            super::prefix_of_address(&wanted),
            height,
            position,
        );
    }
    store.shared.index.publish(staged);

    assert_eq!(store.transaction(&id).unwrap(), Some((Height::new(1), 1)));
    let after = store.history(&wanted, None, 100).unwrap();
    let touching = before.len();
    assert!(after.len() >= touching);
    assert_eq!(store.history(&wanted, None, 1).unwrap(), before[..1]);
}

#[test]
#[should_panic(expected = "is stored after height 1")]
fn a_gap_is_a_bug() {
    let place = Place::new();
    let blocks = place.chain().blocks(3, 1);
    let store = place.open();
    store.append(&blocks[..1]).unwrap();

    store.append(&blocks[2..]).unwrap();
}

#[test]
#[should_panic(expected = "is not the child of the stored one")]
fn a_block_on_another_parent_is_a_bug() {
    let place = Place::new();
    let store = place.open();
    store.append(&place.chain().blocks(1, 1)).unwrap();
    let mut other = Chain::new(&fixture::genesis("other"));

    store.append(&other.blocks(2, 1)[1..]).unwrap();
}

#[test]
fn a_failed_append_shows_nothing_and_is_final() {
    let place = Place::new();
    let store = place.open();
    let blocks = place.chain().blocks(3, 2);
    store.append(&blocks[..1]).unwrap();
    // A file where none may be makes the append fail after its writes.
    std::fs::write(place.store_path().join("blobs/1"), "x").unwrap();

    let first = store.append(&blocks[1..2]).unwrap_err();
    std::fs::remove_file(place.store_path().join("blobs/1")).unwrap();
    let second = store.append(&blocks[1..2]).unwrap_err();
    let third = store.save_snapshot(&fixture::snapshot(&blocks[0].block, 3)).unwrap_err();

    assert!(matches!(first, StorageError::DamagedStore { .. }));
    assert!(matches!(second, StorageError::Poisoned { .. }));
    assert!(matches!(third, StorageError::Poisoned { .. }));
    assert_eq!(store.committed(), Height::new(1));
    assert_eq!(store.block(Height::new(2)).unwrap(), None);
    assert_eq!(store.height_of(&blocks[1].block.id()).unwrap(), None);
    assert_holds(&store, &blocks[..1]);
}

#[test]
fn readers_see_whole_blocks_and_every_entry_while_the_writer_works() {
    let place = Place::new();
    let store = place.open();
    let blocks = place.chain().blocks(400, 150);
    let done = AtomicBool::new(false);

    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|reader| {
                let (store, blocks, done) = (store.clone(), &blocks, &done);
                scope.spawn(move || {
                    let mut rounds = 0;
                    while !done.load(Ordering::Relaxed) {
                        let newest = usize::try_from(store.committed().get()).unwrap();
                        for height in
                            (newest.saturating_sub(3)..newest).chain([newest / 2 + reader])
                        {
                            if height < newest {
                                assert_holds(&store, &blocks[height..=height]);
                            }
                        }
                        rounds += 1;
                    }
                    rounds
                })
            })
            .collect();
        for group in blocks.chunks(3) {
            store.append(group).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });

    assert_holds(&store, &blocks);
}

#[test]
fn the_newest_whole_snapshot_is_given_and_a_damaged_one_passed_over() {
    let place = Place::new();
    let store = place.open();
    let blocks = place.chain().blocks(3, 1);
    store.append(&blocks).unwrap();
    let snapshots: Vec<_> =
        blocks.iter().map(|proved| fixture::snapshot(&proved.block, 900)).collect();

    for snapshot in &snapshots {
        store.save_snapshot(snapshot).unwrap();
        assert_eq!(store.snapshot().unwrap().as_ref(), Some(snapshot));
    }
    assert_eq!(store.snapshots().unwrap(), [Height::new(3), Height::new(2)]);
    assert_eq!(store.snapshot_at(Height::new(2)).unwrap().as_ref(), Some(&snapshots[1]));
    let mut page = b"s".to_vec();
    page.extend(3_u64.to_be_bytes());
    page.extend(0_u32.to_be_bytes());
    store.shared.database.put(&page, b"damaged").unwrap();

    assert_eq!(store.snapshot().unwrap().as_ref(), Some(&snapshots[1]));
    assert!(matches!(
        store.snapshot_at(Height::new(3)),
        Err(StorageError::DamagedSnapshot { height, .. }) if height.get() == 3
    ));
}

#[test]
#[should_panic(expected = "above the newest stored block")]
fn a_snapshot_of_a_block_that_is_not_stored_is_a_bug() {
    let place = Place::new();
    let snapshot = fixture::snapshot(&place.chain().block(1, 1).block, 1);

    place.open().save_snapshot(&snapshot).unwrap();
}

#[test]
fn a_directory_stays_locked_while_its_store_is_open() {
    let place = Place::new();
    let store = place.open();

    let refused = place.try_open().map(drop);
    drop(store);

    assert!(matches!(refused, Err(StorageError::Locked { .. })));
    place.open();
}
