//! What every replica had done at one point of a recording, from the events before it alone.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Event, Happened, Said};
use crate::time::Time;

/// A network at one point of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The time of the last event.
    pub at: Time,
    /// Every replica.
    pub replicas: Vec<Standing>,
    /// The numbers of the messages on their way.
    pub on_the_way: BTreeSet<u64>,
    /// Properties that were broken so far.
    pub broken: Vec<String>,
}

/// Where one replica stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Whether its process runs.
    pub up: bool,
    /// The view it is in, or asks for.
    pub view: u64,
    /// Whether it has entered the view.
    pub entered: bool,
    /// The primary of the view, once it has been in one.
    pub primary: u16,
    /// The height it has committed.
    pub height: u64,
    /// The block at this height.
    pub block: Option<String>,
    /// What it has voted for above this height, each vote once, and whether an attack made the vote.
    pub votes: BTreeSet<(Said, bool)>,
}

impl State {
    /// The state of a network of so many replicas behind these events.
    pub fn after(replicas: u16, events: &[Event]) -> Self {
        let mut state = Self {
            at: Time::default(),
            replicas: vec![Standing::default(); usize::from(replicas)],
            on_the_way: BTreeSet::new(),
            broken: Vec::new(),
        };
        for event in events {
            state.at = Time::from_us(event.at_us);
            state.take(&event.event);
        }
        state
    }

    fn take(&mut self, event: &Happened) {
        match event {
            Happened::Sent { number, from, said, attack, .. } => {
                self.on_the_way.insert(*number);
                let own = said.is_vote() && said.author == Some(*from);
                if let Some(standing) = self.of(*from).filter(|_| own) {
                    standing.votes.insert((said.clone(), attack.is_some()));
                }
            }
            Happened::Lost { number, .. } | Happened::Arrived { number, .. } => {
                self.on_the_way.remove(number);
            }
            Happened::View { replica, view, primary, entered, .. } => {
                if let Some(standing) = self.of(*replica) {
                    (standing.view, standing.entered, standing.primary) =
                        (*view, *entered, *primary);
                }
            }
            Happened::Committed { replica, height, block, .. } => {
                if let Some(standing) = self.of(*replica) {
                    standing.height = *height;
                    standing.block = Some(block.clone());
                    standing.votes.retain(|(said, _)| said.height > Some(*height));
                }
            }
            Happened::Started { replica, height } => {
                if let Some(standing) = self.of(*replica) {
                    standing.up = true;
                    standing.height = *height;
                }
            }
            Happened::Died { replica, .. } | Happened::RefusedToStart { replica, .. } => {
                if let Some(standing) = self.of(*replica) {
                    standing.up = false;
                }
            }
            Happened::Broken { .. } => self.broken.push(event.to_string()),
            Happened::TurnedAway { .. }
            | Happened::Ignored { .. }
            | Happened::Refused { .. }
            | Happened::Did { .. }
            | Happened::TimerFired { .. }
            | Happened::Convicted { .. }
            | Happened::Found { .. }
            | Happened::Fetched { .. }
            | Happened::FetchRefused { .. }
            | Happened::Fault { .. }
            | Happened::FaultEnded { .. }
            | Happened::Healed
            | Happened::Submitted { .. }
            | Happened::Accepted { .. } => {}
        }
    }

    fn of(&mut self, replica: u16) -> Option<&mut Standing> {
        self.replicas.get_mut(usize::from(replica))
    }

    /// As a table for people. Traitors are marked.
    pub fn table(&self, traitors: &[u16]) -> String {
        let mut text = format!("at {}\n", self.at);
        for (replica, standing) in (0_u16..).zip(&self.replicas) {
            let mark = if traitors.contains(&replica) { " (lies)" } else { "" };
            let Standing { up, view, entered, primary, height, block, votes } = standing;
            let runs = if *up { "up  " } else { "DOWN" };
            let (verb, view) = (if *entered { "in" } else { "asks for" }, format!("view {view}"));
            let block = block.as_deref().map(|block| format!(" {block}")).unwrap_or_default();
            // Writing to a string does not fail.
            writeln!(
                text,
                "  replica {replica}{mark}: {runs}  {verb} {view} (primary {primary}), height {height}{block}"
            )
            .ok();
            for (said, lie) in votes.iter().take(VOTES_SHOWN) {
                let lie = if *lie { "  FALSE" } else { "" };
                writeln!(text, "      voted: {said}{lie}").ok();
            }
            if let Some(more) = votes.len().checked_sub(VOTES_SHOWN).filter(|more| *more > 0) {
                writeln!(text, "      and {more} more votes").ok();
            }
        }
        write!(text, "  messages on their way: {}", self.on_the_way.len()).ok();
        for broken in &self.broken {
            write!(text, "\n  {broken}").ok();
        }
        text
    }
}

/// How many votes of a replica are shown.
const VOTES_SHOWN: usize = 6;
