//! `logothete-adversary`: a validator that attacks its network, with the key that the network knows.
//!
//! Everything around the core is that of an honest validator ([`node`]); in its place stands a
//! [`Traitor`](byzantine::Traitor). No other program can reach an attack.

use std::process::ExitCode;

use clap::Parser;
use program::output::Output;

mod cli;
mod deeds;
mod list;
mod run;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    let mut output = Output::of_process(arguments.json);
    let ended = match arguments.command {
        cli::Command::Run(run) => run::run(run, arguments.json),
        cli::Command::List(list) => list::run(&list, &mut output),
    };
    let exit = ended.unwrap_or_else(|failure| {
        output.failure(&failure);
        failure.exit
    });
    ExitCode::from(exit.code())
}
