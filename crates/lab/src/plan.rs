//! What is done to a network in one run: everything that is not left to the streams of chance.
//!
//! A plan is data: it is drawn from a seed ([`Plan::random`]), written down when a run fails, made
//! smaller while the run still fails, and read back to repeat it. Times are milliseconds of virtual
//! time since the beginning, chances are out of 1,000.

use serde::{Deserialize, Serialize};

use crate::keys::SignerKind;

mod generate;

pub(crate) use generate::CLOCK_SHIFT_MAX_MS;
pub use generate::Limits;

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// How many replicas there are, 1 to [`REPLICAS_MAX`](crate::keys::REPLICAS_MAX).
    pub replicas: u16,
    /// How they sign.
    pub signer: SignerKind,
    /// The parameters of the genesis.
    pub rules: Rules,
    /// What the clients do.
    pub load: Load,
    /// What the links are like as long as nothing else is said.
    pub links: Links,
    /// What the disks are like as long as nothing else is said.
    pub disks: Disks,
    /// When everything that may break has broken: from here on nothing is lost between the replicas
    /// that are not [broken](Plan::broken), and they run.
    pub heal_ms: u64,
    /// Replicas that stay broken for good from there on: at most t, if anything is to be expected.
    pub broken: Vec<Broken>,
    /// What breaks before.
    pub faults: Vec<Fault>,
}

/// The parameters of the genesis that a run chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Heights in flight above the last committed one.
    pub window_heights: u16,
    /// Most transactions of a block.
    pub block_transactions_max: u32,
    /// How long a busy primary gathers.
    pub batch_delay_ms: u32,
    /// How long a backup waits for progress.
    pub view_timeout_ms: u32,
    /// Blocks between snapshots.
    pub snapshot_interval_blocks: u32,
    /// How far a timestamp may be ahead of a clock.
    pub clock_drift_max_ms: u32,
}

/// What the clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// How many there are, 1 to [`CLIENTS_MAX`](crate::keys::CLIENTS_MAX).
    pub clients: u16,
    /// Transfers of each.
    pub transfers: u32,
    /// The mean time between two transfers of one client.
    pub every_ms: u32,
    /// Most transfers of one client that wait at a time.
    pub outstanding_max: u32,
    /// How many of the clients, the first ones, sign two transfers for every nonce and give them to
    /// different replicas.
    pub double_spenders: u16,
    /// How many transfers a client sends at once, 1 when it is not said.
    #[serde(default = "one")]
    pub burst: u32,
}

const fn one() -> u32 {
    1
}

/// What links are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Links {
    /// The least delay, in microseconds.
    pub delay_min_us: u32,
    /// The greatest delay of most messages, in microseconds.
    pub delay_max_us: u32,
    /// How many take ten times as long.
    pub slow_per_mille: u32,
    /// How many are lost.
    pub loss_per_mille: u32,
    /// How many arrive twice.
    pub twice_per_mille: u32,
}

/// What disks are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disks {
    /// The least time of a flush, in microseconds.
    pub sync_min_us: u32,
    /// The greatest, in microseconds.
    pub sync_max_us: u32,
    /// How long after its commit a block is durable at least, in microseconds; what comes meanwhile
    /// waits.
    pub store_us: u32,
    /// How many bytes a journal grows by before it is rewritten without what it may forget. The
    /// shell waits for far more.
    pub prune_bytes: u32,
    /// Whether a flush reports success and does nothing. For tests: a checker that does not notice
    /// is none.
    pub sync_lies: bool,
}

/// Something that breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// When.
    pub at_ms: u64,
    /// What.
    pub what: What,
}

/// What breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum What {
    /// A process dies and is started again.
    Crash {
        /// Whose.
        replica: u16,
        /// What it takes with it.
        death: Death,
        /// At which point of its work, from the given time on.
        moment: Moment,
        /// How long it is down.
        down_ms: u64,
    },
    /// The power fails everywhere at once.
    Blackout {
        /// How long the first machine is down.
        down_ms: u64,
        /// How much longer each next one is.
        apart_ms: u64,
    },
    /// A process does nothing and then goes on as if nothing had been.
    Pause {
        /// Whose.
        replica: u16,
        /// How long.
        for_ms: u64,
    },
    /// Nothing goes from one replica to another.
    Cut {
        /// From whom.
        from: u16,
        /// To whom.
        to: u16,
        /// How long.
        for_ms: u64,
    },
    /// Nothing goes between some replicas and the rest.
    Partition {
        /// The replicas of one side.
        side: Vec<u16>,
        /// How long.
        for_ms: u64,
    },
    /// Nothing that a replica sends reaches another.
    OmitSend {
        /// Who.
        replica: u16,
        /// How long.
        for_ms: u64,
    },
    /// Nothing that other replicas send reaches one.
    OmitReceive {
        /// Who.
        replica: u16,
        /// How long.
        for_ms: u64,
    },
    /// Whatever goes to or from a replica takes longer.
    Delay {
        /// Whose.
        replica: u16,
        /// By how much each way, in milliseconds.
        delay_ms: u32,
        /// How long.
        for_ms: u64,
    },
    /// Whatever goes from one replica to another takes longer.
    DelayLink {
        /// From whom.
        from: u16,
        /// To whom.
        to: u16,
        /// By how much, in milliseconds.
        delay_ms: u32,
        /// How long.
        for_ms: u64,
    },
    /// All links are worse.
    Weather {
        /// How many messages are lost.
        loss_per_mille: u32,
        /// How many arrive twice.
        twice_per_mille: u32,
        /// How much longer each takes at most, in milliseconds.
        delay_ms: u32,
        /// How long.
        for_ms: u64,
    },
    /// A disk takes its time.
    SlowDisk {
        /// Whose.
        replica: u16,
        /// How much longer each flush takes, in milliseconds.
        sync_ms: u32,
        /// How long.
        for_ms: u64,
    },
    /// The next operation of this kind on a journal fails; the process ends and is started again.
    DiskError {
        /// Whose.
        replica: u16,
        /// Which.
        operation: Operation,
        /// How long it is down.
        down_ms: u64,
    },
    /// A clock is wrong until it is put right when everything heals.
    Clock {
        /// Whose.
        replica: u16,
        /// By how much, ahead when positive.
        shift_ms: i64,
    },
}

/// How a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Death {
    /// It is killed: what it had written is in the file.
    Kill,
    /// The power fails: of what was not flushed anything may be missing.
    PowerCut,
}

/// Where in the performance of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// Wherever it is.
    Any,
    /// Before the next records are written.
    BeforeRecords,
    /// After the next records are written, before they are flushed.
    Written,
    /// After the next records are flushed.
    Flushed,
    /// After the next blocks are given to the store.
    Committed,
    /// When some of the next messages are sent.
    Sending,
    /// After the next messages are sent.
    Sent,
    /// After the next timers are set.
    Done,
}

/// What a journal does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Appending.
    Write,
    /// Flushing.
    Sync,
}

/// A replica that stays broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broken {
    /// Which.
    pub replica: u16,
    /// How.
    pub fate: Fate,
}

/// How a replica stays broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It does not run.
    Dead,
    /// It runs, and nobody hears it.
    Mute,
    /// It runs, and hears nobody.
    Deaf,
    /// It runs, and from the beginning it changes what it says, field by field.
    Lying,
}

impl What {
    /// A short name for counting.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Crash { death: Death::Kill, .. } => "kill",
            Self::Crash { death: Death::PowerCut, .. } => "power-cut",
            Self::Blackout { .. } => "blackout",
            Self::Pause { .. } => "pause",
            Self::Cut { .. } => "cut",
            Self::Partition { .. } => "partition",
            Self::OmitSend { .. } => "omit-send",
            Self::OmitReceive { .. } => "omit-receive",
            Self::Delay { .. } => "delay",
            Self::DelayLink { .. } => "delay-link",
            Self::Weather { .. } => "weather",
            Self::SlowDisk { .. } => "slow-disk",
            Self::DiskError { .. } => "disk-error",
            Self::Clock { .. } => "clock",
        }
    }

    /// The replicas that it names.
    pub fn replicas(&self) -> Vec<u16> {
        match self {
            Self::Crash { replica, .. }
            | Self::Pause { replica, .. }
            | Self::OmitSend { replica, .. }
            | Self::OmitReceive { replica, .. }
            | Self::Delay { replica, .. }
            | Self::SlowDisk { replica, .. }
            | Self::DiskError { replica, .. }
            | Self::Clock { replica, .. } => vec![*replica],
            Self::Cut { from, to, .. } | Self::DelayLink { from, to, .. } => vec![*from, *to],
            Self::Partition { side, .. } => side.clone(),
            Self::Weather { .. } | Self::Blackout { .. } => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
