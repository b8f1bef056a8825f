//! What is left of a store when its process or its power ends at any moment.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use types::number::Height;

use super::{Place, assert_holds};
use crate::files::copy_directory;
use crate::fixture;

/// Small numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

#[test]
fn a_copy_made_after_any_append_holds_all_that_was_appended() {
    let place = Place::new();
    let store = place.open();
    let blocks = place.chain().blocks(60, 40);
    let mut appended = 0;
    let mut numbers = Numbers(1);

    while appended < blocks.len() {
        let end = (appended + 1 + usize::try_from(numbers.below(6)).unwrap()).min(blocks.len());
        store.append(&blocks[appended..end]).unwrap();
        appended = end;
        if numbers.below(2) == 0 {
            let snapshot = fixture::snapshot(&blocks[appended - 1].block, 700);
            store.save_snapshot(&snapshot).unwrap();
        }
        let copy = place.root.path().join(format!("copy-{appended}"));
        copy_directory(&place.store_path(), &copy, &|| false).unwrap();
        let copied = place.open_copy(&copy).unwrap();
        assert_eq!(copied.committed(), blocks[appended - 1].block.header.height);
        assert_holds(&copied, &blocks[..appended]);
        assert_eq!(copied.snapshots().unwrap(), store.snapshots().unwrap());
        assert_eq!(copied.snapshot().unwrap(), store.snapshot().unwrap());
    }
}

#[test]
fn a_process_killed_at_any_moment_loses_nothing_it_reported_durable() {
    let place = Place::new();
    drop(place.open());
    let mut survived = 0;

    for round in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture"])
            .arg("store::tests::crash::child_that_appends_until_it_is_killed")
            .env("STORE_DIRECTORY", place.root.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut reported = 0;
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.map_while(Result::ok).filter_map(|line| line.parse::<u64>().ok()) {
            reported = line;
            if line >= survived + 1 + round * 2 {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let store = place.open();
        survived = store.committed().get();
        assert!(reported > 0 && survived >= reported, "round {round}");
        let blocks = place.chain().blocks(usize::try_from(survived).unwrap(), 60);
        assert_holds(&store, &blocks);
    }
}

#[test]
#[ignore = "run as a child process by the test that kills it"]
fn child_that_appends_until_it_is_killed() {
    let Some(path) = std::env::var_os("STORE_DIRECTORY") else {
        return;
    };
    let place = Place::new();
    let store = super::super::open(&super::path(Path::new(&path)), &place.genesis, None).unwrap().0;
    let mut chain = place.chain();
    let stored = usize::try_from(store.committed().get()).unwrap();
    chain.blocks(stored, 60);
    loop {
        store.append(&chain.blocks(2, 60)).unwrap();
        println!("\n{}", store.committed());
    }
}

/// Changes `image` into what a power cut may leave of the writes between it and `later`: each written
/// sector is there or not, in any combination. The mark stays old: it is written after the sync that the power
/// cut prevented.
fn tear(image: &Path, later: &Path, numbers: &mut Numbers) {
    const SECTOR: usize = 4096;
    let names: BTreeSet<_> = fs::read_dir(later)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.metadata().unwrap().is_file() && entry.file_name() != "tip")
        .map(|entry| entry.file_name())
        .collect();
    for name in names {
        let new = fs::read(later.join(&name)).unwrap();
        let mut old = fs::read(image.join(&name)).unwrap_or_default();
        if new == old {
            continue;
        }
        if numbers.below(4) > 0 {
            old.resize(new.len().max(old.len()), 0);
        }
        for (old, new) in old.chunks_mut(SECTOR).zip(new.chunks(SECTOR)) {
            if old.len() == new.len() && old != new && numbers.below(2) == 0 {
                old.copy_from_slice(new);
            }
        }
        fs::write(image.join(&name), old).unwrap();
    }
}

#[test]
fn a_power_cut_during_an_append_loses_nothing_that_was_durable_before() {
    let place = Place::new();
    let store = place.open();
    let blocks = place.chain().blocks(48, 120);
    let mut numbers = Numbers(7);
    let image = place.root.path().join("image");
    let later = place.root.path().join("later");

    for (round, group) in blocks.chunks(2).enumerate() {
        copy_directory(&place.store_path(), &image, &|| false).unwrap();
        store.append(group).unwrap();
        copy_directory(&place.store_path(), &later, &|| false).unwrap();
        tear(&image, &later, &mut numbers);
        let torn = place.open_copy(&image).unwrap();
        let height = torn.committed();
        let before = Height::new(u64::try_from(round * 2).unwrap());
        assert!(height >= before, "round {round}: {height} after {before}");
        let stored = usize::try_from(height.get()).unwrap();
        assert_holds(&torn, &blocks[..stored]);
        torn.append(&blocks[stored..=stored.max(round * 2)]).unwrap();
        drop(torn);
        fs::remove_dir_all(&image).unwrap();
        fs::remove_dir_all(&later).unwrap();
    }
}
