//! The description of the API, generated from the code.
//!
//! `docs/openapi.json` is a committed copy; a test compares the two and says how to renew it.

use utoipa::OpenApi;

use crate::problem::Problem;
use crate::server::{reads, streams, submits};
use crate::types::{BlockEvent, LostEvent, RefusedEvent, Status};

/// The whole description.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Logothete validator API",
        description = "What a validator of a Logothete network answers over HTTP. An answer is the \
                       word of one validator; receipts and proofs inside it make it more. Every error \
                       is a problem document (RFC 9457) with a stable code.",
    ),
    paths(
        reads::status, reads::genesis, reads::validators, reads::blocks, reads::block,
        reads::certificate, reads::wire, submits::submit, submits::submit_batch, reads::transaction,
        reads::account, reads::history, reads::evidence, reads::evidence_piece, reads::forks, reads::standing, streams::events, reads::livez, reads::readyz, reads::metrics,
        reads::openapi,
    ),
    components(schemas(Problem, BlockEvent, RefusedEvent, LostEvent, Status)),
    tags(
        (name = "validator", description = "the validator and its network"),
        (name = "blocks", description = "what is committed, and what proves it"),
        (name = "transactions", description = "submitting transactions and asking what became of them"),
        (name = "accounts", description = "balances with their proofs"),
        (name = "evidence", description = "proofs that a validator's key lied"),
        (name = "forks", description = "proposals that did not become part of the chain"),
        (name = "events", description = "what happens, as it happens"),
        (name = "operation", description = "for those who run the validator"),
    ),
)]
struct Description;

/// The OpenAPI document as JSON, with a line break at its end. Empty should it not be writable,
/// which a test excludes.
pub fn document() -> String {
    let mut text = Description::openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
