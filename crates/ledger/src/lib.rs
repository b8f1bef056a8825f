//! Money: the accounts, what waits to change them, and what a block makes of them.
//!
//! A [`Ledger`] is what consensus sees as its [`types::Application`]. It holds
//!
//! - the **committed state**: accounts in the order of their creation under a dense Merkle tree;
//! - **layers**: what blocks that are executed and not yet committed change on top of it, each
//!   named by its block and standing on its parent (protocol page §3, deviation 2);
//! - the **pool**: transactions that were admitted and are in no committed block.
//!
//! Admission, proposal and execution judge a transaction with one function, so a block that a
//! replica would propose is a block that every other replica executes, and nothing else is.
//!
//! The crate is pure: no clock, thread, file, socket, randomness or hash order. Signatures are
//! checked at the door before anything comes here; blocks are kept by `storage`; which block is
//! committed is decided by `pbft`.
//!
//! Memory is bounded by the number of accounts (about 150 bytes each), by [`PoolLimits`] and by
//! [`layers_max`] layers of one block each.
// A sum that overflows in a test fails that test, which is all it should do.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod admission;
mod application;
mod execute;
mod layers;
mod ledger;
mod numbers;
mod pool;
mod replay;
mod settle;
mod state;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod model;

pub use crate::admission::{Admission, Origin};
pub use crate::layers::layers_max;
pub use crate::ledger::{Ledger, PoolStatus, RestoreError};
pub use crate::pool::limits::PoolLimits;
pub use crate::pool::ticket::Ticket;
pub use crate::replay::{Replay, ReplayError};
