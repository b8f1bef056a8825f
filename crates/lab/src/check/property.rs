//! The properties that are checked, by name.

use std::fmt;

use serde::Serialize;

/// A property that can be broken. Those of the protocol page have its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Property {
    /// No two honest replicas commit different blocks at one height.
    S1,
    /// Committed chains are prefixes of one another.
    S2,
    /// A height once committed stays, over restarts.
    S3,
    /// Every stored block has a proof that an independent checker accepts.
    S4,
    /// An honest key contradicts itself in nothing, over its whole life.
    S5,
    /// Nothing is sent before it is durable.
    S6,
    /// Every committed transaction was valid on the state before it.
    S7,
    /// The sum of balances is the genesis supply.
    S8,
    /// Each (account, nonce) occurs once.
    S9,
    /// Executing the chain again gives the same roots.
    S10,
    /// Memory and logs are bounded.
    S11,
    /// Evidence never names an honest key.
    S12,
    /// A valid request known to one honest replica commits.
    L1,
    /// After the primary fails, within the stated number of timeouts.
    L2,
    /// A healed or restarted replica catches up and its votes count again.
    L3,
    /// After an outage the timeouts are back at base after one commit.
    L4,
    /// A starved account's request commits.
    L5,
    /// A replica votes for nothing but what the voting rule allows it (section 3).
    Vote,
    /// A replica asks for and enters no view but by the rules of views (section 4).
    View,
    /// What t + 1 replicas told a client is what was committed.
    Reply,
    /// A replica comes back from whatever an honest disk kept.
    Recovery,
    /// An assertion of the core, the ledger or the lab failed.
    Assertion,
}

impl Property {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::S1,
        Self::S2,
        Self::S3,
        Self::S4,
        Self::S5,
        Self::S6,
        Self::S7,
        Self::S8,
        Self::S9,
        Self::S10,
        Self::S11,
        Self::S12,
        Self::L1,
        Self::L2,
        Self::L3,
        Self::L4,
        Self::L5,
        Self::Vote,
        Self::View,
        Self::Reply,
        Self::Recovery,
        Self::Assertion,
    ];

    /// What it promises, in words.
    pub const fn promise(self) -> &'static str {
        match self {
            Self::S1 => "no two honest validators commit different blocks at one height",
            Self::S2 => "committed chains are prefixes of one another",
            Self::S3 => "a height once committed stays, over restarts",
            Self::S4 => "every stored block has a proof that an independent checker accepts",
            Self::S5 => "an honest key contradicts itself in nothing, over its whole life",
            Self::S6 => "nothing is sent before it is durable",
            Self::S7 => "every committed transaction was valid on the state before it",
            Self::S8 => "the sum of balances is the genesis supply",
            Self::S9 => "each account uses each nonce once",
            Self::S10 => "executing the chain again gives the same roots",
            Self::S11 => "memory and logs are bounded",
            Self::S12 => "evidence never names an honest key",
            Self::L1 => "a valid request known to one honest validator commits",
            Self::L2 => {
                "after the primary fails, requests commit within a stated number of timeouts"
            }
            Self::L3 => "a healed or restarted validator catches up and its votes count again",
            Self::L4 => "after an outage the timeouts are back at base after one commit",
            Self::L5 => "the request of a starved account commits",
            Self::Vote => "a validator votes for nothing but what the voting rule allows it",
            Self::View => "a validator asks for and enters no view but by the rules of views",
            Self::Reply => "what enough validators told a client is what was committed",
            Self::Recovery => "a validator comes back from whatever an honest disk kept",
            Self::Assertion => "no assertion of the core, the ledger or the lab fails",
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}
