//! How many requests of each kind are at work at once.
//!
//! A kind that is full refuses at once and says when to come back; it never queues, because whoever
//! waits in a queue holds memory and a connection, and a flood of one kind must not delay another. A
//! place is taken until the answer is written, so what is bounded is also how many answers of a kind lie
//! in memory; those that may be large have a bound of their own, and who does not read them keeps nobody
//! from asking how the validator is.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::{Code, Problem};
use crate::server::Limits;

/// One bound for each kind of request.
#[derive(Debug)]
pub(crate) struct Gates {
    pub(crate) reads: Gate,
    pub(crate) large_reads: Gate,
    pub(crate) submits: Gate,
    pub(crate) batches: Gate,
    pub(crate) subscribers: Gate,
}

/// The bound of one kind.
#[derive(Debug)]
pub(crate) struct Gate {
    places: Arc<Semaphore>,
    code: Code,
    what: &'static str,
}

impl Gates {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            reads: Gate::new(limits.reads_max, Code::Overloaded, "look-ups"),
            large_reads: Gate::new(
                limits.large_reads_max,
                Code::Overloaded,
                "look-ups with large answers",
            ),
            submits: Gate::new(limits.submits_max, Code::Overloaded, "submissions"),
            batches: Gate::new(limits.batches_max, Code::Overloaded, "batches"),
            subscribers: Gate::new(
                limits.subscribers_max,
                Code::TooManySubscribers,
                "event streams",
            ),
        }
    }
}

impl Gate {
    fn new(places: usize, code: Code, what: &'static str) -> Self {
        Self { places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))), code, what }
    }

    /// A place, given back when the permit is dropped, or a problem when all are taken.
    pub(crate) fn enter(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            Problem::new(
                self.code,
                format!("as many {} are at work as this validator takes", self.what),
            )
        })
    }
}
