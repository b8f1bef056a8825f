//! Headers are read without the blocks behind them, and are still the right ones.

use types::number::Height;
use types::proof::ProvedBlock;

use super::{Place, Store};
use crate::blocks;
use crate::error::StorageError;

/// A store with so many blocks of several parts each.
fn stored(place: &Place, count: usize) -> (Store, Vec<ProvedBlock>) {
    let blocks = place.chain().blocks(count, 300);
    let store = place.open();
    store.append(&blocks).unwrap();
    (store, blocks)
}

fn heights(store: &Store, before: Option<u64>, limit: usize) -> Vec<u64> {
    let headers = store.headers(before.map(Height::new), limit).unwrap();
    headers.iter().map(|header| header.height.get()).collect()
}

#[test]
fn headers_are_given_newest_first_down_to_the_first_block() {
    let place = Place::new();
    let (store, blocks) = stored(&place, 6);

    let headers = store.headers(None, 100).unwrap();

    let expected: Vec<_> = blocks.iter().rev().map(|block| block.block.header.clone()).collect();
    assert_eq!(headers, expected);
    assert_eq!(store.newest_header(), expected[0]);
    assert_eq!(heights(&store, None, 2), [6, 5]);
    assert_eq!(heights(&store, Some(5), 2), [4, 3]);
    assert_eq!(heights(&store, Some(6), 1), [5]);
    assert_eq!(heights(&store, Some(7), 1), [6]);
    assert_eq!(heights(&store, Some(u64::MAX), 1), [6]);
    assert_eq!(heights(&store, Some(2), 9), [1]);
    assert_eq!(heights(&store, Some(1), 9), [0; 0]);
    assert_eq!(heights(&store, Some(0), 9), [0; 0]);
    assert_eq!(heights(&store, None, 0), [0; 0]);
    drop(store);
    assert_eq!(place.open().newest_header(), expected[0]);
}

#[test]
fn an_empty_store_has_no_headers_and_the_newest_is_the_genesis() {
    let place = Place::new();
    let store = place.open();

    assert_eq!(store.headers(None, 9).unwrap(), []);
    assert_eq!(store.newest_header(), *place.genesis.header());
}

#[test]
fn a_page_of_headers_reads_one_block_at_most_as_a_whole() {
    let place = Place::new();
    let (store, blocks) = stored(&place, 6);
    // Bodies that are gone: whoever reads more than the header is told so.
    for block in &blocks[..4] {
        blocks::tests::remove_second_part(&store.shared.database, block.block.header.height);
    }

    assert!(store.block(Height::new(3)).is_err());
    assert_eq!(heights(&store, None, 100), [6, 5, 4, 3, 2, 1]);
    assert_eq!(heights(&store, Some(6), 100), [5, 4, 3, 2, 1]);
}

#[test]
fn a_header_that_is_not_the_one_named_above_is_an_error() {
    let place = Place::new();
    let (store, blocks) = stored(&place, 4);
    let mut other = blocks[1].clone();
    other.block.header.timestamp_ms += 1;
    blocks::write(&store.shared.database, &other).unwrap();

    let refused = store.headers(None, 9).unwrap_err();

    assert!(
        matches!(refused, StorageError::DamagedBlock { height, .. } if height.get() == 2),
        "{refused}"
    );
}
