//! The table of endpoints.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{get, post};

use crate::backend::Backend;
use crate::server::answer::{Answer, method_not_allowed, route_not_found};
use crate::server::app::App;
use crate::server::gate::Gate;
use crate::server::held::held;
use crate::server::{reads, streams, submits};

/// Every endpoint.
pub(crate) fn router<B: Backend>(app: App<B>) -> Router {
    Router::new()
        .merge(small_reads(&app))
        .merge(large_reads(&app))
        .route("/v1/transactions", post(submits::submit::<B>))
        .route("/v1/transactions/batch", post(submits::submit_batch::<B>))
        .route("/v1/events", get(streams::events::<B>))
        .route("/livez", get(reads::livez))
        .route("/openapi.json", get(reads::openapi))
        .fallback(route_not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app)
}

/// Look-ups whose answer has a few kilobytes.
fn small_reads<B: Backend>(app: &App<B>) -> Router<App<B>> {
    Router::new()
        .route("/v1/status", get(reads::status::<B>))
        .route("/v1/validators", get(reads::validators::<B>))
        .route("/v1/blocks/{block}/certificate", get(reads::certificate::<B>))
        .route("/v1/transactions/{id}", get(reads::transaction::<B>))
        .route("/v1/accounts/{address}", get(reads::account::<B>))
        .route("/readyz", get(reads::readyz::<B>))
        .route_layer(from_fn_with_state(app.clone(), small_read::<B>))
}

/// Look-ups whose answer may have megabytes, or may be put together from many blocks.
fn large_reads<B: Backend>(app: &App<B>) -> Router<App<B>> {
    Router::new()
        .route("/v1/genesis", get(reads::genesis::<B>))
        .route("/v1/blocks", get(reads::blocks::<B>))
        .route("/v1/blocks/{block}", get(reads::block::<B>))
        .route("/v1/blocks/{block}/wire", get(reads::wire::<B>))
        .route("/v1/accounts/{address}/history", get(reads::history::<B>))
        .route("/v1/standing", get(reads::standing::<B>))
        .route("/v1/forks", get(reads::forks::<B>))
        .route("/v1/evidence", get(reads::evidence::<B>))
        .route("/v1/evidence/{id}", get(reads::evidence_piece::<B>))
        .route("/metrics", get(reads::metrics::<B>))
        .route_layer(from_fn_with_state(app.clone(), large_read::<B>))
}

async fn small_read<B: Backend>(State(app): State<App<B>>, request: Request, next: Next) -> Answer {
    in_place(&app.gates.reads, request, next).await
}

async fn large_read<B: Backend>(State(app): State<App<B>>, request: Request, next: Next) -> Answer {
    in_place(&app.gates.large_reads, request, next).await
}

/// Answers a request in a place of its kind, which is taken until the answer is written.
async fn in_place(gate: &Gate, request: Request, next: Next) -> Answer {
    let place = gate.enter()?;
    Ok(held(next.run(request).await, place))
}
