//! Snapshots of the state in pages, each whole or absent.
//!
//! Before the first page a mark says that pages of this height are leftovers; manifest in, mark out is one
//! atomic change, made after the pages are durable. So what an interrupted save leaves is found at the next
//! open without looking at any page. Removing an old snapshot goes the same way backwards.
//!
//! Whether a snapshot's state root is its block's is asked by whoever restores from it.

use std::collections::BTreeSet;

use crypto::digest::{Digest, Domain, digest};
use crypto::encoding::{Decode, Encode, encoded_bytes, from_wire, to_wire};
use types::account::{Account, Snapshot};
use types::block::BlockId;
use types::number::Height;
use types::replica::ReplicaId;

use crate::database::{Change, Database, VALUE_BYTES_MAX};
use crate::error::StorageError;
use crate::sealed::{CONTENT_BYTES_MAX, seal, unseal};

/// First byte of the keys of pages.
const PAGE_KEY: u8 = b's';

/// First byte of the keys of manifests.
const MANIFEST_KEY: u8 = b't';

/// First byte of the keys of marks: pages of this height are leftovers.
const MARK_KEY: u8 = b'u';

/// How many whole snapshots are kept.
const KEPT: usize = 2;

/// What makes pages a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
struct Manifest {
    height: Height,
    block: BlockId,
    accounts: u64,
    pages: u32,
    /// Over the digests of all pages in order.
    content: Digest,
    /// As in the snapshot.
    convicted: BTreeSet<ReplicaId>,
}

/// Writes a snapshot, durably, and then removes all but the two newest. One of the same height is left as it
/// is.
pub(crate) fn save(database: &Database, snapshot: &Snapshot) -> Result<(), StorageError> {
    let height = snapshot.height;
    if read_manifest(database, height).is_ok_and(|manifest| manifest.is_some()) {
        return Ok(());
    }
    database.put(&key(MARK_KEY, height), &[])?;
    let mut digests = Vec::new();
    let mut pages: u32 = 0;
    for page in snapshot.accounts.chunks(page_accounts(snapshot)) {
        let content = to_wire(&page);
        digests.extend_from_slice(digest(Domain::SnapshotPage, &content).as_bytes());
        let key = page_key(height, pages);
        database.put(&key, &seal(&key, &content))?;
        pages = pages.saturating_add(1);
    }
    // The manifest must not reach the disk before what it vouches for.
    database.make_durable()?;
    let manifest = Manifest {
        height,
        block: snapshot.block,
        accounts: u64::try_from(snapshot.accounts.len()).unwrap_or(u64::MAX),
        pages,
        content: digest(Domain::SnapshotPage, &digests),
        convicted: snapshot.convicted.clone(),
    };
    let manifest_key = key(MANIFEST_KEY, height);
    let sealed = seal(&manifest_key, &to_wire(&manifest));
    database
        .change(vec![Change::Put(manifest_key, sealed), Change::Remove(key(MARK_KEY, height))])?;
    database.make_durable()?;
    for old in heights(database)?.into_iter().skip(KEPT) {
        remove(database, old)?;
    }
    database.make_durable()
}

/// The heights of whole snapshots, newest first.
pub(crate) fn heights(database: &Database) -> Result<Vec<Height>, StorageError> {
    let mut heights = Vec::new();
    let mut from = vec![MANIFEST_KEY];
    while let Some((key, _)) =
        database.first(&[MANIFEST_KEY], &from).map_err(|broken| database.damaged(broken))?
    {
        heights.extend(height_of_key(&key));
        from = key.to_vec();
        from.push(0);
    }
    heights.reverse();
    Ok(heights)
}

/// Reads a snapshot; `None` when there is none of this height.
pub(crate) fn load(database: &Database, height: Height) -> Result<Option<Snapshot>, StorageError> {
    let damaged = |reason: String| StorageError::DamagedSnapshot { height, reason };
    let Some(manifest) = read_manifest(database, height)? else {
        return Ok(None);
    };
    let mut digests = Vec::new();
    let mut accounts: Vec<Account> = Vec::new();
    for number in 0..manifest.pages {
        let key = page_key(height, number);
        let value = match database.get(&key) {
            Ok(Some(value)) => value,
            Ok(None) => return Err(damaged(format!("page {number} is missing"))),
            Err(broken) => return Err(damaged(broken.reason)),
        };
        let content = unseal(&key, &value)
            .ok_or_else(|| damaged(format!("the checksum of page {number} does not match")))?;
        digests.extend_from_slice(digest(Domain::SnapshotPage, content).as_bytes());
        let mut page: Vec<Account> = from_wire(content, VALUE_BYTES_MAX)
            .map_err(|error| damaged(format!("page {number} does not decode: {error}")))?;
        accounts.append(&mut page);
    }
    if digest(Domain::SnapshotPage, &digests) != manifest.content
        || u64::try_from(accounts.len()) != Ok(manifest.accounts)
    {
        return Err(damaged("its pages are not those of its manifest".to_owned()));
    }
    Ok(Some(Snapshot { height, block: manifest.block, accounts, convicted: manifest.convicted }))
}

/// Removes what interrupted saves and removals left. Says how many snapshots that were.
pub(crate) fn remove_unfinished(database: &Database) -> Result<usize, StorageError> {
    let mut removed: usize = 0;
    while let Some((mark, _)) =
        database.first(&[MARK_KEY], &[MARK_KEY]).map_err(|broken| database.damaged(broken))?
    {
        if let Some(height) = height_of_key(&mark) {
            remove_pages(database, height)?;
        }
        database.remove(&mark)?;
        removed = removed.saturating_add(1);
    }
    Ok(removed)
}

fn remove(database: &Database, height: Height) -> Result<(), StorageError> {
    database.change(vec![
        Change::Remove(key(MANIFEST_KEY, height)),
        Change::Put(key(MARK_KEY, height), Vec::new()),
    ])?;
    remove_pages(database, height)?;
    database.remove(&key(MARK_KEY, height))
}

fn remove_pages(database: &Database, height: Height) -> Result<(), StorageError> {
    database.remove_all(&key(PAGE_KEY, height))
}

fn read_manifest(database: &Database, height: Height) -> Result<Option<Manifest>, StorageError> {
    let damaged = |reason: String| StorageError::DamagedSnapshot { height, reason };
    let key = key(MANIFEST_KEY, height);
    let Some(value) = database.get(&key).map_err(|broken| damaged(broken.reason))? else {
        return Ok(None);
    };
    let content = unseal(&key, &value)
        .ok_or_else(|| damaged("the checksum of its manifest does not match".to_owned()))?;
    let manifest: Manifest = from_wire(content, VALUE_BYTES_MAX)
        .map_err(|error| damaged(format!("its manifest does not decode: {error}")))?;
    if manifest.height == height {
        Ok(Some(manifest))
    } else {
        Err(damaged("its manifest is another snapshot's".to_owned()))
    }
}

/// How many accounts fit into a page: all have one length, and a list has a version byte and a count in front.
fn page_accounts(snapshot: &Snapshot) -> usize {
    let longest = snapshot.accounts.iter().map(encoded_bytes).max();
    let room = CONTENT_BYTES_MAX.saturating_sub(1 + 8);
    room.checked_div(longest.unwrap_or(1)).unwrap_or(1).max(1)
}

fn key(kind: u8, height: Height) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend_from_slice(&height.get().to_be_bytes());
    key
}

fn page_key(height: Height, number: u32) -> Vec<u8> {
    let mut key = key(PAGE_KEY, height);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

fn height_of_key(key: &[u8]) -> Option<Height> {
    let (_, height) = key.split_first()?;
    let height: [u8; 8] = height.try_into().ok()?;
    Some(Height::new(u64::from_be_bytes(height)))
}

#[cfg(test)]
mod tests;
