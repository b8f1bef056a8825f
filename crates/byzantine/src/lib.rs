//! Replicas that lie.
//!
//! A liar is a wrapper around a [`Protocol`](pbft::Protocol): it hears what a replica hears and says what it
//! likes, signed with its own key and with no other. What it does is drawn from a seed, so that one
//! seed gives one liar. Nothing but the lab and the adversary reaches this crate.
//!
//! - [`attack`]: the catalogue of attacks, each a strategy with a name;
//! - [`traitor`]: a validator that has attacks at work;
//! - [`conspiracy`]: several that lie by one plan;
//! - [`service`]: what a validator answers that lies to whoever asks it, and sends beside the protocol;
//! - [`client`]: what clients submit that attack the validators;
//! - [`liar`]: lies by script;
//! - [`mutation`]: changes what it says, field by field;
//! - [`twin`]: one of two processes with one key;
//! - [`random`]: chance that repeats itself.

/// What a wrapper says of itself is what the replica inside it says.
macro_rules! as_inner {
    () => {
        fn application(&self) -> &ledger::Ledger {
            self.inner.application()
        }

        fn application_mut(&mut self) -> &mut ledger::Ledger {
            self.inner.application_mut()
        }

        fn status(&self) -> pbft::Overview {
            self.inner.status()
        }
    };
}
pub(crate) use as_inner;

pub mod attack;
pub mod client;
pub mod conspiracy;
mod desk;
pub mod liar;
mod memory;
pub mod mutation;
pub mod random;
mod rivals;
pub mod service;
pub mod traitor;
pub mod twin;

pub use attack::{Attack, Role};
pub use desk::Desk;
pub use mutation::{Mutation, Mutator};
pub use random::Random;
pub use traitor::{Act, Deed, Traitor, Witness};
pub use twin::Twin;
