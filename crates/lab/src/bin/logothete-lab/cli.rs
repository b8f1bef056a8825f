//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Simulates whole networks of validators, each in one thread, on one seed, and checks the
/// properties that the protocol promises.
#[derive(Debug, Parser)]
#[command(name = "logothete-lab", version, max_term_width = 100)]
pub(crate) struct Lab {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run many seeds
    Soak(Soak),
    /// Run one seed, or one plan, again
    Replay(Replay),
    /// Break one rule of the core after the other, and see that it is noticed
    Mutants(crate::mutants::Mutants),
    /// Look at everything that can happen within a small scope
    #[command(subcommand)]
    Check(Check),
}

/// Run many seeds.
#[derive(Debug, Args)]
pub(crate) struct Soak {
    /// How many seeds
    #[arg(long, default_value_t = 1_000)]
    pub(crate) seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    pub(crate) from: u64,
    /// How many run at a time; as many as there are processors when not given
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1_024))]
    pub(crate) jobs: Option<u16>,
    /// The number of replicas; several to choose from may be given
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=16))]
    pub(crate) replicas: Vec<u16>,
    /// Do not make the plan of a failing seed smaller
    #[arg(long)]
    pub(crate) no_shrink: bool,
    /// Where the smallest failing plans are written
    #[arg(long, value_name = "FOLDER")]
    pub(crate) save: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Run one seed, or one plan, again.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The seed
    pub(crate) seed: u64,
    /// The plan, as JSON; the seed's own when not given
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
    /// The network on which mutants are hunted on this seed, instead of the one that is soaked
    #[arg(long, conflicts_with_all = ["plan", "replicas"])]
    pub(crate) case: bool,
    /// Of the seed's own plan: the number of replicas to choose from
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=16))]
    pub(crate) replicas: Vec<u16>,
    /// Tell everything that happens, on stderr
    #[arg(long)]
    pub(crate) trace: bool,
    /// Print the plan that is run, as JSON, and do not run it
    #[arg(long)]
    pub(crate) show_plan: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Everything that can happen within a small scope.
#[derive(Debug, Subcommand)]
pub(crate) enum Check {
    /// Cut the power of one machine at every point of its work, and of two
    Crashes(Crashes),
}

/// Cut the power of one machine at every point of its work, and of two.
#[derive(Debug, Args)]
pub(crate) struct Crashes {
    /// How many pairs of crashes of each story are drawn
    #[arg(long, default_value_t = 500)]
    pub(crate) pairs: u64,
    /// Run every pair of crashes instead: this takes half an hour
    #[arg(long)]
    pub(crate) every_pair: bool,
    /// The seed that pairs are drawn from
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Print the matrix as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
