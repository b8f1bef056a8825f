//! The properties of the protocol page (section 8), checked over everything that honest replicas
//! did and stored.
//!
//! The checker shares no code with what it checks: it counts quorums with its own arithmetic, makes
//! the bytes that were signed and hashed itself, follows the parents itself, and keeps balances in
//! a map. Only the nouns, plain data, are the production ones, and so is the execution that S10
//! repeats.
//!
//! Safety is judged after every event, for all replicas that do not lie, dead or alive. Liveness is
//! judged at the end of a run, by the world, because it is about time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use ledger::{Ledger, PoolLimits, PoolStatus, Replay};
use pbft::{Message, Overview, Record};
use serde::Serialize;
use types::block::BlockId;
use types::evidence::Evidence;
use types::genesis::Genesis;
use types::number::{Height, Nonce};
use types::proof::ProvedBlock;

use crate::keys::Verifier;
use crate::time::Time;

mod bytes;
#[cfg(test)]
mod fixture;
mod money;
mod proof;
mod property;
mod reading;
mod rules;
mod said;
mod views;

use bytes::Members;
use money::Money;
pub use property::Property;
use rules::Rules;
use said::Said;
use views::Views;

/// One property, broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which.
    pub property: Property,
    /// What happened.
    pub sentence: String,
    /// When, in virtual time.
    pub at: Time,
    /// Who did it, if it was one.
    pub replica: Option<u16>,
    /// At which height, if at one.
    pub height: Option<u64>,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at {}", self.property, self.at)?;
        if let Some(replica) = self.replica {
            write!(formatter, ", replica {replica}")?;
        }
        if let Some(height) = self.height {
            write!(formatter, ", height {height}")?;
        }
        write!(formatter, ": {}", self.sentence)
    }
}

/// Watches one run. A copy goes on watching from where it was made.
#[derive(Clone)]
pub struct Checker {
    members: Members,
    faulty: BTreeSet<u16>,
    /// The first block that was committed at each height, and its parent links down to the genesis.
    chain: Vec<Agreed>,
    money: Money,
    said: Said,
    views: Views,
    rules: Rules,
    replicas: BTreeMap<u16, Watched>,
    window: u64,
    healed_at: Option<Time>,
    violations: Vec<Violation>,
}

#[derive(Clone)]
struct Agreed {
    id: BlockId,
    block: Arc<ProvedBlock>,
}

/// What one replica has shown of its chain.
#[derive(Debug, Clone, Default)]
struct Watched {
    committed: u64,
    durable: u64,
}

/// The most bytes of a journal before it is rewritten: what is live, twice, and some room.
const JOURNAL_BYTES_MAX: usize = 4 << 20;

impl Checker {
    /// A checker of a network in which nothing has happened. Replicas of which nothing is promised
    /// are left out.
    pub fn new(genesis: &Genesis, verifier: Verifier, faulty: BTreeSet<u16>) -> Self {
        Self {
            members: Members::new(genesis, verifier),
            rules: Rules::new(faulty.clone()),
            faulty,
            chain: Vec::new(),
            money: Money::new(genesis),
            said: Said::default(),
            views: Views::new(genesis.validators().len()),
            replicas: BTreeMap::new(),
            window: u64::from(genesis.parameters().window_heights),
            healed_at: None,
            violations: Vec::new(),
        }
    }

    /// From now on a majority of the members makes a certificate, as in a network that was made to show why it must not.
    pub const fn count_majorities(&mut self) {
        self.members.count_majorities();
    }

    /// What was broken so far.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The highest height that anybody has committed.
    pub fn top(&self) -> Height {
        Height::new(u64::try_from(self.chain.len()).unwrap_or(u64::MAX))
    }

    /// Whether nothing is promised of a replica.
    pub fn is_faulty(&self, replica: u16) -> bool {
        self.faulty.contains(&replica)
    }

    /// From now on it counts who votes.
    pub fn healed(&mut self, now: Time) {
        self.healed_at = Some(now);
        self.said.forget_votes_of_all();
    }

    /// Whether a replica has voted, since the healing, for something that was committed.
    pub fn has_voted_since_healing(&self, replica: u16) -> bool {
        self.healed_at.is_some()
            && self.said.voted(replica).any(|(height, block)| self.id_at(height) == Some(block))
    }

    fn id_at(&self, height: Height) -> Option<BlockId> {
        let index = usize::try_from(height.get().checked_sub(1)?).ok()?;
        self.chain.get(index).map(|agreed| agreed.id)
    }

    /// Records of a replica were flushed.
    pub fn recorded(&mut self, now: Time, replica: u16, records: &[Record]) {
        if self.is_faulty(replica) {
            return;
        }
        let broken = self.said.recorded(&self.members, replica, records);
        self.note(now, replica, broken);
        let broken = self.views.recorded(replica, records);
        self.note(now, replica, broken);
        let broken = self.rules.recorded(&self.members, &self.said, replica, records);
        self.note(now, replica, broken);
    }

    /// A replica sends a message.
    pub fn said(&mut self, now: Time, replica: u16, message: &Message) {
        if self.is_faulty(replica) {
            return;
        }
        let broken = self.said.said(&self.members, replica, message);
        self.note(now, replica, broken);
        let broken = self.views.said(replica, message);
        self.note(now, replica, broken);
    }

    /// A replica says what is turned away at every door.
    pub fn unsound(&mut self, now: Time, replica: u16, message: String) {
        if !self.is_faulty(replica) {
            let sentence = format!("nobody lets in what it says: {message}");
            let broken = Broken { property: Property::Assertion, sentence, height: None };
            self.note(now, replica, Some(broken));
        }
    }

    /// A replica has found evidence: it accuses nobody who follows the protocol (S12).
    pub fn evidence(&mut self, now: Time, replica: u16, evidence: &Evidence) {
        let accused = self.views.accused(evidence);
        if !self.is_faulty(accused) {
            let sentence = format!("evidence of two {} accuses replica {accused}", evidence.name());
            let broken = Broken { property: Property::S12, sentence, height: None };
            self.note(now, replica, Some(broken));
        }
    }

    /// A replica commits a block.
    pub fn committed(&mut self, now: Time, replica: u16, proved: &Arc<ProvedBlock>) {
        if self.is_faulty(replica) {
            return;
        }
        let broken = self.commit(replica, proved);
        self.note(now, replica, broken.err());
    }

    fn commit(&mut self, replica: u16, proved: &Arc<ProvedBlock>) -> Result<(), Broken> {
        let header = &proved.block.header;
        let (height, id) = (header.height, bytes::header_id(header));
        let watched = self.replicas.entry(replica).or_default();
        let next = watched.committed.saturating_add(1);
        if height.get() != next {
            let sentence = format!("height {height} is committed where {next} comes next");
            return Err(Broken::new(Property::S2, height, sentence));
        }
        watched.committed = next;
        self.said.know(header);
        proof::check(&self.members, proved)
            .map_err(|reason| Broken::new(Property::S4, height, reason))?;
        match self.id_at(height) {
            Some(first) if first != id => {
                let sentence = format!("{} is committed where {} was", id.short(), first.short());
                return Err(Broken::new(Property::S1, height, sentence));
            }
            Some(_) => {}
            None => self.extend(proved, id)?,
        }
        self.same_body(height, proved)
    }

    /// The first commit of a height.
    fn extend(&mut self, proved: &Arc<ProvedBlock>, id: BlockId) -> Result<(), Broken> {
        let header = &proved.block.header;
        let height = header.height;
        let below = self.chain.last().map_or(self.members.genesis_id(), |agreed| agreed.id);
        if header.parent != below {
            let sentence =
                format!("its parent is {}, below is {}", header.parent.short(), below.short());
            return Err(Broken::new(Property::S2, height, sentence));
        }
        if !proved.block.fits() {
            let sentence = "the body is not the one of the header".to_owned();
            return Err(Broken::new(Property::S4, height, sentence));
        }
        self.chain.push(Agreed { id, block: proved.clone() });
        self.money.apply(&self.members, &proved.block)
    }

    /// The header fixes the body, so all have the same.
    fn same_body(&self, height: Height, proved: &ProvedBlock) -> Result<(), Broken> {
        let index = usize::try_from(height.get().saturating_sub(1)).unwrap_or(usize::MAX);
        let first = self.chain.get(index).map(|agreed| &agreed.block.block.body);
        if first == Some(&proved.block.body) {
            return Ok(());
        }
        Err(Broken::new(Property::S1, height, "another body under the same header".to_owned()))
    }

    /// The store of a replica is durable up to this height.
    pub fn durable(&mut self, replica: u16, height: Height) {
        let watched = self.replicas.entry(replica).or_default();
        watched.durable = watched.durable.max(height.get());
    }

    /// A replica was started with this block as its last, and with these records in its journal.
    pub fn restarted(
        &mut self,
        now: Time,
        replica: u16,
        tip: (Height, BlockId),
        records: &[Record],
    ) {
        if self.is_faulty(replica) {
            return;
        }
        let (height, id) = tip;
        let expected = match self.id_at(height) {
            None if height == Height::GENESIS => Some(self.members.genesis_id()),
            other => other,
        };
        let watched = self.replicas.entry(replica).or_default();
        let durable = watched.durable;
        watched.committed = height.get();
        watched.durable = height.get();
        if height.get() < durable {
            let sentence = format!("it had stored height {durable} and comes back at {height}");
            self.note(now, replica, Some(Broken::new(Property::S3, height, sentence)));
        } else if expected != Some(id) {
            let sentence = format!("it comes back with {}, which was not committed", id.short());
            self.note(now, replica, Some(Broken::new(Property::S3, height, sentence)));
        }
        let broken = self.said.restarted(&self.members, replica, height, records);
        self.note(now, replica, broken);
        let broken = self.views.restarted(replica, records);
        self.note(now, replica, broken);
        // What was not flushed may be there all the same.
        let broken = self.rules.recorded(&self.members, &self.said, replica, records);
        self.note(now, replica, broken);
    }

    /// A replica refused to start.
    pub fn refused(&mut self, now: Time, replica: u16, reason: String) {
        if !self.is_faulty(replica) {
            let broken = Broken { property: Property::Recovery, sentence: reason, height: None };
            self.note(now, replica, Some(broken));
        }
    }

    /// What a replica looks like after an output was performed: its bounds hold (S11).
    pub fn seen(
        &mut self,
        now: Time,
        replica: u16,
        status: &Overview,
        pool: &PoolStatus,
        journal_bytes: usize,
    ) {
        if self.is_faulty(replica) {
            return;
        }
        let limits = PoolLimits::default();
        // It may have committed whatever t + 1 honest replicas voted to commit; a restart may lose
        // commits that were not stored, but not the votes above them.
        let decided = self.said.voted_to_commit_by(self.members.liars().saturating_add(1));
        let head = status.committed.get().saturating_add(status.in_flight);
        let head_max = decided.get().saturating_add(self.window);
        let parked = usize::try_from(pool.parked).unwrap_or(usize::MAX);
        let sentence = if head > head_max {
            format!("it has voted at {head}, decided is {decided}, the window {}", self.window)
        } else if pool.pending > limits.transactions_max || pool.bytes > limits.bytes_max {
            format!("{} transactions are pending", pool.pending)
        } else if parked > limits.parked_transactions_max {
            format!("{parked} transactions are parked")
        } else if journal_bytes > JOURNAL_BYTES_MAX {
            format!("the journal has {journal_bytes} bytes")
        } else {
            return;
        };
        let broken = Broken::new(Property::S11, status.committed, sentence);
        self.note(now, replica, Some(broken));
    }

    /// A client was told by t + 1 replicas that its transfer is committed in this block.
    pub fn accepted(
        &mut self,
        now: Time,
        client: u16,
        nonce: Nonce,
        height: Height,
        block: BlockId,
    ) {
        if self.id_at(height) == Some(block) {
            return;
        }
        let sentence = format!("client {client} accepted nonce {nonce} in a block not committed");
        self.violations.push(Violation {
            property: Property::Reply,
            sentence,
            at: now,
            replica: None,
            height: Some(height.get()),
        });
    }

    /// The end of a run: what a replica has stored is the chain, and executes again from the
    /// beginning (S3, S10).
    pub fn finish(
        &mut self,
        now: Time,
        genesis: &Genesis,
        replica: u16,
        stored: &[Arc<ProvedBlock>],
    ) {
        if self.is_faulty(replica) {
            return;
        }
        let broken = self.stored(replica, stored).or_else(|| {
            // The chains are equal, so the longest of them is executed for all.
            (stored.len() == self.chain.len()).then(|| self.again(genesis, stored)).flatten()
        });
        self.note(now, replica, broken);
    }

    fn stored(&self, replica: u16, stored: &[Arc<ProvedBlock>]) -> Option<Broken> {
        let durable = self.replicas.get(&replica).map_or(0, |watched| watched.durable);
        let count = u64::try_from(stored.len()).unwrap_or(u64::MAX);
        if count < durable {
            let sentence = format!("it had stored height {durable} and has {count} blocks");
            return Some(Broken::new(Property::S3, Height::new(count), sentence));
        }
        let wrong = stored.iter().zip((1..).map(Height::new)).find(|(proved, height)| {
            self.id_at(*height) != Some(bytes::header_id(&proved.block.header))
        });
        wrong.map(|(_, height)| {
            Broken::new(Property::S3, height, "what it has stored was not committed".to_owned())
        })
    }

    fn again(&self, genesis: &Genesis, stored: &[Arc<ProvedBlock>]) -> Option<Broken> {
        let replayed =
            Replay::begin(genesis, None, PoolLimits::default()).and_then(|mut replay| {
                stored.iter().try_for_each(|proved| replay.apply(&proved.block))?;
                Ok(replay.finish().0)
            });
        match replayed {
            Err(error) => {
                Some(Broken { property: Property::S10, sentence: error.to_string(), height: None })
            }
            Ok(ledger) => self.same_money(&ledger),
        }
    }

    /// The accounts that execution gives are those of the checker's own books.
    fn same_money(&self, ledger: &Ledger) -> Option<Broken> {
        let accounts = ledger.snapshot().accounts;
        let sentence = self.money.differs(&accounts)?;
        Some(Broken { property: Property::S10, sentence, height: None })
    }

    fn note(&mut self, at: Time, replica: u16, broken: Option<Broken>) {
        if let Some(Broken { property, sentence, height }) = broken {
            let (replica, height) = (Some(replica), height.map(Height::get));
            self.violations.push(Violation { property, sentence, at, replica, height });
        }
    }
}

/// A property, broken, before it is known when and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Broken {
    property: Property,
    sentence: String,
    height: Option<Height>,
}

impl Broken {
    const fn new(property: Property, height: Height, sentence: String) -> Self {
        Self { property, sentence, height: Some(height) }
    }
}

#[cfg(test)]
mod tests;
