//! What the tests that start real processes share: the built programs, local testnets in directories of
//! their own, bounded waits, and making sure that nothing is left running.
//!
//! Everything here panics when it fails: it is called by tests only.

pub mod money;
pub mod process;
pub mod programs;
pub mod testnet;
pub mod wait;
