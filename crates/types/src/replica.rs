//! Replicas by number.

use std::fmt;

use crypto::encoding::{Decode, Encode};

/// The number of a replica: its place among the validators of the genesis, from 0.
///
/// Any number decodes; whether there is such a replica is asked of
/// [`ValidatorSet::get`](crate::validators::ValidatorSet::get).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct ReplicaId(u16);

impl ReplicaId {
    /// The replica with this number.
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Its place in lists that have one entry per replica.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl fmt::Debug for ReplicaId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ReplicaId({})", self.0)
    }
}

#[cfg(test)]
mod tests;
