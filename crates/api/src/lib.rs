//! The HTTP API of a validator: its types, its server and its client.
//!
//! [`types`](mod@types) are the JSON shapes and [`problem`] the error answers, shared by both ends.
//! [`server`] turns requests into calls of a [`backend::Backend`], which the validator implements;
//! [`client`] is the blocking other end that the tools use, with the counting of replies that makes
//! a result final for a wallet. [`openapi`] describes it all, generated from the code.
//!
//! Nothing here decides anything about the ledger. A server's answer is a claim by one validator;
//! what makes it more is the proof inside, which clients check against the genesis they trust.

pub mod backend;
pub mod client;
pub mod events;
pub mod hex;
pub mod openapi;
pub mod problem;
pub mod server;
pub mod types;

#[cfg(test)]
mod tests;
