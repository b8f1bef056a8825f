//! A run: entries in ascending order, in pages that are never changed.
//!
//! The first entry of each page, its fence, is kept in memory, so a lookup reads one page. Fences are stored in
//! pages too, because reading every page to learn them would make opening slow.

use crypto::encoding::{Decode, Encode};

use super::entry::{ENTRY_BYTES, Entry};
use crate::database::Database;
use crate::error::StorageError;
use crate::sealed::{CONTENT_BYTES_MAX, seal, unseal};

/// First byte of the keys of pages.
pub(super) const PAGE_KEY: u8 = b'r';

/// First byte of the keys of pages of fences.
pub(super) const FENCE_KEY: u8 = b'f';

/// How many entries a page holds.
pub(super) const PAGE_ENTRIES: usize = CONTENT_BYTES_MAX / ENTRY_BYTES;

/// What the manifest says of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub(super) struct RunNote {
    /// Its number, never used twice while any page of it exists.
    pub(super) id: u64,
    /// How often its entries were merged.
    pub(super) level: u8,
    /// How many pages it has.
    pub(super) pages: u32,
}

/// A whole run.
#[derive(Debug)]
pub(super) struct Run {
    id: u64,
    level: u8,
    fences: Vec<Entry>,
}

impl Run {
    /// Reads the fences of a run. `Err` with a reason when they are not what was written.
    pub(super) fn load(database: &Database, note: &RunNote) -> Result<Self, String> {
        let pages = usize::try_from(note.pages).unwrap_or(usize::MAX);
        let mut fences = Vec::new();
        for number in 0..fence_pages(note.pages) {
            fences.append(&mut read_page(database, FENCE_KEY, note.id, number)?);
        }
        if fences.len() != pages || !fences.is_sorted_by(|a, b| a < b) {
            return Err(format!("run {} does not have its {pages} pages", note.id));
        }
        Ok(Self { id: note.id, level: note.level, fences })
    }

    /// What the manifest is to say of it.
    pub(super) fn note(&self) -> RunNote {
        RunNote { id: self.id, level: self.level, pages: self.pages() }
    }

    /// How often its entries were merged.
    pub(super) const fn level(&self) -> u8 {
        self.level
    }

    /// How many pages it has.
    pub(super) fn pages(&self) -> u32 {
        u32::try_from(self.fences.len()).unwrap_or(u32::MAX)
    }

    /// Reads a page, from 0; its first entry is its fence.
    pub(super) fn page(&self, database: &Database, number: u32) -> Result<Vec<Entry>, String> {
        let entries = read_page(database, PAGE_KEY, self.id, number)?;
        let fence = usize::try_from(number).ok().and_then(|number| self.fences.get(number));
        if entries.first() == fence {
            Ok(entries)
        } else {
            Err(format!("page {number} of run {} is another page", self.id))
        }
    }

    /// Appends to `found` the entries with the bound's prefix that are below the bound, the greatest first, at
    /// most `limit`.
    pub(super) fn below(
        &self,
        database: &Database,
        bound: &Entry,
        limit: usize,
        found: &mut Vec<Entry>,
    ) -> Result<(), String> {
        let most = found.len().saturating_add(limit);
        let pages = self.fences.partition_point(|fence| fence < bound);
        for number in (0..u32::try_from(pages).unwrap_or(u32::MAX)).rev() {
            let entries = self.page(database, number)?;
            let end = entries.partition_point(|entry| entry < bound);
            for entry in entries.iter().take(end).rev() {
                if entry.prefix() != bound.prefix() || found.len() >= most {
                    return Ok(());
                }
                found.push(*entry);
            }
        }
        Ok(())
    }

    /// Reads every page.
    pub(super) fn check(&self, database: &Database) -> Result<(), String> {
        (0..self.pages()).try_for_each(|number| self.page(database, number).map(drop))
    }
}

/// A run in the making: entries come in ascending order, pages are written as they fill.
#[derive(Debug)]
pub(super) struct RunWriter {
    id: u64,
    level: u8,
    fences: Vec<Entry>,
    page: Vec<Entry>,
}

impl RunWriter {
    /// A run without entries.
    pub(super) const fn new(id: u64, level: u8) -> Self {
        Self { id, level, fences: Vec::new(), page: Vec::new() }
    }

    /// The number of the run.
    pub(super) const fn id(&self) -> u64 {
        self.id
    }

    /// Adds an entry above all before it.
    pub(super) fn push(&mut self, database: &Database, entry: Entry) -> Result<(), StorageError> {
        self.page.push(entry);
        if self.page.len() >= PAGE_ENTRIES {
            self.write_page(database)?;
        }
        Ok(())
    }

    /// Writes what is left, and the fences. The writer is empty after it.
    pub(super) fn finish(&mut self, database: &Database) -> Result<Run, StorageError> {
        self.write_page(database)?;
        let fences = std::mem::take(&mut self.fences);
        for (number, part) in (0_u32..).zip(fences.chunks(PAGE_ENTRIES)) {
            write_page(database, FENCE_KEY, self.id, number, part)?;
        }
        Ok(Run { id: self.id, level: self.level, fences })
    }

    fn write_page(&mut self, database: &Database) -> Result<(), StorageError> {
        if let Some(first) = self.page.first() {
            let number = u32::try_from(self.fences.len()).unwrap_or(u32::MAX);
            self.fences.push(*first);
            write_page(database, PAGE_KEY, self.id, number, &self.page)?;
            self.page.clear();
        }
        Ok(())
    }
}

/// How many pages of fences a run of so many pages has.
pub(super) fn fence_pages(pages: u32) -> u32 {
    pages.div_ceil(u32::try_from(PAGE_ENTRIES).unwrap_or(u32::MAX))
}

/// The key of a page.
pub(super) fn page_key(kind: u8, run: u64, number: u32) -> Vec<u8> {
    let mut key = run_key(kind, run);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// What the keys of a run's pages start with.
pub(super) fn run_key(kind: u8, run: u64) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend_from_slice(&run.to_be_bytes());
    key
}

fn write_page(
    database: &Database,
    kind: u8,
    run: u64,
    number: u32,
    entries: &[Entry],
) -> Result<(), StorageError> {
    let mut content = Vec::with_capacity(entries.len().saturating_mul(ENTRY_BYTES));
    for entry in entries {
        entry.encode(&mut content);
    }
    let key = page_key(kind, run, number);
    database.put(&key, &seal(&key, &content))
}

fn read_page(database: &Database, kind: u8, run: u64, number: u32) -> Result<Vec<Entry>, String> {
    let key = page_key(kind, run, number);
    let value = match database.get(&key) {
        Ok(Some(value)) => value,
        Ok(None) => return Err(format!("page {number} of run {run} is missing")),
        Err(broken) => {
            return Err(format!("page {number} of run {run} cannot be read: {}", broken.reason));
        }
    };
    unseal(&key, &value)
        .and_then(Entry::decode_all)
        .ok_or_else(|| format!("the checksum of page {number} of run {run} does not match"))
}
