//! How the rows of a plan become final: a window of them is on its way, certified blocks settle
//! them.
//!
//! Nothing is believed but certified state. The sender's certified nonce says how many of its
//! transactions are committed; for the first row below it, some validator says in which block it
//! stands; the block is fetched with its proof, checked, and settles every row in it. That is one
//! certificate to check and one body to hash for each block, however many rows it holds.
//!
//! Time and network are behind [`Chain`], so that tests run this without either.

use std::collections::BTreeMap;
use std::time::Duration;

use types::{Height, Nonce, SignedTransaction, TransactionId};

use super::chain::{CertifiedBlock, Chain, Refusal, Word};
use super::journal::{Committed, Journal};
use super::outcome::RowOutcome;
use crate::exit::Failure;

/// Without progress for this long, everything on its way is submitted again, to all validators.
const RESUBMIT_AFTER: Duration = Duration::from_millis(1_500);

/// Without progress for this long, another validator is asked.
const ROTATE_AFTER: Duration = Duration::from_millis(500);

/// The most transactions of one submission; the API takes 1,000.
const BATCH_MAX: usize = 256;

/// How far a run got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settled {
    /// What became of every row, in the order of the file.
    pub(crate) outcomes: Vec<RowOutcome>,
    /// The height that was certified last.
    pub(crate) height: Height,
    /// The sender's certified nonce there.
    pub(crate) nonce: Nonce,
}

/// A payment that is going on.
pub(crate) struct Engine<'a, C: Chain> {
    chain: &'a mut C,
    journal: Journal,
    window: usize,
    patience: Duration,
    /// Rows that are not final, by the nonce of what was signed for them last.
    open: BTreeMap<Nonce, usize>,
    /// Rows by every transaction that was ever signed for them.
    by_id: BTreeMap<TransactionId, usize>,
    /// Everything below this nonce was submitted in this run.
    submitted: Nonce,
    displaced: BTreeMap<usize, TransactionId>,
    refusals: BTreeMap<TransactionId, BTreeMap<String, Refusal>>,
    certified: (Height, Nonce),
    progress_at: Duration,
    resubmitted_at: Duration,
    rotated_at: Duration,
}

impl<'a, C: Chain> Engine<'a, C> {
    /// A payment with at most `window` rows on their way, given up after `patience` without
    /// progress.
    pub(crate) fn new(
        chain: &'a mut C,
        journal: Journal,
        window: usize,
        patience: Duration,
    ) -> Self {
        let (mut open, mut by_id) = (BTreeMap::new(), BTreeMap::new());
        for (row, state) in journal.rows().iter().enumerate() {
            for signed in &state.signed {
                by_id.insert(signed.id(), row);
            }
            if state.committed.is_none()
                && let Some(last) = state.signed.last()
            {
                open.insert(last.transaction.nonce, row);
            }
        }
        let now = chain.elapsed();
        Self {
            chain,
            journal,
            window,
            patience,
            open,
            by_id,
            submitted: Nonce::FIRST,
            displaced: BTreeMap::new(),
            refusals: BTreeMap::new(),
            certified: (Height::GENESIS, Nonce::FIRST),
            progress_at: now,
            resubmitted_at: now,
            rotated_at: now,
        }
    }

    /// How many rows are final.
    pub(crate) fn done(&self) -> usize {
        self.journal.rows().iter().filter(|row| row.committed.is_some()).count()
    }

    /// Settles what is committed already without submitting anything, and says what became of every
    /// row.
    ///
    /// # Errors
    /// From the journal.
    pub(crate) fn settle_only(mut self) -> Result<(Journal, Settled), Failure> {
        let before_any = self.chain.elapsed();
        while !self.open.is_empty() {
            let heard = self.settle()?;
            let consumed = self.first_open().is_some_and(|(nonce, _)| nonce < self.certified.1);
            let waited = self.chain.elapsed().saturating_sub(before_any);
            if (heard && !consumed) || waited > self.patience {
                break;
            }
            self.rotate_if_stuck();
            self.chain.pause();
        }
        self.finish(false)
    }

    /// Runs until every row is final, a row is refused for good, or the patience is over.
    /// `tell` hears how many rows are final.
    ///
    /// # Errors
    /// From the journal.
    pub(crate) fn run(
        mut self,
        mut tell: impl FnMut(usize),
    ) -> Result<(Journal, Settled), Failure> {
        tell(self.done());
        while !self.open.is_empty() {
            self.fill_window();
            let before = self.open.len();
            self.settle()?;
            if self.open.len() < before {
                tell(self.done());
                continue;
            }
            self.hear();
            if self.is_refused() || self.since(self.progress_at) > self.patience {
                break;
            }
            self.resubmit_if_stuck();
            self.rotate_if_stuck();
            self.chain.pause();
        }
        self.finish(true)
    }

    /// Submits rows in the order of their nonces, as far as the window goes.
    fn fill_window(&mut self) {
        let due: Vec<Nonce> =
            self.open.keys().take(self.window).copied().filter(|n| *n >= self.submitted).collect();
        // While there is more to come, batches are worth a wait; the last rows go at once.
        let on_their_way = self.open.len().min(self.window).saturating_sub(due.len());
        let worthwhile = due.len().saturating_mul(4) >= self.window
            || on_their_way.saturating_mul(2) < self.window
            || self.open.len() <= self.window;
        if !worthwhile {
            return;
        }
        for batch in due.chunks(BATCH_MAX) {
            let transactions = self.transactions(batch);
            self.chain.submit(transactions, false);
        }
        if let Some(last) = due.last() {
            self.submitted = last.next();
        }
    }

    fn transactions(&self, nonces: &[Nonce]) -> Vec<SignedTransaction> {
        nonces
            .iter()
            .filter_map(|nonce| self.open.get(nonce))
            .filter_map(|row| self.journal.rows().get(*row)?.signed.last().cloned())
            .collect()
    }

    /// Asks what is certified and closes the rows it settles; false when nobody answered.
    fn settle(&mut self) -> Result<bool, Failure> {
        let Some(certified) = self.chain.nonce() else {
            return Ok(false);
        };
        // One that lags, or lies with an old proof, does not take back what was proved.
        self.certified = self.certified.max(certified);
        while let Some((nonce, row)) = self.first_open() {
            if nonce >= self.certified.1 {
                break;
            }
            let ids: Vec<TransactionId> = self
                .journal
                .rows()
                .get(row)
                .map(|state| state.signed.iter().map(SignedTransaction::id).collect())
                .unwrap_or_default();
            match self.chain.find(&ids) {
                Some(block) if self.close(&block)? => {}
                Some(_) | None => match self.chain.holder(nonce) {
                    Some(by) if !ids.contains(&by) => {
                        self.open.remove(&nonce);
                        self.displaced.insert(row, by);
                        self.progress_at = self.chain.elapsed();
                    }
                    Some(_) | None => break,
                },
            }
        }
        Ok(true)
    }

    fn first_open(&self) -> Option<(Nonce, usize)> {
        self.open.first_key_value().map(|(nonce, row)| (*nonce, *row))
    }

    /// Closes every open row that the block holds; false when it holds none.
    fn close(&mut self, block: &CertifiedBlock) -> Result<bool, Failure> {
        let mut committed = Vec::new();
        for id in &block.ids {
            let Some(row) = self.by_id.get(id).copied() else {
                continue;
            };
            let Some(state) = self.journal.rows().get(row) else {
                continue;
            };
            let Some(last) = state.signed.last() else {
                continue;
            };
            if self.open.get(&last.transaction.nonce) == Some(&row) {
                self.open.remove(&last.transaction.nonce);
                committed.push(Committed { row, id: *id, height: block.height });
            }
        }
        self.journal.committed(&committed)?;
        if committed.is_empty() {
            return Ok(false);
        }
        self.refusals.clear();
        self.progress_at = self.chain.elapsed();
        Ok(true)
    }

    /// Remembers each validator's last word about each transaction.
    fn hear(&mut self) {
        for Word { validator, id, refusal } in self.chain.words() {
            let of_transaction = self.refusals.entry(id).or_default();
            match refusal {
                Some(refusal) => drop(of_transaction.insert(validator, refusal)),
                None => drop(of_transaction.remove(&validator)),
            }
        }
    }

    /// Whether the first open row is refused for good. Rows behind it cannot commit before it does.
    /// Believed only after everybody was asked since the last progress: some validators may just
    /// lag behind.
    fn is_refused(&self) -> bool {
        self.resubmitted_at > self.progress_at && self.lasting_refusal().is_some()
    }

    /// The first open row, when so many refuse it that one of them is honest, or everybody does.
    fn lasting_refusal(&self) -> Option<(usize, Refusal)> {
        let (_, row) = self.first_open()?;
        let id = self.journal.rows().get(row)?.signed.last()?.id();
        let lasting: Vec<&Refusal> =
            self.refusals.get(&id)?.values().filter(|refusal| refusal.lasting).collect();
        let (known, enough) = self.chain.validators();
        let last = lasting.last()?;
        (lasting.len() >= enough.min(known)).then(|| (row, (*last).clone()))
    }

    fn resubmit_if_stuck(&mut self) {
        let quiet_since = self.progress_at.max(self.resubmitted_at);
        if self.since(quiet_since) < RESUBMIT_AFTER {
            return;
        }
        self.resubmitted_at = self.chain.elapsed();
        self.refusals.clear();
        let on_their_way: Vec<Nonce> =
            self.open.keys().take(self.window).copied().filter(|n| *n < self.submitted).collect();
        for batch in on_their_way.chunks(BATCH_MAX) {
            let transactions = self.transactions(batch);
            self.chain.submit(transactions, true);
        }
    }

    fn rotate_if_stuck(&mut self) {
        if self.since(self.progress_at.max(self.rotated_at)) >= ROTATE_AFTER {
            self.rotated_at = self.chain.elapsed();
            self.chain.rotate();
        }
    }

    fn since(&self, then: Duration) -> Duration {
        self.chain.elapsed().saturating_sub(then)
    }

    fn finish(self, submitting: bool) -> Result<(Journal, Settled), Failure> {
        let refused = self.lasting_refusal();
        let outcome = |row: usize, last: Option<&SignedTransaction>| {
            let sent = last.filter(|last| submitting && last.transaction.nonce < self.submitted);
            match (&refused, self.displaced.get(&row), sent) {
                (_, Some(by), _) => RowOutcome::Displaced { by: *by },
                (Some((first, refusal)), None, _) if *first == row => {
                    let Refusal { code, detail, .. } = refusal.clone();
                    RowOutcome::Refused { code, detail }
                }
                (_, None, Some(sent)) => RowOutcome::Pending { id: sent.id() },
                (_, None, None) => RowOutcome::Unsent,
            }
        };
        let outcomes = self
            .journal
            .rows()
            .iter()
            .enumerate()
            .map(|(row, state)| match state.committed {
                Some(Committed { id, height, .. }) => RowOutcome::Final { id, height },
                None => outcome(row, state.signed.last()),
            })
            .collect();
        self.journal.sync()?;
        let (height, nonce) = self.certified;
        Ok((self.journal, Settled { outcomes, height, nonce }))
    }
}

#[cfg(test)]
mod tests;
