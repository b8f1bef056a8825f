//! The numbers a network agrees on once, in its genesis.

use crypto::encoding::Encode;

use crate::header::{DESCENDANTS_MAX, HEADER_BYTES};
use crate::validators::VALIDATORS_MAX;

/// Consensus parameters. All validators of a network have the same, because they are part of its
/// chain id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode)]
#[bincode(crate = "crypto::encoding")]
pub struct Parameters {
    /// Heights that may be in flight above the last committed one. 1 to 64.
    pub window_heights: u16,
    /// Most transactions of a block. 1 to 65,536.
    pub block_transactions_max: u32,
    /// Most canonical bytes of a block's body. 1 KiB to 8 MiB.
    pub block_bytes_max: u32,
    /// How long a primary with proposals in flight waits for more requests before the next. 0 to
    /// 1,000 ms, and less than the view timeout.
    pub batch_delay_ms: u32,
    /// How long a backup waits for progress before it asks for another view. 100 to 600,000 ms.
    pub view_timeout_ms: u32,
    /// Blocks between snapshots of the state. 1 to 1,000,000.
    pub snapshot_interval_blocks: u32,
    /// How far a header's timestamp may be ahead of a backup's clock before it waits. 100 to
    /// 3,600,000 ms.
    pub clock_drift_max_ms: u32,
}

impl Default for Parameters {
    /// What a local network starts with.
    fn default() -> Self {
        Self {
            window_heights: 8,
            block_transactions_max: 4_000,
            block_bytes_max: 1 << 20,
            batch_delay_ms: 20,
            view_timeout_ms: 2_000,
            snapshot_interval_blocks: 1_000,
            clock_drift_max_ms: 10_000,
        }
    }
}

/// One parameter as the genesis document has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is, as a comment.
    pub(crate) comment: &'static str,
    /// The least value.
    pub(crate) min: u32,
    /// The greatest value.
    pub(crate) max: u32,
}

/// Every parameter, in the order of the document.
pub(crate) const KEYS: [Key; 7] = [
    Key {
        name: "window_heights",
        comment: "heights in flight above the last committed one",
        min: 1,
        max: 64,
    },
    Key {
        name: "block_transactions_max",
        comment: "most transactions of a block",
        min: 1,
        max: 65_536,
    },
    Key {
        name: "block_bytes_max",
        comment: "most bytes of a block's transactions",
        min: 1_024,
        max: 8 << 20,
    },
    Key {
        name: "batch_delay_ms",
        comment: "how long a busy primary collects requests, less than view_timeout_ms",
        min: 0,
        max: 1_000,
    },
    Key {
        name: "view_timeout_ms",
        comment: "how long backups wait for progress before they replace the primary",
        min: 100,
        max: 600_000,
    },
    Key {
        name: "snapshot_interval_blocks",
        comment: "blocks between snapshots of all accounts",
        min: 1,
        max: 1_000_000,
    },
    Key {
        name: "clock_drift_max_ms",
        comment: "how far a block's time may be ahead of a validator's clock",
        min: 100,
        max: 3_600_000,
    },
];

/// Why parameters are refused: a phrase that names the parameter.
pub(crate) type Wrong = String;

impl Parameters {
    /// The values in the order of [`KEYS`].
    pub(crate) fn values(&self) -> [u32; KEYS.len()] {
        [
            u32::from(self.window_heights),
            self.block_transactions_max,
            self.block_bytes_max,
            self.batch_delay_ms,
            self.view_timeout_ms,
            self.snapshot_interval_blocks,
            self.clock_drift_max_ms,
        ]
    }

    /// The parameters with these values, in the order of [`KEYS`]; `None` when a value does not fit
    /// its type, which no value within bounds does.
    pub(crate) fn from_values(values: [u32; KEYS.len()]) -> Option<Self> {
        let [
            window_heights,
            block_transactions_max,
            block_bytes_max,
            batch_delay_ms,
            view_timeout_ms,
            snapshot_interval_blocks,
            clock_drift_max_ms,
        ] = values;
        Some(Self {
            window_heights: u16::try_from(window_heights).ok()?,
            block_transactions_max,
            block_bytes_max,
            batch_delay_ms,
            view_timeout_ms,
            snapshot_interval_blocks,
            clock_drift_max_ms,
        })
    }

    /// What is wrong between parameters that are each within bounds, with the place of the one to
    /// change in [`KEYS`].
    pub(crate) fn contradiction(&self) -> Option<(usize, Wrong)> {
        (self.batch_delay_ms >= self.view_timeout_ms).then(|| {
            let wrong = format!(
                "batch_delay_ms is {}, it must be less than view_timeout_ms, which is {}",
                self.batch_delay_ms, self.view_timeout_ms
            );
            (3, wrong)
        })
    }

    /// A bound on the bytes of any single thing that validators send one another: a full block with
    /// a proof of the longest kind, and some room.
    pub fn message_bytes_max(&self) -> usize {
        let body = usize::try_from(self.block_bytes_max).unwrap_or(usize::MAX);
        let headers = DESCENDANTS_MAX.saturating_mul(HEADER_BYTES);
        let signatures = VALIDATORS_MAX.saturating_mul(SIGNATURE_BYTES);
        body.saturating_add(headers).saturating_add(signatures).saturating_add(ROOM_BYTES)
    }
}

/// Canonical bytes of one signature of a certificate: a replica's number and 64 bytes.
const SIGNATURE_BYTES: usize = 2 + 64;

/// For the rest: statements, lengths, versions, the header of the block itself.
const ROOM_BYTES: usize = 4_096;

#[cfg(test)]
mod tests;
