//! The event stream: stored blocks from where the client left off, then events as they come.
//!
//! A stream holds at most one block at a time; whatever lies further back stays in the store or in
//! the hub. A reader that falls so far behind that the hub has forgotten events is told to
//! reconnect, and gets the blocks it missed from the store.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, HeaderName};
use futures::{Stream, stream};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use types::number::Height;

use crate::backend::Backend;
use crate::events::{PublishedBlock, Received, Subscription};
use crate::problem::{Code, Problem};
use crate::server::answer::{Answer, body};
use crate::server::app::App;
use crate::server::connection::until_stopped;
use crate::server::query::{After, Parameters};
use crate::types::{Status, scalar};

/// The media type of event streams.
const EVENT_STREAM: &str = "text/event-stream";
/// Tells the reader to connect again with the id of the last block it saw.
const RECONNECT: &str = "event: reconnect\ndata: {}\n\n";

/// Server-sent events: `block`, `status`, `refused`, `lost` and `reconnect`.
#[utoipa::path(get, path = "/v1/events", tag = "events", params(
    ("Last-Event-ID" = Option<scalar::Integer>, Header, description = "height of the last block seen: the stream begins with the next one"),
    ("after" = Option<scalar::Integer>, Query, description = "the same, for clients that cannot send the header, which wins"),
), responses(
    (status = 200, description = "the stream; the data of each kind of event is the schema `BlockEvent`, `Status`, `RefusedEvent` or `LostEvent`", body = String, content_type = "text/event-stream"),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn events<B: Backend>(
    State(app): State<App<B>>,
    Parameters(query): Parameters<After>,
    headers: HeaderMap,
) -> Answer {
    let place = app.gates.subscribers.enter()?;
    let after = after(query, &headers)?;
    // Subscribed before anything is read, so nothing falls between the stored blocks and the live
    // ones.
    let live = app.backend.events().subscribe();
    let first = status(&app).await?;
    let reader = Reader {
        next: after.map(Height::next),
        live: after.is_none().then_some(live),
        first: Some(first),
        ticks: ticks(&app),
        app,
        _place: place,
        ended: false,
    };
    Ok(body(StatusCode::OK, EVENT_STREAM, Body::from_stream(frames(reader))))
}

/// The header wins. A browser that has seen no event may send it empty.
fn after(After(query): After, headers: &HeaderMap) -> Result<Option<Height>, Problem> {
    let header = headers.get(HeaderName::from_static("last-event-id"));
    let Some(value) = header.filter(|value| !value.is_empty()) else {
        return Ok(if header.is_some() { None } else { query });
    };
    value
        .to_str()
        .ok()
        .and_then(scalar::parse_decimal)
        .map(|height| Some(Height::new(height)))
        .ok_or_else(|| Problem::new(Code::InvalidParameter, "Last-Event-ID: it must be a height"))
}

fn ticks<B: Backend>(app: &App<B>) -> tokio::time::Interval {
    let period = app.limits.status_interval.max(std::time::Duration::from_millis(10));
    let begin = Instant::now().checked_add(period).unwrap_or_else(Instant::now);
    let mut ticks = interval_at(begin, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// One reader of the stream.
struct Reader<B> {
    app: App<B>,
    /// The next block to send; none until the first one when the stream begins now.
    next: Option<Height>,
    /// Live events; none while stored blocks are being sent.
    live: Option<Subscription>,
    /// Sent before anything else.
    first: Option<Bytes>,
    ticks: tokio::time::Interval,
    ended: bool,
    _place: OwnedSemaphorePermit,
}

/// The frames of the stream, made one at a time as the connection takes them.
fn frames<B: Backend>(reader: Reader<B>) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(reader, |mut reader| async move {
        let frame = reader.frame().await?;
        Some((Ok(frame), reader))
    })
}

impl<B: Backend> Reader<B> {
    /// The next frame; none when the stream ends.
    async fn frame(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            if *self.app.stopped.borrow() {
                return None;
            }
            if self.live.is_none() {
                match self.stored().await {
                    Stored::Frame(frame) => return Some(frame),
                    Stored::End => continue,
                    Stored::Failed => return None,
                }
            }
            match self.lived().await {
                Lived::Frame(frame) => return Some(frame),
                Lived::Skip => {}
                Lived::Behind => {
                    self.ended = true;
                    return Some(Bytes::from_static(RECONNECT.as_bytes()));
                }
                Lived::End => return None,
            }
        }
    }

    /// The next stored block. At the end of the store the reader becomes a live one: it subscribes
    /// first and looks once more, so nothing falls between.
    async fn stored(&mut self) -> Stored {
        let Some(next) = self.next else {
            self.live = Some(self.app.backend.events().subscribe());
            return Stored::End;
        };
        for live in [false, true] {
            let receiver = live.then(|| self.app.backend.events().subscribe());
            let found = match self.app.read(self.app.backend.block(next)).await {
                Ok(found) => found,
                Err(_) => return Stored::Failed,
            };
            if let Some(proved) = found {
                self.next = Some(next.next());
                let reply = self.app.backend.reply(&proved.block.header);
                return Stored::Frame(block_frame(&PublishedBlock::new(proved, reply)));
            }
            self.live = receiver;
        }
        Stored::End
    }

    /// Waits for what happens next.
    async fn lived(&mut self) -> Lived {
        let Some(live) = self.live.as_mut() else {
            return Lived::Skip;
        };
        let mut stopped = self.app.stopped.clone();
        tokio::select! {
            () = until_stopped(&mut stopped) => Lived::End,
            received = live.next() => match received {
                Received::Block(block) => self.published(&block),
                Received::Refused(event) => json_frame("refused", event.as_ref()),
                Received::Lost(event) => json_frame("lost", event.as_ref()),
                Received::Behind => Lived::Behind,
                Received::Closed => Lived::End,
            },
            _ = self.ticks.tick() => match status(&self.app).await {
                Ok(frame) => Lived::Frame(frame),
                // The validator is too busy to say how it is; the stream must still not look dead.
                Err(_) => Lived::Frame(Bytes::from_static(b": busy\n\n")),
            },
        }
    }

    fn published(&mut self, block: &PublishedBlock) -> Lived {
        let height = block.proved().block.header.height;
        match self.next {
            Some(next) if height < next => Lived::Skip,
            Some(next) if height > next => {
                // Blocks between were stored and not published, or the client is ahead of nothing
                // we know: the store has them.
                self.live = None;
                Lived::Skip
            }
            Some(_) | None => {
                self.next = Some(height.next());
                Lived::Frame(block_frame(block))
            }
        }
    }
}

/// What the store gave.
enum Stored {
    Frame(Bytes),
    End,
    Failed,
}

/// What happened while waiting.
enum Lived {
    Frame(Bytes),
    Skip,
    Behind,
    End,
}

fn block_frame(block: &PublishedBlock) -> Bytes {
    let height = block.proved().block.header.height.get();
    Bytes::from(format!("id: {height}\nevent: block\ndata: {}\n\n", block.json()))
}

async fn status<B: Backend>(app: &App<B>) -> Result<Bytes, Problem> {
    let live = app.read(app.backend.live()).await?;
    let status = Status::new(app.backend.genesis(), &live);
    match json_frame("status", &status) {
        Lived::Frame(frame) => Ok(frame),
        Lived::Skip | Lived::Behind | Lived::End => {
            Err(Problem::new(Code::Internal, "the status cannot be written"))
        }
    }
}

/// A frame of this kind. JSON has no line breaks outside of its texts, where they are escaped.
fn json_frame<T: Serialize>(kind: &str, value: &T) -> Lived {
    match serde_json::to_string(value) {
        Ok(json) => Lived::Frame(Bytes::from(format!("event: {kind}\ndata: {json}\n\n"))),
        Err(error) => {
            tracing::error!(%error, "an event cannot be written as JSON");
            Lived::Skip
        }
    }
}
