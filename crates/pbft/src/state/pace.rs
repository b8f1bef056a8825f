//! How long a replica waits for progress, and whom it has heard from.
//!
//! There is no clock in here: the driver says how late it is ([`Input::Tick`](crate::Input::Tick)), on a clock that only
//! goes forward. Nothing a peer says changes a timeout; what it does is measured, within bounds.

use std::collections::{BTreeMap, VecDeque};

use types::application::Arrivals;
use types::mutant;
use types::number::Height;
use types::replica::ReplicaId;

use crate::output::AFTER_MS_MAX;

/// A replica counts as heard from for so long after its last word, in milliseconds.
pub(crate) const HEARD_MS: u64 = 3_000;

/// How long a primary is waited for that is known to have lied, in milliseconds: long enough for the others to hear of
/// it, so that most leave its view together.
pub(crate) const HURRY_MS: u64 = 50;

/// How often a replica says where it stands while something waits, in milliseconds.
pub(crate) const STATUS_BUSY_MS: u32 = 250;

/// How often a replica says where it stands otherwise, in milliseconds.
pub(crate) const STATUS_IDLE_MS: u32 = 1_000;

/// A timeout doubles with every view that failed, at most so often: with the default of 2 s it ends at 64 s.
pub(crate) const DOUBLINGS_MAX: u32 = 5;

/// The timeout is at least so many times the commit latency that was measured,
const LATENCIES: u64 = 4;

/// but the measurement raises it at most by this factor: whoever is slow on purpose gains no more.
const ADAPTED_MAX: u64 = 2;

/// How many samples of arrivals are remembered.
const SAMPLES_MAX: usize = 1_024;

/// When things happened.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    base_ms: u64,
    /// How late it is; 0 before the first tick.
    now_ms: u64,
    /// Whether the clock has begun to run.
    begun: bool,
    /// When the lack of progress is answered; `None` while nobody waits.
    deadline_ms: Option<u64>,
    /// When the view of a primary that is known to have lied is left; progress in it changes nothing.
    shunned_ms: Option<u64>,
    /// When the timer fires that was set last.
    timer_ms: Option<u64>,
    /// Views left since the last commit.
    failed: u32,
    /// Commit latency: falls slowly, rises at once.
    latency_ms: u64,
    /// When this replica voted for what is not committed.
    voted_ms: BTreeMap<Height, u64>,
    /// When each of the others was heard from last.
    heard_ms: BTreeMap<ReplicaId, u64>,
    /// The number of the last arrival, as of earlier times.
    samples: VecDeque<(u64, u64)>,
}

impl Pace {
    /// A pace with this timeout, in milliseconds, for a view after progress.
    pub(crate) fn new(base_ms: u32) -> Self {
        Self {
            base_ms: u64::from(base_ms),
            now_ms: 0,
            begun: false,
            deadline_ms: None,
            shunned_ms: None,
            timer_ms: None,
            failed: 0,
            latency_ms: 0,
            voted_ms: BTreeMap::new(),
            heard_ms: BTreeMap::new(),
            samples: VecDeque::new(),
        }
    }

    /// Time passes; it never goes back.
    pub(crate) fn tick(&mut self, now_ms: u64) {
        self.now_ms = self.now_ms.max(now_ms);
        if !self.begun {
            // What is waited for since before the first tick is waited for from now on.
            self.begun = true;
            for waiting in [&mut self.deadline_ms, &mut self.shunned_ms, &mut self.timer_ms] {
                *waiting = waiting.map(|at_ms| at_ms.saturating_add(now_ms));
            }
        }
    }

    /// How long a view may go without progress, in milliseconds.
    pub(crate) fn timeout_ms(&self) -> u64 {
        let most = self.base_ms.saturating_mul(ADAPTED_MAX);
        let adapted = self.latency_ms.saturating_mul(LATENCIES).clamp(self.base_ms, most);
        let doublings = self.failed.min(DOUBLINGS_MAX);
        let most = self.base_ms.saturating_mul(1 << DOUBLINGS_MAX);
        adapted.saturating_mul(1 << doublings).min(most)
    }

    /// Waits, from now on if nobody waited before. After how many milliseconds a timer must be set, if none is that
    /// fires in time.
    pub(crate) fn wait(&mut self) -> Option<u32> {
        let deadline_ms = self.now_ms.saturating_add(self.timeout_ms());
        let deadline_ms = *self.deadline_ms.get_or_insert(deadline_ms);
        let deadline_ms = self.shunned_ms.map_or(deadline_ms, |at_ms| at_ms.min(deadline_ms));
        if self.timer_ms.is_some_and(|timer_ms| timer_ms <= deadline_ms) {
            return None;
        }
        let left_ms = deadline_ms.saturating_sub(self.now_ms);
        let after_ms = u32::try_from(left_ms).unwrap_or(AFTER_MS_MAX).min(AFTER_MS_MAX);
        self.timer_ms = Some(self.now_ms.saturating_add(u64::from(after_ms)));
        Some(after_ms)
    }

    /// Waits for this primary no longer than [`HURRY_MS`] since this was said first, whatever is committed meanwhile.
    pub(crate) fn hurry(&mut self) {
        let at_ms = self.now_ms.saturating_add(HURRY_MS);
        self.shunned_ms.get_or_insert(at_ms);
    }

    /// There is no reason to hurry, or nobody to leave with.
    pub(crate) const fn calm(&mut self) {
        self.shunned_ms = None;
    }

    /// Nobody waits for anything any more.
    pub(crate) const fn rest(&mut self) {
        self.deadline_ms = None;
    }

    /// The progress timer is not set any more.
    pub(crate) const fn fired(&mut self) {
        self.timer_ms = None;
    }

    /// Whether it was waited for too long.
    pub(crate) fn is_over(&self) -> bool {
        let over = |at_ms: Option<u64>| at_ms.is_some_and(|at_ms| at_ms <= self.now_ms);
        over(self.deadline_ms) || over(self.shunned_ms)
    }

    /// Another view begins, or is asked for. One that was left because its primary had lied has not failed: nobody waited
    /// for it.
    pub(crate) fn leave(&mut self) {
        if self.shunned_ms.take().is_none_or(|at_ms| at_ms > self.now_ms) {
            self.failed = self.failed.saturating_add(1);
        }
        self.deadline_ms = None;
        self.voted_ms.clear();
    }

    /// Another primary begins: what its predecessors did to those who wait is not its fault.
    pub(crate) fn enter(&mut self) {
        self.samples.clear();
    }

    /// After a restart the time begins anew, whatever happened before.
    pub(crate) const fn forgive(&mut self) {
        self.failed = 0;
    }

    /// This replica has voted for a block.
    pub(crate) fn voted(&mut self, height: Height) {
        self.voted_ms.insert(height, self.now_ms);
    }

    /// A block was committed.
    pub(crate) fn committed(&mut self, height: Height) {
        if !mutant!(TimeoutNeverFalls) {
            self.failed = 0;
        }
        self.deadline_ms = None;
        let later = self.voted_ms.split_off(&height.next());
        let done = std::mem::replace(&mut self.voted_ms, later);
        if let Some(voted_ms) = done.get(&height) {
            let latency = self.now_ms.saturating_sub(*voted_ms);
            let faded = self.latency_ms.saturating_sub(self.latency_ms / 8);
            self.latency_ms = latency.max(faded);
        }
    }

    /// Something that a replica has signed came in.
    pub(crate) fn heard(&mut self, replica: ReplicaId) {
        mutant!(TimerResetByMessages => { self.deadline_ms = None });
        self.heard_ms.insert(replica, self.now_ms);
    }

    /// How many of the others were heard from recently.
    pub(crate) fn present(&self) -> usize {
        let since = self.now_ms.saturating_sub(HEARD_MS);
        self.heard_ms.values().filter(|heard| **heard >= since).count()
    }

    /// Remembers how many requests have arrived by now.
    pub(crate) fn sample(&mut self, arrivals: Arrivals) {
        if self.samples.len() >= SAMPLES_MAX {
            self.samples.pop_front();
        }
        self.samples.push_back((self.now_ms, arrivals.last));
    }

    /// Whether the primary of this view starves somebody: a request has been executable in it for longer than the
    /// timeout, while requests that arrived later, by more than that, were committed in it. What all wait for alike
    /// is no starvation.
    pub(crate) fn is_starved(&self, arrivals: Arrivals) -> bool {
        let limit = self.timeout_ms();
        let Some(oldest) = arrivals.oldest_executable else {
            return false;
        };
        // It had arrived by the first sample that knows of it.
        let known = self.samples.iter().find(|(_, last)| *last >= oldest);
        let Some((arrived_ms, _)) = known else {
            return false;
        };
        // The latest of the committed had not arrived by the last sample that does not know of it.
        let unknown = self.samples.iter().rev().find(|(_, last)| *last < arrivals.latest_committed);
        let Some((committed_ms, _)) = unknown else {
            return false;
        };
        self.now_ms.saturating_sub(*arrived_ms) > limit
            && committed_ms.saturating_sub(*arrived_ms) > limit
    }
}

#[cfg(test)]
mod tests;
