//! What only tests ask of parked transactions.

use types::transaction::TransactionId;

use super::Parked;

impl Parked {
    pub(crate) fn ids(&self) -> impl Iterator<Item = TransactionId> {
        self.transactions.values().map(|parked| parked.transaction.id())
    }

    pub(crate) fn assert_consistent(&self) {
        assert_eq!(self.transactions.len(), self.arrivals.len());
        assert_eq!(self.transactions.len(), self.expiry.len());
    }
}
