//! Every mutant of the core, and what catches it.

#[cfg(feature = "mutants")]
mod hunts;

use clap::Args;

use crate::Outcome;

/// Break one rule of the core after the other, and see that it is noticed.
#[derive(Debug, Args)]
pub(crate) struct Mutants {
    /// How many seeds each mutant may survive
    #[arg(long, default_value_t = 400)]
    pub(crate) seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    pub(crate) from: u64,
    /// These mutants only
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Print the table as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Tell everything that happens on the first seed to the first mutant, on stderr
    #[arg(long)]
    pub(crate) trace: bool,
}

/// Hunts them, in a build that has them.
#[cfg(feature = "mutants")]
pub(crate) fn mutants(arguments: &Mutants) -> Result<Outcome, String> {
    hunts::hunts(arguments)
}

/// Says how to build what has them.
#[cfg(not(feature = "mutants"))]
pub(crate) fn mutants(_: &Mutants) -> Result<Outcome, String> {
    Err("this build has no mutants: cargo run --release -p lab --features mutants -- mutants"
        .to_owned())
}
