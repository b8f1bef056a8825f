//! Opening a store: what is there, whether it is all that was promised, and what to do when it is not.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use types::genesis::Genesis;
use types::number::Height;
use types::proof::ProvedBlock;

use super::{Cache, Newest, Shared, Store, Writer, path};
use crate::database::Database;
use crate::directory::{Directory, Lock};
use crate::error::StorageError;
use crate::index::{self, Index};
use crate::tip::{Mark, Tip};
use crate::{blocks, files, snapshots};

/// What to do with a store that cannot be trusted. The choice is the operator's: whatever only this store had is
/// out of reach once it is set aside, and must come from peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenDamaged {
    /// Leave it as it is and answer with the error.
    Refuse,
    /// Rename it to `store.damaged-N` and begin with an empty one.
    SetAside,
}

/// What opening a store found and did. Whatever is said here belongs in the operator's log.
#[derive(Debug, Default)]
pub struct OpenReport {
    /// The store was made: it is empty.
    pub created: bool,
    /// A damaged store was moved away.
    pub set_aside: Option<SetAside>,
    /// Why the index was built anew from the blocks, if it was.
    pub index_rebuilt: Option<String>,
    /// Blocks read again to bring the index up to date.
    pub blocks_indexed: u64,
    /// Interrupted snapshots removed.
    pub snapshots_removed: usize,
}

/// A damaged store that was moved away.
#[derive(Debug)]
pub struct SetAside {
    /// Where it is now.
    pub path: PathBuf,
    /// What was wrong with it.
    pub damage: StorageError,
}

impl Store {
    /// Opens the store of a locked directory, making it when there is none.
    ///
    /// # Errors
    ///
    /// [`StorageError::DamagedStore`] or [`StorageError::DamagedBlock`] when the database does not open, has
    /// lost blocks that were durable, or its newest block is unreadable, unless it is to be set aside. Damage
    /// deeper down is found when it is read. [`StorageError::Io`] and [`StorageError::Database`] when the
    /// machine refuses; that sets nothing aside.
    pub fn open(
        directory: &Directory,
        genesis: &Genesis,
        when_damaged: WhenDamaged,
    ) -> Result<(Self, OpenReport), StorageError> {
        let path = path(directory.path());
        let lock = || Some(directory.lock());
        match (open(&path, genesis, lock()), when_damaged) {
            (Ok(opened), _) => Ok(opened),
            (Err(damage), WhenDamaged::SetAside) if is_damage(&damage) => {
                let aside = move_aside(&path)?;
                tracing::warn!(path = %aside.display(), %damage, "set a damaged store aside");
                let (store, mut report) = open(&path, genesis, lock())?;
                report.set_aside = Some(SetAside { path: aside, damage });
                Ok((store, report))
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Renames the store of a locked directory to `store.damaged-N` and says where it is, for damage that was
    /// found after opening. No store of this directory may be open. `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`StorageError::Io`].
    pub fn set_aside(directory: &Directory) -> Result<Option<PathBuf>, StorageError> {
        let path = path(directory.path());
        if path.exists() { move_aside(&path).map(Some) } else { Ok(None) }
    }
}

/// Opens or makes the store in `path`, and holds on to the lock of its directory.
pub(crate) fn open(
    path: &Path,
    genesis: &Genesis,
    lock: Option<Lock>,
) -> Result<(Store, OpenReport), StorageError> {
    open_as(path, path, genesis, lock)
}

/// Opens a copy of a store. Damage is said of the original.
pub(crate) fn open_copy(
    copy: &Path,
    original: &Path,
    genesis: &Genesis,
) -> Result<(Store, OpenReport), StorageError> {
    open_as(copy, original, genesis, None)
}

fn open_as(
    path: &Path,
    name: &Path,
    genesis: &Genesis,
    lock: Option<Lock>,
) -> Result<(Store, OpenReport), StorageError> {
    let mut report = OpenReport::default();
    let header = genesis.header();
    let genesis = Mark { height: Height::GENESIS, block: header.id() };
    let (tip, mark) = open_tip(path, name, genesis, &mut report)?;
    let database = Database::open_as(path, name)?;
    let newest = match find_newest(&database, name, genesis, mark)? {
        Some(block) => {
            let header = block.block.header;
            Newest { mark: Mark { height: header.height, block: header.id() }, header }
        }
        None => Newest { mark: genesis, header: header.clone() },
    };
    report.snapshots_removed = snapshots::remove_unfinished(&database)?;
    let index = Index::default();
    let writer = open_index(&database, &index, newest.mark.height, &mut report)?;
    // A process that was killed before its sync leaves blocks that are whole and not durable; from
    // here on they are reported durable, and the vote journal is pruned on their strength.
    database.make_durable()?;
    let shared = Shared {
        path: path.to_owned(),
        database,
        index,
        genesis,
        newest: RwLock::new(newest),
        writer: Mutex::new(Writer { tip, index: writer }),
        snapshots: Mutex::new(()),
        cache: Mutex::new(Cache::default()),
        _lock: lock,
    };
    let store = Store { shared: Arc::new(shared) };
    Ok((store, report))
}

/// The file of the mark, made before the database: where there is a database there must be a mark.
fn open_tip(
    path: &Path,
    name: &Path,
    genesis: Mark,
    report: &mut OpenReport,
) -> Result<(Tip, Mark), StorageError> {
    let damaged = |reason: String| StorageError::DamagedStore { path: name.to_owned(), reason };
    files::create_directory(path)?;
    match Tip::open(path)? {
        Some((tip, Some(mark))) => Ok((tip, mark)),
        Some((_, None)) => {
            Err(damaged("the mark of the newest durable block is unreadable".to_owned()))
        }
        None if path.join("db").exists() => {
            Err(damaged("the mark of the newest durable block is missing".to_owned()))
        }
        None => {
            report.created = true;
            Ok((Tip::create(path, genesis)?, genesis))
        }
    }
}

/// The newest block, which must be readable and not below what was promised; none when there is only the
/// genesis.
fn find_newest(
    database: &Database,
    name: &Path,
    genesis: Mark,
    promised: Mark,
) -> Result<Option<ProvedBlock>, StorageError> {
    let damaged = |reason: String| StorageError::DamagedStore { path: name.to_owned(), reason };
    let height = blocks::newest(database)?;
    if height < promised.height {
        return Err(damaged(format!(
            "it goes to height {height}, but height {} was durable",
            promised.height
        )));
    }
    let block_at = |height: Height| -> Result<Option<ProvedBlock>, StorageError> {
        if height == Height::GENESIS {
            return Ok(None);
        }
        blocks::read(database, height).map(|(block, _)| Some(block))
    };
    if block_at(promised.height)?.map_or(genesis.block, |found| found.block.id()) != promised.block
    {
        return Err(damaged(format!(
            "at height {} it has another block than was durable",
            promised.height
        )));
    }
    if let Some(first) = block_at(height.min(Height::GENESIS.next()))?
        && first.block.header.parent != genesis.block
    {
        return Err(damaged("its first block is not this genesis' child".to_owned()));
    }
    block_at(height)
}

/// Opens the index and brings it up to the newest block, from nothing if need be.
fn open_index(
    database: &Database,
    index: &Index,
    newest: Height,
    report: &mut OpenReport,
) -> Result<index::Writer, StorageError> {
    let mut writer = match index::Writer::load(database, index, newest)? {
        Ok(writer) => writer,
        Err(reason) => {
            tracing::warn!(reason, "building the index of transactions anew");
            report.index_rebuilt = Some(reason);
            index::Writer::wipe(database)?;
            index::Writer::load(database, index, newest)?.map_err(|reason| {
                StorageError::DamagedIndex {
                    reason: format!("not even an empty one can be read: {reason}"),
                }
            })?
        }
    };
    let mut height = writer.indexed();
    while height < newest {
        height = height.next();
        let (block, _) = blocks::read(database, height)?;
        let staged = writer.stage(database, index, &[block])?;
        // Its blocks are durable, and nobody reads before the open is done.
        index.publish(staged);
        report.blocks_indexed = report.blocks_indexed.saturating_add(1);
    }
    Ok(writer)
}

/// Whether a store with this error is damaged, and not the machine in the way.
fn is_damage(error: &StorageError) -> bool {
    match error {
        StorageError::DamagedStore { .. }
        | StorageError::DamagedBlock { .. }
        | StorageError::DamagedIndex { .. }
        | StorageError::DamagedSnapshot { .. } => true,
        StorageError::Io { .. }
        | StorageError::Locked { .. }
        | StorageError::Foreign { .. }
        | StorageError::NewerFormat { .. }
        | StorageError::DamagedDirectory { .. }
        | StorageError::DamagedJournal { .. }
        | StorageError::CutJournal { .. }
        | StorageError::NoJournal { .. }
        | StorageError::Interrupted
        | StorageError::Database { .. }
        | StorageError::Poisoned { .. } => false,
    }
}

fn move_aside(path: &Path) -> Result<PathBuf, StorageError> {
    let mut number: u32 = 1;
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".damaged-{number}"));
        let aside = PathBuf::from(name);
        if !aside.exists() {
            files::rename(path, &aside)?;
            return Ok(aside);
        }
        number = number.saturating_add(1);
    }
}
