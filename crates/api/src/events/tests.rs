use std::sync::Arc;

use super::{BLOCKS_KEPT, EventHub};
use crate::tests::network;

#[test]
fn publishing_without_readers_makes_nothing() {
    let hub = EventHub::new();
    let proved = Arc::new(network::block(network::genesis().header(), Vec::new()));

    hub.block(Arc::clone(&proved), network::reply(0, &proved.block.header));

    assert_eq!(Arc::strong_count(&proved), 1);
}

#[test]
fn all_readers_share_one_block_and_one_text() {
    let hub = EventHub::new();
    let mut readers = [hub.subscribe(), hub.subscribe()];
    let proved = Arc::new(network::block(network::genesis().header(), Vec::new()));

    hub.block(Arc::clone(&proved), network::reply(0, &proved.block.header));

    let [first, second] = readers.each_mut().map(|reader| reader.blocks.try_recv().unwrap());
    assert!(Arc::ptr_eq(&first, &second));
    assert!(std::ptr::eq(first.json(), second.json()));
}

#[test]
fn a_reader_that_takes_nothing_holds_no_more_than_the_hub_keeps() {
    let hub = EventHub::new();
    let _reader = hub.subscribe();
    let proved = Arc::new(network::block(network::genesis().header(), Vec::new()));
    let reply = network::reply(0, &proved.block.header);

    for _ in 0..BLOCKS_KEPT * 4 {
        hub.block(Arc::clone(&proved), reply);
    }

    assert!(Arc::strong_count(&proved) <= BLOCKS_KEPT + 1);
}
