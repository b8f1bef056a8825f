//! `logothete-lab`: many simulated networks, one after the other, and one of them again.
//!
//! Results on stdout, everything else on stderr. The process ends with 0 when everything held, 1
//! when a property was broken, 2 when it was called wrongly, 3 when a run came to no conclusion.

use std::process::ExitCode;

use clap::Parser;

mod attack;
mod check;
mod cli;
mod folder;
mod generals;
mod matrix;
mod mutants;
mod output;
mod replay;
mod run;
mod soak;
mod step;
mod twins;

use cli::{Command, Lab};

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Held,
    Violated,
    Unusable,
    Inconclusive,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Held => 0,
            Outcome::Violated => 1,
            Outcome::Unusable => 2,
            Outcome::Inconclusive => 3,
        })
    }
}

fn main() -> ExitCode {
    // An assertion that fails inside a run is a result of the run and is reported as one.
    std::panic::set_hook(Box::new(|_| {}));
    let lab = Lab::parse();
    let outcome = match lab.command {
        Command::Soak(arguments) => soak::soak(&arguments),
        Command::Replay(arguments) => replay::replay(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Attack(arguments) => attack::attack(&arguments),
        Command::Mutants(arguments) => mutants::mutants(&arguments),
        Command::Check(what) => check::check(&what),
        Command::Twins(arguments) => twins::twins(&arguments),
        Command::Generals(arguments) => generals::generals(&arguments),
        Command::Matrix(arguments) => matrix::matrix(&arguments),
        Command::Step(arguments) => step::step(&arguments),
    };
    outcome
        .unwrap_or_else(|error| {
            output::complain(&format!("error: {error}"));
            Outcome::Unusable
        })
        .into()
}
