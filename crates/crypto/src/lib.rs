//! Canonical bytes, digests, keys and signatures: the floor of the house.
//!
//! Everything that is hashed, signed, stored or sent goes through [`encoding`]; every hash through
//! [`digest`](mod@digest), under a domain of its own; every signature is made in [`keys`] and
//! judged by the one rule of [`verify`](mod@verify). What was checked has another type than what
//! came off a wire ([`signed`]). [`merkle`] proves parts of lists, and [`derivation`] turns words
//! into keys.
//!
//! The crate is pure: no clock, thread, file, socket or unseeded randomness. Fresh secrets come
//! from the callers. What the signed things mean is said in `types`, never here.

pub mod derivation;
pub mod digest;
pub mod encoding;
mod hex;
pub mod keys;
pub mod merkle;
pub mod signed;
#[cfg(test)]
mod vectors;
pub mod verify;

pub use crate::hex::HexError;
