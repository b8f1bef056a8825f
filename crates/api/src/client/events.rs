//! The event stream as an iterator that resumes.
//!
//! The reader remembers the height of the last block event and asks for what follows it when it has
//! to connect again, so no block is missed and none is seen twice. `status` and `refused` events
//! that were published while it was away are gone.

use std::io::{BufRead, BufReader, Read};
use std::thread;
use std::time::Duration;

use types::number::Height;
use ureq::{Agent, BodyReader};

use crate::client::error::ClientError;
use crate::problem::Problem;
use crate::types::{BlockEvent, Event};

/// A stream silent for longer is taken for dead: the server says something every few seconds.
pub const SILENCE_MAX: Duration = Duration::from_secs(15);
/// Longest line read, in bytes.
const LINE_BYTES_MAX: u64 = 16 << 20;
/// First and longest pause before connecting again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// An endless iterator over the events of one validator.
///
/// After an error the next call of `next` connects again, after a pause that grows up to two
/// seconds. A connection that ends is an error; only a server that asks to reconnect is obeyed
/// silently.
pub struct Events {
    agent: Agent,
    url: String,
    after: Option<Height>,
    reader: Option<Box<dyn BufRead + Send>>,
    pause: Duration,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Events")
            .field("url", &self.url)
            .field("after", &self.after)
            .finish_non_exhaustive()
    }
}

impl Events {
    pub(crate) fn new(agent: Agent, url: String, after: Option<Height>) -> Self {
        Self { agent, url, after, reader: None, pause: Duration::ZERO }
    }

    /// Height of the last block event seen, or the one the stream was to begin after.
    pub fn last_height(&self) -> Option<Height> {
        self.after
    }

    /// Connects if needed and reads up to the next event that is not told to reconnect.
    fn advance(&mut self) -> Result<Event, ClientError> {
        loop {
            let mut reader = match self.reader.take() {
                Some(reader) => reader,
                None => self.connect()?,
            };
            let frame = read_frame(&mut reader).map_err(|error| self.broken(&error))?;
            match self.interpret(&frame)? {
                Meaning::Event(event) => {
                    self.reader = Some(reader);
                    self.pause = Duration::ZERO;
                    return Ok(*event);
                }
                Meaning::Nothing => self.reader = Some(reader),
                Meaning::Reconnect => {}
            }
        }
    }

    fn connect(&mut self) -> Result<Box<dyn BufRead + Send>, ClientError> {
        thread::sleep(self.pause);
        self.pause = self.pause.saturating_mul(2).clamp(PAUSE.0, PAUSE.1);
        let mut request =
            self.agent.get(format!("{}/v1/events", self.url)).header("accept", "text/event-stream");
        if let Some(after) = self.after {
            request = request.header("last-event-id", after.get().to_string());
        }
        let mut response = request
            .config()
            .timeout_global(None)
            .timeout_recv_response(Some(SILENCE_MAX))
            .timeout_per_read(Some(SILENCE_MAX))
            .build()
            .call()
            .map_err(|error| ClientError::of(&self.url, &error))?;
        if response.status().as_u16() == 200 {
            return Ok(buffered(response.into_body().into_reader()));
        }
        let body = response.body_mut().with_config().limit(64 << 10);
        match body.read_json::<Problem>() {
            Ok(problem) => {
                Err(ClientError::Problem { url: self.url.clone(), problem: Box::new(problem) })
            }
            Err(error) => Err(ClientError::of(&self.url, &error)),
        }
    }

    fn interpret(&mut self, frame: &Frame) -> Result<Meaning, ClientError> {
        let event = match frame.event.as_str() {
            "block" => {
                let block: BlockEvent = self.parse(&frame.data)?;
                // Whatever a server repeats, nobody sees a height twice.
                if self.after.is_some_and(|after| block.height <= after) {
                    return Ok(Meaning::Nothing);
                }
                self.after = Some(block.height);
                Event::Block(block)
            }
            "status" => Event::Status(Box::new(self.parse(&frame.data)?)),
            "refused" => Event::Refused(self.parse(&frame.data)?),
            "lost" => Event::Lost(self.parse(&frame.data)?),
            "reconnect" => return Ok(Meaning::Reconnect),
            // A comment that keeps the connection open, or a kind that a later version has.
            _ => return Ok(Meaning::Nothing),
        };
        Ok(Meaning::Event(Box::new(event)))
    }

    fn parse<T: serde::de::DeserializeOwned>(&self, data: &str) -> Result<T, ClientError> {
        serde_json::from_str(data).map_err(|error| ClientError::Garbled {
            url: self.url.clone(),
            reason: error.to_string(),
        })
    }

    fn broken(&self, error: &std::io::Error) -> ClientError {
        ClientError::of_io(self.url.clone(), error)
    }
}

impl Iterator for Events {
    type Item = Result<Event, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.advance())
    }
}

fn buffered(body: BodyReader<'static>) -> Box<dyn BufRead + Send> {
    Box::new(BufReader::with_capacity(64 << 10, body))
}

/// What a frame asks the reader to do.
enum Meaning {
    Event(Box<Event>),
    Nothing,
    Reconnect,
}

/// One frame of the stream, its fields joined as the format says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Frame {
    event: String,
    data: String,
}

/// Reads up to the blank line that ends a frame. Unknown fields and comments are skipped.
fn read_frame(reader: &mut dyn BufRead) -> std::io::Result<Frame> {
    let mut frame = Frame::default();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            return Ok(frame);
        }
        let (field, value) = line.split_once(':').unwrap_or((line.as_str(), ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut frame.event),
            "data" => {
                if !frame.data.is_empty() {
                    frame.data.push('\n');
                }
                let bytes = frame.data.len().saturating_add(value.len());
                if u64::try_from(bytes).unwrap_or(u64::MAX) > LINE_BYTES_MAX {
                    return Err(std::io::Error::other("an event is too long"));
                }
                frame.data.push_str(value);
            }
            _ => {}
        }
    }
}

/// Reads one line without its end, at most [`LINE_BYTES_MAX`] bytes of it.
fn read_line(reader: &mut dyn BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    let read = reader.take(LINE_BYTES_MAX).read_line(&mut line)?;
    if !line.ends_with('\n') {
        return Err(if read == 0 {
            std::io::ErrorKind::UnexpectedEof.into()
        } else {
            std::io::Error::other("a line is too long or the stream ended within it")
        });
    }
    line.pop();
    if line.ends_with('\r') {
        line.pop();
    }
    Ok(line)
}

#[cfg(test)]
mod tests;
