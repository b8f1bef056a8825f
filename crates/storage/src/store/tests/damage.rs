//! Damage is detected or harmless, never a wrong answer, and nothing is given up silently.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use types::number::Height;
use types::proof::ProvedBlock;

use super::{Place, assert_holds};
use crate::error::StorageError;
use crate::files::copy_directory;
use crate::fixture;
use crate::store::{Store, WhenDamaged, path};

/// A closed store with some of everything in it.
fn filled() -> (Place, Vec<ProvedBlock>) {
    let place = Place::new();
    let blocks = place.chain().blocks(30, 200);
    let store = place.open();
    for group in blocks.chunks(4) {
        store.append(group).unwrap();
    }
    store.save_snapshot(&fixture::snapshot(&blocks[19].block, 1500)).unwrap();
    store.save_snapshot(&fixture::snapshot(&blocks[29].block, 1500)).unwrap();
    drop(store);
    (place, blocks)
}

/// Every answer is the truth or an error, and the store ends where it ended.
fn assert_honest(store: &Store, blocks: &[ProvedBlock], what: &str) {
    assert_eq!(store.committed(), Height::new(30), "{what}");
    for proved in blocks {
        let height = proved.block.header.height;
        if let Ok(found) = store.block(height) {
            assert_eq!(found.as_deref(), Some(proved), "{what}");
        }
        if let Ok(found) = store.height_of(&proved.block.id()) {
            assert_eq!(found, Some(height), "{what}");
        }
        let id = proved.block.body.transactions()[7].id();
        if let Ok(found) = store.transaction(&id) {
            assert_eq!(found, Some((height, 7)), "{what}");
        }
    }
    if let Ok(Some(snapshot)) = store.snapshot_at(Height::new(30)) {
        assert_eq!(snapshot, fixture::snapshot(&blocks[29].block, 1500), "{what}");
    }
    if let Ok(Some(snapshot)) = store.snapshot_at(Height::new(20)) {
        assert_eq!(snapshot, fixture::snapshot(&blocks[19].block, 1500), "{what}");
    }
}

fn files(path: &Path) -> Vec<PathBuf> {
    fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect()
}

#[test]
fn a_flipped_byte_anywhere_is_detected_or_harmless() {
    let (place, blocks) = filled();
    let copy = place.root.path().join("copy");
    let (mut opened, mut refused) = (0, 0);

    for file in files(&place.store_path()) {
        let content = fs::read(&file).unwrap();
        let used: Vec<usize> = (0..content.len()).filter(|place| content[*place] != 0).collect();
        let samples = if content.len() > 10_000 { 150 } else { 40 };
        for place_of_flip in used.iter().step_by((used.len() / samples).max(1)) {
            let what = format!("byte {place_of_flip} of {}", file.display());
            copy_directory(&place.store_path(), &copy, &|| false).unwrap();
            let target =
                fs::File::options().write(true).open(copy.join(file.file_name().unwrap())).unwrap();
            let offset = u64::try_from(*place_of_flip).unwrap();
            let bit = 1 << (place_of_flip % 8);
            target.write_all_at(&[content[*place_of_flip] ^ bit], offset).unwrap();
            match place.open_copy(&copy) {
                Ok(store) => {
                    assert_honest(&store, &blocks, &what);
                    opened += 1;
                }
                Err(
                    StorageError::DamagedStore { .. }
                    | StorageError::DamagedBlock { .. }
                    | StorageError::DamagedIndex { .. },
                ) => refused += 1,
                Err(error) => panic!("{what}: {error}"),
            }
            fs::remove_dir_all(&copy).unwrap();
        }
    }
    assert!(opened > 0 && refused > 0, "{opened} opened, {refused} refused");
}

#[test]
fn a_file_cut_short_is_detected_or_harmless() {
    let (place, blocks) = filled();
    let copy = place.root.path().join("copy");

    for file in files(&place.store_path()) {
        let length = fs::metadata(&file).unwrap().len();
        for part in 0..8 {
            let what = format!("{} cut to {part}/8", file.display());
            copy_directory(&place.store_path(), &copy, &|| false).unwrap();
            let target = copy.join(file.file_name().unwrap());
            fs::File::options()
                .write(true)
                .open(target)
                .unwrap()
                .set_len(length * part / 8)
                .unwrap();
            match place.open_copy(&copy) {
                Ok(store) => assert_honest(&store, &blocks, &what),
                Err(error) => assert!(
                    matches!(
                        error,
                        StorageError::DamagedStore { .. } | StorageError::DamagedBlock { .. }
                    ),
                    "{what}: {error}"
                ),
            }
            fs::remove_dir_all(&copy).unwrap();
        }
    }
}

#[test]
fn a_database_that_lost_durable_blocks_is_refused_and_set_aside_only_on_demand() {
    let (place, blocks) = filled();
    // What sled makes of this is an empty database.
    fs::remove_file(place.store_path().join("db")).unwrap();
    for file in files(&place.store_path()) {
        if file.file_name().unwrap().to_string_lossy().starts_with("snap.") {
            fs::remove_file(file).unwrap();
        }
    }

    let refused = place.try_open().unwrap_err();
    let still_there = place.store_path().exists();
    let (store, report) =
        Store::open(&place.directory(), &place.genesis, WhenDamaged::SetAside).unwrap();

    assert!(refused.to_string().contains("height 30 was durable"), "{refused}");
    assert!(still_there);
    let aside = report.set_aside.unwrap();
    assert_eq!(aside.path, place.root.path().join("store.damaged-1"));
    assert!(aside.path.join("tip").exists());
    assert!(matches!(aside.damage, StorageError::DamagedStore { .. }));
    assert_eq!(store.committed(), Height::GENESIS);
    store.append(&blocks).unwrap();
    assert_holds(&store, &blocks);
}

#[test]
fn damage_found_later_can_be_set_aside_too() {
    let (place, _) = filled();

    let first = Store::set_aside(&place.directory()).unwrap().unwrap();
    let again = Store::set_aside(&place.directory()).unwrap();
    drop(place.open());
    let second = Store::set_aside(&place.directory()).unwrap().unwrap();

    assert!(first.ends_with("store.damaged-1") && second.ends_with("store.damaged-2"));
    assert_eq!(again, None);
}

#[test]
fn a_missing_mark_beside_a_database_is_damage() {
    let (place, _) = filled();
    fs::remove_file(place.store_path().join("tip")).unwrap();

    assert!(matches!(place.try_open(), Err(StorageError::DamagedStore { .. })));
}

#[test]
fn blocks_of_another_genesis_are_damage() {
    let (place, _) = filled();
    let other = fixture::genesis("other");

    let refused = super::super::open::open(&path(place.root.path()), &other, None).unwrap_err();

    assert!(matches!(refused, StorageError::DamagedStore { .. }), "{refused}");
}

#[test]
fn an_index_built_anew_equals_the_one_it_replaces() {
    let place = Place::new();
    let blocks = place.chain().blocks(70, 300);
    let store = place.open();
    for group in blocks.chunks(5) {
        store.append(group).unwrap();
    }
    let histories = |store: &Store| -> Vec<_> {
        (0..8)
            .map(|account| store.history(&fixture::address(account), None, 9000).unwrap())
            .collect()
    };
    let before = histories(&store);
    store.shared.database.put(b"m", b"no manifest").unwrap();
    store.shared.database.make_durable().unwrap();
    drop(store);

    let (store, report) =
        Store::open(&place.directory(), &place.genesis, WhenDamaged::Refuse).unwrap();

    assert!(report.index_rebuilt.unwrap().contains("manifest"));
    assert_eq!(report.blocks_indexed, 70);
    assert_eq!(histories(&store), before);
    store.check_index().unwrap();
    assert_holds(&store, &blocks);
    drop(store);
    let (_, report) = Store::open(&place.directory(), &place.genesis, WhenDamaged::Refuse).unwrap();
    assert!(report.index_rebuilt.is_none() && report.blocks_indexed < 70);
}

#[test]
fn a_damaged_index_page_stops_lookups_not_blocks_and_is_rebuilt_at_the_next_open() {
    let place = Place::new();
    let blocks = place.chain().blocks(70, 300);
    let store = place.open();
    store.append(&blocks[..60]).unwrap();
    let first_page = [&b"r"[..], &[0; 12]].concat();
    store.shared.database.put(&first_page, b"no page").unwrap();

    assert!(store.check_index().is_err());
    store.append(&blocks[60..]).unwrap();
    let id = blocks[69].block.body.transactions()[0].id();
    assert!(matches!(store.transaction(&id), Err(StorageError::DamagedIndex { .. })));
    assert!(store.index_damage().is_some());
    assert!(store.block(Height::new(70)).unwrap().is_some());
    drop(store);

    let store = place.open();
    assert_eq!(store.index_damage(), None);
    assert_holds(&store, &blocks);
}

#[test]
fn a_missing_block_is_an_error_that_names_its_height() {
    let (place, _) = filled();
    let store = place.open();
    let head = [&b"b"[..], &9_u64.to_be_bytes(), &[0; 4]].concat();
    store.shared.database.remove(&head).unwrap();

    let error = store.block(Height::new(9)).unwrap_err();

    assert!(error.to_string().contains("height 9"), "{error}");
    assert!(store.blocks(Height::new(8), usize::MAX).is_err());
}
