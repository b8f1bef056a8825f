//! `logothete forks`: every block that was proposed and did not become part of the chain.
//!
//! Each validator knows its own part, so what all of them tell is laid together. That a block was proposed, and who
//! voted for it, is believed for its signatures alone, which are checked here against the genesis: what does not
//! hold is left out and told of on a line of its own, so that nobody is framed. What was committed instead is believed
//! for its certificate. Why a validator refused a block, and when it left the view, is that validator's word.

mod merge;
mod report;

use api::client::Client;
use api::client::error::ClientError;
use api::types::BlockName;
use crypto::verify::batch_holds;
use types::genesis::Genesis;
use types::lost::{LostProposal, Winner};
use types::number::Height;

use crate::cli::network::ForksArguments;
use crate::commands::evidence::Place;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use merge::Merged;
use report::ForksReport;

/// Lost proposals in a page that is asked for.
const PAGE: u32 = 100;

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
    for (name, client) in place.answering() {
        match told(client, limit) {
            Ok(Told { lost, forgotten }) => merged.add(name, lost, forgotten),
            Err(error) => merged.problems.push(format!("{name}: {error}")),
        }
    }
    merged.cut(limit);
    for height in merged.heights() {
        let winner = place.answering().iter().find_map(|(_, client)| {
            let answer = client.certificate(BlockName::Height(height)).ok().flatten()?;
            committed(place.genesis(), height, &answer.header, &answer.proof)
        });
        merged.decide(height, winner);
    }
    let evidence = place.pieces().map(|listed| listed.pieces).unwrap_or_default();
    let pieces = evidence.into_iter().map(|(piece, _)| piece).collect();
    output.result(&ForksReport::new(place.genesis(), place.asked(), merged, pieces))?;
    Ok(Exit::Done)
}

/// What one validator tells.
struct Told {
    lost: Vec<LostProposal>,
    forgotten: u64,
}

/// The highest lost proposals that a validator saw, so many.
fn told(client: &Client, limit: usize) -> Result<Told, ClientError> {
    let mut told = Told { lost: Vec::new(), forgotten: 0 };
    let mut before = None;
    while told.lost.len() < limit {
        let page = client.forks(before, PAGE)?;
        told.forgotten = page.forgotten;
        before = page.next;
        told.lost.extend(page.forks.into_iter().map(|fork| fork.lost));
        if before.is_none() {
            break;
        }
    }
    Ok(told)
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
