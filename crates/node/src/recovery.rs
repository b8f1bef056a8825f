//! From a directory to a running replica: newest whole snapshot, re-execution of the blocks above
//! it, then the journal.

use std::path::Path;
use std::sync::Arc;

use crypto::keys::Signer;
use crypto::signed::{Signed, Unverified};
use ledger::{Ledger, PoolLimits, Replay};
use pbft::record::Record;
use pbft::{Output, Replica};
use storage::{Directory, EvidenceStore, Journal, LostProposalStore, Store, UsedKey, WhenDamaged};
use types::block::Header;
use types::evidence::Evidence;
use types::genesis::Genesis;
use types::number::Height;
use types::replica::ReplicaId;

use crate::error::NodeError;

/// A replica rebuilt from its directory.
pub struct Recovered {
    /// The consensus core, its ledger at the last durable block.
    pub replica: Replica<Ledger>,
    /// What it had said about undecided heights, to be said again.
    pub output: Output,
    /// The open journal.
    pub journal: Journal,
    /// The open store.
    pub store: Store,
    /// Proofs that a validator's key lied.
    pub evidence: EvidenceStore,
    /// What is in there.
    pub lies: Vec<Signed<Evidence>>,
    /// Where lost proposals are kept.
    pub lost: LostProposalStore,
    /// Height of the snapshot it started from.
    pub snapshot: Height,
    /// How many blocks were executed again.
    pub replayed: u64,
    /// Keeps other processes out for as long as it lives.
    pub directory: Directory,
}

/// Opens a validator's directory and rebuilds its replica.
///
/// # Errors
///
/// Refuses a directory of another chain or key, one in use, and one whose content does not hold.
/// A directory that is gone altogether is made anew, for a replica that never votes if `used` names
/// its chain.
pub fn recover(
    path: &Path,
    used: &UsedKey,
    genesis: &Genesis,
    replica: ReplicaId,
    signer: Arc<dyn Signer>,
) -> Result<Recovered, NodeError> {
    let directory = Directory::open_for(used, path, *genesis.chain(), signer.public_key())?;
    let (journal, records) = Journal::open(&directory)?;
    // A damaged store is never replaced behind the operator's back.
    let (store, report) = Store::open(&directory, genesis, WhenDamaged::Refuse)?;
    if let Some(reason) = report.index_rebuilt {
        tracing::warn!(%reason, "the index of the store was rebuilt from its blocks");
    }
    let evidence = EvidenceStore::open(&directory, genesis.validators())?;
    let lies = remembered(&evidence, genesis)?;
    let lost = LostProposalStore::of(&directory);
    let (ledger, tip, snapshot) = restore(&store, genesis)?;
    let replayed = tip.height.get().saturating_sub(snapshot.get());
    // The process may have ended between journal and store.
    let new_views = records.iter().cloned().filter_map(Record::into_new_view);
    store.keep_new_views(&new_views.collect::<Vec<_>>())?;
    let config = pbft::Config {
        replica,
        validators: genesis.validators().clone(),
        parameters: *genesis.parameters(),
    };
    let (replica, output) = Replica::recover(config, signer, ledger, tip, records)?;
    Ok(Recovered {
        replica,
        output,
        journal,
        store,
        evidence,
        lies,
        lost,
        snapshot,
        replayed,
        directory,
    })
}

/// Who was known to have lied.
fn remembered(
    store: &EvidenceStore,
    genesis: &Genesis,
) -> Result<Vec<Signed<Evidence>>, NodeError> {
    let mut remembered = Vec::new();
    for kept in store.list(None, usize::MAX) {
        let Some((evidence, _)) = store.find(&kept.outline.id)? else {
            continue;
        };
        match Unverified::new(evidence).verify(genesis.validators()) {
            Ok(evidence) => remembered.push(evidence),
            Err(error) => {
                tracing::warn!(id = %kept.outline.id, %error, "what was kept as evidence is none")
            }
        }
    }
    Ok(remembered)
}

/// The ledger at the last durable block, that block's header, and the height of the snapshot that
/// the way began with.
fn restore(store: &Store, genesis: &Genesis) -> Result<(Ledger, Header, Height), NodeError> {
    let snapshot = match store.snapshot()? {
        Some(snapshot) => {
            let stored = store.block(snapshot.height)?;
            let header = stored
                .map_or_else(|| genesis.header().clone(), |proved| proved.block.header.clone());
            Some((snapshot, header))
        }
        None => None,
    };
    let mut replay = Replay::begin(genesis, snapshot, PoolLimits::default())?;
    let start = replay.tip().height;
    while replay.tip().height < store.committed() {
        let height = replay.tip().height.next();
        let proved = store.block(height)?.ok_or(NodeError::MissingBlock { height })?;
        replay.apply(&proved.block)?;
    }
    let (ledger, tip) = replay.finish();
    Ok((ledger, tip, start))
}
