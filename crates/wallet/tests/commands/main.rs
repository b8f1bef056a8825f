//! The built binary against four validators in this process: what it prints, what it refuses, and
//! the code that it ends with. The validators behind the real API keep a small ledger of their own;
//! what consensus does with a wallet's transactions is tested elsewhere.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is not as it should be fails the test"
)]

mod exit_codes;
mod keys;
mod ledger;
mod pay;
mod queries;
mod run;
mod transfers;
mod validator;
