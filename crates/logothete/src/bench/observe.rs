//! What the validators say they committed: one reader for each event stream, one judge over all of
//! them.
//!
//! A transfer's latency ends with the reply of the (t + 1)-th validator; it counts as done only
//! when all of them have its block.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use api::client::Client;
use api::types::{BlockEvent, Event};
use crypto::signed::Unverified;
use types::block::BlockId;
use types::number::Height;
use types::replica::ReplicaId;
use types::transaction::TransactionId;
use types::validators::ValidatorSet;

use crate::bench::load::{Course, Prepared};

/// How long the judge waits for a message before it looks whether it should end.
const PATIENCE: Duration = Duration::from_millis(50);

/// A block event and when it was read, in microseconds after the start.
pub(crate) struct Seen {
    at_us: u64,
    event: BlockEvent,
}

/// What was seen of one block.
#[derive(Default)]
struct Progress {
    replicas: Vec<ReplicaId>,
}

/// The outcome of a run.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// Microseconds from each transfer's moment to the (t + 1)-th reply, unsorted.
    pub(crate) latencies_us: Vec<u64>,
    /// Transfers that all validators have.
    pub(crate) everywhere: u64,
    /// When the last of those was reported by the last validator, in microseconds after the start.
    pub(crate) last_us: u64,
    /// How many transfers all validators had, by seconds after the start; none for a second without any.
    pub(crate) by_second: BTreeMap<u64, u64>,
    /// The longest time without a block that all have, from the start to the last one, in microseconds.
    pub(crate) pause_us: u64,
    /// Blocks that all validators have.
    pub(crate) blocks: u64,
    /// What contradicts the protocol, first of all.
    pub(crate) contradiction: Option<String>,
}

/// Follows one validator's events until the judge is gone.
pub(crate) fn follow(course: &Course, client: &Client, after: Height, judge: &Sender<Seen>) {
    for event in client.events(Some(after)) {
        if course.stop.load(Ordering::Relaxed) {
            return;
        }
        match event {
            Ok(Event::Block(event)) => {
                let seen = Seen { at_us: course.now_us(), event };
                if judge.send(seen).is_err() {
                    return;
                }
            }
            // A broken stream resumes behind the last block that was seen.
            Ok(Event::Status(_) | Event::Refused(_) | Event::Lost(_)) | Err(_) => {}
        }
    }
}

/// Counts the replies of as many validators as are asked until every accepted transfer is everywhere, or nothing
/// happened for `silence_max` after the end of the load.
pub(crate) fn judge(
    course: &Course,
    (validators, asked): (&ValidatorSet, usize),
    prepared: &HashMap<TransactionId, Arc<Prepared>>,
    seen: &Receiver<Seen>,
    silence_max: Duration,
) -> Observed {
    let mut observed = Observed::default();
    let mut open: BTreeMap<(Height, BlockId), Progress> = BTreeMap::new();
    let mut decided: BTreeMap<Height, BlockId> = BTreeMap::new();
    let mut silent = Duration::ZERO;
    loop {
        match seen.recv_timeout(PATIENCE) {
            Ok(seen) => {
                silent = Duration::ZERO;
                let height = seen.event.height;
                let block = *decided.entry(height).or_insert(seen.event.block);
                if block != seen.event.block {
                    observed.contradiction = Some(format!("two blocks at height {height}"));
                    return observed;
                }
                count(&mut observed, &mut open, course, (validators, asked), prepared, &seen);
            }
            Err(RecvTimeoutError::Timeout) => silent = silent.saturating_add(PATIENCE),
            Err(RecvTimeoutError::Disconnected) => return observed,
        }
        let over = std::time::Instant::now() >= course.end;
        let all = observed.everywhere >= course.accepted.load(Ordering::Relaxed);
        if course.stop.load(Ordering::Relaxed) || over && (all || silent >= silence_max) {
            return observed;
        }
    }
}

fn count(
    observed: &mut Observed,
    open: &mut BTreeMap<(Height, BlockId), Progress>,
    course: &Course,
    (validators, asked): (&ValidatorSet, usize),
    prepared: &HashMap<TransactionId, Arc<Prepared>>,
    seen: &Seen,
) {
    let Seen { at_us, event } = seen;
    let reply = &event.reply;
    let names_block =
        reply.statement.block == event.block && reply.statement.height == event.height;
    if !names_block || Unverified::new(*reply).verify(validators).is_err() {
        observed.contradiction = Some(format!("a false reply for height {}", event.height));
        return;
    }
    let progress = open.entry((event.height, event.block)).or_default();
    if progress.replicas.contains(&reply.replica) {
        return;
    }
    progress.replicas.push(reply.replica);
    let replies = progress.replicas.len();
    let ours = || event.transaction_ids.iter().filter_map(|id| prepared.get(id));
    if replies == validators.quorum().reply() {
        observed.latencies_us.extend(
            ours().map(|prepared| at_us.saturating_sub(prepared.due_us.load(Ordering::Relaxed))),
        );
    }
    if replies == asked {
        let done = u64::try_from(ours().count()).unwrap_or(u64::MAX);
        observed.everywhere = observed.everywhere.saturating_add(done);
        observed.blocks = observed.blocks.saturating_add(1);
        observed.pause_us = observed.pause_us.max(at_us.saturating_sub(observed.last_us));
        observed.last_us = observed.last_us.max(*at_us);
        let second = observed.by_second.entry(at_us / 1_000_000).or_default();
        *second = second.saturating_add(done);
        course.ended.fetch_add(done, Ordering::Relaxed);
        open.remove(&(event.height, event.block));
    }
}
