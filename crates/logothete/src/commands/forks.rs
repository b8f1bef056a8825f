//! `logothete forks`: every block that was proposed and did not become part of the chain.
//!
//! Each validator knows its own part, so what all of them tell is laid together. That a block was proposed, and who
//! voted for it, is believed for its signatures alone, which are checked here against the genesis: what does not
//! hold is left out and told of on a line of its own, so that nobody is framed. What was committed instead is believed
//! for its certificate. Why a validator refused a block, and when it left the view, is that validator's word.

mod merge;
mod report;

use std::cell::Cell;

use api::client::error::ClientError;
use api::types::BlockName;
use crypto::verify::batch_holds;
use types::genesis::Genesis;
use types::lost::Winner;
use types::number::Height;

use crate::cli::network::ForksArguments;
use crate::commands::evidence::{Place, Validator};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use merge::Merged;
use report::ForksReport;

/// Asks everybody.
///
/// # Errors
///
/// [`Exit::NotFound`] when there is no network or no genesis, [`Exit::Unreachable`] when no validator answers,
/// [`Exit::Usage`] for a URL that is none.
pub(crate) fn run(arguments: &ForksArguments, output: &mut Output) -> Result<Exit, Failure> {
    let place = Place::find(&arguments.place.of_evidence())?;
    let limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let mut merged = Merged::new(place.genesis());
    for validator in place.answering() {
        if let Err(error) = add_told(validator, limit, &mut merged) {
            merged.problems.push(format!("{}: {error}", validator.name));
        }
    }
    merged.cut(limit);
    for height in merged.heights() {
        let winner = place.answering().iter().find_map(|validator| {
            let answer = validator.ask(|client| client.certificate(BlockName::Height(height)));
            let answer = answer.ok().flatten()?;
            committed(place.genesis(), height, &answer.header, &answer.proof)
        });
        merged.decide(height, winner);
    }
    let evidence = place.pieces().map(|listed| listed.pieces).unwrap_or_default();
    let pieces = evidence.into_iter().map(|(piece, _)| piece).collect();
    output.result(&ForksReport::new(place.genesis(), place.asked(), merged, pieces))?;
    Ok(Exit::Done)
}

/// Adds the highest lost proposals that a validator saw, so many; each page is checked before the next is asked for.
fn add_told(
    validator: &Validator,
    limit: usize,
    merged: &mut Merged<'_>,
) -> Result<(), ClientError> {
    let forgotten = Cell::new(0);
    validator.list(
        limit,
        |client, before, count| {
            let page = client.forks(before, count)?;
            forgotten.set(page.forgotten);
            Ok((page.forks.into_iter().map(|fork| fork.lost).collect(), page.next))
        },
        |next, before| next < before,
        |lost| merged.add(&validator.name, lost, forgotten.get()),
    )
}

/// What is committed at a height, if the proof of it holds.
fn committed(
    genesis: &Genesis,
    height: Height,
    header: &types::block::Header,
    proof: &types::proof::Proof,
) -> Option<Winner> {
    let mut claims = Vec::new();
    proof.claims(header, genesis.validators(), &mut claims).ok()?;
    let holds = header.height == height && batch_holds(&claims);
    holds.then(|| Winner { block: header.id(), view: proof.certificate.statement.view })
}

#[cfg(test)]
mod tests;
