//! From a directory to a running replica: newest whole snapshot, re-execution of the blocks above
//! it, then the journal.

use std::sync::Arc;

use crypto::keys::Signer;
use ledger::{Ledger, PoolLimits};
use pbft::{Output, Replica};
use storage::{Directory, Journal, Store, WhenDamaged};
use types::application::Application;
use types::block::Header;
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
pub fn recover(
    path: &std::path::Path,
    genesis: &Genesis,
    replica: ReplicaId,
    signer: Arc<dyn Signer>,
) -> Result<Recovered, NodeError> {
    let directory = Directory::open(path, *genesis.chain(), signer.public_key())?;
    let (journal, records) = Journal::open(&directory)?;
    // A damaged store is never replaced behind the operator's back.
    let (store, report) = Store::open(&directory, genesis, WhenDamaged::Refuse)?;
    if let Some(reason) = report.index_rebuilt {
        tracing::warn!(%reason, "the index of the store was rebuilt from its blocks");
    }
    let (ledger, tip, snapshot) = restore(&store, genesis)?;
    let replayed = tip.height.get().saturating_sub(snapshot.get());
    let config = pbft::Config {
        replica,
        validators: genesis.validators().clone(),
        parameters: *genesis.parameters(),
    };
    let (replica, output) = Replica::recover(config, signer, ledger, tip, records)?;
    Ok(Recovered { replica, output, journal, store, snapshot, replayed, directory })
}

/// The ledger at the last durable block, that block's header, and the height of the snapshot that
/// the way began with.
fn restore(store: &Store, genesis: &Genesis) -> Result<(Ledger, Header, Height), NodeError> {
    let limits = PoolLimits::default();
    let mut tip = genesis.block().header;
    let mut ledger = match store.snapshot()? {
        Some(snapshot) => {
            let height = snapshot.height;
            let ledger = Ledger::restore(genesis, snapshot, limits)?;
            if let Some(proved) = store.block(height)? {
                tip = proved.block.header.clone();
            }
            check_tip(&ledger, &tip)?;
            ledger
        }
        None => Ledger::new(genesis, limits),
    };
    let start = tip.height;
    while tip.height < store.committed() {
        let height = tip.height.next();
        let stored = |reason: String| NodeError::StoredBlock { height: height.get(), reason };
        let proved =
            store.block(height)?.ok_or_else(|| stored("the store does not have it".into()))?;
        ledger.execute(&proved.block).map_err(|refusal| stored(refusal.to_string()))?;
        ledger.commit(&proved.block.id());
        tip = proved.block.header.clone();
    }
    Ok((ledger, tip, start))
}

/// A snapshot is worth as much as its agreement with the block that it was taken after.
fn check_tip(ledger: &Ledger, tip: &Header) -> Result<(), NodeError> {
    if ledger.committed() == (tip.height, tip.id()) && ledger.state_root() == tip.state_root {
        return Ok(());
    }
    Err(NodeError::StoredBlock {
        height: tip.height.get(),
        reason: format!(
            "the snapshot says state root {}, the block {}",
            ledger.state_root().short(),
            tip.state_root.short()
        ),
    })
}
