//! What honest validators say while they run: where they are, what they have committed, whom they call convicted.
//!
//! A transfer is final when t + 1 honest validators have committed it in the same block, which is what a wallet asks
//! for at least.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use api::client::Client;
use api::types::{BlockName, Status};
use scenario::Seen;
use types::block::{Block, BlockId};
use types::number::Height;
use types::transaction::TransactionId;

use crate::play::clients::Transfers;
use crate::play::stage::number;
use crate::play::{Play, lock};
use crate::testnet::node::Node;
use crate::testnet::process::Condition;

/// Pause between two looks at a validator.
const PAUSE: Duration = Duration::from_millis(30);
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Every transfer, by its id.
    transfers: BTreeMap<TransactionId, Fate>,
    /// How many have been sent: those that are due first.
    sent: usize,
    /// The height of each honest validator when it answered last; none while it does not.
    heights: BTreeMap<u16, u64>,
    top: u64,
    last_commit_ms: u64,
    view: u64,
    convicted: BTreeMap<u16, BTreeSet<u16>>,
    /// A block that was committed at each height.
    blocks: BTreeMap<Height, BlockId>,
    forked: bool,
}

/// What became of a transfer.
#[derive(Debug, Default)]
struct Fate {
    /// Its place in the order of times.
    place: usize,
    due_ms: u64,
    /// Who has committed it, by block.
    holders: BTreeMap<BlockId, BTreeSet<u16>>,
    final_ms: Option<u64>,
}

impl Log {
    /// Nothing was seen yet of these transfers.
    pub(super) fn new(transfers: &Transfers) -> Self {
        let fates = transfers
            .all()
            .iter()
            .enumerate()
            .map(|(place, due)| (due.id, Fate { place, due_ms: due.at_ms, ..Fate::default() }));
        Self { transfers: fates.collect(), ..Self::default() }
    }

    /// So many have been sent.
    pub(super) fn sent(&mut self, count: usize) {
        self.sent = self.sent.max(count);
    }

    /// Whether a transfer is final.
    pub(super) fn is_final(&self, id: &TransactionId) -> bool {
        self.transfers.get(id).is_some_and(|fate| fate.final_ms.is_some())
    }

    /// Whether all are.
    pub(super) fn all_final(&self) -> bool {
        self.transfers.values().all(|fate| fate.final_ms.is_some())
    }

    /// Whether these validators answer, and from the same height.
    pub(super) fn are_level(&self, validators: &[u16]) -> bool {
        let heights: Vec<_> = validators.iter().map(|it| self.heights.get(it)).collect();
        heights
            .first()
            .is_none_or(|first| first.is_some() && heights.iter().all(|height| height == first))
    }

    /// Whether everybody who answers calls exactly these convicted.
    pub(super) fn has_convicted(&self, expected: &[u16]) -> bool {
        let expected: BTreeSet<u16> = expected.iter().copied().collect();
        self.heights.keys().all(|it| self.convicted.get(it) == Some(&expected))
    }

    /// Whether two blocks were committed at one height.
    pub(super) const fn has_forked(&self) -> bool {
        self.forked
    }

    /// The latest view that an honest validator has entered.
    pub(super) const fn view(&self) -> u64 {
        self.view
    }

    /// The greatest height.
    pub(super) const fn top(&self) -> u64 {
        self.top
    }

    fn note(&mut self, validator: u16, now_ms: u64, status: &Status) {
        let height = status.height.get();
        self.heights.insert(validator, height);
        if status.entered {
            self.view = self.view.max(status.view.get());
        }
        self.convicted.insert(validator, status.convicted.iter().copied().collect());
        if height > self.top {
            self.top = height;
            self.last_commit_ms = now_ms;
        }
    }

    fn committed(&mut self, validator: u16, now_ms: u64, block: &Block, enough: usize) {
        let id = block.id();
        self.forked |= *self.blocks.entry(block.header.height).or_insert(id) != id;
        for signed in block.body.transactions() {
            let Some(fate) = self.transfers.get_mut(&signed.id()) else { continue };
            let holders = fate.holders.entry(id).or_default();
            holders.insert(validator);
            if holders.len() >= enough {
                fate.final_ms.get_or_insert(now_ms);
            }
        }
    }

    /// What it amounts to at the end.
    pub(super) fn seen(&self, end_ms: u64) -> Seen {
        let sent: Vec<&Fate> =
            self.transfers.values().filter(|fate| fate.place < self.sent).collect();
        let waiting = sent.iter().filter(|fate| fate.final_ms.is_none()).count();
        let waits =
            sent.iter().map(|fate| fate.final_ms.unwrap_or(end_ms).saturating_sub(fate.due_ms));
        Seen {
            end_ms,
            heights: self.heights.clone(),
            sent: count(sent.len()),
            waiting: count(waiting),
            longest_wait_ms: waits.max().unwrap_or_default(),
            last_commit_ms: self.last_commit_ms,
            view: self.view,
            convicted: self.convicted.values().flatten().copied().collect(),
            ..Seen::default()
        }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Follows an honest validator until the run is over.
pub(super) fn follow(play: &Play<'_>, node: &Node) {
    let mut client: Option<Client> = None;
    let mut seen = 0_u64;
    while !play.is_over() {
        let process = node.process().ok().flatten();
        let process = process.filter(|process| process.condition() == Condition::Running);
        let found = process.and_then(|process| node.client(&process, PATIENCE));
        // The kept client has its connections.
        if client.as_ref().map(Client::url) != found.as_ref().map(Client::url) {
            client = found;
        }
        match client.as_ref().and_then(|client| Some((client, client.status().ok()?))) {
            Some((client, status)) => {
                lock(&play.log).note(number(node), play.now_ms(), &status);
                read_blocks(play, node, client, &mut seen, status.height.get());
            }
            None => {
                lock(&play.log).heights.remove(&number(node));
            }
        }
        thread::sleep(PAUSE);
    }
}

/// Reads the blocks above the last one that was seen.
fn read_blocks(play: &Play<'_>, node: &Node, client: &Client, seen: &mut u64, height: u64) {
    let enough = play.stage.testnet.genesis.validators().quorum().reply();
    let enough = enough.min(play.stage.honest().len());
    while *seen < height {
        let next = seen.saturating_add(1);
        let name = BlockName::Height(Height::new(next));
        let Ok(Some(proved)) = client.proved_block(name) else { return };
        lock(&play.log).committed(number(node), play.now_ms(), &proved.block, enough);
        *seen = next;
    }
}

#[cfg(test)]
mod tests;
