//! The command line. What a flag means in detail stands in `docs/reference/adversary.md`.

use std::path::PathBuf;
use std::str::FromStr;

use byzantine::attack::{self, Attack, AttackError};
use byzantine::{client, service};
use clap::{Args, Parser, Subcommand};
use program::validator::ValidatorArguments;

/// Run a validator, or a client, that attacks a network, to see that the others hold.
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
    /// Attack the validators of a local testnet as a client, by their HTTP API. What is submitted, and what each
    /// validator answers, is a result.
    Client(ClientArguments),
    /// Explain attacks and their knobs.
    List(ListArguments),
}

/// `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// An attack, NAME or NAME:KNOB=VALUE,…; may be given several times, and what one makes of a
    /// message goes through the next.
    #[arg(long = "attack", value_name = "ATTACK", required = true)]
    pub(crate) attacks: Vec<Known>,
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
    /// Attacks of validators to be explained, with or without knobs [default: all, and those of clients].
    #[arg(value_name = "ATTACK")]
    pub(crate) attacks: Vec<Known>,
}

/// `client`.
#[derive(Debug, Args)]
pub(crate) struct ClientArguments {
    /// An attack of a client; may be given several times, and they take turns.
    #[arg(long = "attack", value_name = "ATTACK", required = true, value_parser = client_attack)]
    pub(crate) attacks: Vec<client::Kind>,
    /// Directory of a local testnet [default: what LOGOTHETE_DIR says, else ./testnet].
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Which of its accounts attacks: 0 is alice, 3 is dave.
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    pub(crate) account: u32,
    /// For how long.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) seconds: u64,
    /// What chance is drawn from.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) seed: u64,
}

/// An attack of a validator, in consensus or beside it.
#[derive(Debug, Clone)]
pub(crate) struct Known(pub(crate) Attack);

impl FromStr for Known {
    type Err = AttackError;

    fn from_str(text: &str) -> Result<Self, AttackError> {
        let beside = service::CATALOGUE.iter().map(|(_, kind)| kind);
        Attack::parse(text, attack::CATALOGUE.iter().chain(beside)).map(Self)
    }
}

fn client_attack(text: &str) -> Result<client::Kind, String> {
    client::Kind::of(text).copied().ok_or_else(|| {
        let names: Vec<&str> = client::CATALOGUE.iter().map(|kind| kind.name).collect();
        format!("there is no attack of a client {text:?}; they are {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests;
