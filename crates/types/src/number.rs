//! Views, heights and nonces: three counters that must never be mixed up.
//!
//! Any number decodes. Steps saturate, because a peer may choose the number it starts from; where
//! two equal numbers would be an error, as with nonces, [`Nonce::checked_next`] says so.

use crate::macros::counter;

counter! {
    /// A view of the protocol; its primary is the replica with the number view mod n.
    View
}

counter! {
    /// The height of a block: PBFT's sequence number. The genesis has height 0.
    Height
}

counter! {
    /// The place of a transaction among those of its sender: 0, 1, 2, … without gap.
    Nonce
}

impl View {
    /// The view every network starts in.
    pub const FIRST: Self = Self::new(0);
}

impl Height {
    /// The height of the genesis, below every block that is agreed on.
    pub const GENESIS: Self = Self::new(0);
}

impl Nonce {
    /// The nonce of an account's first transaction.
    pub const FIRST: Self = Self::new(0);
}

#[cfg(test)]
mod tests;
