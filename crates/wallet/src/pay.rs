//! The parts of `pay`: the file, the journal, and how its rows become final.
//!
//! What holds, whatever is killed when: **each row has at most one transaction that can commit.**
//! All rows are signed with nonces of their own and the signatures are on disk before anything is
//! submitted; running again submits the same bytes. A row is signed again only when what was signed
//! before can provably never commit, see [`plan`].

pub(crate) mod chain;
pub(crate) mod engine;
pub(crate) mod files;
pub(crate) mod journal;
pub(crate) mod outcome;
pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod rows;
pub(crate) mod validators;
