//! The load: transfers signed beforehand, and one sender for each validator.
//!
//! With a rate the load is an open loop: a transfer has its moment whether or not earlier ones were
//! answered, so a slow network shows as latency and not as less load. Without one, senders keep a
//! bounded number in flight.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use api::client::Client;
use api::hex::to_hex_wire;
use api::types::{BatchRequest, BatchStatus};
use crypto::keys::SecretKey;
use crypto::signed::ChainId;
use types::address::Address;
use types::amount::Amount;
use types::memo::Memo;
use types::number::{Height, Nonce};
use types::transaction::{Action, SignedTransaction, Transaction, TransactionId, Transfer};

/// The most transfers of one request.
const BATCH_MAX: usize = 500;
/// How often a sender looks for transfers whose moment has come.
const TICK: Duration = Duration::from_millis(5);
/// The most transfers without an end when there is no rate.
const OUTSTANDING_MAX: u64 = 24_000;
/// How long a sender waits after a validator said that it has too much to do.
const BACK_OFF: Duration = Duration::from_millis(20);
/// No transfer of a benchmark expires.
const VALID_UNTIL: Height = Height::new(1 << 40);

/// One signed transfer.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// Its id.
    pub(crate) id: TransactionId,
    /// What is posted.
    pub(crate) hex: String,
    /// Its moment, in microseconds after the start; of a load without a rate, when it was sent.
    pub(crate) due_us: AtomicU64,
}

/// What goes to one validator, in order.
pub(crate) type Lane = Vec<Arc<Prepared>>;

/// Who sends.
pub(crate) struct Senders<'a> {
    /// The chain that transfers are for.
    pub(crate) chain: ChainId,
    /// The senders' keys.
    pub(crate) keys: &'a [SecretKey],
    /// The nonce that each of them begins with.
    pub(crate) nonces: &'a [u64],
    /// Transfers a second, if they have moments.
    pub(crate) rate: Option<u64>,
}

/// Signs transfers 0 to `count`: number i goes from account i modulo the number of accounts to
/// another, and to the lane of its sender, so that one sender's transfers reach one validator in
/// order.
pub(crate) fn prepare(senders: &Senders<'_>, lanes: usize, count: usize) -> Vec<Lane> {
    let workers = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let mut signed: Vec<Vec<(usize, Arc<Prepared>)>> = thread::scope(|scope| {
        let shares: Vec<_> = (0..workers)
            .map(|worker| {
                scope.spawn(move || {
                    (worker..count)
                        .step_by(workers)
                        .filter_map(|number| Some((number, senders.sign(number)?)))
                        .collect()
                })
            })
            .collect();
        shares.into_iter().map(|share| share.join().unwrap_or_default()).collect()
    });
    let mut all: Vec<_> = signed.drain(..).flatten().collect();
    all.sort_unstable_by_key(|(number, _)| *number);
    let mut sorted: Vec<Lane> = (0..lanes).map(|_| Lane::new()).collect();
    for (number, prepared) in all {
        let lane =
            number.checked_rem(senders.keys.len()).and_then(|sender| sender.checked_rem(lanes));
        if let Some(lane) = lane.and_then(|lane| sorted.get_mut(lane)) {
            lane.push(prepared);
        }
    }
    sorted
}

impl Senders<'_> {
    fn sign(&self, number: usize) -> Option<Arc<Prepared>> {
        let accounts = self.keys.len();
        let index = number.checked_rem(accounts)?;
        let sender = self.keys.get(index)?;
        // A step that is coprime to most numbers of accounts spreads recipients over all of them.
        let other = number.wrapping_mul(7_919).wrapping_add(1).checked_rem(accounts)?;
        let round = u64::try_from(number.checked_div(accounts)?).ok()?;
        let transaction = Transaction {
            chain: self.chain,
            sender: Address::Key(sender.public_key()),
            nonce: Nonce::new(self.nonces.get(index)?.saturating_add(round)),
            valid_until: VALID_UNTIL,
            action: Action::Transfer(Transfer {
                recipient: Address::Key(self.keys.get(other)?.public_key()),
                amount: Amount::new(1),
                memo: Memo::empty(),
            }),
        };
        let signed = SignedTransaction::sign(transaction, sender);
        let moment = self.rate.map_or(0, |rate| {
            u64::try_from(number).unwrap_or(u64::MAX).saturating_mul(1_000_000) / rate.max(1)
        });
        Some(Arc::new(Prepared {
            id: signed.id(),
            hex: to_hex_wire(&signed),
            due_us: AtomicU64::new(moment),
        }))
    }
}

/// What all senders share.
#[derive(Debug)]
pub(crate) struct Course {
    /// When the load begins.
    pub(crate) start: Instant,
    /// When it ends.
    pub(crate) end: Instant,
    /// Whether transfers have moments.
    pub(crate) open_loop: bool,
    /// Transfers that a validator took in.
    pub(crate) accepted: AtomicU64,
    /// Transfers whose end was seen.
    pub(crate) ended: AtomicU64,
    /// Requests that were answered with "too much to do".
    pub(crate) pushed_back: AtomicU64,
    /// Set when the command is told to end.
    pub(crate) stop: AtomicBool,
    /// The first thing that went wrong.
    pub(crate) trouble: Mutex<Option<String>>,
}

impl Course {
    /// A load that begins now.
    pub(crate) fn new(duration: Duration, open_loop: bool) -> Self {
        let start = Instant::now();
        Self {
            start,
            end: start + duration,
            open_loop,
            accepted: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            pushed_back: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            trouble: Mutex::new(None),
        }
    }

    /// Microseconds since the start.
    pub(crate) fn now_us(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn report(&self, trouble: String) {
        let mut first = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(trouble);
    }
}

/// Sends one lane to one validator until the lane or the time is over.
pub(crate) fn send(course: &Course, client: &Client, lane: &[Arc<Prepared>]) {
    let mut next = 0;
    while Instant::now() < course.end && !course.stop.load(Ordering::Relaxed) {
        let batch = due(course, lane, next);
        if batch.is_empty() {
            if next >= lane.len() {
                return;
            }
            thread::sleep(TICK);
            continue;
        }
        if !course.open_loop {
            let now = course.now_us();
            batch.iter().for_each(|prepared| prepared.due_us.store(now, Ordering::Relaxed));
        }
        match post(course, client, batch) {
            Ok(true) => next = next.saturating_add(batch.len()),
            Ok(false) => thread::sleep(BACK_OFF),
            Err(trouble) => return course.report(trouble),
        }
    }
}

/// The transfers to be sent now.
fn due<'a>(course: &Course, lane: &'a [Arc<Prepared>], next: usize) -> &'a [Arc<Prepared>] {
    let rest = lane.get(next..).unwrap_or_default();
    let limit = if course.open_loop {
        let now = course.now_us();
        rest.partition_point(|prepared| prepared.due_us.load(Ordering::Relaxed) <= now)
    } else {
        let accepted = course.accepted.load(Ordering::Relaxed);
        let outstanding = accepted.saturating_sub(course.ended.load(Ordering::Relaxed));
        usize::try_from(OUTSTANDING_MAX.saturating_sub(outstanding)).unwrap_or(0)
    };
    rest.get(..limit.min(BATCH_MAX).min(rest.len())).unwrap_or_default()
}

/// Whether the validator took the batch; `Ok(false)` when it has too much to do.
fn post(course: &Course, client: &Client, batch: &[Arc<Prepared>]) -> Result<bool, String> {
    let request =
        BatchRequest { transactions: batch.iter().map(|prepared| prepared.hex.clone()).collect() };
    let answer = match client.submit_batch_hex(&request) {
        Ok(answer) => answer,
        Err(error) if error.code().is_some_and(|code| code.retry_after_seconds().is_some()) => {
            course.pushed_back.fetch_add(1, Ordering::Relaxed);
            return Ok(false);
        }
        Err(error) => return Err(format!("{}: {error}", client.url())),
    };
    let refused = answer.results.iter().find(|result| result.status == BatchStatus::Refused);
    if let Some(refused) = refused {
        if refused.code.as_deref().is_some_and(is_full) {
            course.pushed_back.fetch_add(1, Ordering::Relaxed);
            return Ok(false);
        }
        let code = refused.code.as_deref().unwrap_or("no code");
        return Err(format!("{} refused a transfer: {code}", client.url()));
    }
    let taken = u64::try_from(batch.len()).unwrap_or(u64::MAX);
    course.accepted.fetch_add(taken, Ordering::Relaxed);
    Ok(true)
}

/// Refusals that only say "later": submitting the same again is harmless.
fn is_full(code: &str) -> bool {
    matches!(code, "pool-full" | "account-full")
}
