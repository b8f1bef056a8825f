//! `logothete audit`: re-executes a stored chain from its genesis and believes nothing that was
//! stored with it.
//!
//! The directory is not changed. What a running validator would have refused, this refuses: it uses
//! the same checks on the same types, but trusts no result of theirs that lies on disk.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crypto::signed::{Authenticated, ChainId, Unverified};
use crypto::verify::Claim;
use indicatif::{ProgressBar, ProgressStyle};
use ledger::{Ledger, PoolLimits};
use pbft::Record;
use serde::Serialize;
use storage::{Archive, Store};
use types::account::Snapshot;
use types::application::Application;
use types::block::{BlockId, Header};
use types::door::Door;
use types::genesis::Genesis;
use types::number::{Height, View};
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::vote::{Phase, Statement, Vote};

use crate::cli::AuditArguments;
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::output::{GOOD, Output, Report, styled};
use crate::stopped;

/// What holds.
#[derive(Debug, Serialize)]
struct AuditReport {
    directory: PathBuf,
    chain: String,
    validator: String,
    height: u64,
    block: String,
    state_root: String,
    transactions: u64,
    accounts: u64,
    supply: String,
    snapshots: Vec<u64>,
    journal_records: usize,
    journal_torn_bytes: u64,
}

impl Report for AuditReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let head = styled(GOOD, "everything holds");
        writeln!(out, "{head}: {} of {}", self.directory.display(), self.validator)?;
        writeln!(out, "height      {}", self.height)?;
        writeln!(out, "block       {}", self.block)?;
        writeln!(out, "state root  {}", self.state_root)?;
        writeln!(
            out,
            "executed    {} transactions, {} accounts",
            self.transactions, self.accounts
        )?;
        writeln!(out, "supply      {}", self.supply)?;
        writeln!(out, "snapshots   {:?}", self.snapshots)?;
        writeln!(out, "journal     {}", counted(self.journal_records, "record"))?;
        if self.journal_torn_bytes > 0 {
            let torn = self.journal_torn_bytes;
            writeln!(out, "            {torn} bytes of an interrupted write at its end")?;
        }
        Ok(())
    }
}

/// Audits a directory.
///
/// # Errors
///
/// Fails with the first thing that is wrong; [`Exit::Interrupted`] when told to end, and no copy of the
/// store stays.
pub(crate) fn run(arguments: &AuditArguments, output: &mut Output) -> Result<Exit, Failure> {
    let directory = stopped::validators_data(&arguments.directory)?;
    let genesis = stopped::genesis(arguments.genesis.as_deref(), &directory)?;
    let interrupt = stopped::interrupt()?;
    let archive = stopped::archive(&directory, &genesis, &interrupt)?
        .map_err(|cause| wrong(&directory, &cause))?;
    let audit = Audit::new(&directory, &genesis, &archive, &interrupt);
    output.result(&audit.run()?)?;
    Ok(Exit::Done)
}

/// Checks everything that a stopped validator has stored.
///
/// # Errors
///
/// Fails with the first thing that is wrong.
pub(crate) fn check(directory: &Path, genesis: &Genesis, archive: &Archive) -> Result<(), Failure> {
    Audit::new(directory, genesis, archive, &Interrupt::never()).run().map(|_| ())
}

fn wrong(directory: &Path, cause: &dyn std::error::Error) -> Failure {
    Failure::fault(format!("{} does not hold", directory.display()), cause)
}

/// One audit.
struct Audit<'a> {
    directory: &'a Path,
    genesis: &'a Genesis,
    archive: &'a Archive,
    interrupt: &'a Interrupt,
    /// Whose directory it is, if a validator's of the genesis.
    own: Option<ReplicaId>,
}

impl<'a> Audit<'a> {
    fn new(
        directory: &'a Path,
        genesis: &'a Genesis,
        archive: &'a Archive,
        interrupt: &'a Interrupt,
    ) -> Self {
        let own = genesis.validators().replica_of(&archive.identity().key);
        Self { directory, genesis, archive, interrupt, own }
    }

    fn run(&self) -> Result<AuditReport, Failure> {
        let store = self.archive.store();
        self.must_have_a_store()?;
        let mut ledger = Ledger::new(self.genesis, PoolLimits::default());
        let mut tip = self.genesis.header().clone();
        let mut transactions: u64 = 0;
        let mut snapshots = store.snapshots().map_err(|cause| wrong(self.directory, &cause))?;
        snapshots.sort_unstable();
        self.check_snapshot(&snapshots, &ledger)?;
        let said = self.check_journal()?;
        let progress = progress(store.committed());
        let mut shown = None;
        while tip.height < store.committed() {
            if self.interrupt.came() {
                return Err(stopped::interrupted());
            }
            let proved = self.follow(&mut ledger, &tip)?;
            if let Some(statement) = self.own_statement(&proved) {
                said.compare(statement).map_err(|what| self.bad_journal(&what))?;
                shown = shown.max(Some((statement.view, statement.height)));
            }
            tip = proved.block.header;
            transactions = transactions.saturating_add(tip.transactions.into());
            self.check_snapshot(&snapshots, &ledger)?;
            progress.set_position(tip.height.get());
        }
        progress.finish_and_clear();
        self.check_supply(&ledger)?;
        store.check_index().map_err(|cause| wrong(self.directory, &cause))?;
        self.check_journal_knows(shown)?;
        Ok(self.report(&ledger, &tip, transactions, &snapshots))
    }

    /// A validator makes its store before it says anything, so a store that is not there was lost, and with it
    /// what there is to audit.
    fn must_have_a_store(&self) -> Result<(), Failure> {
        if !self.archive.report().created {
            return Ok(());
        }
        let text = format!(
            "{} does not hold: it has no store; its journal has {}",
            self.directory.display(),
            counted(self.archive.records().len(), "record")
        );
        Err(Failure::new(Exit::Fault, text))
    }

    /// Money is neither made nor lost (S8): what the accounts hold now is what they held at first.
    fn check_supply(&self, ledger: &Ledger) -> Result<(), Failure> {
        let (held, supply) = (ledger.snapshot().supply(), self.genesis.supply());
        if held == Some(supply) {
            return Ok(());
        }
        let denomination = self.genesis.denomination();
        let held = held.map_or_else(
            || "more than any amount".to_owned(),
            |held| denomination.format_with_symbol(held),
        );
        let text = format!(
            "{}: the accounts hold {held}, the genesis gave them {}",
            self.directory.display(),
            denomination.format_with_symbol(supply)
        );
        Err(Failure::new(Exit::Fault, text))
    }

    /// Checks and executes the next block.
    fn follow(&self, ledger: &mut Ledger, tip: &Header) -> Result<ProvedBlock, Failure> {
        let height = tip.height.next();
        let at = |what: String| {
            let text = format!("{}: height {height}: {what}", self.directory.display());
            Failure::new(Exit::Fault, text)
        };
        let store = self.archive.store();
        let block = store
            .block(height)
            .map_err(|cause| wrong(self.directory, &cause))?
            .ok_or_else(|| at("the block is missing".to_owned()))?;
        let door = Door::strict(self.genesis.validators().clone());
        let proved = Unverified::new((*block).clone())
            .verify(&door)
            .map_err(|forged| at(format!("the block is not proved: {forged}")))?
            .into_inner();
        let block = &proved.block;
        if !block.header.follows(tip) {
            return Err(at(format!("the block does not follow block {}", tip.id())));
        }
        ledger.execute(block).map_err(|refusal| at(format!("execution fails: {refusal}")))?;
        let id = block.id();
        ledger.commit(&id);
        self.check_lookup(store, height, &id).map_err(at)?;
        Ok(proved)
    }

    /// What this validator signed for the proof of a block, if it did.
    fn own_statement<'p>(&self, proved: &'p ProvedBlock) -> Option<&'p Statement> {
        let certificate = &proved.proof.certificate;
        let own = certificate.signatures.iter().any(|(replica, _)| Some(*replica) == self.own);
        own.then_some(&certificate.statement)
    }

    /// What was stored is found under its id.
    fn check_lookup(&self, store: &Store, height: Height, id: &BlockId) -> Result<(), String> {
        match store.height_of(id) {
            Ok(Some(found)) if found == height => Ok(()),
            Ok(Some(found)) => Err(format!("the index finds the block at height {found}")),
            Ok(None) => Err("the index does not find the block".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// A snapshot of this height is what execution gave.
    fn check_snapshot(&self, snapshots: &[Height], ledger: &Ledger) -> Result<(), Failure> {
        let (height, _) = ledger.committed();
        if snapshots.binary_search(&height).is_err() {
            return Ok(());
        }
        let stored = self.archive.store().snapshot_at(height);
        let stored: Option<Snapshot> = stored.map_err(|cause| wrong(self.directory, &cause))?;
        if stored.is_some_and(|stored| stored != ledger.snapshot()) {
            let text = format!(
                "{}: the snapshot at height {height} is not what execution gives",
                self.directory.display()
            );
            return Err(Failure::new(Exit::Fault, text));
        }
        Ok(())
    }

    /// The journal's votes are this validator's own, and no two of them contradict each other.
    fn check_journal(&self) -> Result<Said, Failure> {
        let validators = self.genesis.validators();
        let key = self.archive.identity().key;
        let mut said = Said::default();
        for vote in self.archive.records().iter().filter_map(own_vote) {
            let claim =
                vote.claim(validators).map_err(|error| self.bad_journal(&error.to_string()))?;
            if claim.key != key || !claim.holds() {
                let what = format!("holds {}, which it did not sign", a_vote(&vote.statement));
                return Err(self.bad_journal(&what));
            }
            said.add(&vote.statement).map_err(|twice| self.bad_journal(&twice))?;
        }
        self.check_views().map_err(|what| self.bad_journal(&what))?;
        Ok(said)
    }

    fn bad_journal(&self, what: &str) -> Failure {
        let text = format!("{}: the journal {what}", self.directory.display());
        Failure::new(Exit::Fault, text)
    }

    /// What this validator signed for the proofs of its blocks is in its journal, or was before a later vote. Else votes
    /// are missing from it, and whoever goes on with it may contradict them. It need not know them after it said that
    /// it never votes again.
    fn check_journal_knows(&self, shown: Option<(View, Height)>) -> Result<(), Failure> {
        let records = self.archive.records();
        let retired = records.iter().any(|record| matches!(record, Record::Retired { .. }));
        let commits = records.iter().filter_map(own_vote).map(|vote| vote.statement);
        let commits = commits.filter(|statement| statement.phase == Phase::Commit);
        let last = commits.map(|statement| (statement.view, statement.height)).max();
        match shown {
            Some((view, height)) if !retired && shown > last => {
                let what = format!(
                    "lacks this validator's commit vote at height {height} in view {view}, which is in \
                     the proof of a block: votes are missing from it"
                );
                Err(self.bad_journal(&what))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Every view change and new view of the journal holds, and there is one of each for a view.
    fn check_views(&self) -> Result<(), String> {
        let validators = self.genesis.validators();
        let mut asked = BTreeMap::new();
        let mut entered = BTreeMap::new();
        for record in self.archive.records() {
            let mut claims = Vec::new();
            let (view, formed, twice) = match record {
                Record::ViewChange { view_change } => {
                    let (view, said) = (view_change.view, view_change.statement());
                    let formed = view_change.claims(validators, &mut claims).is_ok();
                    (view, formed, *asked.entry(view).or_insert(said) != said)
                }
                Record::NewView { new_view } => {
                    let (view, said) = (new_view.view, new_view.statement());
                    let formed = new_view.claims(validators, &mut claims).is_ok();
                    (view, formed, *entered.entry(view).or_insert_with(|| said.clone()) != said)
                }
                Record::Vote { .. }
                | Record::Certificate { .. }
                | Record::Left { .. }
                | Record::Retired { .. } => continue,
            };
            if !formed || !claims.iter().all(Claim::holds) {
                return Err(format!("holds a word about view {view} that was not signed"));
            }
            if twice {
                return Err(format!("holds two different words about view {view}"));
            }
        }
        Ok(())
    }

    fn report(
        &self,
        ledger: &Ledger,
        tip: &Header,
        transactions: u64,
        snapshots: &[Height],
    ) -> AuditReport {
        let key = self.archive.identity().key;
        let validators = self.genesis.validators();
        let name = validators
            .replica_of(&key)
            .and_then(|replica| validators.get(replica))
            .map_or_else(|| key.to_string(), |validator| validator.name.clone());
        let chain: &ChainId = self.genesis.chain();
        AuditReport {
            directory: self.directory.to_owned(),
            chain: chain.to_string(),
            validator: name,
            height: tip.height.get(),
            block: tip.id().to_string(),
            state_root: ledger.state_root().to_string(),
            transactions,
            accounts: ledger.accounts(),
            supply: self.genesis.denomination().format_with_symbol(ledger.supply()),
            snapshots: snapshots.iter().map(|height| height.get()).collect(),
            journal_records: self.archive.records().len(),
            journal_torn_bytes: self.archive.journal_torn_bytes(),
        }
    }
}

/// What a key has voted for at each place.
#[derive(Default)]
struct Said(BTreeMap<(Phase, View, Height), BlockId>);

impl Said {
    /// Adds a statement; says what is wrong when it contradicts an earlier one.
    fn add(&mut self, statement: &Statement) -> Result<(), String> {
        let place = (statement.phase, statement.view, statement.height);
        let first = *self.0.entry(place).or_insert(statement.block);
        if first == statement.block {
            return Ok(());
        }
        let (what, other) = (a_vote(statement), statement.block);
        Err(format!("holds {what} for block {first} and for block {other}"))
    }

    /// Says what is wrong when what the key signed elsewhere contradicts what it says here.
    fn compare(&self, statement: &Statement) -> Result<(), String> {
        let place = (statement.phase, statement.view, statement.height);
        match self.0.get(&place) {
            Some(said) if *said != statement.block => {
                let (what, other) = (a_vote(statement), statement.block);
                Err(format!(
                    "holds {what} for block {said}, and the key signed one for block {other}"
                ))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// A vote in words.
fn a_vote(statement: &Statement) -> String {
    let phase = match statement.phase {
        Phase::Prepare => "prepare",
        Phase::Commit => "commit",
    };
    format!("a {phase} vote at height {} in view {}", statement.height, statement.view)
}

fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

fn own_vote(record: &Record) -> Option<&Vote> {
    match record {
        Record::Vote { vote, .. } => Some(vote),
        Record::Certificate { .. }
        | Record::Left { .. }
        | Record::Retired { .. }
        | Record::ViewChange { .. }
        | Record::NewView { .. } => None,
    }
}

/// A bar on a terminal; nothing elsewhere.
fn progress(height: Height) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} height {pos} of {len}, {eta} to go");
    let bar = ProgressBar::new(height.get());
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests;
