//! How much may wait.

/// Bounds of what a validator keeps of transactions that are in no committed block.
///
/// At the default values everything together takes less than 150 MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimits {
    /// Most transactions in the pool: executable ones, those in blocks in flight and those behind a
    /// gap.
    pub transactions_max: u64,
    /// Most encoded bytes of them.
    pub bytes_max: u64,
    /// How far above an account's nonce the nonces of its pending transactions may lie; so at the
    /// same time most transactions of one account.
    pub account_transactions_max: u64,
    /// From how many pending transactions on an account loses its last ones to accounts with fewer
    /// when the pool is full.
    pub account_share: u64,
    /// Most transactions that wait for one with a lower nonce which is not here.
    pub gapped_transactions_max: u64,
    /// Most transactions of peers that are refused as the state is now and tried again when it
    /// changes.
    pub parked_transactions_max: usize,
    /// Most of those of one sender.
    pub parked_account_transactions_max: usize,
    /// Most reports of dropped transactions that wait to be taken; the oldest are lost first.
    pub dropped_max: usize,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            transactions_max: 100_000,
            bytes_max: 64 << 20,
            account_transactions_max: 1_024,
            account_share: 16,
            gapped_transactions_max: 25_000,
            parked_transactions_max: 10_000,
            parked_account_transactions_max: 128,
            dropped_max: 10_000,
        }
    }
}
