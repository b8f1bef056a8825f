//! Tests that hold for all nouns alike, and what the tests of the single nouns share.

mod decoding;
pub(crate) mod fixtures;
mod golden;
