//! Arrival without a clock: transactions are numbered as they come.

/// The place of an arrival among all arrivals here: later ones have greater tickets.
///
/// Tickets mean nothing outside this process; a shell that wants to know what has been waiting for
/// a while keeps the ticket of that while ago ([`Ledger::ticket`](crate::Ledger::ticket)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Ticket(u64);

impl Ticket {
    /// Before every arrival.
    pub const FIRST: Self = Self(0);

    /// Its number: 0 before every arrival.
    pub(crate) const fn get(self) -> u64 {
        self.0
    }

    /// The ticket of the next arrival.
    #[must_use]
    pub(crate) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}
