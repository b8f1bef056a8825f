//! The side of the index that grows: one owner, called between writing blocks and making them durable.

use std::sync::Arc;

use types::number::Height;
use types::proof::ProvedBlock;
use types::transaction::Action;

use super::entry::{BLOCK, Entry, prefix_of_address, prefix_of_block, prefix_of_id};
use super::manifest::{DAMAGE_KEY, MANIFEST_KEY, Manifest};
use super::merge::{Merge, Progress};
use super::run::{
    FENCE_KEY, PAGE_ENTRIES, PAGE_KEY, Run, RunWriter, fence_pages, page_key, run_key,
};
use super::{FAN_IN, Index, LISTS, List, PerList, RUN_ENTRIES};
use crate::database::Database;
use crate::error::StorageError;

/// How many entries a merge may move for each entry appended to its list. A merge is due again when as many
/// entries came as it moves, so 1 would be just enough.
const MERGE_PACE: usize = 2;

/// How many pages of merged runs are removed with any append,
const REMOVALS: usize = 64;

/// and with each page of new entries: more than merges make useless meanwhile, which is about one page for
/// each level.
const REMOVALS_PER_PAGE: usize = 16;

/// What one append adds, to be [published](Index::publish) once it is durable.
#[derive(Debug, Default)]
pub(crate) struct Staged {
    /// The entries of the blocks.
    pub(super) entries: PerList<Vec<Entry>>,
    /// Whether the entries in memory, and these, are in a run now.
    pub(super) memory_written: bool,
    /// The runs, when they changed.
    pub(super) runs: Option<PerList<Arc<Vec<Arc<Run>>>>>,
}

/// What must be known to add to the index.
#[derive(Debug)]
pub(crate) struct Writer {
    indexed: Height,
    next_run: u64,
    runs: PerList<Vec<Arc<Run>>>,
    merges: Vec<Merge>,
    dead: Vec<Dead>,
    damage_noted: bool,
}

/// A run that was merged into another one. Its pages go when no reader can hold it any more.
#[derive(Debug)]
struct Dead {
    run: Arc<Run>,
    pages_left: u32,
}

impl Writer {
    /// Reads which runs there are. The blocks above [`Writer::indexed`] are to be staged and published
    /// again before anything is looked up. `Err` within with a reason when the index cannot be used.
    pub(crate) fn load(
        database: &Database,
        index: &Index,
        newest: Height,
    ) -> Result<Result<Self, String>, StorageError> {
        let manifest = match Manifest::load(database) {
            Ok(manifest) => manifest.unwrap_or_default(),
            Err(reason) => return Ok(Err(reason)),
        };
        if manifest.indexed > newest.get() {
            return Ok(Err(format!(
                "it goes to height {}, the blocks to {newest}",
                manifest.indexed
            )));
        }
        let mut runs = PerList::<Vec<Arc<Run>>>::default();
        for (list, notes) in [(List::Places, &manifest.places), (List::History, &manifest.history)]
        {
            for note in notes {
                match Run::load(database, note) {
                    Ok(run) => runs.get_mut(list).push(Arc::new(run)),
                    Err(reason) => return Ok(Err(reason)),
                }
            }
        }
        remove_leftovers(database, &manifest)?;
        let writer = Self {
            indexed: Height::new(manifest.indexed),
            next_run: manifest.next_run,
            runs,
            merges: Vec::new(),
            dead: Vec::new(),
            damage_noted: false,
        };
        index.publish(Staged { runs: Some(writer.shared_runs()), ..Staged::default() });
        Ok(Ok(writer))
    }

    /// Removes everything of the index from the database.
    pub(crate) fn wipe(database: &Database) -> Result<(), StorageError> {
        for prefix in [MANIFEST_KEY, &[PAGE_KEY], &[FENCE_KEY], DAMAGE_KEY] {
            database.remove_all(prefix)?;
        }
        Ok(())
    }

    /// The runs hold every block up to this height.
    pub(crate) const fn indexed(&self) -> Height {
        self.indexed
    }

    /// Prepares the entries of blocks that continue those before, and does a proportional part of the work on
    /// runs. Nothing is visible before the result is published, nothing durable before the caller makes it so.
    pub(crate) fn stage(
        &mut self,
        database: &Database,
        index: &Index,
        blocks: &[ProvedBlock],
    ) -> Result<Staged, StorageError> {
        if let Some(reason) = index.damage() {
            if !self.damage_noted {
                database
                    .put(DAMAGE_KEY, reason.as_bytes().get(..1024).unwrap_or(reason.as_bytes()))?;
                self.damage_noted = true;
            }
            return Ok(Staged::default());
        }
        let mut staged = Staged { entries: entries_of(blocks), ..Staged::default() };
        let mut changed = false;
        let new = staged
            .entries
            .get(List::Places)
            .len()
            .saturating_add(staged.entries.get(List::History).len());
        if index.memory_entries().saturating_add(new) >= RUN_ENTRIES {
            self.write_memory(database, index, &staged)?;
            self.indexed = blocks.last().map_or(self.indexed, |block| block.block.header.height);
            staged.memory_written = true;
            changed = true;
        }
        changed |= self.merge(database, index, &staged)?;
        changed |= self.start_merges();
        changed |= self.remove_dead(database, new)?;
        if changed {
            self.manifest().save(database)?;
            staged.runs = Some(self.shared_runs());
        }
        Ok(staged)
    }

    /// Writes the entries in memory and the staged ones as a run of each list.
    fn write_memory(
        &mut self,
        database: &Database,
        index: &Index,
        staged: &Staged,
    ) -> Result<(), StorageError> {
        for list in LISTS {
            let entries = index.memory_with(list, staged.entries.get(list));
            if entries.is_empty() {
                continue;
            }
            let mut writer = RunWriter::new(self.take_run_id(), 0);
            for entry in entries {
                writer.push(database, entry)?;
            }
            let run = writer.finish(database)?;
            self.runs.get_mut(list).push(Arc::new(run));
        }
        Ok(())
    }

    /// Advances every merge; says whether the runs changed.
    fn merge(
        &mut self,
        database: &Database,
        index: &Index,
        staged: &Staged,
    ) -> Result<bool, StorageError> {
        let mut changed = false;
        for mut merge in std::mem::take(&mut self.merges) {
            let list = merge.list();
            let entries = staged.entries.get(list).len();
            merge.grant(entries.saturating_mul(MERGE_PACE));
            match merge.advance(database)? {
                Progress::Going => self.merges.push(merge),
                Progress::Done(output) => {
                    let runs = self.runs.get_mut(list);
                    let (inputs, mut rest): (Vec<_>, Vec<_>) =
                        runs.drain(..).partition(|run| merge.takes(run));
                    rest.push(Arc::new(output));
                    *runs = rest;
                    self.dead.extend(
                        inputs.into_iter().map(|run| Dead { pages_left: run.pages(), run }),
                    );
                    changed = true;
                }
                Progress::Damaged(reason) => {
                    // Blocks matter more: they go on being stored, and the next open builds the index anew.
                    index.report_damage(reason);
                }
            }
        }
        Ok(changed)
    }

    /// Starts a merge wherever a level has enough runs that are in none yet.
    fn start_merges(&mut self) -> bool {
        let mut started = false;
        for list in LISTS {
            let highest = self.runs.get(list).iter().map(|run| run.level()).max();
            for level in 0..=highest.unwrap_or(0) {
                let free: Vec<Arc<Run>> = self
                    .runs
                    .get(list)
                    .iter()
                    .filter(|run| run.level() == level)
                    .filter(|run| !self.merges.iter().any(|merge| merge.takes(run)))
                    .take(FAN_IN)
                    .cloned()
                    .collect();
                if free.len() == FAN_IN {
                    let id = self.take_run_id();
                    let merge = Merge::new(list, &free, id, level.saturating_add(1));
                    self.merges.push(merge);
                    started = true;
                }
            }
        }
        started
    }

    /// Removes some pages of runs that nobody reads; says whether a run is gone altogether.
    fn remove_dead(&mut self, database: &Database, new: usize) -> Result<bool, StorageError> {
        let mut removals =
            new.div_ceil(PAGE_ENTRIES).saturating_mul(REMOVALS_PER_PAGE).saturating_add(REMOVALS);
        for dead in &mut self.dead {
            // A reader that took the list of runs before the merge was published still holds it.
            if Arc::strong_count(&dead.run) > 1 {
                continue;
            }
            let note = dead.run.note();
            if dead.pages_left == note.pages {
                for number in 0..fence_pages(note.pages) {
                    database.remove(&page_key(FENCE_KEY, note.id, number))?;
                }
            }
            while removals > 0 && dead.pages_left > 0 {
                dead.pages_left = dead.pages_left.saturating_sub(1);
                removals = removals.saturating_sub(1);
                database.remove(&page_key(PAGE_KEY, note.id, dead.pages_left))?;
            }
        }
        let before = self.dead.len();
        self.dead.retain(|dead| dead.pages_left > 0);
        Ok(self.dead.len() < before)
    }

    const fn take_run_id(&mut self) -> u64 {
        let id = self.next_run;
        self.next_run = self.next_run.saturating_add(1);
        id
    }

    fn manifest(&self) -> Manifest {
        let notes = |list: List| self.runs.get(list).iter().map(|run| run.note()).collect();
        let merging = self.merges.iter().map(Merge::output);
        let dead = self.dead.iter().map(|dead| dead.run.note().id);
        Manifest {
            indexed: self.indexed.get(),
            next_run: self.next_run,
            places: notes(List::Places),
            history: notes(List::History),
            unfinished: merging.chain(dead).collect(),
        }
    }

    fn shared_runs(&self) -> PerList<Arc<Vec<Arc<Run>>>> {
        PerList {
            places: Arc::new(self.runs.get(List::Places).clone()),
            history: Arc::new(self.runs.get(List::History).clone()),
        }
    }
}

/// Removes the pages of runs that were being written or removed when the process ended.
fn remove_leftovers(database: &Database, manifest: &Manifest) -> Result<(), StorageError> {
    for kind in [PAGE_KEY, FENCE_KEY] {
        for id in &manifest.unfinished {
            database.remove_all(&run_key(kind, *id))?;
        }
        let from = run_key(kind, manifest.next_run);
        while let Some((key, _)) =
            database.first(&[kind], &from).map_err(|broken| database.damaged(broken))?
        {
            database.remove(&key)?;
        }
    }
    Ok(())
}

/// The entries of blocks, each list sorted.
fn entries_of(blocks: &[ProvedBlock]) -> PerList<Vec<Entry>> {
    let mut places = Vec::new();
    let mut history = Vec::new();
    for block in blocks {
        let block = &block.block;
        let height = block.header.height.get();
        places.push(Entry::new(prefix_of_block(&block.id()), height, BLOCK));
        for (position, signed) in (0_u32..).zip(block.body.transactions()) {
            places.push(Entry::new(prefix_of_id(&signed.id()), height, position));
            let transaction = &signed.transaction;
            let sender = prefix_of_address(&transaction.sender);
            history.push(Entry::new(sender, height, position));
            let Action::Transfer(transfer) = &transaction.action;
            if transfer.recipient != transaction.sender {
                let recipient = prefix_of_address(&transfer.recipient);
                history.push(Entry::new(recipient, height, position));
            }
        }
    }
    places.sort_unstable();
    history.sort_unstable();
    // Sender and recipient whose prefixes collide would give one entry twice.
    history.dedup();
    PerList { places, history }
}

#[cfg(test)]
impl Staged {
    /// Adds one entry to each list, whatever is at the place.
    pub(crate) fn add_for_test(
        &mut self,
        id: super::Prefix,
        address: super::Prefix,
        height: u64,
        position: u32,
    ) {
        let places = self.entries.get_mut(List::Places);
        places.push(Entry::new(id, height, position));
        let history = self.entries.get_mut(List::History);
        history.push(Entry::new(address, height, position));
    }
}
