use types::block::Body;

use super::*;
use crate::fixture::Signers;

/// A log of two transfers, due at 100 and 200 ms, and the blocks that hold the first, and both.
fn fixture() -> (Log, [TransactionId; 2], [Block; 2]) {
    let signers = Signers::new(4);
    let transfers = [0, 1].map(|nonce| signers.transfer(nonce));
    let ids = [0, 1].map(|index: usize| transfers[index].id());
    let mut log = Log::default();
    for (place, (id, due_ms)) in ids.iter().zip([100, 200]).enumerate() {
        log.transfers.insert(*id, Fate { place, due_ms, ..Fate::default() });
    }
    let block = |count: usize, mark| Block {
        body: Body::new(transfers[..count].to_vec()),
        ..signers.branch(1, mark, 1)[0].clone()
    };
    (log, ids, [block(1, 0), block(2, 7)])
}

#[test]
fn a_transfer_is_final_when_enough_have_committed_it_in_the_same_block() {
    let (mut log, [first, second], [one, other]) = fixture();
    log.sent(2);

    log.committed(0, 300, &one, 2);
    log.committed(0, 310, &one, 2);
    assert!(!log.has_forked());
    log.committed(1, 320, &other, 2);
    assert!(!log.is_final(&first) && log.has_forked());
    log.committed(2, 400, &one, 2);
    log.committed(3, 500, &one, 2);

    assert!(log.is_final(&first) && !log.is_final(&second) && !log.all_final());
    let seen = log.seen(1_000);
    assert_eq!((seen.sent, seen.waiting, seen.longest_wait_ms), (2, 1, 800));
    log.committed(2, 900, &other, 2);
    assert!(log.all_final());
    let seen = log.seen(1_000);
    assert_eq!((seen.waiting, seen.longest_wait_ms), (0, 700));
}

#[test]
fn what_was_not_sent_does_not_wait() {
    let (mut log, _, _) = fixture();

    assert_eq!(log.seen(1_000), Seen { end_ms: 1_000, ..Seen::default() });
    log.sent(1);
    let seen = log.seen(1_000);

    assert_eq!((seen.sent, seen.waiting, seen.longest_wait_ms), (1, 1, 900));
}

#[test]
fn validators_are_level_only_when_all_of_them_answer_from_one_height() {
    let (mut log, _, _) = fixture();

    assert!(!log.are_level(&[0, 1]));
    log.heights = BTreeMap::from([(0, 5), (1, 5), (2, 4)]);

    assert!(log.are_level(&[0, 1]) && log.are_level(&[]));
    assert!(!log.are_level(&[0, 1, 2]) && !log.are_level(&[0, 3]) && !log.are_level(&[3]));
}
