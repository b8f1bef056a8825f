//! Merging runs of one level into one of the next, a few pages at a time.

use std::sync::Arc;

use super::List;
use super::entry::Entry;
use super::run::{PAGE_ENTRIES, Run, RunWriter};
use crate::database::Database;
use crate::error::StorageError;

/// A merge under way. Its inputs stay in use until it is done.
#[derive(Debug)]
pub(super) struct Merge {
    list: List,
    cursors: Vec<Cursor>,
    output: RunWriter,
    /// How many entries may be merged now; grows with what is appended.
    credit: usize,
}

/// What advancing a merge came to.
#[derive(Debug)]
pub(super) enum Progress {
    /// There is more to do.
    Going,
    /// All entries are in the new run.
    Done(Run),
    /// An input is not what was written.
    Damaged(String),
}

#[derive(Debug)]
struct Cursor {
    run: Arc<Run>,
    next_page: u32,
    entries: std::iter::Peekable<std::vec::IntoIter<Entry>>,
}

impl Merge {
    /// Merges these runs of a list into run `id`.
    pub(super) fn new(list: List, inputs: &[Arc<Run>], id: u64, level: u8) -> Self {
        let cursors = inputs
            .iter()
            .map(|run| Cursor {
                run: Arc::clone(run),
                next_page: 0,
                entries: Vec::new().into_iter().peekable(),
            })
            .collect();
        Self { list, cursors, output: RunWriter::new(id, level), credit: 0 }
    }

    /// Whose runs are merged.
    pub(super) const fn list(&self) -> List {
        self.list
    }

    /// The number of the run that comes out.
    pub(super) const fn output(&self) -> u64 {
        self.output.id()
    }

    /// Whether a run is one of the inputs.
    pub(super) fn takes(&self, run: &Arc<Run>) -> bool {
        self.cursors.iter().any(|cursor| Arc::ptr_eq(&cursor.run, run))
    }

    /// Permits so many more entries to be merged.
    pub(super) const fn grant(&mut self, entries: usize) {
        self.credit = self.credit.saturating_add(entries);
    }

    /// Merges as many entries as are permitted, in whole pages.
    pub(super) fn advance(&mut self, database: &Database) -> Result<Progress, StorageError> {
        while self.credit >= PAGE_ENTRIES {
            self.credit = self.credit.saturating_sub(PAGE_ENTRIES);
            for _ in 0..PAGE_ENTRIES {
                match self.least(database) {
                    Ok(Some(entry)) => self.output.push(database, entry)?,
                    Ok(None) => return Ok(Progress::Done(self.output.finish(database)?)),
                    Err(reason) => return Ok(Progress::Damaged(reason)),
                }
            }
        }
        Ok(Progress::Going)
    }

    /// Takes the least entry of all inputs.
    fn least(&mut self, database: &Database) -> Result<Option<Entry>, String> {
        let mut least: Option<(Entry, &mut Cursor)> = None;
        for cursor in &mut self.cursors {
            let Some(entry) = cursor.peek(database)? else {
                continue;
            };
            if least.as_ref().is_none_or(|(other, _)| entry < *other) {
                least = Some((entry, cursor));
            }
        }
        Ok(least.and_then(|(_, cursor)| cursor.entries.next()))
    }
}

impl Cursor {
    fn peek(&mut self, database: &Database) -> Result<Option<Entry>, String> {
        if self.entries.peek().is_none() && self.next_page < self.run.pages() {
            let page = self.run.page(database, self.next_page)?;
            self.next_page = self.next_page.saturating_add(1);
            self.entries = page.into_iter().peekable();
        }
        Ok(self.entries.peek().copied())
    }
}
