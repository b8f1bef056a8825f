//! In which view each replica was, and whether it ran, from when to when.

use crate::record::{Event, Happened};

/// A stretch of time in which nothing of this changed for one replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Phase {
    pub(super) from_us: u64,
    pub(super) to_us: u64,
    pub(super) up: bool,
    pub(super) view: u64,
    /// Whether the view is entered; else it is asked for.
    pub(super) entered: bool,
}

/// The phases of one replica, in order, from the beginning to the end.
pub(super) fn of(replica: u16, events: &[Event], end_us: u64) -> Vec<Phase> {
    let mut now = Phase { from_us: 0, to_us: end_us, up: false, view: 0, entered: true };
    let mut phases = Vec::new();
    for event in events {
        let mut next = Phase { from_us: event.at_us, ..now };
        if event.event.replicas().first() != Some(&Some(replica)) {
            continue;
        }
        if let Happened::View { view, entered, .. } = &event.event {
            (next.view, next.entered) = (*view, *entered);
        }
        if matches!(event.event, Happened::Started { .. }) {
            next.up = true;
        }
        if matches!(event.event, Happened::Died { .. } | Happened::RefusedToStart { .. }) {
            next.up = false;
        }
        if (next.up, next.view, next.entered) != (now.up, now.view, now.entered) {
            phases.push(Phase { to_us: event.at_us, ..now });
            now = next;
        }
    }
    phases.push(now);
    phases.retain(|phase| phase.to_us > phase.from_us);
    phases
}
