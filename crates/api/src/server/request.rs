//! Reading requests: path segments and bodies, each refused by a problem document. The parameters
//! in their queries are read by [`query`](crate::server::query).

use std::str::FromStr;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, Path, Request};
use axum::http::header;
use axum::http::request::Parts;

use crate::problem::{Code, Problem};

/// The one variable segment of a path, read as a `T`.
pub(crate) struct Segment<T>(pub(crate) T);

/// A value that stands in a path.
pub(crate) trait Named: FromStr<Err: std::fmt::Display> {}

impl Named for crate::types::BlockName {}
impl Named for types::transaction::TransactionId {}
impl Named for types::evidence::EvidenceId {}
/// Addresses need the network's prefix: the handler reads them.
impl Named for String {}

impl<S: Send + Sync, T: Named> FromRequestParts<S> for Segment<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::new(Code::InvalidParameter, "the path is not UTF-8 text"))?;
        text.parse()
            .map(Self)
            .map_err(|error| Problem::new(Code::InvalidParameter, error.to_string()))
    }
}

/// The whole body of a JSON request, at most `bytes_max` long and there within `timeout`.
pub(crate) async fn json_body(
    request: Request,
    bytes_max: usize,
    timeout: Duration,
) -> Result<Bytes, Problem> {
    if !is_json(&request) {
        return Err(Problem::new(Code::UnsupportedMediaType, "send the body as application/json"));
    }
    let too_large =
        || Problem::new(Code::BodyTooLarge, format!("at most {bytes_max} bytes are read"));
    if announced_bytes(&request).is_some_and(|bytes| bytes > bytes_max) {
        return Err(too_large());
    }
    let read = read_all(request.into_body(), bytes_max);
    match tokio::time::timeout(timeout, read).await {
        Err(_) => Err(Problem::new(
            Code::RequestTimeout,
            format!("the body was not there after {} ms", timeout.as_millis()),
        )),
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(ReadError::TooLarge)) => Err(too_large()),
        Ok(Err(ReadError::Broken)) => {
            Err(Problem::new(Code::MalformedJson, "the body ended before it was whole"))
        }
    }
}

enum ReadError {
    TooLarge,
    Broken,
}

async fn read_all(body: Body, bytes_max: usize) -> Result<Bytes, ReadError> {
    to_bytes(body, bytes_max).await.map_err(|error| {
        // The library says only by the type of the innermost cause which of the two it was.
        let mut cause: &dyn std::error::Error = &error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        if cause.to_string().contains("length limit exceeded") {
            ReadError::TooLarge
        } else {
            ReadError::Broken
        }
    })
}

fn is_json(request: &Request) -> bool {
    let media_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}

fn announced_bytes(request: &Request) -> Option<usize> {
    let length = request.headers().get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}
