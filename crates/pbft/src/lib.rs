//! The consensus core: PBFT over a chain of blocks, without input or output of its own.
//!
//! One value, [`Replica`], one door into it, [`Protocol::step`]: an [`Input`] goes in, an [`Output`] comes out,
//! and whoever drives it performs the fields of the output strictly from top to bottom. There is no clock,
//! file, socket, thread or randomness in here, so the same code runs in a validator, in a simulation and in a test.
//!
//! In a view the primary proposes blocks on top of one another without waiting for commits, up to a window; a backup
//! executes a block before it votes for it; a quorum of prepare votes makes it prepared, a quorum of commit votes
//! commits it together with its ancestors. When there is work and no progress, the replicas leave the view, each with
//! its highest certificate, and the primary of the next one goes on from the greatest that a quorum shows. What
//! was lost on the way is said again to whoever says that it lacks it ([`status`]). Beside it stand what a replica
//! must have written before it speaks ([`Record`], [`journal`]), how it comes back from what was written
//! ([`Replica::recover`]), and how it follows blocks that others agreed on ([`Input::Blocks`]).
//!
//! Inside, state is below, handlers above it, dispatch on top ([`replica`]). A handler looks for a reason to
//! ignore its message and else makes one change of state; handlers never call one another. Everything that follows
//! from a change happens in one place and in one fixed order (`follow`), and after every step the numbered
//! invariants (`invariant`) are asserted, in release builds too.

pub mod ignored;
pub mod journal;
pub mod lost;
pub mod message;
pub mod output;
pub mod record;
pub mod recovery;
pub mod replica;
pub mod status;

#[cfg(test)]
mod fixture;
mod follow;
mod handler;
mod invariant;
#[cfg(feature = "mutants")]
mod mutated;
mod state;
#[cfg(test)]
mod tests;

pub use ignored::Ignored;
pub use lost::{Fate, Lost};
pub use message::{Handover, Message, PrePrepare};
pub use output::{Outgoing, Output, Recipients, Timer, TimerSet};
pub use record::{Record, Retirement};
pub use recovery::RecoveryError;
pub use replica::{Config, Input, Overview, Protocol, Replica};
pub use status::Status;
pub use types::door::Door;
#[cfg(feature = "mutants")]
pub use types::mutant;
