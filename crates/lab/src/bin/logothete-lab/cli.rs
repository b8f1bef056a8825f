//! The command line.

use std::path::PathBuf;

use byzantine::Attack;
use clap::{Args, Parser, Subcommand};
use lab::matrix::Story;

use crate::folder::Folder;

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
    /// Run a scenario, and see whether it goes as expected; without a name, list those there are
    Run(crate::run::Run),
    /// Let replicas attack, and see what the others do about it
    Attack(AttackArguments),
    /// Break one rule of the core after the other, and see that it is noticed
    Mutants(crate::mutants::Mutants),
    /// Look at everything that can happen within a small scope
    #[command(subcommand)]
    Check(Check),
    /// Let replicas run twice, under schedules of partitions
    Twins(Twins),
    /// Play the Byzantine Generals, message by message
    Generals(crate::generals::Generals),
    /// See how many traitors a network bears, by its size and by what a quorum is
    Matrix(crate::matrix::Matrix),
    /// Walk through a recorded run, event by event, forwards and backwards
    Step(crate::step::Step),
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
    /// In every run one to t replicas change what they say, field by field
    #[arg(long)]
    pub(crate) liars: bool,
    /// One plan for every seed, as JSON, instead of each seed's own: such as `replay SEED --show-plan` prints
    #[arg(long, value_name = "FILE", conflicts_with_all = ["replicas", "liars"])]
    pub(crate) plan: Option<PathBuf>,
    /// Do not make the plan of a failing seed smaller
    #[arg(long)]
    pub(crate) no_shrink: bool,
    /// Where the smallest failing plans are written
    #[arg(long, value_name = "FOLDER")]
    pub(crate) save: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) folder: Folder,
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
    /// Of the seed's own plan: one to t replicas change what they say
    #[arg(long)]
    pub(crate) liars: bool,
    /// Tell everything that happens, on stderr
    #[arg(long)]
    pub(crate) trace: bool,
    /// Print the plan that is run, as JSON, and do not run it
    #[arg(long)]
    pub(crate) show_plan: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) folder: Folder,
}

/// Let replicas attack, and see what the others do about it.
#[derive(Debug, Args)]
pub(crate) struct AttackArguments {
    /// What the traitors do, as NAME or NAME:KNOB=VALUE,…; several at once may be given
    #[arg(value_name = "NAME[:KNOBS]", required_unless_present = "list")]
    pub(crate) attacks: Vec<Attack>,
    /// Explain every attack, and run none
    #[arg(long)]
    pub(crate) list: bool,
    /// The number of replicas
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=16))]
    pub(crate) replicas: u16,
    /// How many of them are traitors. With more than a third of all, nothing is promised
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(0..=16))]
    pub(crate) traitors: u16,
    /// The seed
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Tell everything that happens, on stderr
    #[arg(long)]
    pub(crate) trace: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) folder: Folder,
}

/// Everything that can happen within a small scope.
#[derive(Debug, Subcommand)]
pub(crate) enum Check {
    /// Cut the power of one machine at every point of its work, and of two
    Crashes(Crashes),
    /// Deliver every message in every order to four replicas of which one lies
    Orders(Orders),
}

/// Cut the power of one machine at every point of its work, and of two.
#[derive(Debug, Args)]
pub(crate) struct Crashes {
    /// One story instead of all: height, pruned, silent-primary, prepared or committed-alone
    #[arg(long, value_name = "NAME", value_parser = story)]
    pub(crate) story: Option<Story>,
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
    #[command(flatten)]
    pub(crate) folder: Folder,
}

/// A story by its name.
fn story(name: &str) -> Result<Story, String> {
    let names = Story::ALL.map(Story::name).join(", ");
    let found = Story::ALL.into_iter().find(|story| story.name() == name);
    found.ok_or_else(|| format!("there is no such story: take one of {names}"))
}

/// Let replicas run twice, under schedules of partitions.
///
/// Every schedule of a small scope when neither samples nor a schedule are asked for.
#[derive(Debug, Args)]
pub(crate) struct Twins {
    /// The number of replicas
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(4..=7))]
    pub(crate) replicas: u16,
    /// Rounds with partitions, each of about one view; of samples the most
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=8))]
    pub(crate) views: u16,
    /// The replica that runs twice; several may be given. Each in its turn when none is given
    #[arg(long, value_delimiter = ',', conflicts_with = "samples")]
    pub(crate) twin: Vec<u16>,
    /// The most sets that the instances are parted into
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=5))]
    pub(crate) sets: u8,
    /// In every round also keep the votes to commit from all, and from all but each one
    #[arg(long)]
    pub(crate) commits: bool,
    /// Let twins hear one another: they retire when they meet
    #[arg(long)]
    pub(crate) hear: bool,
    /// Draw so many schedules instead, each from its own seed
    #[arg(long, conflicts_with = "schedule")]
    pub(crate) samples: Option<u64>,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Play this schedule alone, such as aabab-aaaaa.0
    #[arg(long, requires = "twin")]
    pub(crate) schedule: Option<String>,
    /// How many run at a time; as many as there are processors when not given
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1_024))]
    pub(crate) jobs: Option<u16>,
    /// Print the summary as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) folder: Folder,
}

/// Deliver every message in every order to four replicas of which one lies.
#[derive(Debug, Args)]
pub(crate) struct Orders {
    /// The replica that says anything it can sign. With two of them, forks are found
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "0",
        value_parser = clap::value_parser!(u16).range(0..=3)
    )]
    pub(crate) faulty: Vec<u16>,
    /// The last view that anybody asks for
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=3))]
    pub(crate) last_view: u64,
    /// How many heights have requests, and may be in flight
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=4))]
    pub(crate) heights: u64,
    /// How many blocks a liar makes on each parent in each view that it leads
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=4))]
    pub(crate) rivals: u64,
    /// Give up after so many states
    #[arg(long, default_value_t = 100_000_000)]
    pub(crate) max: u64,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) folder: Folder,
}
