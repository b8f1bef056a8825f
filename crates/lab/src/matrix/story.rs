//! The stories of the crash matrix: plans in which every delay is the same.
//!
//! With every link and every flush taking its fixed time, what is sent when is known: the first
//! client sends its transfer at the first millisecond, and a step of the protocol takes six.

use serde::Serialize;

use crate::keys::SignerKind;
use crate::plan::{Disks, Fault, Links, Load, Plan, Rules, What};

/// A short run without chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Story {
    /// One height in view 0.
    Height,
    /// The same, and the journal is rewritten after every commit.
    Pruned,
    /// Nobody ever hears the primary of view 0: view 1 begins at the genesis.
    SilentPrimary,
    /// The primary falls silent behind its proposal, and only the next primary sees that the block is
    /// prepared: view 1 begins with the same block again.
    Prepared,
    /// The primary falls silent once it has committed, and nobody else has: view 1 must come to the
    /// same block.
    CommittedAlone,
}

impl Story {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Height, Self::Pruned, Self::SilentPrimary, Self::Prepared, Self::CommittedAlone];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Height => "height",
            Self::Pruned => "pruned",
            Self::SilentPrimary => "silent-primary",
            Self::Prepared => "prepared",
            Self::CommittedAlone => "committed-alone",
        }
    }

    /// What happens in it, in words.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Height => "one height in view 0",
            Self::Pruned => "the same, and the journal is rewritten after every commit",
            Self::SilentPrimary => {
                "nobody ever hears the first primary: view 1 begins at the genesis"
            }
            Self::Prepared => {
                "only the next primary sees that a block is prepared: view 1 begins with it"
            }
            Self::CommittedAlone => {
                "only the primary has committed when it falls silent: view 1 must come to the same block"
            }
        }
    }

    /// The number of its stream of chance.
    pub(super) const fn number(self) -> u64 {
        match self {
            Self::Height => 0,
            Self::Pruned => 1,
            Self::SilentPrimary => 2,
            Self::Prepared => 3,
            Self::CommittedAlone => 4,
        }
    }

    /// The view in which the story commits its height.
    pub const fn view(self) -> u64 {
        match self {
            Self::Height | Self::Pruned => 0,
            Self::SilentPrimary | Self::Prepared | Self::CommittedAlone => 1,
        }
    }

    /// What it does.
    pub fn plan(self) -> Plan {
        let heal_ms = if self.view() == 0 { 1_000 } else { 2_500 };
        Plan {
            replicas: 4,
            signer: SignerKind::Fast,
            rules: Rules {
                window_heights: 4,
                block_transactions_max: 4,
                batch_delay_ms: 0,
                view_timeout_ms: 400,
                snapshot_interval_blocks: 2,
                clock_drift_max_ms: 2_000,
            },
            load: Load {
                clients: 1,
                transfers: 1,
                every_ms: 1,
                outstanding_max: 1,
                double_spenders: 0,
                burst: 1,
            },
            links: Links {
                delay_min_us: 5_000,
                delay_max_us: 5_000,
                slow_per_mille: 0,
                loss_per_mille: 0,
                twice_per_mille: 0,
            },
            disks: Disks {
                sync_min_us: 1_000,
                sync_max_us: 1_000,
                store_us: 3_000,
                prune_bytes: if self == Self::Pruned { 1 } else { 1 << 16 },
                sync_lies: false,
            },
            heal_ms,
            broken: Vec::new(),
            faults: self.faults(heal_ms),
        }
    }

    fn faults(self, heal_ms: u64) -> Vec<Fault> {
        let cut = |at_ms, from, to, for_ms| Fault { at_ms, what: What::Cut { from, to, for_ms } };
        let silent = |at_ms| (1..4).map(move |to| cut(at_ms, 0, to, heal_ms));
        match self {
            Self::Height | Self::Pruned => Vec::new(),
            Self::SilentPrimary => silent(0).collect(),
            Self::Prepared => {
                let between = [(1, 2), (1, 3), (2, 3), (3, 2)];
                let between = between.map(|(from, to)| cut(PROPOSED_MS, from, to, PARTED_MS));
                silent(PROPOSED_MS).chain(between).collect()
            }
            Self::CommittedAlone => {
                let pairs = (1..4).flat_map(|from| (1..4).map(move |to| (from, to)));
                let between = pairs.filter(|(from, to)| from != to);
                let between = between.map(|(from, to)| cut(PREPARED_MS, from, to, PARTED_MS));
                silent(PREPARED_MS).chain(between).collect()
            }
        }
    }
}

/// When the proposal has been sent and nobody has answered it, in milliseconds.
const PROPOSED_MS: u64 = 14;

/// When prepare votes have been sent and no commit vote was, in milliseconds.
const PREPARED_MS: u64 = 20;

/// How long the backups do not hear one another: longer than they wait for progress.
const PARTED_MS: u64 = 500;
