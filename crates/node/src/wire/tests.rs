use crypto::encoding::{from_wire, to_wire};
use crypto::keys::SecretKey;
use types::address::Address;
use types::amount::Amount;
use types::block::BlockId;
use types::memo::Memo;
use types::number::{Nonce, View};
use types::parameters::Parameters;
use types::replica::ReplicaId;
use types::transaction::{Action, Transaction, Transfer};
use types::vote::{Phase, Statement, Vote};

use super::*;

const BYTES_MAX: usize = 1 << 20;

fn chain() -> crypto::signed::ChainId {
    crypto::signed::ChainId::new(crypto::digest::Digest::from_bytes([9; 32]))
}

fn requests() -> Vec<SignedTransaction> {
    let key = SecretKey::from_seed([1; 32]);
    let transaction = |nonce| Transaction {
        chain: chain(),
        sender: Address::Key(key.public_key()),
        nonce: Nonce::new(nonce),
        valid_until: Height::new(100),
        action: Action::Transfer(Transfer {
            recipient: Address::Key(SecretKey::from_seed([2; 32]).public_key()),
            amount: Amount::new(5),
            memo: Memo::new("memo".to_owned()),
        }),
    };
    (0..3).map(|nonce| SignedTransaction::sign(transaction(nonce), &key)).collect()
}

fn vote() -> Message {
    let statement = Statement {
        phase: Phase::Commit,
        view: View::FIRST,
        height: Height::new(7),
        block: BlockId::new(crypto::digest::Digest::from_bytes([3; 32])),
    };
    let key = SecretKey::from_seed([1; 32]);
    Message::Commit(Vote::sign(statement, ReplicaId::new(0), &chain(), &key))
}

/// Frames of both kinds as they are sent.
fn frames() -> [Vec<u8>; 2] {
    [to_wire(&FrameRef::Consensus(&vote())), to_wire(&FrameRef::Requests(&requests()))]
}

#[test]
fn what_is_sent_is_what_is_received() {
    let [consensus, sent] = frames();

    let Frame::Consensus(message) = from_wire(&consensus, BYTES_MAX).unwrap() else {
        panic!("another kind of frame");
    };
    assert_eq!(*message.get(), vote());
    let Frame::Requests(received) = from_wire(&sent, BYTES_MAX).unwrap() else {
        panic!("another kind of frame");
    };
    assert_eq!(received.iter().map(Unverified::get).cloned().collect::<Vec<_>>(), requests());
}

#[test]
fn every_damaged_frame_is_refused_or_is_exactly_what_its_bytes_say() {
    for whole in frames() {
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                if let Ok(frame) = from_wire::<Frame>(&bytes, BYTES_MAX) {
                    assert_eq!(to_wire(&frame), bytes, "bit {bit} of byte {at}");
                }
            }
            assert!(from_wire::<Frame>(&whole[..at], BYTES_MAX).is_err(), "cut at {at}");
        }
        let longer = [whole.as_slice(), &[0]].concat();
        assert!(from_wire::<Frame>(&longer, BYTES_MAX).is_err());
    }
}

#[test]
fn a_frame_that_claims_more_than_it_holds_is_refused() {
    let mut bomb = to_wire(&FrameRef::Requests(&[]));
    let length = bomb.len();
    bomb[length - 8..].copy_from_slice(&u64::MAX.to_le_bytes());

    assert!(from_wire::<Frame>(&bomb, BYTES_MAX).is_err());
}

/// So many bytes of a frame of requests, the last ones missing.
fn cut_requests(bytes: usize) -> Vec<u8> {
    let mut frame = to_wire(&FrameRef::Requests(&vec![requests()[0].clone(); 1_000]));
    assert!(frame.len() > bytes);
    frame.truncate(bytes);
    frame
}

#[test]
fn a_frame_of_more_requests_than_a_batch_is_refused_by_its_length_alone() {
    let longest = Frame::read(&cut_requests(BATCH_BYTES_MAX), BYTES_MAX).unwrap_err();
    let longer = Frame::read(&cut_requests(BATCH_BYTES_MAX + 1), BYTES_MAX).unwrap_err();

    // The one was decoded and ends early, the other was not.
    assert!(matches!(longest, DecodeError::Malformed { .. }), "{longest:?}");
    let too_long = DecodeError::TooLong { bytes: BATCH_BYTES_MAX + 1, bytes_max: BATCH_BYTES_MAX };
    assert_eq!(longer, too_long);
}

#[test]
fn only_a_message_of_the_protocol_and_evidence_may_be_as_long_as_a_frame() {
    let [consensus, _] = frames();
    let long = [consensus.as_slice(), &[0; BATCH_BYTES_MAX]].concat();
    let mut unknown = long.clone();
    unknown[1] = 3;

    let read = |bytes: &[u8]| Frame::read(bytes, BYTES_MAX).unwrap_err();

    assert_eq!(read(&long), DecodeError::Trailing { bytes: BATCH_BYTES_MAX });
    assert!(matches!(read(&unknown), DecodeError::TooLong { .. }));
    for whole in frames() {
        assert!(Frame::read(&whole, BYTES_MAX).is_ok());
        assert!(matches!(Frame::read(&whole, 9), Err(DecodeError::TooLong { bytes_max: 9, .. })));
    }
}

#[test]
fn the_largest_batch_of_requests_fits_the_frames_of_the_smallest_blocks() {
    let parameters = Parameters { block_bytes_max: 0, ..Parameters::default() };
    let limits = network::Limits::for_network(&parameters, 0);

    assert!(BATCH_BYTES_MAX <= usize::try_from(limits.frame_bytes_max).unwrap());
    assert!(BATCH_BYTES_MAX <= limits.gossip_bytes_max);
}

/// Every byte changed in a few ways, and every length: what is taken at all is the one encoding of it.
fn meet<T: crypto::encoding::Decode<()> + crypto::encoding::Encode>(sample: &[u8]) -> usize {
    let mut taken = 0;
    let mut meet = |bytes: &[u8]| {
        if let Ok(value) = from_wire::<T>(bytes, BYTES_MAX) {
            assert_eq!(to_wire(&value), bytes);
            taken += 1;
        }
    };
    for place in 0..sample.len() {
        for change in [1, 0x80, 0xff] {
            let mut changed = sample.to_vec();
            changed[place] ^= change;
            meet(&changed);
        }
        meet(&sample[..place]);
    }
    meet(&[sample, &[0]].concat());
    meet(sample);
    taken
}

#[test]
fn changed_questions_for_blocks_and_answers_are_taken_only_in_their_one_encoding() {
    let genesis = crate::fixture::genesis(4);
    let (blocks, _) = crate::fixture::executed(&genesis, 2);
    let asked = BlocksRequest { from: Height::new(7), count: 300 };
    let answer: BlocksResponse = blocks.into_iter().map(Unverified::new).collect();

    assert!(meet::<BlocksRequest>(&to_wire(&asked)) > 0);
    assert!(meet::<BlocksResponse>(&to_wire(&answer)) > 0);
}
