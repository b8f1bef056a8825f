//! Asking every validator of a network, and believing t + 1 equal signed replies.
//!
//! [`submit`] posts a transaction to all at once and waits until enough of them have signed that it
//! is committed; [`look_up`] asks all what became of one. Receipts are checked and counted by a
//! [`Tally`](crate::client::tally::Tally). Refusals carry no signature: they are believed only when
//! everyone says so, or more validators than can be faulty, and nobody proved the contrary.

mod gathered;

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use types::receipt::Receipt;
use types::replica::ReplicaId;
use types::transaction::{SignedTransaction, TransactionId};

use crate::client::error::ClientError;
use crate::client::network::{Endpoint, Network};
use crate::client::replies::gathered::Gathered;
use crate::client::tally::Place;
use crate::client::{Client, Wait};
use crate::problem::Problem;

/// Longest single wait asked of a server, which takes at most 60 seconds.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// Pause before asking again after a problem that passes.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// How often a transaction that is only pending is asked for again.
const POLL_PAUSE: Duration = Duration::from_millis(250);

/// What all the answers together say.
#[derive(Debug, Clone)]
pub struct Report {
    /// The transaction.
    pub id: TransactionId,
    /// The verdict.
    pub outcome: Outcome,
    /// What each endpoint said last, in the order of their last words. Slower ones may be missing.
    pub answers: Vec<Answer>,
}

/// The verdict over all answers.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// t + 1 distinct validators signed the same place: it is final.
    Final {
        /// Where it is committed.
        place: Place,
        /// Who signed, in the order of the genesis.
        signers: Vec<ReplicaId>,
        /// Their receipts, in the same order.
        receipts: Vec<Receipt>,
        /// Whether every validator that signed had it committed before this submission.
        already: bool,
    },
    /// Refused by everyone who answered, or by more than can be faulty.
    Refused {
        /// The refusal that most gave.
        problem: Box<Problem>,
    },
    /// Nobody who answered knows the transaction (look-up only).
    Unknown,
    /// No validator could be reached: nothing was sent.
    Unreachable,
    /// Not enough equal replies in time. The transaction may still be committed.
    TimedOut {
        /// How many distinct validators signed the place that most of them named.
        replies: usize,
        /// How many are needed.
        needed: usize,
    },
    /// Replies that are signed name different places: someone lies.
    Contradiction {
        /// Every place named, with those who named it.
        places: Vec<(Place, Vec<ReplicaId>)>,
    },
    /// Replies came that do not verify, and not enough that do.
    Unverified,
}

/// What one endpoint said last.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The endpoint's name; nobody vouches for it.
    pub endpoint: String,
    /// Its words.
    pub said: Said,
}

/// One answer of one endpoint.
#[derive(Debug, Clone)]
pub enum Said {
    /// Pending.
    Pending,
    /// Committed, with a receipt that holds, signed by this validator.
    Committed {
        /// Who signed.
        replica: ReplicaId,
        /// Where it is committed.
        place: Place,
        /// Whether it was so before this submission.
        already: bool,
    },
    /// Committed, with a receipt that proves nothing or none at all.
    Unverified {
        /// What is wrong with it.
        reason: String,
    },
    /// Refused.
    Refused(Box<Problem>),
    /// The transaction is not known there (look-up only).
    Unknown,
    /// No answer, or none that makes sense.
    Failed(ClientError),
}

/// Submits `transaction` to every endpoint at once and waits at most `patience` for t + 1 equal
/// replies.
///
/// Returns as soon as the verdict is certain; threads that still wait for slower validators end by
/// themselves, at the latest a few seconds after `patience` is over.
pub fn submit(network: &Network, transaction: &SignedTransaction, patience: Duration) -> Report {
    let id = transaction.id();
    let transaction = transaction.clone();
    collect(network, id, patience, move |client, deadline, sink| {
        submit_to(client, &transaction, deadline, sink);
    })
}

/// Asks every endpoint at once what became of transaction `id`, once.
pub fn look_up(network: &Network, id: TransactionId, patience: Duration) -> Report {
    collect(network, id, patience, move |client, _, sink| {
        sink.say(look_up_at(client, &id));
    })
}

/// Asks every endpoint again and again until t + 1 equal replies say where transaction `id` is
/// committed, or `patience` is over.
pub fn await_final(network: &Network, id: TransactionId, patience: Duration) -> Report {
    collect(network, id, patience, move |client, deadline, sink| {
        loop {
            let heard = look_up_at(client, &id);
            let settled = matches!(heard, Heard::Receipt { .. });
            if !sink.say(heard) || settled || left(deadline) <= POLL_PAUSE {
                return;
            }
            thread::sleep(POLL_PAUSE);
        }
    })
}

/// What a thread heard from its endpoint.
enum Heard {
    Receipt { receipt: Box<Receipt>, already: bool },
    NoReceipt,
    Pending,
    Unknown,
    Refused(Box<Problem>),
    Failed(ClientError),
}

/// A thread's end of the channel to the collector.
struct Sink {
    endpoint: usize,
    sender: Sender<(usize, Option<Heard>)>,
}

impl Sink {
    /// Reports; false when nobody listens any more.
    fn say(&self, heard: Heard) -> bool {
        self.sender.send((self.endpoint, Some(heard))).is_ok()
    }
}

impl Drop for Sink {
    /// Says that this endpoint has nothing more to say.
    fn drop(&mut self) {
        // The collector may be gone; then nobody needs to know.
        drop(self.sender.send((self.endpoint, None)));
    }
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Submits to one validator until it gives a receipt, refuses for good, or the time is over.
fn submit_to(client: &Client, transaction: &SignedTransaction, deadline: Instant, sink: &Sink) {
    loop {
        let wait = left(deadline).min(WAIT_MAX);
        let heard = match client.submit(transaction, Wait::Committed(wait)) {
            Ok(answer) => match answer.receipt {
                Some(receipt) => Heard::Receipt {
                    receipt: Box::new(receipt),
                    already: answer.status == crate::types::SubmitStatus::AlreadyCommitted,
                },
                None if answer.status.is_committed() => Heard::NoReceipt,
                None => Heard::Pending,
            },
            Err(ClientError::Problem { url, problem }) => {
                let error = ClientError::Problem { url, problem: problem.clone() };
                if error.is_passing() { Heard::Failed(error) } else { Heard::Refused(problem) }
            }
            Err(error) => Heard::Failed(error),
        };
        let again = match &heard {
            Heard::Pending => true,
            Heard::Failed(error) => matches!(error, ClientError::Problem { .. }),
            Heard::Receipt { .. } | Heard::NoReceipt | Heard::Unknown | Heard::Refused(_) => false,
        };
        if !sink.say(heard) || !again || left(deadline) <= RETRY_PAUSE {
            return;
        }
        thread::sleep(RETRY_PAUSE);
    }
}

fn look_up_at(client: &Client, id: &TransactionId) -> Heard {
    match client.transaction(id) {
        Ok(Some(answer)) => match answer.receipt {
            Some(receipt) => Heard::Receipt { receipt: Box::new(receipt), already: true },
            None if answer.status.is_committed() => Heard::NoReceipt,
            None => Heard::Pending,
        },
        Ok(None) => Heard::Unknown,
        Err(error) => Heard::Failed(error),
    }
}

/// Runs `ask` for every endpoint in a thread of its own and gathers what they say until it is
/// enough.
fn collect(
    network: &Network,
    id: TransactionId,
    patience: Duration,
    ask: impl Fn(&Client, Instant, &Sink) + Clone + Send + 'static,
) -> Report {
    let deadline = Instant::now().checked_add(patience).unwrap_or_else(Instant::now);
    let (sender, receiver) = mpsc::channel();
    for (endpoint, Endpoint { client, .. }) in network.endpoints.iter().enumerate() {
        let sink = Sink { endpoint, sender: sender.clone() };
        let (client, ask) = (client.clone(), ask.clone());
        thread::spawn(move || ask(&client, deadline, &sink));
    }
    drop(sender);
    let mut gathered = Gathered::new(network, id);
    gather(&mut gathered, &receiver, deadline);
    gathered.report()
}

/// Receives until the verdict is certain, everybody has spoken, or the time is over.
fn gather(
    gathered: &mut Gathered<'_>,
    receiver: &Receiver<(usize, Option<Heard>)>,
    deadline: Instant,
) {
    loop {
        match receiver.recv_timeout(left(deadline)) {
            Ok((endpoint, Some(heard))) => gathered.hear(endpoint, heard),
            Ok((_, None)) => gathered.finish(),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
        }
        if gathered.is_certain() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
