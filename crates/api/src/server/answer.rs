//! Answers: JSON, text, and problem documents.

use axum::body::Body;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::problem::{self, Code, Problem};

/// What every handler returns.
pub(super) type Answer = Result<Response, Problem>;

/// The media type of plain text.
pub(super) const TEXT: &str = "text/plain; charset=utf-8";
/// The media type of metrics.
pub(super) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The media type of genesis documents.
pub(super) const TOML: &str = "application/toml";
/// The media type of JSON.
pub(super) const JSON: &str = "application/json";

/// A body of this type, never cached: everything here changes with the next block.
pub(super) fn body(
    status: StatusCode,
    media_type: &'static str,
    body: impl Into<Body>,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    common(headers);
    response
}

/// Headers of every answer.
pub(super) fn common(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    );
}

/// `value` as JSON.
pub(super) fn json<T: Serialize>(status: StatusCode, value: &T) -> Answer {
    let bytes = serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "an answer cannot be written as JSON");
        Problem::new(Code::Internal, "the answer cannot be written")
    })?;
    Ok(body(status, JSON, bytes))
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // A struct of texts and a number always serializes.
        let bytes = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = body(status, problem::MEDIA_TYPE, bytes);
        if let Some(seconds) = self.known_code().and_then(Code::retry_after_seconds) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// No such endpoint.
pub(super) async fn route_not_found() -> Problem {
    Problem::new(Code::RouteNotFound, "there is no such endpoint; /openapi.json lists all of them")
}

/// The endpoint exists and does not have this method. The router adds which it has; `OPTIONS` asks
/// for just that.
pub(super) async fn method_not_allowed(method: Method) -> Response {
    if method == Method::OPTIONS {
        let mut response = StatusCode::NO_CONTENT.into_response();
        common(response.headers_mut());
        return response;
    }
    Problem::new(
        Code::MethodNotAllowed,
        "the endpoint does not have this method; the Allow header lists those it has",
    )
    .into_response()
}
