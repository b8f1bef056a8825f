//! `logothete-adversary`: a validator that attacks its network, with the key that the network knows, and a client that
//! attacks validators.
//!
//! Most of it is an honest validator ([`node`]); in the place of its core stands a [`Traitor`](byzantine::Traitor), and
//! around its answers what makes them false. No other program can reach an attack.

use std::process::ExitCode;

use program::line;
use program::output::Output;

mod cli;
mod client;
mod deeds;
mod flood;
mod list;
mod parts;
mod replies;
mod run;

fn main() -> ExitCode {
    let arguments: cli::Arguments = match line::arguments() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let mut output = Output::of_process(arguments.json);
    let ended = match arguments.command {
        cli::Command::Run(run) => run::run(run, arguments.json),
        cli::Command::Client(client) => client::run(&client, &mut output),
        cli::Command::List(list) => list::run(&list, &mut output),
    };
    let exit = ended.unwrap_or_else(|failure| {
        output.failure(&failure);
        failure.exit
    });
    ExitCode::from(exit.code())
}
