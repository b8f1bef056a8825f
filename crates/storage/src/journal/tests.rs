use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use pbft::record::Record;
use types::number::Height;
use types::vote::Phase;

use super::{HEADER_BYTES, Journal, ROOM_BYTES, STEP_BYTES, path};
use crate::directory::Directory;
use crate::error::StorageError;
use crate::fixture::{Chain, genesis, key, vote};

/// Steps in which the files of [`content`] seem to grow.
const SHORT_STEP_BYTES: u64 = 1024;

fn directory(root: &Path) -> Directory {
    Directory::open(root, *genesis("net").chain(), key(1)).unwrap()
}

/// A prepare vote with its block and a commit vote for each of so many heights.
fn records(heights: usize) -> Vec<Vec<Record>> {
    Chain::new(&genesis("net"))
        .blocks(heights, 2)
        .into_iter()
        .map(|proved| {
            vec![
                Record::Vote { vote: vote(&proved.block, Phase::Commit), block: None },
                Record::Vote {
                    vote: vote(&proved.block, Phase::Prepare),
                    block: Some(proved.block),
                },
            ]
        })
        .collect()
}

/// A journal in `root` with these appends; gives back the length of its frames after each.
fn write(root: &Path, appends: &[Vec<Record>]) -> Vec<u64> {
    let directory = directory(root);
    let (mut journal, _) = Journal::open(&directory).unwrap();
    appends
        .iter()
        .map(|records| {
            journal.append(records).unwrap();
            journal.bytes()
        })
        .collect()
}

/// The journal's file without most of the zeros behind it, which only make reading slow: as if it
/// grew in short steps.
fn content(root: &Path) -> Vec<u8> {
    let mut bytes = fs::read(path(root)).unwrap();
    let step = usize::try_from(SHORT_STEP_BYTES).unwrap();
    bytes.truncate((end_of(&bytes) + 600).next_multiple_of(step) + step);
    bytes
}

/// Where the zeros at the end begin.
fn end_of(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

fn reopen(root: &Path) -> Result<Vec<Record>, StorageError> {
    Journal::open(&directory(root)).map(|(_, records)| records)
}

/// What opening would find in a [`content`], without the file that it writes: for many in a row.
fn found(root: &Path) -> Result<Vec<Record>, StorageError> {
    super::load_in_steps(&path(root), *genesis("net").chain(), SHORT_STEP_BYTES)
        .map(|loaded| loaded.contents.records)
}

#[test]
fn what_was_appended_is_read_back_in_order() {
    let root = tempfile::tempdir().unwrap();
    let appends = records(3);

    write(root.path(), &appends);

    assert!(reopen(root.path()).unwrap() == appends.concat());
}

#[test]
fn an_append_of_nothing_writes_nothing() {
    let root = tempfile::tempdir().unwrap();

    let lengths = write(root.path(), &[vec![]]);

    assert_eq!(lengths, [HEADER_BYTES]);
    assert!(reopen(root.path()).unwrap().is_empty());
}

#[test]
fn an_append_torn_at_any_length_is_left_out_and_the_rest_kept() {
    let root = tempfile::tempdir().unwrap();
    let appends = records(3);
    let lengths = write(root.path(), &appends);
    let whole = content(root.path());
    let (before, end) = (lengths[1], lengths[2]);

    for cut in before..end {
        // There was room for all of it before it was begun; what is lost of it stayed zero, which is
        // the whole append again when it ends in zeros.
        let (kept, lost) = whole.split_at(usize::try_from(cut).unwrap());
        let mut torn = kept.to_vec();
        torn.resize(whole.len(), 0);
        fs::write(path(root.path()), &torn).unwrap();
        let is_torn = lost.iter().any(|byte| *byte != 0);
        let expected = &appends[..if is_torn { 2 } else { 3 }];
        assert!(found(root.path()).unwrap() == expected.concat(), "cut at {cut}");
    }
}

/// The property: of what was made durable, nothing is ever missing from what is read. Whoever
/// shortens the file, and to whatever length, either takes nothing but room or is found out.
#[test]
fn a_file_that_was_cut_at_any_length_is_refused_or_holds_everything() {
    let root = tempfile::tempdir().unwrap();
    let appends = records(3);
    write(root.path(), &appends);
    let whole = content(root.path());

    let mut held = 0;
    for length in 0..whole.len() {
        fs::write(path(root.path()), &whole[..length]).unwrap();
        match found(root.path()) {
            Ok(records) => {
                assert!(records == appends.concat(), "cut to {length}");
                held += 1;
            }
            Err(StorageError::CutJournal { bytes, .. }) => {
                assert_eq!(usize::try_from(bytes).unwrap(), length);
            }
            Err(other) => panic!("cut to {length}: {other:?}"),
        }
    }
    assert!(held > 0);
}

#[test]
fn a_cut_journal_is_refused_with_what_to_do_and_left_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &records(3));
    let whole = fs::read(path(root.path())).unwrap();
    let header = usize::try_from(HEADER_BYTES).unwrap();
    let step = usize::try_from(STEP_BYTES).unwrap();

    for length in [0, 1, header, header + 28, step / 2, step - 1] {
        fs::write(path(root.path()), &whole[..length]).unwrap();

        let refused = reopen(root.path()).unwrap_err();

        assert!(matches!(refused, StorageError::CutJournal { .. }), "cut to {length}: {refused}");
        let text = refused.to_string();
        assert!(text.contains(&path(root.path()).display().to_string()), "{text}");
        assert!(text.contains("Remove the file"), "{text}");
        assert!(fs::read(path(root.path())).unwrap() == whole[..length], "it was written to");
    }
    // An empty journal is no shorter than any other.
    fs::remove_file(path(root.path())).unwrap();
    super::create(root.path(), *genesis("net").chain()).unwrap();
    assert_eq!(fs::metadata(path(root.path())).unwrap().len(), STEP_BYTES);
    assert!(reopen(root.path()).unwrap().is_empty());
}

#[test]
fn a_growth_interrupted_at_any_length_is_no_cut() {
    let root = tempfile::tempdir().unwrap();
    let appends = records(2);
    write(root.path(), &appends);
    let mut bytes = content(root.path());

    for _ in 0..2 * SHORT_STEP_BYTES {
        bytes.push(0);
        fs::write(path(root.path()), &bytes).unwrap();
        assert!(found(root.path()).unwrap() == appends.concat(), "{} bytes", bytes.len());
    }
    // Only zeros are written before there is room, so anything else lost what was behind it.
    bytes.push(0);
    *bytes.last_mut().unwrap() = 1;
    fs::write(path(root.path()), &bytes).unwrap();
    assert!(matches!(found(root.path()), Err(StorageError::CutJournal { .. })));
}

#[test]
fn there_is_room_for_a_header_behind_every_frame() {
    assert_eq!(usize::try_from(ROOM_BYTES).unwrap(), pbft::journal::HEADER_BYTES);
    assert_eq!(super::with_room(STEP_BYTES - ROOM_BYTES), STEP_BYTES);
    assert_eq!(super::with_room(STEP_BYTES - ROOM_BYTES + 1), 2 * STEP_BYTES);
}

/// A device that takes every write and knows no sync.
fn unsyncable() -> File {
    File::options().write(true).open("/dev/null").unwrap()
}

#[test]
fn an_append_is_synced_before_it_is_done() {
    let mut journal = Journal::over(unsyncable(), "null".into(), *genesis("net").chain());
    journal.file_bytes = STEP_BYTES;

    let refused = journal.append(&records(1)[0]).unwrap_err();

    assert!(matches!(refused, StorageError::Io { action: "sync", .. }), "{refused}");
}

#[test]
fn room_is_synced_before_anything_is_written_into_it() {
    let mut journal = Journal::over(unsyncable(), "null".into(), *genesis("net").chain());

    let refused = journal.make_room(HEADER_BYTES).unwrap_err();

    assert!(matches!(refused, StorageError::Io { action: "sync", .. }), "{refused}");
    assert_eq!(journal.file_bytes, 0, "it counts on room that may be lost");
}

#[test]
fn after_a_torn_end_was_left_out_appending_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let appends = records(3);
    let lengths = write(root.path(), &appends[..2]);
    let file = File::options().write(true).open(path(root.path())).unwrap();
    file.write_all_at(&[0xff; 9], lengths[1] - 9).unwrap();

    write(root.path(), &appends[2..]);

    let expected = [appends[0].clone(), appends[2].clone()].concat();
    assert!(reopen(root.path()).unwrap() == expected);
}

#[test]
fn a_flipped_bit_before_the_last_append_is_refused_wherever_it_is() {
    let root = tempfile::tempdir().unwrap();
    let appends = records(2);
    let lengths = write(root.path(), &appends);
    let whole = content(root.path());

    for place in 0..usize::try_from(lengths[0]).unwrap() {
        let mut flipped = whole.clone();
        flipped[place] ^= 1 << (place % 8);
        fs::write(path(root.path()), &flipped).unwrap();
        match found(root.path()) {
            Err(StorageError::DamagedJournal { .. }) => {}
            other => panic!("byte {place}: {other:?}"),
        }
    }
}

#[test]
fn a_flipped_bit_in_the_last_append_is_never_read_as_something_else() {
    let root = tempfile::tempdir().unwrap();
    let appends = records(2);
    let lengths = write(root.path(), &appends);
    let whole = content(root.path());

    for place in lengths[0]..lengths[1] {
        let place = usize::try_from(place).unwrap();
        let mut flipped = whole.clone();
        flipped[place] ^= 1 << (place % 8);
        fs::write(path(root.path()), &flipped).unwrap();
        assert!(found(root.path()).unwrap() == appends[0], "byte {place}");
    }
}

#[test]
fn a_journal_of_another_chain_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let here = directory(root.path());
    super::create(root.path(), *genesis("other").chain()).unwrap();

    let refused = Journal::open(&here).unwrap_err();

    assert!(matches!(refused, StorageError::Foreign { what: "chain", .. }));
}

#[test]
fn a_full_disk_poisons_the_journal_for_good() {
    let root = tempfile::tempdir().unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut journal = Journal::over(full, root.path().join("journal"), *genesis("net").chain());
    let records = records(1);

    let first = journal.append(&records[0]).unwrap_err();
    let second = journal.append(&records[0]).unwrap_err();
    let pruned = journal.prune(Height::new(9)).unwrap_err();

    assert!(matches!(first, StorageError::Io { action: "append to", .. }));
    assert!(matches!(&second, StorageError::Poisoned { first } if first.contains("append to")));
    assert!(matches!(pruned, StorageError::Poisoned { .. }));
}

#[test]
fn a_file_that_cannot_be_synced_poisons_the_journal_for_good() {
    // A pipe takes no positioned write and no sync; either failure must be final.
    let (_reader, writer) = std::io::pipe().unwrap();
    let file = File::from(std::os::fd::OwnedFd::from(writer));
    let mut journal = Journal::over(file, "pipe".into(), *genesis("net").chain());
    let records = records(1);

    assert!(journal.append(&records[0]).is_err());
    let second = journal.append(&records[0]).unwrap_err();

    assert!(matches!(second, StorageError::Poisoned { .. }));
}

#[test]
fn a_read_only_file_poisons_the_journal_for_good() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &records(1));
    let file = File::open(path(root.path())).unwrap();
    let mut journal = Journal::over(file, path(root.path()), *genesis("net").chain());

    assert!(journal.append(&records(1)[0]).is_err());
    assert!(matches!(journal.append(&records(1)[0]).unwrap_err(), StorageError::Poisoned { .. }));
}

#[test]
fn pruning_keeps_what_is_needed_and_appending_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let appends = records(12);
    let here = directory(root.path());
    let (mut journal, _) = Journal::open(&here).unwrap();
    for records in &appends[..10] {
        journal.append(records).unwrap();
    }
    let before = journal.bytes();

    journal.prune_beyond(Height::new(8), 1000, 1000).unwrap();
    for records in &appends[10..] {
        journal.append(records).unwrap();
    }
    drop((journal, here));

    let expected = appends[8..].concat();
    assert!(reopen(root.path()).unwrap() == expected);
    assert!(super::bytes_of(&expected) < before);
    let file_bytes = fs::metadata(path(root.path())).unwrap().len();
    assert_eq!(file_bytes, STEP_BYTES);
}

#[test]
fn pruning_a_short_journal_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let here = directory(root.path());
    let (mut journal, _) = Journal::open(&here).unwrap();
    let appends = records(4);
    journal.append(&appends.concat()).unwrap();
    let before = fs::read(path(root.path())).unwrap();

    journal.prune(Height::new(4)).unwrap();

    assert_eq!(fs::read(path(root.path())).unwrap(), before);
}

/// A second name for the journal's file as it is now: what an open that is interrupted at any
/// moment leaves, as long as nothing is written to it.
fn keep(root: &Path) -> (std::path::PathBuf, Vec<u8>) {
    let kept = root.join("kept");
    fs::hard_link(path(root), &kept).unwrap();
    let bytes = fs::read(&kept).unwrap();
    (kept, bytes)
}

/// The flush of what is found may have failed or never happened, and a flush of the same file
/// proves nothing then: the kernel may have given up its pages.
#[test]
fn what_opening_found_is_in_another_file_and_the_old_one_was_only_read() {
    let root = tempfile::tempdir().unwrap();
    let appends = records(3);
    let lengths = write(root.path(), &appends);
    let file = File::options().write(true).open(path(root.path())).unwrap();
    file.write_all_at(&[0xff; 9], lengths[2] - 9).unwrap();
    let (kept, before) = keep(root.path());

    let opened = reopen(root.path()).unwrap();

    assert!(opened == appends[..2].concat());
    assert_ne!(fs::metadata(path(root.path())).unwrap().ino(), fs::metadata(&kept).unwrap().ino());
    let now = super::load(&path(root.path()), *genesis("net").chain()).unwrap();
    assert!(now.contents.records == opened && now.torn_bytes == 0);
    assert!(fs::read(&kept).unwrap() == before, "the old file was written to");
    // Interrupted before the rename, the next open finds the old one.
    fs::rename(&kept, path(root.path())).unwrap();
    assert!(reopen(root.path()).unwrap() == opened);
}

#[test]
fn an_open_that_cannot_write_the_fresh_file_leaves_the_old_one_as_it_was() {
    let root = tempfile::tempdir().unwrap();
    let appends = records(2);
    write(root.path(), &appends);
    let (kept, before) = keep(root.path());
    let in_the_way = root.path().join("journal.new");
    fs::create_dir(&in_the_way).unwrap();

    let refused = reopen(root.path()).unwrap_err();

    assert!(matches!(refused, StorageError::Io { action: "create", .. }));
    assert!(fs::read(path(root.path())).unwrap() == before);
    assert_eq!(fs::metadata(path(root.path())).unwrap().ino(), fs::metadata(&kept).unwrap().ino());
    fs::remove_dir(&in_the_way).unwrap();
    assert!(reopen(root.path()).unwrap() == appends.concat());
}

/// Damage of the very last frame looks like an interrupted write, so a fresh file must not be one
/// frame.
#[test]
fn a_flipped_bit_in_a_fresh_file_takes_the_last_record_or_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let appends = records(3);
    write(root.path(), &appends);
    let opened = reopen(root.path()).unwrap();
    let whole = content(root.path());

    let mut refused = 0;
    for place in (0..end_of(&whole)).step_by(7) {
        let mut flipped = whole.clone();
        flipped[place] ^= 1 << (place % 8);
        fs::write(path(root.path()), &flipped).unwrap();
        match found(root.path()) {
            Err(StorageError::DamagedJournal { .. }) => refused += 1,
            Err(other) => panic!("byte {place}: {other:?}"),
            Ok(records) => assert!(records == opened[..opened.len() - 1], "byte {place}"),
        }
    }
    assert!(refused > 0);
}

#[test]
fn a_rewrite_interrupted_before_its_rename_is_forgotten() {
    let root = tempfile::tempdir().unwrap();
    let appends = records(2);
    write(root.path(), &appends);
    fs::write(root.path().join("journal.new"), "half of something").unwrap();

    assert!(reopen(root.path()).unwrap() == appends.concat());
}

#[test]
fn a_journal_longer_than_a_step_grows_and_is_read_back() {
    let root = tempfile::tempdir().unwrap();
    let block = Chain::new(&genesis("net")).block(9000, 60).block;
    let big = vec![Record::Vote { vote: vote(&block, Phase::Prepare), block: Some(block) }];
    let appends = [big.clone(), big.clone(), big];

    let lengths = write(root.path(), &appends);

    assert!(lengths[2] > STEP_BYTES);
    assert_eq!(fs::metadata(path(root.path())).unwrap().len(), super::with_room(lengths[2]));
    assert!(reopen(root.path()).unwrap() == appends.concat());
}
