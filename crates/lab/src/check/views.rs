//! S5 and S6 for views: what each key asks for and what it enters, once for each view and not before
//! it is durable; and S12, whom evidence accuses.

use std::collections::BTreeMap;

use pbft::{Message, Record};
use types::block::BlockId;
use types::evidence::Evidence;
use types::number::{Height, View};
use types::view_change::{NewView, ViewChange};
use types::vote::{Phase, Vote};

use super::reading::{Word, vote_recorded, word_recorded, word_said};
use super::{Broken, Property};

/// What was certified, as far as it counts as different.
type Certified = Option<(View, Height, BlockId)>;

/// Who asked for a view, with what.
type Asked = Vec<(u16, Certified)>;

/// What every key has said about views.
#[derive(Debug, Clone, Default)]
pub(super) struct Views {
    replicas: u64,
    voices: BTreeMap<u16, Voice>,
}

/// One key.
#[derive(Debug, Clone, Default)]
struct Voice {
    /// What was flushed of what it asked for.
    asked: BTreeMap<View, Certified>,
    /// What was flushed of what it has entered.
    entered: BTreeMap<View, Asked>,
    /// The place of its greatest commit vote.
    committed: Option<(View, Height)>,
}

impl Views {
    /// Of a network of so many replicas.
    pub(super) fn new(replicas: usize) -> Self {
        let replicas = u64::try_from(replicas).unwrap_or(1).max(1);
        Self { replicas, voices: BTreeMap::new() }
    }

    /// Records were flushed.
    pub(super) fn recorded(&mut self, replica: u16, records: &[Record]) -> Option<Broken> {
        records.iter().find_map(|record| {
            if let Some((vote, _)) = vote_recorded(record) {
                return self.votes(replica, vote);
            }
            match word_recorded(record)? {
                Word::Asks(asked) => self.asks(replica, asked),
                Word::Enters(new_view) => self.enters(replica, new_view),
            }
        })
    }

    /// A replica has come back with these records: what was not flushed may be there all the same.
    pub(super) fn restarted(&mut self, replica: u16, records: &[Record]) -> Option<Broken> {
        records.iter().find_map(|record| match word_recorded(record)? {
            Word::Asks(asked) => self.asks(replica, asked),
            Word::Enters(new_view) => self.enters(replica, new_view),
        })
    }

    /// A message is sent.
    pub(super) fn said(&self, replica: u16, message: &Message) -> Option<Broken> {
        let voice = self.voices.get(&replica);
        let (view, durable) = match word_said(message)? {
            Word::Asks(asked) if asked.replica.get() != replica => return None,
            Word::Asks(asked) => {
                let known = voice.and_then(|voice| voice.asked.get(&asked.view));
                (asked.view, known == Some(&certified(asked)))
            }
            Word::Enters(new_view) if self.primary(new_view.view) != replica => return None,
            Word::Enters(new_view) => {
                let known = voice.and_then(|voice| voice.entered.get(&new_view.view));
                (new_view.view, known == Some(&asked(new_view)))
            }
        };
        if durable {
            return None;
        }
        let sentence = format!("a word about view {view} is sent and not durable");
        Some(broken(Property::S6, sentence))
    }

    /// Evidence is found: not against one who follows the protocol.
    pub(super) fn accused(&self, evidence: &Evidence) -> u16 {
        match evidence {
            Evidence::Votes { first: vote, .. }
            | Evidence::Branches { higher: vote, .. }
            | Evidence::Forgotten { commit: vote, .. } => vote.replica.get(),
            Evidence::ViewChanges { first, .. } => first.replica.get(),
            Evidence::NewViews { first, .. } => self.primary(first.statement.view),
        }
    }

    fn primary(&self, view: View) -> u16 {
        let primary = view.get().checked_rem(self.replicas).unwrap_or_default();
        u16::try_from(primary).unwrap_or_default()
    }

    fn voice(&mut self, replica: u16) -> &mut Voice {
        self.voices.entry(replica).or_default()
    }

    fn votes(&mut self, replica: u16, vote: &Vote) -> Option<Broken> {
        let voice = self.voice(replica);
        let (view, height) = (vote.statement.view, vote.statement.height);
        let left = voice.asked.last_key_value().is_some_and(|(asked, _)| *asked > view);
        if left {
            let sentence = format!("a vote in view {view}, which it has left");
            return Some(Broken::new(Property::S5, height, sentence));
        }
        if view > View::FIRST && !voice.entered.contains_key(&view) {
            let sentence = format!("a vote in view {view}, which its journal does not enter");
            return Some(Broken::new(Property::S6, height, sentence));
        }
        if vote.statement.phase == Phase::Commit {
            voice.committed = voice.committed.max(Some((view, height)));
        }
        None
    }

    fn asks(&mut self, replica: u16, asked: &ViewChange) -> Option<Broken> {
        let voice = self.voice(replica);
        let (view, shown) = (asked.view, certified(asked));
        if asked.replica.get() != replica {
            return Some(broken(Property::S6, "it records what another asks for".to_owned()));
        }
        if *voice.asked.entry(view).or_insert(shown) != shown {
            return Some(broken(Property::S5, format!("it asks for view {view} twice")));
        }
        let place = shown.map(|(view, height, _)| (view, height));
        let voted = voice.committed.filter(|(voted, _)| *voted < view);
        if voted > place {
            let sentence = format!("it asks for view {view} with less than it voted to commit");
            return Some(broken(Property::S5, sentence));
        }
        None
    }

    fn enters(&mut self, replica: u16, new_view: &NewView) -> Option<Broken> {
        let (view, shown) = (new_view.view, asked(new_view));
        let first = self.voice(replica).entered.entry(view).or_insert_with(|| shown.clone());
        (*first != shown)
            .then(|| broken(Property::S5, format!("it enters view {view} with two new views")))
    }
}

fn certified(asked: &ViewChange) -> Certified {
    let statement = &asked.certificate.as_ref()?.statement;
    Some((statement.view, statement.height, statement.block))
}

fn asked(new_view: &NewView) -> Asked {
    let asked = new_view.view_changes.iter();
    asked.map(|asked| (asked.replica.get(), certified(asked))).collect()
}

const fn broken(property: Property, sentence: String) -> Broken {
    Broken { property, sentence, height: None }
}

#[cfg(test)]
mod tests;
