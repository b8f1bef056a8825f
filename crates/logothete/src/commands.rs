//! The commands, one file each.

pub(crate) mod audit;
pub(crate) mod evidence;
pub(crate) mod explain;
pub(crate) mod forensics;
pub(crate) mod forks;
pub(crate) mod genesis;
pub(crate) mod keys;
pub(crate) mod status;
pub(crate) mod testnet;

use program::validator;

use crate::bench;
use crate::cli::{Arguments, Command};
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Runs the command.
///
/// # Errors
///
/// Fails as the command does; the failure holds the exit code.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::Validator(arguments) => validator::run(arguments, node::run),
        Command::Testnet(arguments) => testnet::run(arguments, output),
        Command::Status(arguments) => status::run(arguments, output),
        Command::Audit(arguments) => audit::run(arguments, output),
        Command::Evidence(arguments) => evidence::run(arguments, output),
        Command::Forks(arguments) => forks::run(arguments, output),
        Command::Explain(arguments) => explain::run(arguments, output),
        Command::Forensics(arguments) => forensics::run(arguments, output),
        Command::Bench(arguments) => bench::run(arguments, output),
        Command::Keys(command) => keys::run(command, output),
        Command::Genesis(command) => genesis::run(command, output),
    }
}
