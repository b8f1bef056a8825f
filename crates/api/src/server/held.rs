//! Answers that keep their place until they are written.
//!
//! A place that is given back when an answer is made would bound how many are being made, and not how
//! many lie in memory: a client that reads slowly, or not at all, keeps one for as long as the
//! connection lasts.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

/// The answer, which gives its place back when its last byte is written or its connection is gone.
pub(super) fn held(response: Response, place: OwnedSemaphorePermit) -> Response {
    response.map(|body| Body::new(Held { body, place: Arc::new(place) }))
}

/// A body with its place.
struct Held {
    body: Body,
    place: Arc<OwnedSemaphorePermit>,
}

/// Bytes of a body. The connection keeps them after the body has ended, until they are written.
struct HeldBytes {
    bytes: Bytes,
    _place: Arc<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for HeldBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(context);
        polled.map_ok(|frame| {
            let place = &this.place;
            frame
                .map_data(|bytes| Bytes::from_owner(HeldBytes { bytes, _place: Arc::clone(place) }))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
