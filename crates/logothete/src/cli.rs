//! The command line. What a flag means in detail stands in `docs/reference/logothete.md`.

pub(crate) mod evidence;
pub(crate) mod fault;
pub(crate) mod network;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use program::validator::ValidatorArguments;
use types::validators::VALIDATORS_MAX;

use evidence::{EvidenceArguments, ForensicsArguments};
use fault::FaultArguments;
use network::{ExplainArguments, ForksArguments};

use crate::testnet::attacks::{Adversary, Attacks};

/// The largest seed: up to here every reader of TOML and JSON is exact.
const SEED_MAX: u64 = 1 << 53;

/// Run a validator or a local testnet of the Logothete ledger, look at them, check them.
///
/// Results are written to standard output, everything else to standard error.
#[derive(Debug, Parser)]
#[command(name = "logothete", version, disable_help_subcommand = true)]
#[command(after_help = "Exit codes: 0 done, 1 fault or does not hold, 2 usage, 3 refused, \
    4 no validator reachable, 5 no such network or validator, 6 not in time, \
    9 validators contradict one another, 130 interrupted.")]
pub(crate) struct Arguments {
    /// Write results as JSON, one document a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands, one file each under `commands`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run one validator until it is told to stop.
    Validator(ValidatorArguments),
    /// A whole network on this computer.
    Testnet(TestnetArguments),
    /// How the validators of a network are, and whether they agree.
    Status(StatusArguments),
    /// Checks everything that a stopped validator has stored, from the genesis on.
    Audit(AuditArguments),
    /// Proofs that a validator lied: list them, show them in words, save and verify them.
    Evidence(EvidenceArguments),
    /// Every block that was proposed and did not become part of the chain, and why.
    Forks(ForksArguments),
    /// Why a network is slow or stands still: who is missing, what it waits for, what would help.
    Explain(ExplainArguments),
    /// Whether two validators committed different blocks, and whose keys are guilty of it.
    Forensics(ForensicsArguments),
    /// How much a network commits, and how fast.
    Bench(BenchArguments),
    /// Key files of validators and nodes.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Genesis documents.
    #[command(subcommand)]
    Genesis(GenesisCommand),
}

/// `testnet`.
#[derive(Debug, Args)]
pub(crate) struct TestnetArguments {
    /// Directory of the testnet [default: what LOGOTHETE_DIR says, else ./testnet].
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// What to do with it.
    #[command(subcommand)]
    pub(crate) command: TestnetCommand,
}

/// What can be done with a testnet.
#[derive(Debug, Subcommand)]
pub(crate) enum TestnetCommand {
    /// Start it, making it first if it does not exist.
    Up(UpArguments),
    /// The processes of its validators, how they are, and whether they agree.
    Status,
    /// The logs of its validators.
    Logs(LogsArguments),
    /// End validators with SIGKILL, as a crash would.
    Kill(NodesArguments),
    /// Halt validators with SIGSTOP: they keep their connections and say nothing.
    Pause(NodesArguments),
    /// Let halted validators go on.
    Resume(NodesArguments),
    /// Start validators that do not run.
    Start(NodesArguments),
    /// Stop validators and start them again.
    Restart(NodesArguments),
    /// Make a validator an adversary, or honest again.
    Turn(TurnArguments),
    /// Play a scenario with real processes, in a network of its own, and compare with what it expects.
    Run(RunArguments),
    /// Let validators and their links fail: list what is on, add to it, end it.
    Fault(FaultArguments),
    /// Stop all of it. Its state stays.
    Down,
    /// Carry the links of a testnet with relays.
    #[command(hide = true)]
    Relays(RelaysArguments),
}

/// `testnet up`.
#[derive(Debug, Clone, Args)]
pub(crate) struct UpArguments {
    /// How many validators a new testnet has [default: 4].
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = validators_count)]
    pub(crate) validators: Option<usize>,
    /// What the keys of a new testnet are derived from [default: 0].
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(..=SEED_MAX))]
    pub(crate) seed: Option<u64>,
    /// Leave the validators running and return once they are ready.
    #[arg(long)]
    pub(crate) detach: bool,
    /// Begin anew: stop the testnet if it runs, and delete its chain and keys.
    #[arg(long)]
    pub(crate) reset: bool,
    /// A validator that attacks the others, such as 3=equivocate or node0=silent+equivocate; may be
    /// given several times.
    #[arg(long = "adversary", value_name = "NODE=ATTACK", value_parser = adversary)]
    pub(crate) adversaries: Vec<Adversary>,
    /// More adversaries than the network tolerates, to see it break.
    #[arg(long)]
    pub(crate) break_safety: bool,
    /// Let the validators reach one another through relays, so that `testnet fault` can cut and slow
    /// their links. A testnet keeps its relays.
    #[arg(long)]
    pub(crate) relays: bool,
    /// How long the validators may take to be ready.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,
}

/// `testnet logs`.
#[derive(Debug, Clone, Args)]
pub(crate) struct LogsArguments {
    /// Whose log: node2 or 2 [default: all of them].
    #[arg(value_name = "NODE", value_parser = node_number)]
    pub(crate) node: Option<usize>,
    /// Go on with what is written from now on, until Ctrl-C.
    #[arg(short = 'f', long)]
    pub(crate) follow: bool,
    /// How many of the last lines of each log.
    #[arg(short = 'n', long, value_name = "LINES", default_value_t = 20)]
    pub(crate) lines: usize,
}

/// The validators a command is about.
#[derive(Debug, Clone, Args)]
pub(crate) struct NodesArguments {
    /// Validators: node2 or 2; or all.
    #[arg(value_name = "NODE", required = true, value_parser = node_choice)]
    pub(crate) nodes: Vec<NodeChoice>,
}

/// `testnet turn`.
#[derive(Debug, Clone, Args)]
pub(crate) struct TurnArguments {
    /// The validator: node2 or 2.
    #[arg(value_name = "NODE", value_parser = node_number)]
    pub(crate) node: usize,
    /// What it does from now on: an attack, several with + between them, or honest.
    #[arg(value_name = "ATTACK", value_parser = Attacks::parse)]
    pub(crate) attacks: Attacks,
    /// More adversaries than the network tolerates, to see it break.
    #[arg(long)]
    pub(crate) break_safety: bool,
}

/// `testnet run`.
#[derive(Debug, Clone, Args)]
pub(crate) struct RunArguments {
    /// A scenario that comes with the program, or the file of another [default: lists them].
    #[arg(value_name = "NAME|FILE")]
    pub(crate) scenario: Option<String>,
    /// With one more fault than the network bears.
    #[arg(long)]
    pub(crate) one_more: bool,
}

/// `testnet relays`, which `testnet up --relays` starts.
#[derive(Debug, Clone, Args)]
pub(crate) struct RelaysArguments {
    /// Stop when standard input is closed.
    #[arg(long)]
    pub(crate) stop_with_stdin: bool,
}

/// One validator or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeChoice {
    /// The one in `node<i>`.
    One(usize),
    /// Every validator.
    All,
}

/// `status`.
#[derive(Debug, Clone, Args)]
pub(crate) struct StatusArguments {
    /// Directory of a local testnet [default: what LOGOTHETE_DIR says, else ./testnet].
    #[arg(long, value_name = "DIR", conflicts_with = "api")]
    pub(crate) dir: Option<PathBuf>,
    /// Base URL of a validator's API; may be given several times.
    #[arg(long, value_name = "URL")]
    pub(crate) api: Vec<String>,
}

/// What can be done with key files.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a new key file, readable by its owner only. An existing file is never overwritten.
    New(KeyFile),
    /// Show the public key and the peer id of a key file, never the secret.
    Show(KeyFile),
}

/// A key file.
#[derive(Debug, Clone, Args)]
pub(crate) struct KeyFile {
    /// The key file.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// What can be done with genesis documents.
#[derive(Debug, Subcommand)]
pub(crate) enum GenesisCommand {
    /// Say everything that is wrong with a document, each with its line, or what it describes.
    Check(GenesisFile),
}

/// A genesis document.
#[derive(Debug, Clone, Args)]
pub(crate) struct GenesisFile {
    /// The document.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

fn validators_count(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|count| (1..=VALIDATORS_MAX).contains(count))
        .ok_or_else(|| format!("a network has 1 to {VALIDATORS_MAX} validators"))
}

/// `node2` or `2`, in one spelling only: no sign, no leading zero.
pub(crate) fn node_number(text: &str) -> Result<usize, String> {
    let digits = text.strip_prefix("node").unwrap_or(text);
    digits
        .parse()
        .ok()
        .filter(|number: &usize| number.to_string() == digits)
        .ok_or_else(|| "a validator is named like node2 or 2".to_owned())
}

fn adversary(text: &str) -> Result<Adversary, String> {
    let (node, attacks) = text
        .split_once('=')
        .ok_or_else(|| "an adversary is written NODE=ATTACK, like 3=equivocate".to_owned())?;
    Ok(Adversary { node: node_number(node)?, attacks: Attacks::parse(attacks)? })
}

fn node_choice(text: &str) -> Result<NodeChoice, String> {
    if text == "all" {
        return Ok(NodeChoice::All);
    }
    node_number(text).map(NodeChoice::One).map_err(|reason| format!("{reason}, or all"))
}

/// `audit`.
#[derive(Debug, Clone, Args)]
pub(crate) struct AuditArguments {
    /// The data directory of a stopped validator, or a copy of one; its validator's folder will do,
    /// too.
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// The genesis of its network [default: ../genesis.toml beside the validator's folder].
    #[arg(long, value_name = "FILE")]
    pub(crate) genesis: Option<PathBuf>,
}

/// `bench`.
#[derive(Debug, Clone, Args)]
pub(crate) struct BenchArguments {
    /// Transfers a second, sent whether or not earlier ones were answered.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) rate: u64,
    /// As many transfers as the network takes.
    #[arg(long, conflicts_with = "rate")]
    pub(crate) max: bool,
    /// For how long.
    #[arg(long, value_name = "COUNT", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(crate) seconds: u64,
    /// How many accounts send, each to others.
    #[arg(long, value_name = "COUNT", default_value_t = 10_000, value_parser = accounts_count)]
    pub(crate) accounts: usize,
    /// How many validators the network of the benchmark has.
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 4, value_parser = validators_count)]
    pub(crate) validators: usize,
    /// Measure the running testnet, with its named accounts, and not one made for this.
    #[arg(long, conflicts_with_all = ["accounts", "validators"])]
    pub(crate) running: bool,
    /// A validator that attacks the others meanwhile, such as 0=equivocate; may be given several times. The load goes
    /// to the others, and what counts is what all others have.
    #[arg(long = "adversary", value_name = "NODE=ATTACK", value_parser = adversary, conflicts_with = "running")]
    pub(crate) adversaries: Vec<Adversary>,
    /// The testnet to be measured; without --running, where the network is made [default: the
    /// system's folder for temporary files].
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

fn accounts_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 2..=1_000_000) => Ok(count),
        Ok(_) | Err(_) => Err("a whole number from 2 to 1000000 is needed".to_owned()),
    }
}

#[cfg(test)]
mod tests;
