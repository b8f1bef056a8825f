use std::collections::BTreeSet;

use proptest::prelude::*;
use types::number::Height;
use types::proof::ProvedBlock;

use super::manifest::{MANIFEST_KEY, Manifest};
use super::run::{FENCE_KEY, PAGE_ENTRIES, PAGE_KEY, RunWriter, page_key};
use super::{
    BLOCK, Entry, Index, LISTS, List, RUN_ENTRIES, Writer, prefix_of_address, prefix_of_block,
    prefix_of_id,
};
use crate::database::Database;
use crate::error::StorageError;
use crate::fixture::{Chain, address, genesis};

/// An index with its writer over a database of its own.
struct Bench {
    database: Database,
    index: Index,
    writer: Writer,
    _root: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let database = Database::open(root.path()).unwrap();
        let index = Index::default();
        let writer = Writer::load(&database, &index, Height::GENESIS).unwrap().unwrap();
        Self { database, index, writer, _root: root }
    }

    fn append(&mut self, blocks: &[ProvedBlock]) {
        let staged = self.writer.stage(&self.database, &self.index, blocks).unwrap();
        self.index.publish(staged);
    }

    /// As after a restart, before the blocks above the indexed ones are read again.
    fn reload(&mut self, newest: Height) -> Result<(), String> {
        self.index = Index::default();
        self.writer = Writer::load(&self.database, &self.index, newest).unwrap()?;
        Ok(())
    }

    fn all(&self, list: List, prefix: [u8; 16]) -> Vec<Entry> {
        let everything = (u64::MAX, u32::MAX);
        self.index.below(&self.database, list, prefix, everything, usize::MAX).unwrap()
    }

    fn page_keys(&self, kind: u8) -> usize {
        let mut from = vec![kind];
        let mut count = 0;
        while let Some((key, _)) = self.database.first(&[kind], &from).unwrap() {
            from = [&*key, &[0]].concat();
            count += 1;
        }
        count
    }
}

/// Where everything in these blocks is, computed the simple way.
fn expected_history(blocks: &[ProvedBlock], account: u64) -> Vec<(u64, u32)> {
    let wanted = address(account);
    let mut places = Vec::new();
    for proved in blocks {
        for (position, signed) in (0..).zip(proved.block.body.transactions()) {
            let types::transaction::Action::Transfer(transfer) = &signed.transaction.action;
            if signed.transaction.sender == wanted || transfer.recipient == wanted {
                places.push((proved.block.header.height.get(), position));
            }
        }
    }
    places.reverse();
    places
}

fn places(entries: &[Entry]) -> Vec<(u64, u32)> {
    entries.iter().map(|entry| (entry.height(), entry.position())).collect()
}

fn assert_finds_everything(bench: &Bench, blocks: &[ProvedBlock]) {
    for proved in blocks.iter().step_by(7) {
        let height = proved.block.header.height.get();
        let found = bench.all(List::Places, prefix_of_block(&proved.block.id()));
        assert_eq!(places(&found), [(height, BLOCK)]);
        for (position, signed) in (0..).zip(proved.block.body.transactions()).step_by(13) {
            let found = bench.all(List::Places, prefix_of_id(&signed.id()));
            assert_eq!(places(&found), [(height, position)]);
        }
    }
    for account in 0..7 {
        let found = bench.all(List::History, prefix_of_address(&address(account)));
        assert_eq!(places(&found), expected_history(blocks, account));
    }
}

#[test]
fn everything_is_found_in_memory_in_runs_and_in_merged_runs() {
    let mut bench = Bench::new();
    let mut chain = Chain::new(&genesis("net"));
    let mut blocks: Vec<ProvedBlock> = Vec::new();

    // Nine times the entries of a run for each level, in appends of different sizes.
    for round in 0..150 {
        let more = chain.blocks(1 + round % 3, 400);
        bench.append(&more);
        blocks.extend(more);
        if round % 30 == 0 {
            assert_finds_everything(&bench, &blocks);
        }
    }

    assert!(bench.writer.indexed() > Height::GENESIS);
    assert_finds_everything(&bench, &blocks);
    bench.index.check(&bench.database).unwrap();
}

#[test]
fn merged_runs_are_removed_and_few_runs_stay() {
    let mut bench = Bench::new();
    let mut chain = Chain::new(&genesis("net"));

    // Some 40 runs of each list.
    for _ in 0..400 {
        bench.append(&chain.blocks(1, 550));
    }

    let manifest = Manifest::load(&bench.database).unwrap().unwrap();
    let runs = [manifest.places, manifest.history].concat();
    let pages: u32 = runs.iter().map(|run| run.pages).sum();
    assert!(runs.len() < 40, "{} runs", runs.len());
    assert!(runs.iter().any(|run| run.level > 0));
    // What is there beyond the runs is being merged or removed, never more than that.
    assert!(bench.page_keys(PAGE_KEY) < usize::try_from(pages).unwrap() * 2);
}

#[test]
fn no_append_does_more_than_a_proportional_part_of_the_merging() {
    let mut bench = Bench::new();
    let mut chain = Chain::new(&genesis("net"));
    let mut most = 0;

    for _ in 0..200 {
        let before = bench.page_keys(PAGE_KEY);
        bench.append(&chain.blocks(1, 550));
        let written = bench.page_keys(PAGE_KEY).saturating_sub(before);
        most = most.max(written);
    }

    // Two lists' memory becomes pages at once; merges add twice the block's own entries.
    let memory_pages = RUN_ENTRIES / PAGE_ENTRIES + 4;
    let merged_pages = 2 * 3 * 550 / PAGE_ENTRIES + 4;
    assert!(most <= memory_pages + merged_pages, "{most} pages in one append");
}

#[test]
fn after_a_restart_the_runs_hold_what_the_manifest_says_and_the_rest_is_read_again() {
    let mut bench = Bench::new();
    let blocks = Chain::new(&genesis("net")).blocks(65, 400);
    for block in &blocks {
        bench.append(std::slice::from_ref(block));
    }

    bench.reload(Height::new(65)).unwrap();
    let indexed = usize::try_from(bench.writer.indexed().get()).unwrap();
    for block in &blocks[indexed..] {
        bench.append(std::slice::from_ref(block));
    }

    assert!(indexed > 0 && indexed < 65);
    assert_finds_everything(&bench, &blocks);
}

#[test]
fn pages_of_an_interrupted_run_are_removed_at_the_next_start() {
    let mut bench = Bench::new();
    for block in Chain::new(&genesis("net")).blocks(60, 400) {
        bench.append(&[block]);
    }
    let whole = bench.page_keys(PAGE_KEY);
    let next_run = Manifest::load(&bench.database).unwrap().unwrap().next_run;
    let mut interrupted = RunWriter::new(next_run + 1, 0);
    for height in 0..3000 {
        interrupted.push(&bench.database, Entry::new([1; 16], height, 0)).unwrap();
    }
    assert!(bench.page_keys(PAGE_KEY) > whole);

    bench.reload(Height::new(60)).unwrap();

    assert_eq!(bench.page_keys(PAGE_KEY), whole);
}

#[test]
fn a_damaged_page_is_an_error_once_and_for_all_until_rebuilt() {
    let mut bench = Bench::new();
    let blocks = Chain::new(&genesis("net")).blocks(60, 400);
    for block in &blocks {
        bench.append(std::slice::from_ref(block));
    }
    let manifest = Manifest::load(&bench.database).unwrap().unwrap();
    let key = page_key(PAGE_KEY, manifest.history[0].id, 0);
    let mut page = bench.database.get(&key).unwrap().unwrap().to_vec();
    page[500] ^= 1;
    bench.database.put(&key, &page).unwrap();

    assert!(bench.index.check(&bench.database).is_err());
    let looked_up = bench.index.below(&bench.database, List::Places, [0; 16], (u64::MAX, 0), 1);
    assert!(matches!(looked_up, Err(StorageError::DamagedIndex { .. })));
    // Blocks go on; the next start knows.
    let more = Chain::new(&genesis("net")).blocks(1, 1);
    bench.append(&more);
    assert!(bench.reload(Height::new(61)).is_err());

    Writer::wipe(&bench.database).unwrap();
    bench.reload(Height::new(60)).unwrap();
    for block in &blocks {
        bench.append(std::slice::from_ref(block));
    }
    assert_finds_everything(&bench, &blocks);
}

#[test]
fn a_damaged_manifest_or_fence_and_an_index_above_the_blocks_are_refused() {
    let mut bench = Bench::new();
    for block in Chain::new(&genesis("net")).blocks(60, 400) {
        bench.append(&[block]);
    }
    let run = Manifest::load(&bench.database).unwrap().unwrap().places[0].id;

    assert!(bench.reload(Height::new(3)).unwrap_err().contains("height"));
    for key in [MANIFEST_KEY.to_vec(), page_key(FENCE_KEY, run, 0)] {
        let whole = bench.database.get(&key).unwrap().unwrap().to_vec();
        for place in (0..whole.len()).step_by(5) {
            let mut flipped = whole.clone();
            flipped[place] ^= 1 << (place % 8);
            bench.database.put(&key, &flipped).unwrap();
            assert!(bench.reload(Height::new(60)).is_err(), "byte {place}");
        }
        bench.database.put(&key, &whole).unwrap();
    }
    assert!(bench.reload(Height::new(60)).is_ok());
}

#[test]
fn a_reader_that_began_before_a_merge_ends_with_the_runs_it_began_with() {
    let mut bench = Bench::new();
    let mut chain = Chain::new(&genesis("net"));
    for _ in 0..45 {
        bench.append(&chain.blocks(1, 400));
    }
    let held = bench.index.view.read().unwrap().clone();

    for _ in 0..400 {
        bench.append(&chain.blocks(1, 400));
    }

    for list in LISTS {
        for run in held.runs.get(list).iter() {
            run.check(&bench.database).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_run_answers_as_a_sorted_set_does(
        // Few prefixes and heights, so that runs of equal prefixes span pages and bounds hit.
        entries in prop::collection::btree_set((0_u8..4, 0_u64..3000, 0_u32..2), 1..6000),
        prefix in 0_u8..5,
        height in 0_u64..3100,
        limit in 1_usize..2500,
    ) {
        let root = tempfile::tempdir().unwrap();
        let database = Database::open(root.path()).unwrap();
        let entries: BTreeSet<Entry> = entries
            .into_iter()
            .map(|(prefix, height, position)| Entry::new([prefix; 16], height, position))
            .collect();
        let mut writer = RunWriter::new(5, 0);
        for entry in &entries {
            writer.push(&database, *entry).unwrap();
        }
        let run = writer.finish(&database).unwrap();
        let loaded = super::Run::load(&database, &run.note()).unwrap();
        let bound = Entry::new([prefix; 16], height, 1);

        let mut found = Vec::new();
        loaded.below(&database, &bound, limit, &mut found).unwrap();

        let expected: Vec<Entry> = entries
            .range(Entry::new([prefix; 16], 0, 0)..bound)
            .rev()
            .take(limit)
            .copied()
            .collect();
        prop_assert_eq!(found, expected);
    }
}
