//! A disk that loses what was not flushed.
//!
//! The journal is one file of bytes, written by appending. Between a write and its flush the bytes
//! are the operating system's: a process that is killed leaves them all, a power cut leaves any of
//! the sectors, in any order, the last one perhaps in part, and zeros where an earlier one is
//! missing. After a failed flush the same may be gone while the process still runs. What was
//! flushed stays, and so does a file that was put in the place of another.

use types::mutant;

use crate::plan::{Death, Operation};
use byzantine::Random;

/// Bytes that a disk writes together.
const SECTOR_BYTES: usize = 512;

/// What is left of bytes that were written and not flushed when the power fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Left {
    /// Nothing.
    Nothing,
    /// The first half.
    Front,
    /// The second half, behind zeros.
    Back,
    /// Everything.
    Everything,
}

/// One file.
#[derive(Debug, Clone, Default)]
pub(crate) struct File {
    bytes: Vec<u8>,
    /// How many bytes, from the beginning, are durable.
    flushed: usize,
    /// The operation that fails next.
    fails: Option<Operation>,
    /// Flushes report success and do nothing.
    sync_lies: bool,
}

/// An operation that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed(pub(crate) Operation);

impl File {
    pub(crate) const fn new(sync_lies: bool) -> Self {
        Self { bytes: Vec::new(), flushed: 0, fails: None, sync_lies }
    }

    /// What a process reads.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Lets the next operation of a kind fail.
    pub(crate) const fn fail(&mut self, operation: Option<Operation>) {
        self.fails = operation;
    }

    /// Appends; not durable yet. A failed write may have written a part.
    pub(crate) fn append(&mut self, bytes: &[u8], random: &mut Random) -> Result<(), Failed> {
        if self.fails == Some(Operation::Write) {
            self.fails = None;
            let part = random.index(bytes.len());
            self.bytes.extend_from_slice(bytes.get(..part).unwrap_or_default());
            return Err(Failed(Operation::Write));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Makes everything written durable. After a failure some of it may be gone at once.
    pub(crate) fn flush(&mut self, random: &mut Random) -> Result<(), Failed> {
        if self.fails == Some(Operation::Sync) {
            self.fails = None;
            self.lose(random);
            return Err(Failed(Operation::Sync));
        }
        if !self.sync_lies {
            self.flushed = self.bytes.len();
        }
        Ok(())
    }

    /// Cuts off what is behind the first `bytes`, durably.
    pub(crate) fn cut(&mut self, bytes: usize) {
        self.bytes.truncate(bytes);
        self.flushed = self.flushed.min(bytes);
    }

    /// Puts another file in its place, durably: it was written and flushed beside it and then
    /// renamed.
    pub(crate) fn replace(&mut self, bytes: Vec<u8>) {
        self.flushed = if mutant!(PrunesInPlace) { 0 } else { bytes.len() };
        self.bytes = bytes;
    }

    /// The process that writes it dies.
    pub(crate) fn die(&mut self, death: Death, random: &mut Random) {
        match death {
            Death::Kill => {}
            Death::PowerCut => {
                self.lose(random);
                self.flushed = self.bytes.len();
            }
        }
    }

    /// The power fails, and this is left of what was not flushed.
    pub(crate) fn cut_power(&mut self, left: Left) {
        let end = self.bytes.len();
        let middle = self.flushed.saturating_add(end.saturating_sub(self.flushed) / 2);
        match left {
            Left::Nothing => self.bytes.truncate(self.flushed),
            Left::Front => self.bytes.truncate(middle),
            Left::Back => {
                if let Some(bytes) = self.bytes.get_mut(self.flushed..middle) {
                    bytes.fill(0);
                }
            }
            Left::Everything => {}
        }
        self.flushed = self.bytes.len();
    }

    /// Any of the sectors that are not durable are gone.
    fn lose(&mut self, random: &mut Random) {
        let end = self.bytes.len();
        let mut kept_end = self.flushed;
        let mut start = self.flushed;
        while start < end {
            let next = (start / SECTOR_BYTES).saturating_add(1).saturating_mul(SECTOR_BYTES);
            let next = next.min(end);
            let kept = match random.below(4) {
                0 => 0,
                1 => random.index(next.saturating_sub(start)),
                _ => next.saturating_sub(start),
            };
            let (lost, sector_end) = (start.saturating_add(kept), next);
            if let Some(bytes) = self.bytes.get_mut(lost..sector_end) {
                bytes.fill(0);
            }
            // Whether the file has grown over a lost sector is not said either.
            if kept > 0 || random.chance(300) {
                kept_end = if random.chance(500) { lost.max(kept_end) } else { sector_end };
            }
            start = next;
        }
        self.bytes.truncate(kept_end.max(self.flushed));
    }
}

#[cfg(test)]
mod tests;
