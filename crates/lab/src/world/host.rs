//! One machine: its disk, its clock, and the process that runs on it, if one does.

use std::collections::BTreeMap;
use std::sync::Arc;

use crypto::keys::Signer;
use crypto::signed::Signed;
use ledger::{Ledger, Ticket};
use pbft::{Input, Output, Protocol, Timer};
use types::evidence::Evidence;
use types::number::Height;
use types::proof::ProvedBlock;
use types::replica::ReplicaId;

use super::store::Store;
use crate::disk::File;
use crate::keys::Owner;
use crate::letter::{Letter, Parcel};
use crate::plan::{Death, Moment, Plan};
use crate::time::Time;
use byzantine::Random;

/// One machine.
pub(super) struct Host {
    pub(super) signer: Arc<dyn Signer>,
    pub(super) journal: File,
    /// How long the journal was when it was last rewritten.
    pub(super) pruned_bytes: usize,
    pub(super) store: Store,
    /// The chance of this disk.
    pub(super) random: Random,
    /// By how much the clock is wrong, ahead when positive.
    pub(super) shift_ms: i64,
    /// How much longer flushes take, in milliseconds, and until when.
    pub(super) slow: (u32, Time),
    /// Counts the processes that ran here.
    pub(super) life: u64,
    pub(super) process: Option<Process>,
    /// Until when the process does nothing.
    pub(super) paused: Time,
    /// The end that waits for it.
    pub(super) doom: Option<Doom>,
    /// How many points of its work the processes came to, as far as they are counted.
    pub(super) points: u64,
    /// How long it is down after a disk error.
    pub(super) down_ms: u64,
    /// Whether it is never started again.
    pub(super) dead: bool,
    /// Whether it refused to start, which nobody repairs.
    pub(super) refused: bool,
}

/// How, when and for how long a process will be down.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doom {
    pub(super) moment: Moment,
    pub(super) death: Death,
    pub(super) down_ms: u64,
}

/// A process that runs.
pub(super) struct Process {
    pub(super) protocol: Box<dyn Protocol<Application = Ledger>>,
    /// What arrived while it was busy.
    pub(super) inbox: Vec<Inbound>,
    /// What is left to perform once the journal is flushed.
    pub(super) performing: Option<Output>,
    /// The timers that are set, each with the number of its setting.
    pub(super) timers: BTreeMap<Timer, u64>,
    pub(super) settings: u64,
    pub(super) asking: Asking,
    pub(super) storing: bool,
    pub(super) snapshot_at: Height,
    /// As in the shell: requests before it have waited for a whole period.
    pub(super) resend_before: Ticket,
}

/// The search for blocks of others.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Asking {
    /// Who was asked last.
    pub(super) peer: u16,
    /// The number of the last question.
    pub(super) number: u64,
    /// Whether its answer is still awaited.
    pub(super) awaited: bool,
    /// A height that peers seem to have.
    pub(super) behind: Height,
}

/// What waits for a process to look at it.
pub(super) enum Inbound {
    /// A message with its number.
    Letter(u64, Arc<Letter>),
    Accusation(Arc<Evidence>),
    Requests(Arc<Vec<Arc<Parcel>>>),
    Submission(u16, Arc<Parcel>),
    Timer(Timer),
    Blocks(Vec<Signed<ProvedBlock>>),
    Connected(ReplicaId),
    Resend,
}

impl Host {
    pub(super) fn new(replica: u16, plan: &Plan, seed: u64) -> Self {
        Self {
            signer: Owner::Replica(replica).signer(plan.signer),
            pruned_bytes: 0,
            journal: File::new(plan.disks.sync_lies),
            store: Store::default(),
            random: Random::stream(seed, "disk", &[u64::from(replica)]),
            shift_ms: 0,
            slow: (0, Time::default()),
            life: 0,
            process: None,
            paused: Time::default(),
            doom: None,
            points: 0,
            down_ms: 0,
            dead: false,
            refused: false,
        }
    }

    /// Whether the process can look at something now.
    pub(super) fn is_free(&self, now: Time) -> bool {
        let idle = self.process.as_ref().is_some_and(|process| process.performing.is_none());
        idle && self.paused <= now
    }

    /// How long a flush of the journal takes from now, in microseconds.
    pub(super) fn sync_us(&mut self, plan: &Plan, now: Time) -> u64 {
        let disks = &plan.disks;
        let us = self.random.between(disks.sync_min_us.into(), disks.sync_max_us.into());
        let (slow_ms, until) = self.slow;
        let slow_us = if until > now { u64::from(slow_ms).saturating_mul(1_000) } else { 0 };
        us.saturating_add(slow_us)
    }

    /// What its clock tells the process, which may be wrong.
    pub(super) fn tick(&self, now: Time) -> Input {
        let wall_ms = NOON_MS.saturating_add(now.ms()).saturating_add_signed(self.shift_ms);
        Input::Tick { wall_ms, steady_ms: now.ms() }
    }
}

/// The time of day at which runs begin, in milliseconds since 1970.
const NOON_MS: u64 = 1_000_000_000;
