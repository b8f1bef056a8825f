//! A whole network in one thread, on one seed.
//!
//! A [`World`] runs the production core, ledger, journal frames and recovery of several replicas
//! against clients, in virtual time, over links that lose and reorder, on disks that forget what
//! was not flushed, with processes that die at any point of their work. One seed gives one run,
//! byte for byte. A [`check`]er that shares no code with what it checks watches every event, and
//! says which property of the protocol page (section 8) was broken, where and when.
//!
//! - [`plan`]: what is done to a network in one run, drawn from a seed, as data;
//! - [`world`]: the run;
//! - [`check`]: the properties;
//! - [`twins`]: replicas that run twice, under every schedule of partitions within a small scope;
//! - [`attacks`]: replicas that attack, each with attacks of the catalogue;
//! - [`record`]: what happened in it, event by event, and [`step`]: walking through that; [`render`]: the same as pages;
//! - [`report`]: what came of it, and [`shrink`]: how a failing plan is made smaller;
//! - [`scenarios`]: situations from files, with faults that last, compared with what is expected of them;
//! - [`cases`]: networks that are hard on the core, some with replicas that lie ([`liars`]).
//! - [`resilience`]: how many traitors a network bears, by what a quorum is;
//! - [`generals`]: the Byzantine Generals of Lamport, Shostak and Pease, message by message.
//!
//! The library is pure; the binary `logothete-lab` brings threads, files and a terminal.
//!
//! With the feature `mutants` the lab tests itself: rules of the core are broken one after the other (`mutants`), and
//! it must notice every time.

pub mod attacks;
pub mod cases;
pub mod check;
pub mod explore;
pub mod generals;
pub mod keys;
pub mod liars;
pub mod matrix;
#[cfg(feature = "mutants")]
pub mod mutants;
pub mod plan;
pub mod record;
pub mod render;
pub mod report;
pub mod resilience;
pub mod scenarios;
pub mod shrink;
pub mod step;
pub mod time;
pub mod twins;
pub mod world;

mod disk;
mod letter;
mod links;
mod queue;
mod trace;

pub use check::{Property, Violation};
pub use plan::{Limits, Plan};
pub use record::{Recorder, Recording};
pub use report::{Report, Verdict, run};
pub use time::Time;
pub use trace::Reader;
pub use world::{Options, QuorumRule, World};
