//! `logothete`: run a validator or a local testnet, look at them, check them, measure them.

use std::process::ExitCode;

use program::{failure, line, output, table};

mod bench;
mod cli;
mod commands;
mod explain;
#[cfg(test)]
mod fixture;
mod interrupt;
mod play;
mod scratch;
mod status;
mod stopped;
mod testnet;

fn main() -> ExitCode {
    let arguments: cli::Arguments = match line::arguments() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let mut output = output::Output::of_process(arguments.json);
    let exit = commands::run(&arguments, &mut output).unwrap_or_else(|failure| {
        output.failure(&failure);
        failure.exit
    });
    ExitCode::from(exit.code())
}
