//! A recording of one run: everything that a person wants to see, event by event, with virtual time.
//!
//! The world tells what happens in one stream of [`Event`]s. Whoever reads along gets each as a line of text, and a
//! [`Recorder`] keeps them. Nothing is made when nobody listens, and the digest of the trace does not hang on it. What is
//! recorded can be written as lines of JSON and read back ([`mod@file`]), and what every replica had done up to any event
//! follows from the events alone ([`state`]).
//!
//! Requests that replicas hand on to one another, and questions about blocks, are not events: what follows from them is.

use std::cell::RefCell;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::time::Time;

pub mod file;
pub(crate) mod lies;
pub mod outline;
pub mod state;
mod words;

pub use file::{Header, Trace, TraceError};
pub use lies::Lies;
pub use outline::{Kind, Said};
pub use state::State;
pub use words::{contradiction, fault};

/// The most events about messages that a recording keeps: the first ones.
pub const TRAFFIC_MAX: usize = 100_000;

/// The most other events that a recording keeps: the first ones.
pub const MILESTONES_MAX: usize = 20_000;

/// The most broken properties that a recording keeps, beside everything else: the first ones.
pub const BROKEN_MAX: usize = 1_000;

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Microseconds of virtual time since the beginning.
    pub at_us: u64,
    /// What.
    pub event: Happened,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Happened {
    /// A message goes from one replica to another.
    Sent {
        /// Its number among all that were sent.
        number: u64,
        /// Who sends it.
        from: u16,
        /// To whom.
        to: u16,
        /// What it says.
        said: Said,
        /// The attack that made it or changed it: then it is false.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attack: Option<String>,
    },
    /// A message does not arrive.
    Lost {
        /// Its number.
        number: u64,
        /// Who sent it.
        from: u16,
        /// To whom.
        to: u16,
        /// Why.
        why: Loss,
    },
    /// A message arrives.
    Arrived {
        /// Its number.
        number: u64,
        /// Who sent it.
        from: u16,
        /// Where.
        to: u16,
    },
    /// A message is not let in: its form or a signature is wrong.
    TurnedAway {
        /// Its number.
        number: u64,
        /// By whom.
        by: u16,
        /// Why.
        why: String,
    },
    /// A message is let in and changes nothing.
    Ignored {
        /// Its number.
        number: u64,
        /// By whom.
        by: u16,
        /// Why, as it is counted.
        why: String,
    },
    /// A proposal gets no vote.
    Refused {
        /// The number of the message, if one brought it just now.
        number: Option<u64>,
        /// By whom.
        by: u16,
        /// Its height.
        height: u64,
        /// The rule that it breaks, as it is counted.
        rule: String,
        /// What is wrong with it.
        why: String,
    },
    /// A traitor does something else than to send a message.
    Did {
        /// Who.
        replica: u16,
        /// Because of which attack.
        attack: String,
        /// What, as a sentence without its subject.
        deed: String,
    },
    /// A timer fires.
    TimerFired {
        /// Whose.
        replica: u16,
        /// Which.
        timer: String,
    },
    /// A replica asks for a view, or enters it.
    View {
        /// Who.
        replica: u16,
        /// Which view.
        view: u64,
        /// Its primary.
        primary: u16,
        /// Whether it has entered it; else it waits for the new view.
        entered: bool,
        /// Whether it votes in it.
        voting: bool,
        /// How long it waits for progress, in milliseconds.
        timeout_ms: u64,
    },
    /// A replica commits a block.
    Committed {
        /// Who.
        replica: u16,
        /// At which height.
        height: u64,
        /// The view in which the block was first proposed.
        view: u64,
        /// The first characters of its id.
        block: String,
        /// How many transactions are in it.
        transactions: u64,
    },
    /// A replica commits a block with a proof that a key lied: its owner leads no view any more.
    Convicted {
        /// Who commits it.
        replica: u16,
        /// At which height.
        height: u64,
        /// Whose key lied.
        culprit: u16,
    },
    /// A replica has found, or was shown, a proof that a key lied.
    Found {
        /// Who.
        replica: u16,
        /// The proof.
        proof: Contradiction,
    },
    /// A replica takes blocks that another one had committed.
    Fetched {
        /// Who.
        replica: u16,
        /// From whom.
        from: u16,
        /// How many.
        blocks: u64,
    },
    /// A replica refuses blocks that another one hands out as committed: their proofs prove nothing.
    FetchRefused {
        /// Who.
        replica: u16,
        /// From whom.
        from: u16,
        /// The height of the first that is refused.
        height: u64,
    },
    /// A process starts.
    Started {
        /// Whose.
        replica: u16,
        /// The height that was on its disk.
        height: u64,
    },
    /// A process dies.
    Died {
        /// Whose.
        replica: u16,
        /// How.
        how: String,
    },
    /// A process does not come back: what is on its disk does not allow it.
    RefusedToStart {
        /// Whose.
        replica: u16,
        /// Why.
        why: String,
    },
    /// A fault of the plan begins.
    Fault {
        /// Of which kind.
        name: String,
        /// What it does, in words.
        words: String,
    },
    /// A fault of the plan ends.
    FaultEnded {
        /// Of which kind.
        name: String,
        /// What it did, in words.
        words: String,
    },
    /// Everything heals but what stays broken.
    Healed,
    /// A client sends a request to a replica.
    Submitted {
        /// The client.
        client: u16,
        /// To whom.
        to: u16,
        /// The first characters of the transaction's id.
        transaction: String,
    },
    /// A client believes that a request is committed.
    Accepted {
        /// The client.
        client: u16,
        /// The nonce of the request.
        nonce: u64,
        /// The height at which it is committed.
        height: u64,
        /// The first characters of the block's id.
        block: String,
    },
    /// A property is broken.
    Broken {
        /// Which.
        property: String,
        /// What happened.
        sentence: String,
        /// Who did it, if it was one.
        replica: Option<u16>,
        /// At which height, if at one.
        height: Option<u64>,
    },
}

/// Why a message does not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// The link lost it, or is cut.
    Link,
    /// The process that it was for does not run.
    Down,
}

/// Two statements under one key that exclude each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contradiction {
    /// Whose key it is.
    pub culprit: u16,
    /// The kind of the proof.
    pub kind: String,
    /// The one statement, in words.
    pub first: String,
    /// The other, in words.
    pub second: String,
    /// Why nobody honest says both.
    pub wrong: String,
}

impl Happened {
    /// Whether it is about one message, request or timer: what there is most of.
    pub const fn is_traffic(&self) -> bool {
        match self {
            Self::Sent { .. }
            | Self::Lost { .. }
            | Self::Arrived { .. }
            | Self::TurnedAway { .. }
            | Self::Ignored { .. }
            | Self::TimerFired { .. }
            | Self::Submitted { .. }
            | Self::Accepted { .. }
            | Self::Did { .. } => true,
            Self::Refused { .. }
            | Self::View { .. }
            | Self::Committed { .. }
            | Self::Convicted { .. }
            | Self::Found { .. }
            | Self::Fetched { .. }
            | Self::FetchRefused { .. }
            | Self::Started { .. }
            | Self::Died { .. }
            | Self::RefusedToStart { .. }
            | Self::Fault { .. }
            | Self::FaultEnded { .. }
            | Self::Healed
            | Self::Broken { .. } => false,
        }
    }

    /// Whether it is a message that an attack made or changed.
    pub const fn is_false(&self) -> bool {
        matches!(self, Self::Sent { attack: Some(_), .. })
    }
}

/// What was recorded of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recording {
    /// The events in the order in which they happened. Of those about messages the first [`TRAFFIC_MAX`], of broken
    /// properties the first [`BROKEN_MAX`], of all others the first [`MILESTONES_MAX`].
    pub events: Vec<Event>,
    /// How many were left out.
    pub left_out: u64,
    traffic: usize,
    milestones: usize,
    broken: usize,
}

impl Recording {
    /// A recording of these events.
    pub fn of(events: Vec<Event>, left_out: u64) -> Self {
        Self { events, left_out, ..Self::default() }
    }

    fn push(&mut self, event: Event) {
        let (count, max) = if matches!(event.event, Happened::Broken { .. }) {
            (&mut self.broken, BROKEN_MAX)
        } else if event.event.is_traffic() {
            (&mut self.traffic, TRAFFIC_MAX)
        } else {
            (&mut self.milestones, MILESTONES_MAX)
        };
        if *count >= max {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        *count = count.saturating_add(1);
        self.events.push(event);
    }
}

/// Keeps what happens in a run. Copies share one recording.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Rc<RefCell<Recording>>);

impl Recorder {
    pub(crate) fn keep(&self, now: Time, event: Happened) {
        self.0.borrow_mut().push(Event { at_us: now.us(), event });
    }

    /// What was recorded so far.
    pub fn recording(&self) -> Recording {
        self.0.borrow().clone()
    }
}

#[cfg(test)]
mod tests;
