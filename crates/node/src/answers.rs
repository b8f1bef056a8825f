//! Who is being answered.
//!
//! A question for blocks costs the disk up to 2 MiB of reading. Each replica has one answer at a
//! time, so the work is bounded by their number, and one that asks without end takes nothing from
//! the others.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use types::replica::ReplicaId;

/// The replicas that are being answered.
#[derive(Clone, Default)]
pub(crate) struct Answers(Arc<Mutex<BTreeSet<ReplicaId>>>);

/// One replica is being answered, until this is dropped.
pub(crate) struct Answering {
    answers: Answers,
    replica: ReplicaId,
}

impl Answers {
    /// Begins to answer a replica; `None` while it is being answered already. It gets no answer
    /// then, and may ask again.
    pub(crate) fn begin(&self, replica: ReplicaId) -> Option<Answering> {
        let mut answered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answered.insert(replica).then(|| Answering { answers: self.clone(), replica })
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let mut answered = self.answers.0.lock().unwrap_or_else(PoisonError::into_inner);
        answered.remove(&self.replica);
    }
}

#[cfg(test)]
mod tests;
