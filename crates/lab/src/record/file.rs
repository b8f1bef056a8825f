//! A recording as lines of JSON: a header, then one event a line.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Event, Happened, Recording};
use crate::plan::Plan;

/// The version of the format that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// What a trace says of itself in its first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of the format.
    pub logothete_lab_trace: u32,
    /// What was run, in a few words.
    pub title: String,
    /// Its seed.
    pub seed: u64,
    /// The command that repeats it.
    pub command: String,
    /// The replicas that lied.
    pub traitors: Vec<u16>,
    /// How many events are not in the file, because there were too many.
    pub left_out: u64,
    /// What was done to the network.
    pub plan: Plan,
}

/// The first line of a file that lists something else than the events of one run.
#[derive(Debug, Serialize)]
pub(crate) struct ListHeader<'a> {
    logothete_lab_list: u32,
    of: &'a str,
    title: &'a str,
    command: &'a str,
}

impl<'a> ListHeader<'a> {
    /// Of a list of such things, which this command makes.
    pub(crate) const fn new(of: &'a str, title: &'a str, command: &'a str) -> Self {
        Self { logothete_lab_list: VERSION, of, title, command }
    }
}

/// A trace: what a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Of which run.
    pub header: Header,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// Why a text is no trace.
#[derive(Debug, Error)]
pub enum TraceError {
    /// There is nothing.
    #[error("line 1: the file is empty; a trace begins with a line of \"logothete_lab_trace\"")]
    Empty,
    /// The first line is no header.
    #[error("line 1: this is no header of a trace of logothete-lab: {0}")]
    Header(serde_json::Error),
    /// It is a list of something else.
    #[error(
        "line 1: this lists the {of}, and is no trace of one run: what it says stands in report.html beside it"
    )]
    List {
        /// What it lists.
        of: String,
    },
    /// It is a trace of another version.
    #[error("line 1: the trace has version {found}, and this program reads version {VERSION}")]
    Version {
        /// The version found.
        found: u32,
    },
    /// A line is no event.
    #[error("line {line}: this is no event: {reason}")]
    Event {
        /// Its number, from 1.
        line: usize,
        /// What is wrong.
        reason: serde_json::Error,
    },
    /// Time goes backwards.
    #[error("line {line}: the event is at {at_us} us, and the one before it at {before_us} us")]
    Backwards {
        /// Its number, from 1.
        line: usize,
        /// Its time.
        at_us: u64,
        /// The time of the event before.
        before_us: u64,
    },
    /// A replica that there is not.
    #[error("line {line}: there is no replica {replica}; the plan in line 1 has {replicas}")]
    Replica {
        /// Its number, from 1.
        line: usize,
        /// The replica it names.
        replica: u16,
        /// How many there are.
        replicas: u16,
    },
}

/// As much of a first line as tells what a list is of.
#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "logothete_lab_list")]
    _version: u32,
    of: String,
}

/// As much of a first line as tells the version.
#[derive(Deserialize)]
struct Versioned {
    logothete_lab_trace: u32,
}

impl Trace {
    /// A trace of a recording.
    pub fn new(header: Header, recording: Recording) -> Self {
        let header = Header { left_out: recording.left_out, ..header };
        Self { header, events: recording.events }
    }

    /// As text: the header in the first line, then one event a line.
    ///
    /// # Errors
    ///
    /// When it cannot be written as JSON, which is so for no trace that this program makes.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string(&self.header)?;
        text.push('\n');
        for event in &self.events {
            text += &serde_json::to_string(event)?;
            text.push('\n');
        }
        Ok(text)
    }

    /// Reads a text back.
    ///
    /// # Errors
    ///
    /// The first line that is wrong, and why.
    pub fn parse(text: &str) -> Result<Self, TraceError> {
        let mut lines = (1_usize..).zip(text.lines());
        let (_, first) = lines.next().ok_or(TraceError::Empty)?;
        if let Ok(Listed { of, .. }) = serde_json::from_str(first) {
            return Err(TraceError::List { of });
        }
        let versioned: Versioned = serde_json::from_str(first).map_err(TraceError::Header)?;
        if versioned.logothete_lab_trace != VERSION {
            return Err(TraceError::Version { found: versioned.logothete_lab_trace });
        }
        let header: Header = serde_json::from_str(first).map_err(TraceError::Header)?;
        let replicas = header.plan.replicas;
        let mut events: Vec<Event> = Vec::new();
        for (line, text) in lines {
            let event: Event =
                serde_json::from_str(text).map_err(|reason| TraceError::Event { line, reason })?;
            let before_us = events.last().map_or(0, |before| before.at_us);
            if event.at_us < before_us {
                return Err(TraceError::Backwards { line, at_us: event.at_us, before_us });
            }
            let named = event.event.replicas();
            if let Some(replica) = named.into_iter().flatten().find(|named| *named >= replicas) {
                return Err(TraceError::Replica { line, replica, replicas });
            }
            events.push(event);
        }
        Ok(Self { header, events })
    }
}

impl Happened {
    /// The replicas that do it, or that it is done to.
    pub fn replicas(&self) -> [Option<u16>; 2] {
        match self {
            Self::Sent { from, to, .. }
            | Self::Lost { from, to, .. }
            | Self::Arrived { from, to, .. } => [Some(*from), Some(*to)],
            Self::TurnedAway { by, .. } | Self::Ignored { by, .. } | Self::Refused { by, .. } => {
                [Some(*by), None]
            }
            Self::Did { replica, .. }
            | Self::TimerFired { replica, .. }
            | Self::View { replica, .. }
            | Self::Committed { replica, .. }
            | Self::Convicted { replica, .. }
            | Self::Found { replica, .. }
            | Self::Started { replica, .. }
            | Self::Died { replica, .. }
            | Self::RefusedToStart { replica, .. } => [Some(*replica), None],
            Self::Fetched { replica, from, .. } | Self::FetchRefused { replica, from, .. } => {
                [Some(*replica), Some(*from)]
            }
            Self::Submitted { to, .. } => [Some(*to), None],
            Self::Broken { replica, .. } => [*replica, None],
            Self::Fault { .. } | Self::FaultEnded { .. } | Self::Healed | Self::Accepted { .. } => {
                [None, None]
            }
        }
    }
}

#[cfg(test)]
mod tests;
