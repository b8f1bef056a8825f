//! The voting rule and the rules of views (protocol page, sections 3 and 4), judged from what each replica writes down:
//! S5 says that a key does not contradict itself, this that it says no more than it may.
//!
//! What safety rests on shows here at once, and as a fork only when everything else goes wrong as well.

use std::collections::{BTreeMap, BTreeSet};

use pbft::Record;
use types::block::{BlockId, Header};
use types::number::{Height, View};
use types::view_change::NewView;
use types::vote::{Phase, Statement, Vote};

use super::bytes::Members;
use super::proof;
use super::reading::{Word, certificate_recorded, vote_recorded, word_recorded};
use super::said::Said;
use super::{Broken, Property};

/// The block that a view goes on from, with its height; `None` for the genesis.
type Tip = Option<(Height, BlockId)>;

/// What every honest replica may say.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    faulty: BTreeSet<u16>,
    /// What each replica goes on from in each view that it has entered.
    tips: BTreeMap<(u16, View), Tip>,
    /// Who has voted in which view.
    voted: BTreeSet<(u16, View)>,
    /// The greatest view that anybody honest has asked for.
    asked: View,
}

impl Rules {
    /// In a network in which nothing is promised of these replicas.
    pub(super) fn new(faulty: BTreeSet<u16>) -> Self {
        Self { faulty, ..Self::default() }
    }

    /// Records of an honest replica are durable, of whom `said` knows.
    pub(super) fn recorded(
        &mut self,
        members: &Members,
        said: &Said,
        replica: u16,
        records: &[Record],
    ) -> Option<Broken> {
        records.iter().find_map(|record| {
            if let Some((vote, header)) = vote_recorded(record) {
                return match vote.statement.phase {
                    Phase::Prepare => self.prepares(members, said, replica, vote, header?),
                    Phase::Commit => commits(said, replica, &vote.statement),
                };
            }
            if let Some(certificate) = certificate_recorded(record) {
                let height = certificate.statement.height;
                let reason = proof::check_certificate(members, certificate).err()?;
                let sentence = format!("it goes by a certificate that is none: {reason}");
                return Some(Broken::new(Property::Vote, height, sentence));
            }
            match word_recorded(record)? {
                Word::Asks(asked) => self.asks(asked.view),
                Word::Enters(new_view) => self.enters(members, replica, new_view),
            }
        })
    }

    /// A prepare vote: for the tip of the view, or for what the primary of the view proposed on it.
    fn prepares(
        &mut self,
        members: &Members,
        said: &Said,
        replica: u16,
        vote: &Vote,
        header: &Header,
    ) -> Option<Broken> {
        let Statement { view, height, block, .. } = vote.statement;
        let broken = |sentence| Some(Broken::new(Property::Vote, height, sentence));
        let proposer = header.proposer.get();
        if usize::from(proposer) != primary(members, header.view) {
            return broken(format!("replica {proposer} did not lead view {}", header.view));
        }
        let honest = !self.faulty.contains(&proposer);
        if honest && !said.has_prepared(proposer, header.view, height, block) {
            return broken(format!("a vote for a block that replica {proposer} did not propose"));
        }
        let tip = self.tips.get(&(replica, view)).copied().flatten();
        let is_tip = tip == Some((height, block));
        if header.view != view && !is_tip {
            return broken(format!("a vote in view {view} for a block of view {}", header.view));
        }
        let first = self.voted.insert((replica, view));
        let (low, ancestor) = tip.filter(|_| first && !is_tip)?;
        if said.ancestor_at(block, height, low) == Some(ancestor) {
            return None;
        }
        broken(format!("the first vote in view {view} is not on its tip at height {low}"))
    }

    /// A view is asked for: the next one, or one that somebody honest asks for.
    fn asks(&mut self, view: View) -> Option<Broken> {
        let next = self.asked.next();
        if view > next {
            let sentence = format!("it asks for view {view}, and nobody honest came to {next}");
            return Some(Broken { property: Property::View, sentence, height: None });
        }
        self.asked = self.asked.max(view);
        None
    }

    /// A view is entered: its primary shows that a quorum asked for it.
    fn enters(&mut self, members: &Members, replica: u16, new_view: &NewView) -> Option<Broken> {
        if let Err(reason) = check(members, new_view) {
            let sentence = format!("it enters view {}: {reason}", new_view.view);
            return Some(Broken { property: Property::View, sentence, height: None });
        }
        let certificates = new_view.view_changes.iter().filter_map(|it| it.certificate.as_ref());
        let places = certificates.map(|certificate| {
            let Statement { view, height, block, .. } = certificate.statement;
            (view, height, block)
        });
        let tip = places.max_by_key(|(view, height, _)| (*view, *height));
        self.tips.insert((replica, new_view.view), tip.map(|(_, height, block)| (height, block)));
        None
    }
}

/// A commit vote: for what this replica voted to prepare in the same view.
fn commits(said: &Said, replica: u16, statement: &Statement) -> Option<Broken> {
    let Statement { view, height, block, .. } = *statement;
    if said.has_prepared(replica, view, height, block) {
        return None;
    }
    let sentence = format!("a vote in view {view} to commit what it did not prepare there");
    Some(Broken::new(Property::Vote, height, sentence))
}

fn primary(members: &Members, view: View) -> usize {
    let count = u64::try_from(members.count()).unwrap_or(1);
    let primary = view.get().checked_rem(count).unwrap_or_default();
    usize::try_from(primary).unwrap_or_default()
}

/// Whether distinct members, a quorum, ask for this very view, each with nothing or a certificate of a lower one, and
/// the primary of the view shows them.
fn check(members: &Members, new_view: &NewView) -> Result<(), String> {
    let view = new_view.view;
    let who: BTreeSet<u16> = new_view.view_changes.iter().map(|it| it.replica.get()).collect();
    if who.len() != new_view.view_changes.len() {
        return Err("somebody asks twice".to_owned());
    }
    if who.len() < members.quorum() {
        return Err(format!("{} ask for it, {} are needed", who.len(), members.quorum()));
    }
    for asked in &new_view.view_changes {
        let who = asked.replica;
        if asked.view != view {
            return Err(format!("replica {who} asked for view {}", asked.view));
        }
        if !members.asked(asked) {
            return Err(format!("the signature of replica {who} does not hold"));
        }
        let Some(certificate) = &asked.certificate else {
            continue;
        };
        if certificate.statement.view >= view {
            return Err(format!("replica {who} shows a certificate of a later view"));
        }
        proof::check_certificate(members, certificate).map_err(|reason| {
            format!("replica {who} shows a certificate that is none: {reason}")
        })?;
    }
    if !members.entered(primary(members, view), new_view) {
        return Err("it is not the primary of the view who shows it".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
