//! What validators leave behind when they have ended: their chains, re-executed and compared, the blocks that came to
//! nothing, and the proofs of lies.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crypto::signed::Unverified;
use pbft::Record;
use scenario::{Fork, Seen};
use serde::Deserialize;
use storage::{Archive, EvidenceStore};
use types::block::BlockId;
use types::number::Height;

use crate::commands::audit;
use crate::failure::Failure;
use crate::play::stage::{Stage, number};
use crate::testnet::node::Node;

/// Digits of a block's id that are shown.
const ID_DIGITS: usize = 8;

/// The blocks that an honest validator has committed, by height.
type Chain = BTreeMap<u64, BlockId>;

/// Adds what honest validators have left behind to what was seen.
///
/// # Errors
///
/// Fails when a directory cannot be read. What does not hold in it is a broken property and no failure.
pub(super) fn add(stage: &Stage, honest: &[&Node], seen: &mut Seen) -> Result<(), Failure> {
    let genesis = &stage.testnet.genesis;
    let mut chains: BTreeMap<u16, Chain> = BTreeMap::new();
    let mut proposed = BTreeSet::new();
    for node in honest {
        let data = node.data();
        let fault =
            |cause| Failure::fault(format!("cannot read what {} stored", node.name()), &cause);
        let archive = Archive::open(&data, genesis, &std::env::temp_dir()).map_err(fault)?;
        if let Err(failure) = audit::check(&data, genesis, &archive) {
            seen.broken.push(format!("{}: {}", node.name(), failure.text));
        }
        let mut chain = Chain::new();
        for height in 1..=archive.store().committed().get() {
            if let Some(proved) = archive.store().block(Height::new(height)).map_err(fault)? {
                chain.insert(height, proved.block.id());
            }
        }
        chains.insert(number(node), chain);
        proposed.extend(archive.records().iter().filter_map(voted_for));
        for (evidence, _) in EvidenceStore::read_stopped(&data).map_err(fault)? {
            match Unverified::new(evidence).verify(genesis.validators()) {
                Ok(checked) => {
                    seen.culprits.insert(checked.get().accused(genesis.validators()).get());
                }
                Err(error) => {
                    seen.broken.push(format!("{} keeps false evidence: {error}", node.name()));
                }
            }
        }
    }
    for node in stage.nodes().iter().filter(|node| !stage.is_honest(node)) {
        proposed.extend(told_by(node)?);
    }
    for committed in chains.values().flat_map(BTreeMap::values) {
        proposed.remove(&committed.to_string());
    }
    seen.forks = u64::try_from(proposed.len()).unwrap_or(u64::MAX);
    seen.fork = fork(&chains);
    Ok(())
}

/// The lowest height at which two have different blocks, and who has which.
fn fork(chains: &BTreeMap<u16, Chain>) -> Option<Fork> {
    let top = chains.values().filter_map(|chain| chain.keys().next_back()).max()?;
    (1..=*top).find_map(|height| {
        let blocks: Vec<(u16, String)> = chains
            .iter()
            .filter_map(|(validator, chain)| Some((*validator, chain.get(&height)?.to_string())))
            .collect();
        let kinds: BTreeSet<&String> = blocks.iter().map(|(_, block)| block).collect();
        let short = |block: &String| block.chars().take(ID_DIGITS).collect();
        (kinds.len() > 1).then(|| Fork {
            height,
            blocks: blocks.iter().map(|(validator, block)| (*validator, short(block))).collect(),
        })
    })
}

/// The block that a journal's record votes for.
fn voted_for(record: &Record) -> Option<String> {
    match record {
        Record::Vote { vote, .. } => Some(vote.statement.block.to_string()),
        Record::Certificate { .. }
        | Record::Left { .. }
        | Record::Retired { .. }
        | Record::ViewChange { .. }
        | Record::NewView { .. } => None,
    }
}

/// The part of an adversary's deed that says what it proposed.
#[derive(Deserialize)]
struct Deed {
    message: Option<String>,
    block: Option<String>,
}

/// The blocks that an adversary says it proposed.
fn told_by(node: &Node) -> Result<BTreeSet<String>, Failure> {
    let path = node.deeds();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::file("read", &path, &error)),
    };
    // The last line may have been cut short when the process ended.
    let deeds = text.lines().filter_map(|line| serde_json::from_str::<Deed>(line).ok());
    let proposals = deeds.filter(|deed| deed.message.as_deref() == Some("pre-prepare"));
    Ok(proposals.filter_map(|deed| deed.block).collect())
}

#[cfg(test)]
mod tests;
