//! S5 and S6: what each key has said over its whole life, and what of it was durable when.

use std::collections::BTreeMap;

use pbft::{Message, Record};
use types::block::{BlockId, Header};
use types::number::{Height, View};
use types::vote::{Phase, Vote};

use super::bytes::{Members, header_id};
use super::reading::{header_said, vote_recorded, votes_said};
use super::{Broken, Property};

/// Everything that was said, by whom.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    /// The parent of every block that was seen in records, messages or commits.
    parents: BTreeMap<BlockId, (Height, BlockId)>,
    voices: BTreeMap<u16, Voice>,
}

type Place = (Phase, View, Height);

/// One key.
#[derive(Debug, Clone, Default)]
struct Voice {
    /// What it has signed, on disk or on the wire.
    signed: BTreeMap<Place, BlockId>,
    /// What was flushed.
    durable: BTreeMap<Place, BlockId>,
    /// What was sent.
    sent: BTreeMap<Place, BlockId>,
    /// The last prepare vote of each view.
    last: BTreeMap<View, (Height, BlockId)>,
    /// The highest commit vote.
    commits: Height,
    /// What it has newly voted for since everything healed.
    fresh: BTreeMap<Height, BlockId>,
}

impl Said {
    /// Learns the parent of a block.
    pub(super) fn know(&mut self, header: &Header) {
        let place = (header.height, header.parent);
        self.parents.insert(header_id(header), place);
    }

    pub(super) fn forget_votes_of_all(&mut self) {
        for voice in self.voices.values_mut() {
            voice.fresh.clear();
        }
    }

    /// The height that so many replicas have voted to commit, or above it.
    pub(super) fn voted_to_commit_by(&self, count: usize) -> Height {
        let mut heights: Vec<Height> = self.voices.values().map(|voice| voice.commits).collect();
        heights.sort_unstable_by(|one, other| other.cmp(one));
        heights.get(count.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// What a replica has voted for since everything healed.
    pub(super) fn voted(&self, replica: u16) -> impl Iterator<Item = (Height, BlockId)> {
        let voice = self.voices.get(&replica);
        voice.into_iter().flat_map(|voice| voice.fresh.iter().map(|(height, id)| (*height, *id)))
    }

    /// Whether a replica has ever voted to prepare this block at this place.
    pub(super) fn has_prepared(
        &self,
        replica: u16,
        view: View,
        height: Height,
        block: BlockId,
    ) -> bool {
        let voice = self.voices.get(&replica);
        let signed = voice.and_then(|voice| voice.signed.get(&(Phase::Prepare, view, height)));
        signed == Some(&block)
    }

    /// Records were flushed.
    pub(super) fn recorded(
        &mut self,
        members: &Members,
        replica: u16,
        records: &[Record],
    ) -> Option<Broken> {
        records.iter().filter_map(vote_recorded).find_map(|(vote, header)| {
            let (statement, height) = (&vote.statement, vote.statement.height);
            if let Some(header) = header {
                self.know(header);
                if header_id(header) != statement.block {
                    let sentence = "a vote is recorded with another block".to_owned();
                    return Some(Broken::new(Property::S6, height, sentence));
                }
            } else if statement.phase == Phase::Prepare {
                let sentence = "a prepare vote is recorded without its block".to_owned();
                return Some(Broken::new(Property::S6, height, sentence));
            }
            let place = (statement.phase, statement.view, height);
            let voice = self.voices.entry(replica).or_default();
            voice.durable.insert(place, statement.block);
            if statement.phase == Phase::Prepare {
                voice.fresh.insert(height, statement.block);
            }
            self.signs(members, replica, vote)
        })
    }

    /// A message is sent.
    pub(super) fn said(
        &mut self,
        members: &Members,
        replica: u16,
        message: &Message,
    ) -> Option<Broken> {
        if let Some(header) = header_said(message) {
            self.know(header);
        }
        let vote = votes_said(message)?;
        if vote.replica.get() != replica {
            // Passed on for another: it was that one's to keep.
            return None;
        }
        let statement = &vote.statement;
        let place = (statement.phase, statement.view, statement.height);
        let voice = self.voices.entry(replica).or_default();
        if voice.sent.get(&place) == Some(&statement.block) {
            return None;
        }
        if voice.durable.get(&place) != Some(&statement.block) {
            let sentence = format!("{:?} of view {} is sent and not durable", place.0, place.1);
            return Some(Broken::new(Property::S6, place.2, sentence));
        }
        voice.sent.insert(place, statement.block);
        self.signs(members, replica, vote)
    }

    /// A key signs: not against what it has signed before.
    fn signs(&mut self, members: &Members, replica: u16, vote: &Vote) -> Option<Broken> {
        let statement = &vote.statement;
        let (view, height, block) = (statement.view, statement.height, statement.block);
        let voice = self.voices.entry(replica).or_default();
        match voice.signed.insert((statement.phase, view, height), block) {
            Some(first) if first == block => return None,
            Some(first) => {
                let sentence = format!(
                    "{:?} in view {view} for {} and for {}",
                    statement.phase,
                    first.short(),
                    block.short()
                );
                return Some(Broken::new(Property::S5, height, sentence));
            }
            None => {}
        }
        if !members.signed_by(statement, &[(usize::from(vote.replica.get()), vote.signature)]) {
            let sentence = "a vote whose signature does not hold".to_owned();
            return Some(Broken::new(Property::S5, height, sentence));
        }
        if statement.phase == Phase::Commit {
            voice.commits = voice.commits.max(height);
            return None;
        }
        let before = voice.last.insert(view, (height, block));
        let (low, ancestor) = before?;
        if self.ancestor_at(block, height, low) == Some(ancestor) {
            return None;
        }
        let sentence = format!(
            "prepare votes in view {view} that are no chain: {} at height {low}, then {}",
            ancestor.short(),
            block.short()
        );
        Some(Broken::new(Property::S5, height, sentence))
    }

    /// The ancestor of a block at a height strictly below it.
    pub(super) fn ancestor_at(
        &self,
        block: BlockId,
        height: Height,
        low: Height,
    ) -> Option<BlockId> {
        let (mut id, mut at) = (block, height);
        while at > low {
            let (known, parent) = self.parents.get(&id)?;
            if *known != at {
                return None;
            }
            (id, at) = (*parent, at.saturating_sub(1));
        }
        (height > low && at == low).then_some(id)
    }

    /// A replica has come back with these records: all that it had sent about heights not stored is
    /// among them.
    ///
    /// What was written and never flushed may be among them too. It was made durable before the
    /// start, so from here on it binds like everything else.
    pub(super) fn restarted(
        &mut self,
        members: &Members,
        replica: u16,
        stored: Height,
        records: &[Record],
    ) -> Option<Broken> {
        let voice = self.voices.entry(replica).or_default();
        let kept: BTreeMap<Place, BlockId> = records
            .iter()
            .filter_map(vote_recorded)
            .map(|(vote, _)| {
                let statement = &vote.statement;
                ((statement.phase, statement.view, statement.height), statement.block)
            })
            .collect();
        let lost = voice
            .sent
            .iter()
            .find(|(place, block)| place.2 > stored && kept.get(place) != Some(block));
        let broken = lost.map(|((phase, view, height), _)| {
            let sentence = format!("{phase:?} of view {view} was sent and is not in the journal");
            Broken::new(Property::S6, *height, sentence)
        });
        voice.durable = kept;
        broken.or_else(|| self.recorded(members, replica, records))
    }
}
