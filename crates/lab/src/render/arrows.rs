//! The messages of a recording, each with what became of it, and which of them a picture shows.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::MESSAGES_SHOWN;
use crate::record::{Event, Happened, Said};

/// A message.
#[derive(Debug)]
pub(super) struct Arrow<'a> {
    pub(super) number: u64,
    pub(super) from: u16,
    pub(super) to: u16,
    pub(super) said: &'a Said,
    /// The attack that made it.
    pub(super) attack: Option<&'a str>,
    pub(super) sent_us: u64,
    pub(super) end: End,
    /// Why it was turned away at the door, or refused as a proposal.
    pub(super) refused: Option<String>,
}

/// Where a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It arrived.
    Arrived(u64),
    /// It was lost.
    Lost,
    /// It was on its way when the run ended.
    OnTheWay,
}

/// Every message, in the order in which they were sent.
pub(super) fn all(events: &[Event]) -> Vec<Arrow<'_>> {
    let mut arrows: BTreeMap<u64, Arrow<'_>> = BTreeMap::new();
    for event in events {
        match &event.event {
            Happened::Sent { number, from, to, said, attack } => {
                let arrow = Arrow {
                    number: *number,
                    from: *from,
                    to: *to,
                    said,
                    attack: attack.as_deref(),
                    sent_us: event.at_us,
                    end: End::OnTheWay,
                    refused: None,
                };
                arrows.insert(*number, arrow);
            }
            Happened::Arrived { number, .. } => {
                end(&mut arrows, *number, End::Arrived(event.at_us))
            }
            Happened::Lost { number, .. } => end(&mut arrows, *number, End::Lost),
            Happened::TurnedAway { number, why, .. } => refuse(&mut arrows, *number, why),
            Happened::Refused { number: Some(number), why, .. } => {
                refuse(&mut arrows, *number, why);
            }
            Happened::Refused { number: None, .. }
            | Happened::Ignored { .. }
            | Happened::Did { .. }
            | Happened::TimerFired { .. }
            | Happened::View { .. }
            | Happened::Committed { .. }
            | Happened::Convicted { .. }
            | Happened::Found { .. }
            | Happened::Fetched { .. }
            | Happened::FetchRefused { .. }
            | Happened::Started { .. }
            | Happened::Died { .. }
            | Happened::RefusedToStart { .. }
            | Happened::Fault { .. }
            | Happened::FaultEnded { .. }
            | Happened::Healed
            | Happened::Submitted { .. }
            | Happened::Accepted { .. }
            | Happened::Broken { .. } => {}
        }
    }
    arrows.into_values().collect()
}

/// The first thing that becomes of a message counts: one that arrives twice has arrived.
fn end(arrows: &mut BTreeMap<u64, Arrow<'_>>, number: u64, end: End) {
    if let Some(arrow) = arrows.get_mut(&number).filter(|arrow| arrow.end == End::OnTheWay) {
        arrow.end = end;
    }
}

fn refuse(arrows: &mut BTreeMap<u64, Arrow<'_>>, number: u64, why: &str) {
    if let Some(arrow) = arrows.get_mut(&number) {
        arrow.refused.get_or_insert_with(|| why.to_owned());
    }
}

impl Arrow<'_> {
    /// Whether a picture would show it: what agrees on something, and what is false.
    pub(super) const fn matters(&self) -> bool {
        self.said.kind.decides() || self.attack.is_some()
    }

    /// What became of it, in words.
    pub(super) fn fate(&self) -> String {
        let end = match self.end {
            End::Arrived(at_us) => format!("arrives at {} ms", super::markup::ms(at_us)),
            End::Lost => "is lost".to_owned(),
            End::OnTheWay => "is on its way at the end".to_owned(),
        };
        match &self.refused {
            Some(why) => format!("{end}, and gets no vote or is turned away: {why}"),
            None => end,
        }
    }

    /// All of it, in words.
    pub(super) fn words(&self) -> String {
        let Self { number, from, to, said, .. } = self;
        let lie = self.attack.map(|attack| format!("FALSE ({attack}): ")).unwrap_or_default();
        let (sent, fate) = (super::markup::ms(self.sent_us), self.fate());
        format!("{lie}replica {from} to {to}: {said} #{number}, sent at {sent} ms, {fate}")
    }
}

/// How many messages to all are shown before and behind a moment that matters.
const AROUND: (usize, usize) = (3, 13);

/// How many are shown before and behind the moment at which a property is broken.
const AROUND_BREACH: (usize, usize) = (30, 2);

/// The most moments that matter.
const ANCHORS_MAX: usize = 8;

/// Fewer messages than so many are not left out between two stretches.
const GAP_MIN: usize = 8;

/// The stretches of messages that a picture shows: all, if they are few enough, else those around what matters.
pub(super) fn excerpts(arrows: &[&Arrow<'_>], events: &[Event], n: u16) -> Vec<Range<usize>> {
    if arrows.len() <= MESSAGES_SHOWN {
        return std::iter::once(0..arrows.len()).filter(|all| !all.is_empty()).collect();
    }
    let mut chosen = BTreeSet::new();
    for (at_us, (before, behind)) in anchors(events) {
        let others = usize::from(n.saturating_sub(1));
        let (before, behind) = (before.saturating_mul(others), behind.saturating_mul(others));
        let place = arrows.partition_point(|arrow| arrow.sent_us < at_us);
        let end = place.saturating_add(behind).min(arrows.len());
        for index in place.saturating_sub(before)..end {
            if chosen.len() < MESSAGES_SHOWN.saturating_sub(ANCHORS_MAX * GAP_MIN) {
                chosen.insert(index);
            }
        }
    }
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for index in chosen {
        match ranges.last_mut() {
            // A gap takes more room than a few messages.
            Some(last) if index <= last.end.saturating_add(GAP_MIN) => {
                last.end = index.saturating_add(1);
            }
            Some(_) | None => ranges.push(index..index.saturating_add(1)),
        }
    }
    ranges
}

/// The moments that matter, the most important first.
fn anchors(events: &[Event]) -> Vec<(u64, (usize, usize))> {
    let first = |is: fn(&Happened) -> bool| {
        events.iter().find(|event| is(&event.event)).map(|event| event.at_us)
    };
    let broken = first(|event| matches!(event, Happened::Broken { .. }));
    let others = [
        first(Happened::is_false),
        Some(0),
        first(|event| matches!(event, Happened::View { entered: false, .. })),
        first(|event| matches!(event, Happened::Refused { .. })),
        first(|event| matches!(event, Happened::Died { .. })),
        first(|event| matches!(event, Happened::Fault { .. })),
        first(|event| matches!(event, Happened::Convicted { .. })),
    ];
    let broken = broken.map(|at_us| (at_us, AROUND_BREACH));
    broken.into_iter().chain(others.into_iter().flatten().map(|at_us| (at_us, AROUND))).collect()
}
