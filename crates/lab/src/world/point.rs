//! Points at which a process may die, numbered as it comes to them, and deaths at given numbers.
//!
//! A plan kills a process at the next point of a kind, whichever that is. The crash
//! [matrix](crate::matrix) kills it at each point of a story in turn: the same run is repeated, and
//! up to the crash it is the same run.

use pbft::{Message, Outgoing, Output};

use super::World;
use crate::disk::Left;
use crate::plan::{Death, Moment};

/// Somebody who is told every point that a process comes to.
pub type Census = Box<dyn FnMut(Point)>;

/// A point of the work of one process: between two of the things that an output asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Whose.
    pub replica: u16,
    /// How many points this replica came to before, over all its processes.
    pub number: u64,
    /// Behind what.
    pub moment: Moment,
    /// Whether the replica was primary of its view.
    pub primary: bool,
    /// The view it was in.
    pub view: u64,
    /// The kinds of the messages that the output sends; behind a message, its kind alone.
    pub messages: Vec<&'static str>,
    /// Whether blocks are committed that are not durable yet.
    pub storing: bool,
}

/// The power of one machine fails at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash {
    /// Whose.
    pub replica: u16,
    /// At the point of this number.
    pub number: u64,
    /// What is left of records that were written and not flushed.
    pub left: Left,
    /// Whether blocks that were committed and not durable are there all the same.
    pub stored: bool,
    /// How long the machine is down.
    pub down_ms: u64,
}

/// What is asked for at the points of a run.
#[derive(Default)]
pub(super) struct Points {
    census: Option<Census>,
    crashes: Vec<Crash>,
}

impl Points {
    pub(super) const fn new(census: Option<Census>, crashes: Vec<Crash>) -> Self {
        Self { census, crashes }
    }

    fn are_counted(&self) -> bool {
        self.census.is_some() || !self.crashes.is_empty()
    }
}

impl World {
    /// A process comes to a point of an output: whether it dies there.
    pub(super) fn dies_with(&mut self, replica: u16, moment: Moment, output: &Output) -> bool {
        self.ends(replica, moment, &output.messages) || self.dies(replica, moment)
    }

    /// A process has just sent one of its messages: whether it dies there.
    pub(super) fn dies_behind(&mut self, replica: u16, sent: &Outgoing) -> bool {
        self.ends(replica, Moment::Sending, std::slice::from_ref(sent))
    }

    fn ends(&mut self, replica: u16, moment: Moment, messages: &[Outgoing]) -> bool {
        if !self.points.are_counted() || self.healed {
            return false;
        }
        let host = self.host(replica);
        let number = host.points;
        host.points = number.saturating_add(1);
        self.tell(replica, number, moment, messages);
        let struck = |crash: &&Crash| crash.replica == replica && crash.number == number;
        let Some(crash) = self.points.crashes.iter().find(struck).copied() else {
            return false;
        };
        let host = self.host(replica);
        host.journal.cut_power(crash.left);
        host.store.cut_power(crash.stored);
        self.die(replica, Death::PowerCut, crash.down_ms);
        true
    }

    fn tell(&mut self, replica: u16, number: u64, moment: Moment, messages: &[Outgoing]) {
        let host = self.host(replica);
        let storing = host.store.durable().get() < u64::try_from(host.store.len()).unwrap_or(0);
        let Some(status) = host.process.as_ref().map(|process| process.protocol.status()) else {
            return;
        };
        let mut kinds: Vec<&'static str> =
            messages.iter().map(|outgoing| Message::name(&outgoing.message)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        if let Some(census) = &mut self.points.census {
            census(Point {
                replica,
                number,
                moment,
                primary: status.primary.get() == replica,
                view: status.view.get(),
                messages: kinds,
                storing,
            });
        }
    }
}
