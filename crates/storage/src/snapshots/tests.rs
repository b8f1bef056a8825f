use types::account::Snapshot;
use types::number::Height;

use super::{
    MANIFEST_KEY, MARK_KEY, PAGE_KEY, heights, key, load, page_key, remove_unfinished, save,
};
use crate::database::Database;
use crate::error::StorageError;
use crate::fixture;
use crate::fixture::{Chain, genesis};

fn database(root: &tempfile::TempDir) -> Database {
    Database::open(root.path()).unwrap()
}

/// Snapshots after each of so many blocks; the number of accounts fills several pages.
fn snapshots(count: usize) -> Vec<Snapshot> {
    Chain::new(&genesis("net"))
        .blocks(count, 0)
        .iter()
        .map(|proved| fixture::snapshot(&proved.block, 2000))
        .collect()
}

#[test]
fn a_snapshot_is_read_back_whole() {
    let root = tempfile::tempdir().unwrap();
    let database = database(&root);
    let snapshot = snapshots(1).remove(0);

    save(&database, &snapshot).unwrap();
    save(&database, &snapshot).unwrap();

    assert_eq!(load(&database, Height::new(1)).unwrap(), Some(snapshot));
    assert_eq!(load(&database, Height::new(2)).unwrap(), None);
    assert!(database.last(&[MARK_KEY]).unwrap().is_none());
}

#[test]
fn a_snapshot_without_accounts_is_a_snapshot() {
    let root = tempfile::tempdir().unwrap();
    let database = database(&root);
    let mut snapshot = snapshots(1).remove(0);
    snapshot.accounts.clear();

    save(&database, &snapshot).unwrap();

    assert_eq!(load(&database, Height::new(1)).unwrap(), Some(snapshot));
}

#[test]
fn the_two_newest_are_kept_and_nothing_of_the_others() {
    let root = tempfile::tempdir().unwrap();
    let database = database(&root);

    for snapshot in snapshots(4) {
        save(&database, &snapshot).unwrap();
    }

    assert_eq!(heights(&database).unwrap(), [Height::new(4), Height::new(3)]);
    let (first_page, _) = database.first(&[PAGE_KEY], &[PAGE_KEY]).unwrap().unwrap();
    assert!(first_page.starts_with(&key(PAGE_KEY, Height::new(3))));
    assert!(database.last(&[MARK_KEY]).unwrap().is_none());
}

#[test]
fn a_save_interrupted_between_pages_is_no_snapshot_and_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let database = database(&root);
    let snapshots = snapshots(2);
    save(&database, &snapshots[0]).unwrap();
    save(&database, &snapshots[1]).unwrap();
    // As if the second had ended before its manifest and its last page.
    database.put(&key(MARK_KEY, Height::new(2)), &[]).unwrap();
    database.remove(&key(MANIFEST_KEY, Height::new(2))).unwrap();
    database.remove(&page_key(Height::new(2), 3)).unwrap();

    assert_eq!(heights(&database).unwrap(), [Height::new(1)]);
    assert_eq!(load(&database, Height::new(2)).unwrap(), None);
    assert_eq!(remove_unfinished(&database).unwrap(), 1);

    assert!(database.last(&key(PAGE_KEY, Height::new(2))).unwrap().is_none());
    assert_eq!(load(&database, Height::new(1)).unwrap().as_ref(), Some(&snapshots[0]));
    save(&database, &snapshots[1]).unwrap();
    assert_eq!(load(&database, Height::new(2)).unwrap().as_ref(), Some(&snapshots[1]));
}

#[test]
fn a_flipped_bit_in_page_or_manifest_is_an_error_that_names_the_height() {
    let root = tempfile::tempdir().unwrap();
    let database = database(&root);
    save(&database, &snapshots(1)[0]).unwrap();

    for key in [page_key(Height::new(1), 1), key(MANIFEST_KEY, Height::new(1))] {
        let whole = database.get(&key).unwrap().unwrap().to_vec();
        for place in (0..whole.len()).step_by(97) {
            let mut flipped = whole.clone();
            flipped[place] ^= 1 << (place % 8);
            database.put(&key, &flipped).unwrap();
            let found = load(&database, Height::new(1));
            assert!(
                matches!(found, Err(StorageError::DamagedSnapshot { height, .. }) if height.get() == 1),
                "byte {place}"
            );
        }
        database.put(&key, &whole).unwrap();
    }
    assert!(load(&database, Height::new(1)).unwrap().is_some());
}

#[test]
fn pages_swapped_with_each_other_are_noticed() {
    let root = tempfile::tempdir().unwrap();
    let database = database(&root);
    save(&database, &snapshots(1)[0]).unwrap();
    let (first, second) = (page_key(Height::new(1), 0), page_key(Height::new(1), 1));
    let value = database.get(&second).unwrap().unwrap();

    database.put(&first, &value).unwrap();

    assert!(load(&database, Height::new(1)).is_err());
}
