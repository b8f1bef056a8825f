//! The command line. What a flag means in detail stands in `docs/reference/adversary.md`.

use byzantine::Attack;
use clap::{Args, Parser, Subcommand};
use program::validator::ValidatorArguments;

/// Run a validator that attacks its network, to see that the others hold.
///
/// Results are written to standard output, everything else to standard error.
#[derive(Debug, Parser)]
#[command(name = "logothete-adversary", version, disable_help_subcommand = true)]
#[command(after_help = "Exit codes: 0 done, 1 fault, 2 usage, 130 interrupted.")]
pub(crate) struct Arguments {
    /// Write results as JSON, one document a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands, one file each.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Join a network as one of its validators, and attack it until told to stop. What is said
    /// because of an attack is a result, told before it is sent.
    Run(RunArguments),
    /// Explain attacks and their knobs.
    List(ListArguments),
}

/// `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// An attack, NAME or NAME:KNOB=VALUE,…; may be given several times, and what one makes of a
    /// message goes through the next.
    #[arg(long = "attack", value_name = "ATTACK", required = true)]
    pub(crate) attacks: Vec<Attack>,
    /// What chance is drawn from.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) seed: u64,
    /// As of an honest validator.
    #[command(flatten)]
    pub(crate) validator: ValidatorArguments,
}

/// `list`.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Attacks to be explained, with or without knobs [default: all of them].
    #[arg(value_name = "ATTACK")]
    pub(crate) attacks: Vec<Attack>,
}

#[cfg(test)]
mod tests;
