//! Scenarios: situations that a network gets into, each as one TOML file.
//!
//! A [`Scenario`] says what a network is like, what its clients want, what breaks and who lies, what is expected of it,
//! a question to the reader and the answer. It describes the situation twice: with as many faults as the network bears,
//! and [one more](Scenario::beyond), in which a documented property fails. Whoever runs it, the lab or real processes,
//! fills in what it has [seen](Seen) and gets the same [judgement](judge()) in the same words.
//!
//! A file is checked as a whole: [`Scenario::parse`] lists everything that is wrong with it, each with its line. What an
//! attack means is not known here: its text is handed on as it stands, and whoever runs it checks it.
//!
//! - [`situation`]: the parts of a scenario;
//! - [`expect`]: what can be expected;
//! - [`faulty`]: who is faulty at which time;
//! - [`judge`](mod@judge): what was seen against what was expected;
//! - [`shipped`]: the scenarios that come with the program.
//!
//! Key by key the file is explained in `docs/reference/scenario.md`.

mod check;
mod errors;
pub mod expect;
pub mod faulty;
pub mod judge;
mod read;
pub mod shipped;
pub mod situation;

pub use errors::ScenarioErrors;
pub use expect::{Expect, Fails};
pub use judge::{Fork, Judgement, Seen, judge};
pub use situation::{
    Attack, Class, Fault, Kind, Load, Network, QuorumRule, Scenario, Situation, Window,
};

#[cfg(test)]
mod tests;
