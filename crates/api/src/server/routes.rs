//! The table of endpoints.

use axum::Router;
use axum::routing::{get, post};

use crate::backend::Backend;
use crate::server::answer::{method_not_allowed, route_not_found};
use crate::server::app::App;
use crate::server::{reads, streams, submits};

/// Every endpoint.
pub(crate) fn router<B: Backend>(app: App<B>) -> Router {
    Router::new()
        .route("/v1/status", get(reads::status::<B>))
        .route("/v1/genesis", get(reads::genesis::<B>))
        .route("/v1/validators", get(reads::validators::<B>))
        .route("/v1/blocks", get(reads::blocks::<B>))
        .route("/v1/blocks/{block}", get(reads::block::<B>))
        .route("/v1/blocks/{block}/certificate", get(reads::certificate::<B>))
        .route("/v1/blocks/{block}/wire", get(reads::wire::<B>))
        .route("/v1/transactions", post(submits::submit::<B>))
        .route("/v1/transactions/batch", post(submits::submit_batch::<B>))
        .route("/v1/transactions/{id}", get(reads::transaction::<B>))
        .route("/v1/accounts/{address}", get(reads::account::<B>))
        .route("/v1/accounts/{address}/history", get(reads::history::<B>))
        .route("/v1/events", get(streams::events::<B>))
        .route("/livez", get(reads::livez))
        .route("/readyz", get(reads::readyz::<B>))
        .route("/metrics", get(reads::metrics::<B>))
        .route("/openapi.json", get(reads::openapi))
        .fallback(route_not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app)
}
