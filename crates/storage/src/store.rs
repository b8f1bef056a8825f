//! The block store: committed blocks with their proofs, where things are in them, and snapshots of the state.
//!
//! One writer appends, any number of readers ask meanwhile; both through clones of [`Store`]. A reader sees a
//! block only once it is durable. What is read was checked against its checksum: a missing or damaged block is
//! an error that names its height, never a wrong answer. Whether a block is *right* (its proof, its
//! execution) is asked elsewhere.

mod cache;
mod open;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use types::account::Snapshot;
use types::address::Address;
use types::block::{BlockId, Header};
use types::number::{Height, View};
use types::proof::ProvedBlock;
use types::transaction::{Action, SignedTransaction, TransactionId};
use types::view_change::NewView;

use crate::database::Database;
use crate::directory::Lock;
use crate::error::StorageError;
use crate::index::{
    self, BLOCK, Entry, Index, List, prefix_of_address, prefix_of_block, prefix_of_id,
};
use crate::tip::{Mark, Tip};
use crate::{blocks, files, new_views, snapshots};

use cache::Cache;
#[cfg(test)]
pub(crate) use open::open;
pub(crate) use open::open_copy;
pub use open::{OpenReport, SetAside, WhenDamaged};

/// How many entries with one prefix are looked at for one id. More than one means a collision, which nobody
/// can make on purpose; the bound is for form.
const COLLISIONS_MAX: usize = 16;

/// An open store. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    database: Database,
    index: Index,
    genesis: Mark,
    /// The newest durable block.
    newest: RwLock<Newest>,
    writer: Mutex<Writer>,
    /// Held while a snapshot is written.
    snapshots: Mutex<()>,
    cache: Mutex<Cache>,
    /// None for a copy that is only read.
    _lock: Option<Lock>,
}

/// The newest durable block, or the genesis of an empty store.
#[derive(Debug)]
struct Newest {
    mark: Mark,
    header: Header,
}

#[derive(Debug)]
struct Writer {
    tip: Tip,
    index: index::Writer,
}

impl Store {
    /// Appends blocks, durable and visible when this returns: one flush and one sync for all of them, and a part
    /// of the index's work in proportion to them. Nothing for no blocks.
    ///
    /// # Errors
    ///
    /// Any failure is final: nothing of these blocks is visible, and every later call answers
    /// [`StorageError::Poisoned`].
    ///
    /// # Panics
    ///
    /// When the first block is not the child of the newest stored one, or another not of the one before it: the
    /// caller has committed something that is no chain, and the process must stop.
    pub fn append(&self, blocks: &[ProvedBlock]) -> Result<(), StorageError> {
        let shared = &*self.shared;
        let mut writer = shared.writer.lock().unwrap_or_else(PoisonError::into_inner);
        shared.database.refuse_after_failure()?;
        let mut newest = shared.newest();
        for block in blocks {
            newest = child_of(&newest, block);
        }
        let Some(last) = blocks.last() else {
            return Ok(());
        };
        for block in blocks {
            blocks::write(&shared.database, block)?;
        }
        let staged = writer.index.stage(&shared.database, &shared.index, blocks)?;
        shared.database.make_durable()?;
        shared.database.poison_on_error(writer.tip.write(&newest))?;
        shared.index.publish(staged);
        let newest = Newest { mark: newest, header: last.block.header.clone() };
        *shared.newest.write().unwrap_or_else(PoisonError::into_inner) = newest;
        Ok(())
    }

    /// The height of the newest durable block; [`Height::GENESIS`] for an empty store.
    pub fn committed(&self) -> Height {
        self.shared.newest().height
    }

    /// The newest durable block: its height and id, the genesis' for an empty store.
    pub fn newest(&self) -> (Height, BlockId) {
        let Mark { height, block } = self.shared.newest();
        (height, block)
    }

    /// The header of the newest durable block, the genesis' for an empty store. Costs no look at the disk.
    pub fn newest_header(&self) -> Header {
        self.shared.newest.read().unwrap_or_else(PoisonError::into_inner).header.clone()
    }

    /// The block at a height with its proof. `None` above the newest one, and for the genesis, which is not
    /// stored. Recently read blocks are kept in memory.
    ///
    /// # Errors
    ///
    /// [`StorageError::DamagedBlock`].
    pub fn block(&self, height: Height) -> Result<Option<Arc<ProvedBlock>>, StorageError> {
        if height == Height::GENESIS || height > self.committed() {
            return Ok(None);
        }
        let shared = &*self.shared;
        let cache = || shared.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = cache().get(height) {
            return Ok(Some(block));
        }
        let (block, bytes) = blocks::read(&shared.database, height)?;
        let block = Arc::new(block);
        cache().put(height, &block, bytes);
        Ok(Some(block))
    }

    /// The blocks from a height upwards, ascending and without gap, as many as fit into `bytes_max` bytes of
    /// wire form, but one at least if there is any. None for the genesis or above the newest.
    ///
    /// # Errors
    ///
    /// [`StorageError::DamagedBlock`] for the first of them.
    pub fn blocks(&self, from: Height, bytes_max: usize) -> Result<Vec<ProvedBlock>, StorageError> {
        let newest = self.committed();
        let mut found = Vec::new();
        let mut height = from;
        let mut bytes_sum: usize = 0;
        while height > Height::GENESIS && height <= newest {
            let (block, bytes) = blocks::read(&self.shared.database, height)?;
            bytes_sum = bytes_sum.saturating_add(bytes);
            if bytes_sum > bytes_max && !found.is_empty() {
                break;
            }
            found.push(block);
            height = height.next();
        }
        Ok(found)
    }

    /// Headers of the blocks below a height (below the end for none), the newest first, at most `limit`, without
    /// the genesis'. One block at most is read as a whole. Of every other the beginning is read, and its header
    /// must be the one that the header above it names as its parent.
    ///
    /// # Errors
    ///
    /// [`StorageError::DamagedBlock`].
    pub fn headers(
        &self,
        before: Option<Height>,
        limit: usize,
    ) -> Result<Vec<Header>, StorageError> {
        let newest = self.newest_header();
        let first = match before {
            Some(before) if before <= newest.height => {
                let below = before.get().checked_sub(1).map(Height::new);
                let block = below.map(|below| self.block(below)).transpose()?.flatten();
                block.map(|proved| proved.block.header.clone())
            }
            Some(_) | None => Some(newest).filter(|newest| newest.height > Height::GENESIS),
        };
        let mut headers: Vec<Header> = Vec::new();
        let mut next = first;
        while let Some(header) = next.filter(|_| headers.len() < limit) {
            let below = header.height.get().checked_sub(1).map(Height::new);
            next = match below {
                Some(below)
                    if below > Height::GENESIS && headers.len().saturating_add(1) < limit =>
                {
                    Some(blocks::read_header(&self.shared.database, below, header.parent)?)
                }
                Some(_) | None => None,
            };
            headers.push(header);
        }
        Ok(headers)
    }

    /// The height of a block by its id, the genesis included.
    ///
    /// # Errors
    ///
    /// [`StorageError::DamagedIndex`], [`StorageError::DamagedBlock`].
    pub fn height_of(&self, id: &BlockId) -> Result<Option<Height>, StorageError> {
        if *id == self.shared.genesis.block {
            return Ok(Some(Height::GENESIS));
        }
        for entry in self.places(prefix_of_block(id))? {
            let height = Height::new(entry.height());
            if entry.position() == BLOCK
                && let Some(block) = self.block(height)?
                && block.block.id() == *id
            {
                return Ok(Some(height));
            }
        }
        Ok(None)
    }

    /// Where a committed transaction is: the height of its block and its position in it, from 0. An unknown id
    /// costs one page read for each run of the index, some dozens: do not ask without a reason.
    ///
    /// # Errors
    ///
    /// [`StorageError::DamagedIndex`], [`StorageError::DamagedBlock`].
    pub fn transaction(&self, id: &TransactionId) -> Result<Option<(Height, u32)>, StorageError> {
        for entry in self.places(prefix_of_id(id))? {
            let at = |signed: &SignedTransaction| signed.id() == *id;
            if self.entry_holds(&entry, at)? {
                return Ok(Some((Height::new(entry.height()), entry.position())));
            }
        }
        Ok(None)
    }

    /// Where the transactions are that an account sent or received, the newest first, at most `limit` of them,
    /// all before the place `before` when one is given: the last of one page asks for the next.
    ///
    /// # Errors
    ///
    /// [`StorageError::DamagedIndex`], [`StorageError::DamagedBlock`].
    pub fn history(
        &self,
        address: &Address,
        before: Option<(Height, u32)>,
        limit: usize,
    ) -> Result<Vec<(Height, u32)>, StorageError> {
        let prefix = prefix_of_address(address);
        let mut place =
            before.map_or((u64::MAX, u32::MAX), |(height, position)| (height.get(), position));
        let touches = |signed: &SignedTransaction| {
            let Action::Transfer(transfer) = &signed.transaction.action;
            signed.transaction.sender == *address || transfer.recipient == *address
        };
        let mut found = Vec::new();
        while found.len() < limit {
            let wanted = limit.saturating_sub(found.len());
            let shared = &*self.shared;
            let entries =
                shared.index.below(&shared.database, List::History, prefix, place, wanted)?;
            for entry in &entries {
                if self.entry_holds(entry, touches)? {
                    found.push((Height::new(entry.height()), entry.position()));
                }
            }
            match entries.last() {
                Some(last) if entries.len() >= wanted => place = (last.height(), last.position()),
                Some(_) | None => break,
            }
        }
        Ok(found)
    }

    /// Keeps new views that were accepted, durable when this returns. The first one of a view stays.
    ///
    /// # Errors
    ///
    /// As [`Store::append`]: any failure is final.
    pub fn keep_new_views(&self, new_views: &[NewView]) -> Result<(), StorageError> {
        let shared = &*self.shared;
        let _one_at_a_time = shared.writer.lock().unwrap_or_else(PoisonError::into_inner);
        shared.database.refuse_after_failure()?;
        let mut written = false;
        for new_view in new_views {
            written |= new_views::write(&shared.database, new_view)?;
        }
        if written { shared.database.make_durable() } else { Ok(()) }
    }

    /// The new views that were kept of the views from this one upwards, ascending, at most so many. A damaged one is
    /// left out, with a warning: it proves nothing any more.
    ///
    /// # Errors
    ///
    /// [`StorageError::DamagedStore`] when not even the list can be read.
    pub fn new_views(&self, from: View, limit: usize) -> Result<Vec<NewView>, StorageError> {
        new_views::read(&self.shared.database, from, limit)
    }

    /// Stores a snapshot of the state, durable when this returns, and then removes all but the two newest. It
    /// may take seconds for millions of accounts; blocks can be appended meanwhile from another thread.
    ///
    /// # Errors
    ///
    /// As [`Store::append`]: any failure is final.
    ///
    /// # Panics
    ///
    /// When the block it was taken after is not stored yet.
    pub fn save_snapshot(&self, snapshot: &Snapshot) -> Result<(), StorageError> {
        assert!(
            snapshot.height <= self.committed(),
            "a snapshot at height {} above the newest stored block",
            snapshot.height
        );
        let _one_at_a_time = self.shared.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        snapshots::save(&self.shared.database, snapshot)
    }

    /// The newest whole snapshot. A damaged one is passed over for the older one, with a warning: both lead
    /// to the same state when the blocks above are executed.
    ///
    /// # Errors
    ///
    /// [`StorageError::DamagedStore`] when not even the list can be read.
    pub fn snapshot(&self) -> Result<Option<Snapshot>, StorageError> {
        for height in self.snapshots()? {
            match snapshots::load(&self.shared.database, height) {
                Ok(Some(snapshot)) => return Ok(Some(snapshot)),
                Ok(None) => {}
                Err(error) => tracing::warn!(%height, %error, "passed over a damaged snapshot"),
            }
        }
        Ok(None)
    }

    /// The heights of the stored snapshots, newest first, whole ones and none above the newest block.
    ///
    /// # Errors
    ///
    /// [`StorageError::DamagedStore`] when the list cannot be read.
    pub fn snapshots(&self) -> Result<Vec<Height>, StorageError> {
        let mut heights = snapshots::heights(&self.shared.database)?;
        let newest = self.committed();
        heights.retain(|height| *height <= newest);
        Ok(heights)
    }

    /// The snapshot of this height, `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`StorageError::DamagedSnapshot`].
    pub fn snapshot_at(&self, height: Height) -> Result<Option<Snapshot>, StorageError> {
        snapshots::load(&self.shared.database, height)
    }

    /// Reads every page of the index against its checksum, for an audit.
    ///
    /// # Errors
    ///
    /// [`StorageError::DamagedIndex`].
    pub fn check_index(&self) -> Result<(), StorageError> {
        self.shared.index.check(&self.shared.database)
    }

    /// Why lookups by id or address answer nothing but errors until the next open, if they do.
    pub fn index_damage(&self) -> Option<&str> {
        self.shared.index.damage().map(String::as_str)
    }

    /// What the store takes on disk, in bytes.
    pub fn disk_bytes(&self) -> u64 {
        files::disk_bytes(&self.shared.path)
    }

    fn places(&self, prefix: index::Prefix) -> Result<Vec<Entry>, StorageError> {
        // The greatest place there is lies above every entry, because no block has that height.
        let above = (u64::MAX, u32::MAX);
        let shared = &*self.shared;
        shared.index.below(&shared.database, List::Places, prefix, above, COLLISIONS_MAX)
    }

    /// Whether the transaction that an entry names is the one looked for: prefixes may collide.
    fn entry_holds(
        &self,
        entry: &Entry,
        wanted: impl Fn(&SignedTransaction) -> bool,
    ) -> Result<bool, StorageError> {
        if entry.position() == BLOCK {
            return Ok(false);
        }
        let Some(block) = self.block(Height::new(entry.height()))? else {
            return Ok(false);
        };
        let position = usize::try_from(entry.position()).unwrap_or(usize::MAX);
        let transaction = block.block.body.transactions().get(position);
        Ok(transaction.is_some_and(wanted))
    }
}

impl Shared {
    fn newest(&self) -> Mark {
        self.newest.read().unwrap_or_else(PoisonError::into_inner).mark
    }
}

/// The mark of a block that must be the child of `parent`.
fn child_of(parent: &Mark, block: &ProvedBlock) -> Mark {
    let header = &block.block.header;
    assert!(
        Some(header.height) == parent.height.checked_next(),
        "a block of height {} is stored after height {}",
        header.height,
        parent.height
    );
    assert!(
        header.parent == parent.block,
        "the block of height {} is not the child of the stored one below it",
        header.height
    );
    Mark { height: header.height, block: header.id() }
}

/// Where the store of a directory is.
pub(crate) fn path(directory: &Path) -> PathBuf {
    directory.join("store")
}

#[cfg(test)]
mod tests;
