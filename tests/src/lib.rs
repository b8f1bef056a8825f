//! What the tests that start real processes share: the built programs, local testnets in
//! directories of their own, load, cut links, bounded waits, and making sure that nothing is left
//! running.
//!
//! Everything here panics when it fails: it is called by tests only.

pub mod audit;
pub mod files;
pub mod hosts;
pub mod journals;
pub mod load;
pub mod money;
pub mod process;
pub mod programs;
pub mod random;
pub mod relay;
pub mod story;
pub mod testnet;
pub mod traitors;
pub mod wait;
