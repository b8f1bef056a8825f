//! What the tests of this crate share: a small network, and a validator of it that says what it is
//! told to.

pub(crate) mod backend;
pub(crate) mod http;
pub(crate) mod network;
