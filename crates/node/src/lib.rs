//! The shell of a validator: sockets, disk, timers and the HTTP API around any
//! [`pbft::Protocol`].
//!
//! One thread owns the core (`core`); everything else talks to it through bounded channels.
//! Bytes become checked messages at the `door`, blocks become durable on the `disk` thread,
//! and clients are answered by the `gateway`. What consensus means is not known here: this crate
//! performs an `Output` strictly from top to bottom and knows no rule of the protocol.

mod answers;
mod catch_up;
pub mod config;
mod core;
mod disk;
mod dispatch;
mod door;
mod error;
#[cfg(test)]
mod fixture;
mod forks;
mod gateway;
pub mod key_file;
mod lane;
mod metrics;
mod observer;
mod parts;
mod receipts;
pub mod recovery;
mod refusals;
mod requests;
mod run;
pub mod run_file;
mod waiters;
pub mod wire;

pub use config::Config;
pub use error::NodeError;
pub use gateway::Gateway;
pub use parts::{Answerer, Honest, Parts};
pub use run::{run, run_as};
