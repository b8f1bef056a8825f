//! `logothete-adversary run`: an honest validator's shell around a traitor.

use byzantine::Traitor;
use program::failure::{Exit, Failure};
use program::output::Output;
use program::validator;

use crate::cli::RunArguments;
use crate::deeds;

/// Runs the validator.
///
/// # Errors
///
/// Fails when it cannot start or a fault ends it.
pub(crate) fn run(arguments: RunArguments, json: bool) -> Result<Exit, Failure> {
    let RunArguments { attacks, seed, validator } = arguments;
    validator::run(&validator, |config, stop| {
        node::run_as(config, stop, move |replica, config| {
            let names: Vec<&str> = attacks.iter().map(|attack| attack.kind.name).collect();
            tracing::warn!(attacks = names.join(" "), seed, "this validator attacks its network");
            let validators = config.genesis.validators().clone();
            let witness = deeds::witness(&validators, Output::of_process(json));
            let signer = config.signer.clone();
            Traitor::new(config.replica, replica, validators, signer, attacks, seed, witness)
        })
    })
}
