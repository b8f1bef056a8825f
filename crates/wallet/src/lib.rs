//! The wallet of a Logothete ledger: keys encrypted on this computer, transfers that are believed
//! only when t + 1 validators signed for them, and balances that are believed only with a proof.
//!
//! The library is what the binary `logothete-wallet` is made of, so that its parts can be tested;
//! the binary is the interface. The wallet trusts the genesis document and nothing a validator says
//! without a signature; which signatures suffice is said by `types`, and how validators are asked
//! by `api`.

mod arguments;
mod ask;
mod certified;
mod commands;
mod exit;
mod finality;
mod keystore;
mod line;
mod output;
mod password;
mod pay;
mod people;
mod private_file;
mod program;
mod site;
mod terminal;
mod time;

pub use program::main;
