//! What a validator counts, under Prometheus names with units.

use std::fmt::Display;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use pbft::Ignored;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use types::replica::ReplicaId;

use crate::core::View;
use crate::refusals::Refusals;

/// The reason of a refused or ignored message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

/// The kind of a piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// Everything the shell counts.
#[derive(Clone)]
pub(crate) struct Metrics {
    /// The core's.
    pub(crate) core: CoreMetrics,
    /// The doors'.
    pub(crate) door: DoorMetrics,
    /// The disk thread's.
    pub(crate) disk: DiskMetrics,
    /// Catch-up's.
    pub(crate) catch_up: CatchUpMetrics,
    /// Blocks of peers that a quorum committed and that do not fit the chain here.
    pub(crate) forks: Counter,
    /// The state of the protocol, set when metrics are read.
    pub(crate) state: StateMetrics,
}

/// What the core counts.
#[derive(Clone)]
pub(crate) struct CoreMetrics {
    ignored: Family<Reason, Counter>,
    evidence: Family<Kind, Counter>,
    /// Seconds of one append to the journal, flush included.
    pub(crate) journal_seconds: Histogram,
    /// Admitted requests that found the gossip queue full.
    pub(crate) spread_full: Counter,
    /// Notices of dropped transactions that found their queue full.
    pub(crate) dropped_full: Counter,
    /// Messages that a peer's queue did not take.
    pub(crate) unsent: Counter,
    /// Requests sent again, directly.
    pub(crate) resent: Counter,
}

impl CoreMetrics {
    /// Counts one message that the protocol ignored, by its reason.
    pub(crate) fn ignored(&self, ignored: &Ignored) {
        self.ignored.get_or_create(&Reason { reason: ignored.name() }).inc();
    }

    /// Counts one proof that a key lied, by its kind.
    pub(crate) fn accused(&self, kind: &'static str) {
        self.evidence.get_or_create(&Kind { kind }).inc();
    }
}

/// What the doors count.
#[derive(Clone, Default)]
pub(crate) struct DoorMetrics {
    /// Messages whose form or signature does not hold.
    pub(crate) forged: Counter,
    /// Transactions whose form or signature does not hold.
    pub(crate) requests_refused: Counter,
    /// Blocks that were not looked at, by why they are of no use.
    passed_over: Family<Reason, Counter>,
    /// Which of all that is told to the operator.
    refusals: Refusals,
}

impl DoorMetrics {
    /// Counts something that a peer sent and whose form or signature does not hold, and tells it
    /// unless this peer's last was told a moment ago.
    pub(crate) fn refuse(&self, from: ReplicaId, what: &'static str, why: &dyn Display) {
        self.forged.inc();
        if let Some(count) = self.refusals.note(from, Instant::now()) {
            tracing::warn!(replica = from.get(), %why, count, "refused a {what}");
        }
    }

    /// Counts a block that was not looked at.
    pub(crate) fn passed_over(&self, reason: &'static str) {
        self.passed_over.get_or_create(&Reason { reason }).inc();
    }
}

/// What the disk thread counts.
#[derive(Clone)]
pub(crate) struct DiskMetrics {
    /// Seconds of one group of blocks made durable.
    pub(crate) append_seconds: Histogram,
}

/// What catch-up counts.
#[derive(Clone, Default)]
pub(crate) struct CatchUpMetrics {
    /// Blocks fetched from peers.
    pub(crate) fetched: Counter,
    /// Answers of peers that did not hold.
    pub(crate) refused: Counter,
    /// Questions that a peer did not answer in time.
    pub(crate) unanswered: Counter,
}

/// The state of the protocol.
#[derive(Clone, Default)]
pub(crate) struct StateMetrics {
    /// The last committed height.
    pub(crate) height: Gauge<u64, AtomicU64>,
    /// The view.
    pub(crate) view: Gauge<u64, AtomicU64>,
    /// Transactions that wait for a block.
    pub(crate) pending: Gauge<u64, AtomicU64>,
    /// Heights proposed and not committed.
    pub(crate) in_flight: Gauge<u64, AtomicU64>,
}

impl StateMetrics {
    /// Takes over what the core shows.
    pub(crate) fn set(&self, view: &View) {
        self.height.set(view.protocol.committed.get());
        self.view.set(view.protocol.view.get());
        self.pending.set(view.pending);
        self.in_flight.set(view.protocol.in_flight);
    }
}

impl Metrics {
    /// Registers everything under the prefix `logothete`.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix("logothete");
        let seconds = || Histogram::new(exponential_buckets(0.000_05, 2.0, 18));
        let metrics = Self {
            core: CoreMetrics {
                ignored: Family::default(),
                evidence: Family::default(),
                journal_seconds: seconds(),
                spread_full: Counter::default(),
                dropped_full: Counter::default(),
                unsent: Counter::default(),
                resent: Counter::default(),
            },
            door: DoorMetrics::default(),
            disk: DiskMetrics { append_seconds: seconds() },
            catch_up: CatchUpMetrics::default(),
            forks: Counter::default(),
            state: StateMetrics::default(),
        };
        metrics.core.register(registry);
        let Self { door, disk, catch_up, forks, state, core: _ } = &metrics;
        registry.register(
            "rival_blocks",
            "Blocks of peers that a quorum committed and that do not fit the chain here: a fork",
            forks.clone(),
        );
        registry.register(
            "messages_forged",
            "Messages whose form or signature does not hold",
            door.forged.clone(),
        );
        registry.register(
            "requests_refused",
            "Transactions whose form or signature does not hold",
            door.requests_refused.clone(),
        );
        registry.register(
            "blocks_passed_over",
            "Blocks of peers not looked at because they are of no use here, by reason",
            door.passed_over.clone(),
        );
        registry.register_with_unit(
            "store_append",
            "Time to make a group of blocks durable",
            Unit::Seconds,
            disk.append_seconds.clone(),
        );
        registry.register("blocks_fetched", "Blocks fetched from peers", catch_up.fetched.clone());
        registry.register(
            "fetches_refused",
            "Answers to requests for blocks that do not hold",
            catch_up.refused.clone(),
        );
        registry.register(
            "fetches_unanswered",
            "Requests for blocks that a peer did not answer in time",
            catch_up.unanswered.clone(),
        );
        registry.register("height", "The last committed height", state.height.clone());
        registry.register("view", "The view", state.view.clone());
        registry.register("pending", "Transactions waiting for a block", state.pending.clone());
        registry.register("in_flight", "Heights proposed, not committed", state.in_flight.clone());
        metrics
    }
}

impl CoreMetrics {
    fn register(&self, registry: &mut Registry) {
        registry.register(
            "messages_ignored",
            "Messages that the protocol ignored, by reason",
            self.ignored.clone(),
        );
        registry.register(
            "evidence",
            "Proofs that a validator's key lied, by kind",
            self.evidence.clone(),
        );
        registry.register_with_unit(
            "journal_append",
            "Time to make a step's records durable",
            Unit::Seconds,
            self.journal_seconds.clone(),
        );
        registry.register(
            "gossip_queue_full",
            "Admitted requests not gossiped because the queue was full",
            self.spread_full.clone(),
        );
        registry.register(
            "notices_lost",
            "Notices of dropped transactions lost because the queue was full",
            self.dropped_full.clone(),
        );
        registry.register(
            "frames_unsent",
            "Messages that a peer's queue did not take",
            self.unsent.clone(),
        );
        registry.register(
            "requests_resent",
            "Requests sent again directly after waiting long",
            self.resent.clone(),
        );
    }
}

#[cfg(test)]
mod tests;
