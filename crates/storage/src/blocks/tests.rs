use types::number::Height;

use super::{KEY, height_key, newest, read, write};
use crate::chunks::part_key;
use crate::database::Database;
use crate::error::StorageError;
use crate::fixture::{Chain, genesis};

/// Leaves a block of several parts without its second.
pub(crate) fn remove_second_part(database: &Database, height: Height) {
    assert!(database.get(&part_key(&height_key(height), 1)).unwrap().is_some());
    database.remove(&part_key(&height_key(height), 1)).unwrap();
}

fn database(root: &tempfile::TempDir) -> Database {
    Database::open(root.path()).unwrap()
}

#[test]
fn blocks_of_all_sizes_come_back_as_they_were() {
    let root = tempfile::tempdir().unwrap();
    let database = database(&root);
    let mut chain = Chain::new(&genesis("net"));

    // Around one chunk, and far above it.
    for (transactions, memo_bytes) in [(0, 0), (1, 64), (130, 5), (140, 5), (4000, 64), (9000, 64)]
    {
        let block = chain.block(transactions, memo_bytes);
        write(&database, &block).unwrap();
        let (found, bytes) = read(&database, block.block.header.height).unwrap();
        assert!(found == block && bytes > transactions * 200);
    }
}

#[test]
fn a_missing_part_is_an_error_that_names_the_height() {
    let root = tempfile::tempdir().unwrap();
    let database = database(&root);
    let block = Chain::new(&genesis("net")).block(1000, 0);
    write(&database, &block).unwrap();
    database.remove(&part_key(&height_key(Height::new(1)), 3)).unwrap();

    let error = read(&database, Height::new(1)).unwrap_err();

    assert!(matches!(&error, StorageError::DamagedBlock { height, reason }
        if height.get() == 1 && reason.contains("part 3 is missing")));
}

#[test]
fn every_flipped_bit_of_a_stored_block_is_noticed() {
    let root = tempfile::tempdir().unwrap();
    let database = database(&root);
    let block = Chain::new(&genesis("net")).block(2, 0);
    write(&database, &block).unwrap();
    let key = part_key(&height_key(Height::new(1)), 0);
    let whole = database.get(&key).unwrap().unwrap().to_vec();

    for place in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[place] ^= 1 << (place % 8);
        database.put(&key, &flipped).unwrap();
        let found = read(&database, Height::new(1));
        assert!(matches!(found, Err(StorageError::DamagedBlock { .. })), "byte {place}");
    }
}

#[test]
fn a_block_in_the_place_of_another_is_noticed() {
    let root = tempfile::tempdir().unwrap();
    let database = database(&root);
    for block in Chain::new(&genesis("net")).blocks(2, 1) {
        write(&database, &block).unwrap();
    }
    let first = database.get(&part_key(&height_key(Height::new(1)), 0)).unwrap().unwrap();
    database.put(&part_key(&height_key(Height::new(2)), 0), &first).unwrap();

    assert!(read(&database, Height::new(2)).is_err());
}

#[test]
fn what_an_interrupted_append_left_is_removed() {
    let root = tempfile::tempdir().unwrap();
    let database = database(&root);
    for block in Chain::new(&genesis("net")).blocks(3, 500) {
        write(&database, &block).unwrap();
    }
    // The first chunk is written last: what is cut off is the head of the newest block.
    database.remove(&part_key(&height_key(Height::new(3)), 0)).unwrap();

    assert_eq!(newest(&database).unwrap(), Height::new(2));
    let (key, _) = database.last(&[KEY]).unwrap().unwrap();
    assert!(key.starts_with(&super::height_key(Height::new(2))));
}

#[test]
fn an_empty_database_is_at_the_genesis() {
    let root = tempfile::tempdir().unwrap();

    assert_eq!(newest(&database(&root)).unwrap(), Height::GENESIS);
}
