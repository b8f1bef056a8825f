//! What `logothete` and `logothete-adversary` share.
//!
//! Nothing here knows what a program is for: how it ends, where it writes, and how the validator that it runs is
//! started, logged and told to stop. So the two validators, the honest and the other, are run in the same way.

pub mod failure;
pub mod line;
pub mod output;
pub mod table;
pub mod validator;
