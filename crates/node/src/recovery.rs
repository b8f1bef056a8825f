//! From a directory to a running replica: newest whole snapshot, re-execution of the blocks above
//! it, then the journal.
//!
//! The proofs of the newest blocks bear witness against the journal: a vote of this key that is in one of them
//! and that the journal knows nothing of was in it once. An older copy was put in its place, or its content
//! was wiped. Then the key has said what this replica does not know, and it never votes again (protocol, §5).

use std::path::Path;
use std::sync::Arc;

use crypto::keys::Signer;
use crypto::signed::{ChainId, Signed, Unverified, signing_digest};
use ledger::{Ledger, PoolLimits, Replay};
use pbft::record::{Record, Retirement};
use pbft::{Output, Replica};
use storage::{Directory, EvidenceStore, Journal, LostProposalStore, Store, UsedKey, WhenDamaged};
use types::block::Header;
use types::evidence::Evidence;
use types::genesis::Genesis;
use types::number::{Height, View};
use types::replica::ReplicaId;
use types::vote::{Phase, Statement, Vote};

use crate::error::NodeError;

/// How many of the newest blocks are asked for votes of this key. It signs most of them.
const WITNESSES_MAX: u64 = 16;

/// What a validator makes of a vote of its key that its journal lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnWord {
    /// It never votes again.
    Binds,
    /// Nothing: it says many things that it writes down nowhere. For those that attack their network.
    IsNothing,
}

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
/// its chain. One whose journal has lost votes becomes a replica that never votes, if its word binds it.
pub fn recover(
    path: &Path,
    used: &UsedKey,
    genesis: &Genesis,
    replica: ReplicaId,
    signer: Arc<dyn Signer>,
    word: OwnWord,
) -> Result<Recovered, NodeError> {
    let directory = Directory::open_for(used, path, *genesis.chain(), signer.public_key())?;
    let (mut journal, mut records) = Journal::open(&directory)?;
    // A damaged store is never replaced behind the operator's back.
    let (store, report) = Store::open(&directory, genesis, WhenDamaged::Refuse)?;
    if let Some(reason) = report.index_rebuilt {
        tracing::warn!(%reason, "the index of the store was rebuilt from its blocks");
    }
    if word == OwnWord::Binds
        && let Some(vote) = lost_vote(&store, &records, replica, &*signer, genesis.chain())
    {
        let Statement { view, height, .. } = vote.statement;
        tracing::error!(
            path = %path.display(),
            height = height.get(),
            view = view.get(),
            "votes are missing from the vote journal, one of them is in the proof of a stored block: this \
             validator follows and serves the others and never votes again under its key"
        );
        let retired = [Record::Retired { reason: Retirement::Vote(vote) }];
        journal.append(&retired)?;
        records.extend(retired);
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

/// A commit vote of this key in the proof of a stored block that is later than all in the journal. A vote is in the
/// journal before it is in any proof, and the last one is never pruned.
fn lost_vote(
    store: &Store,
    records: &[Record],
    own: ReplicaId,
    signer: &dyn Signer,
    chain: &ChainId,
) -> Option<Vote> {
    if records.iter().any(|record| matches!(record, Record::Retired { .. })) {
        return None;
    }
    let commits = records.iter().filter_map(Record::vote).map(|vote| &vote.statement);
    let last = commits.filter(|said| said.phase == Phase::Commit).map(place).max();
    let newest = store.committed().get();
    for height in (newest.saturating_sub(WITNESSES_MAX)..newest).rev() {
        let height = Height::new(height).next();
        let proved = match store.block(height) {
            Ok(Some(proved)) => proved,
            Ok(None) => continue,
            // It is asked as a witness only; whoever needs the block itself says what is wrong with it.
            Err(error) => {
                tracing::warn!(%height, %error, "a block cannot be asked for votes of this key");
                continue;
            }
        };
        let statement = proved.proof.certificate.statement;
        let signatures = &proved.proof.certificate.signatures;
        let own = signatures.iter().find(|(replica, _)| *replica == own);
        if let Some((replica, signature)) = own.copied()
            && Some(place(&statement)) > last
            && signer.sign(&signing_digest(chain, &statement)) == signature
        {
            return Some(Vote { statement, replica, signature });
        }
    }
    None
}

const fn place(statement: &Statement) -> (View, Height) {
    (statement.view, statement.height)
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

#[cfg(test)]
mod tests;
