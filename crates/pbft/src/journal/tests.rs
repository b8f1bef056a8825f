//! What an interrupted write looks like, what damage looks like, and that neither is read as something else.

use proptest::prelude::*;
use types::number::{Height, View};
use types::parameters::Parameters;
use types::vote::{Phase, Statement};

use super::{Damage, HEADER_BYTES, append_frame, live, read};
use crate::fixture::{Bench, chain_of, commit, genesis, pre_prepare, prepare, signed, statement};
use crate::record::{Record, Retirement};

/// Records of every kind: those of a backup that voted for three heights, left the view and was retired.
fn records() -> Vec<Record> {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 3);
    for block in &blocks {
        bench.receive(pre_prepare(&bench.genesis, block));
        bench.receive(prepare(&bench.genesis, 2, block));
    }
    let vote = signed(&bench.genesis, 1, statement(Phase::Commit, &blocks[0]));
    let (view, height, block) = (View::FIRST, Height::new(1), blocks[1].id());
    bench.records.push(Record::Left { view, height, block });
    bench.records.push(Record::Retired { reason: Retirement::Vote(vote) });
    bench.records
}

/// A journal with these numbers of records in its frames, and where the frames end.
fn journal(records: &[Record], frames: &[usize]) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    let mut rest = records;
    for count in frames {
        let (frame, later) = rest.split_at(*count);
        let offset = u64::try_from(bytes.len()).unwrap();
        append_frame(&mut bytes, offset, frame);
        ends.push(bytes.len());
        rest = later;
    }
    (bytes, ends)
}

/// The records of the frames that end at or before `end`, and where they end.
fn prefix<'a>(
    records: &'a [Record],
    frames: &[usize],
    ends: &[usize],
    end: usize,
) -> (&'a [Record], u64) {
    let whole = ends.iter().filter(|frame| **frame <= end).count();
    let count = frames[..whole].iter().sum();
    let bytes = if whole == 0 { 0 } else { ends[whole - 1] };
    (&records[..count], u64::try_from(bytes).unwrap())
}

const FRAMES: [usize; 5] = [1, 3, 2, 4, 1];

#[test]
fn what_was_written_is_read() {
    let records = records();
    let (bytes, _) = journal(&records, &FRAMES);
    let contents = read(&bytes).unwrap();
    assert_eq!(contents.records, records);
    assert_eq!(contents.whole_bytes, u64::try_from(bytes.len()).unwrap());
    assert_eq!(read(&[]).unwrap().records, []);
}

#[test]
fn no_records_make_no_frame() {
    let mut bytes = Vec::new();
    append_frame(&mut bytes, 0, &[]);
    assert!(bytes.is_empty());
}

#[test]
fn every_truncation_is_read_as_a_prefix() {
    let records = records();
    let (bytes, ends) = journal(&records, &FRAMES);
    for cut in 0..=bytes.len() {
        let contents = read(&bytes[..cut]).unwrap();
        let (whole, whole_bytes) = prefix(&records, &FRAMES, &ends, cut);
        assert_eq!(
            (&contents.records[..], contents.whole_bytes),
            (whole, whole_bytes),
            "cut {cut}"
        );
    }
}

/// T65: every byte, one bit and all bits of it.
#[test]
fn every_flipped_byte_is_refused_or_cut_off_with_the_last_frame() {
    let records = records();
    let (mut bytes, ends) = journal(&records, &FRAMES);
    let last = ends[ends.len() - 2];
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            bytes[at] ^= flip;
            let found = read(&bytes);
            bytes[at] ^= flip;
            if at < last {
                let begins = ends.iter().filter(|end| **end <= at).max();
                let offset = *begins.unwrap_or(&0);
                assert_eq!(found, Err(Damage::Frame { offset }), "byte {at} flipped by {flip}");
            } else {
                let (whole, _) = prefix(&records, &FRAMES, &ends, last);
                assert_eq!(found.unwrap().records, whole, "byte {at} flipped by {flip}");
            }
        }
    }
}

#[test]
fn zeros_behind_the_last_frame_are_room_and_no_damage() {
    let records = records();
    let (mut bytes, _) = journal(&records, &FRAMES);
    let whole = bytes.len();
    bytes.resize(whole + 9_000, 0);
    let contents = read(&bytes).unwrap();
    assert_eq!((contents.records, contents.whole_bytes), (records, u64::try_from(whole).unwrap()));
}

/// Sectors reach a disk in any order: any of the last frame's may be missing, with room behind it or without.
#[test]
fn a_last_frame_with_any_sectors_missing_is_an_interrupted_write() {
    let records = records();
    let (bytes, ends) = journal(&records, &FRAMES);
    let last = ends[ends.len() - 3];
    let (whole, _) = prefix(&records, &FRAMES, &ends, last);
    let torn = &bytes[..ends[ends.len() - 2]];
    let sectors: Vec<usize> = (0..torn.len()).step_by(64).filter(|at| *at >= last).collect();
    assert!(sectors.len() > 8);
    let mut random = crate::fixture::random::Random::new(1);
    for room in [0, 4_096] {
        for _ in 0..500 {
            let mut bytes = torn.to_vec();
            for at in &sectors {
                if random.chance(40) {
                    bytes.iter_mut().skip(*at).take(64).for_each(|byte| *byte = 0);
                }
            }
            let intact = bytes == torn;
            bytes.resize(bytes.len() + room, 0);
            let found = read(&bytes).unwrap();
            if !intact {
                assert_eq!(found.records, whole);
            }
        }
    }
}

/// T69: a frame was durable when the next one was begun, even if that one is torn itself.
#[test]
fn damage_before_an_interrupted_write_is_refused() {
    let records = records();
    let (mut bytes, ends) = journal(&records, &FRAMES);
    let last = ends[ends.len() - 2];
    let before = ends[ends.len() - 3];
    bytes.truncate(last + HEADER_BYTES + 10);
    assert!(read(&bytes).is_ok());
    for at in [before, before + 5, before + 20, before + HEADER_BYTES + 1] {
        bytes[at] ^= 0xff;
        assert_eq!(read(&bytes), Err(Damage::Frame { offset: before }), "byte {at}");
        bytes[at] ^= 0xff;
    }
}

/// A frame that is whole and in the wrong place was put there by a disk.
#[test]
fn a_frame_in_anothers_place_is_not_read() {
    let records = records();
    let (bytes, ends) = journal(&records, &FRAMES);
    let mut twice = bytes[..ends[1]].to_vec();
    twice.extend_from_slice(&bytes[ends[0]..]);
    let contents = read(&twice).unwrap();
    assert_eq!(contents.records, records[..4]);
    assert_eq!(contents.whole_bytes, u64::try_from(ends[1]).unwrap());
}

#[test]
fn records_of_another_format_are_refused_and_not_skipped() {
    let records = records();
    let (mut bytes, _) = journal(&records, &[1]);
    let mut payload = bytes.split_off(HEADER_BYTES);
    payload[0] = 99;
    let checksum = crypto::digest::digest(crypto::digest::Domain::StoredRecord, &payload);
    let length = u32::try_from(payload.len()).unwrap();
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend_from_slice(&super::header_sum(0, length, &checksum));
    bytes.extend_from_slice(checksum.as_bytes());
    bytes.extend_from_slice(&payload);
    assert!(matches!(read(&bytes), Err(Damage::Records { offset: 0, .. })));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let contents = read(&bytes);
        prop_assert!(contents.is_ok_and(|contents| contents.records.is_empty()));
    }

    #[test]
    fn any_journal_with_any_tail_is_read_as_itself(
        frames in proptest::collection::vec(1_usize..4, 0..4),
        tail in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let records = records();
        let (mut bytes, _) = journal(&records, &frames);
        let whole = bytes.len();
        bytes.extend_from_slice(&tail);
        let contents = read(&bytes).unwrap();
        let count: usize = frames.iter().sum();
        prop_assert_eq!(&contents.records[..], &records[..count]);
        prop_assert_eq!(contents.whole_bytes, u64::try_from(whole).unwrap());
    }
}

#[test]
fn pruning_keeps_what_binds_the_future_and_nothing_else() {
    let mut bench = Bench::new(4, 1);
    let blocks = chain_of(&bench.genesis, 3);
    for block in &blocks {
        bench.receive(pre_prepare(&bench.genesis, block));
        bench.receive(prepare(&bench.genesis, 2, block));
    }
    for replica in [0, 2] {
        bench.receive(commit(&bench.genesis, replica, &blocks[2]));
    }
    let votes = |records: &[Record]| -> Vec<(Phase, u64)> {
        let statements = records.iter().filter_map(Record::vote).map(|vote| vote.statement);
        statements.map(|s: Statement| (s.phase, s.height.get())).collect()
    };
    let certificates = |records: &[Record]| {
        let certificate = |r: &&Record| matches!(r, Record::Certificate { .. });
        records.iter().filter(certificate).count()
    };
    assert_eq!(live(&bench.records, Height::GENESIS).len(), 7);

    let kept = live(&bench.records, Height::new(2));
    assert_eq!(votes(&kept), [(Phase::Prepare, 3), (Phase::Commit, 3)]);
    assert_eq!(certificates(&kept), 1);
    assert_eq!(
        live(&bench.records, Height::new(1_000)),
        kept,
        "the last votes are never forgotten"
    );
    assert_eq!(live(&kept, Height::new(1_000)), kept);

    let ended = &records()[records().len() - 2..];
    assert_eq!(live(&records(), Height::new(1_000))[3..], *ended);
}

#[test]
fn that_voting_ended_in_a_view_is_forgotten_in_a_later_one() {
    let bench = Bench::new(4, 1);
    let block = chain_of(&bench.genesis, 1).remove(0).id();
    let left = |view: u64| Record::Left { view: View::new(view), height: Height::new(1), block };
    let entered = Record::NewView { new_view: bench.new_view(2, None) };

    assert_eq!(live(&[left(0)], Height::new(9)), [left(0)]);
    let later = [left(0), entered.clone()];
    assert_eq!(live(&later, Height::new(9)), later[1..]);
    let both = [left(0), entered.clone(), left(2)];
    assert_eq!(live(&both, Height::new(9)), [entered, left(2)]);
}

#[test]
fn a_journal_of_full_blocks_is_read() {
    let genesis = genesis(4, Parameters::default());
    let nonces: Vec<u64> = (0..4_000).collect();
    let block = crate::fixture::block_on(&genesis, genesis.header(), &nonces);
    let vote = signed(&genesis, 1, statement(Phase::Prepare, &block));
    let records = [Record::Vote { vote, block: Some(block) }];
    let (bytes, _) = journal(&records, &[1]);
    assert_eq!(read(&bytes).unwrap().records, records);
}
