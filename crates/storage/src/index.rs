//! Where a transaction, a block or an account's transactions are: sorted runs, because a database key per
//! transaction costs as much as checking its signature.
//!
//! Both lists hold the same 28-byte entries, a prefix of a digest followed by height and position, in
//! ascending order. New entries stay in memory; when there are [`RUN_ENTRIES`] of them they are written as a
//! run, in pages, and runs of one size are merged in [`FAN_IN`]s, a few pages per append, in proportion to what
//! the append brought: no append waits for a merge. What was in memory is read again from the blocks at the
//! next open. Nothing here decides an answer: prefixes may collide, so the caller looks at the block.
//!
//! The index holds nothing that the blocks do not. When any of it is damaged, lookups say so, blocks go on
//! being stored, and the next open builds it anew.

mod entry;
mod manifest;
mod merge;
mod run;
mod writer;

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::database::Database;
use crate::error::StorageError;

pub(crate) use entry::{BLOCK, Entry, Prefix, prefix_of_address, prefix_of_block, prefix_of_id};
use run::Run;
pub(crate) use writer::{Staged, Writer};

/// How many entries, of both lists together, wait in memory before they are written as runs. It bounds what an
/// open reads again: at two or three entries a transfer, some ten full blocks or 8,192 of one transfer each.
/// Tests come to large numbers of runs sooner.
const RUN_ENTRIES: usize = if cfg!(test) { 4096 } else { 32_768 };

/// How many runs of one level are merged into one of the next. More of them means that an entry is written less
/// often (each sixteenfold growth costs one more time) and that a lookup reads more pages.
const FAN_IN: usize = if cfg!(test) { 4 } else { 16 };

/// The two lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    /// Transactions and blocks by the prefix of their id.
    Places,
    /// Transactions by the prefix of the digest of an address they touch.
    History,
}

/// One value for each list.
#[derive(Debug, Clone, Default)]
pub(crate) struct PerList<T> {
    places: T,
    history: T,
}

impl<T> PerList<T> {
    /// The value of a list.
    pub(crate) const fn get(&self, list: List) -> &T {
        match list {
            List::Places => &self.places,
            List::History => &self.history,
        }
    }

    /// The value of a list, to change.
    pub(crate) const fn get_mut(&mut self, list: List) -> &mut T {
        match list {
            List::Places => &mut self.places,
            List::History => &mut self.history,
        }
    }
}

/// Both lists, in a fixed order.
pub(crate) const LISTS: [List; 2] = [List::Places, List::History];

/// What readers see: everything up to the newest durable block.
#[derive(Debug, Default)]
pub(crate) struct Index {
    view: RwLock<View>,
    /// Why nothing can be looked up until the next open.
    damage: OnceLock<String>,
}

#[derive(Debug, Default, Clone)]
struct View {
    memory: PerList<BTreeSet<Entry>>,
    runs: PerList<Arc<Vec<Arc<Run>>>>,
}

impl Index {
    /// The entries with this prefix below a place, the greatest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`StorageError::DamagedIndex`], from then on for every call.
    pub(crate) fn below(
        &self,
        database: &Database,
        list: List,
        prefix: Prefix,
        place: (u64, u32),
        limit: usize,
    ) -> Result<Vec<Entry>, StorageError> {
        self.refuse_damage()?;
        let bound = Entry::new(prefix, place.0, place.1);
        let (mut found, runs) = {
            let view = self.view.read().unwrap_or_else(PoisonError::into_inner);
            let range = (Bound::Included(Entry::new(prefix, 0, 0)), Bound::Excluded(bound));
            let recent: Vec<Entry> =
                view.memory.get(list).range(range).rev().take(limit).copied().collect();
            (recent, Arc::clone(view.runs.get(list)))
        };
        for run in runs.iter() {
            run.below(database, &bound, limit, &mut found)
                .map_err(|reason| self.report_damage(reason))?;
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.truncate(limit);
        Ok(found)
    }

    /// Reads every page of every run.
    ///
    /// # Errors
    ///
    /// [`StorageError::DamagedIndex`] for the first that is not what was written.
    pub(crate) fn check(&self, database: &Database) -> Result<(), StorageError> {
        self.refuse_damage()?;
        let view = self.view.read().unwrap_or_else(PoisonError::into_inner).clone();
        for list in LISTS {
            for run in view.runs.get(list).iter() {
                run.check(database).map_err(|reason| self.report_damage(reason))?;
            }
        }
        Ok(())
    }

    /// Makes visible what was staged, once it is durable.
    pub(crate) fn publish(&self, staged: Staged) {
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        for list in LISTS {
            let memory = view.memory.get_mut(list);
            if staged.memory_written {
                memory.clear();
            } else {
                memory.extend(staged.entries.get(list));
            }
        }
        if let Some(runs) = staged.runs {
            view.runs = runs;
        }
    }

    /// Marks the index as damaged and gives the error to answer with.
    pub(crate) fn report_damage(&self, reason: String) -> StorageError {
        tracing::error!(reason, "the index of transactions is damaged");
        let reason = self.damage.get_or_init(|| reason).clone();
        StorageError::DamagedIndex { reason }
    }

    /// What is wrong with it, if anything is.
    pub(crate) fn damage(&self) -> Option<&String> {
        self.damage.get()
    }

    fn refuse_damage(&self) -> Result<(), StorageError> {
        match self.damage.get() {
            None => Ok(()),
            Some(reason) => Err(StorageError::DamagedIndex { reason: reason.clone() }),
        }
    }

    /// How many entries wait in memory, in both lists.
    fn memory_entries(&self) -> usize {
        let view = self.view.read().unwrap_or_else(PoisonError::into_inner);
        view.memory.get(List::Places).len().saturating_add(view.memory.get(List::History).len())
    }

    /// The entries of a list that wait in memory together with `more`, in order.
    fn memory_with(&self, list: List, more: &[Entry]) -> BTreeSet<Entry> {
        let view = self.view.read().unwrap_or_else(PoisonError::into_inner);
        let mut entries = view.memory.get(list).clone();
        entries.extend(more);
        entries
    }
}

#[cfg(test)]
mod tests;
