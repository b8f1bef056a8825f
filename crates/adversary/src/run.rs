//! `logothete-adversary run`: a validator whose parts lie.

use byzantine::attack::Attack;
use program::failure::{Exit, Failure};
use program::validator;

use crate::cli::RunArguments;
use crate::parts::Attacker;

/// Runs the validator.
///
/// # Errors
///
/// Fails when it cannot start or a fault ends it.
pub(crate) fn run(arguments: RunArguments, json: bool) -> Result<Exit, Failure> {
    let RunArguments { attacks, seed, validator } = arguments;
    let attacks: Vec<Attack> = attacks.into_iter().map(|known| known.0).collect();
    validator::run(&validator, |config, stop| {
        let attacker = Attacker::new(&config, attacks, seed, json);
        node::run_as(config, stop, attacker)
    })
}
