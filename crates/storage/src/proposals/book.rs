//! Which lost proposals are kept, and what becomes of them. No file is touched in here.
//!
//! A primary may propose without end, so there is a bound for each place and one for each proposer: whoever floods
//! loses of his own, and of nobody else's. A proposal without its proposer's signature is not kept: nobody is
//! said to have proposed what only others voted for.

use std::collections::{BTreeMap, BTreeSet};

use pbft::{Fate, Lost};
use types::block::BlockId;
use types::lost::{LostProposal, ProposalPlace, Winner};
use types::number::{Height, View};
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;
use types::vote::Vote;

/// The most proposals that are kept, among few validators.
pub const LOST_MAX: usize = 512;

/// The most proposals of one proposer that are kept, however many validators there are.
pub const LOST_OF_ONE_MIN: usize = 4;

/// The most proposals that are kept of one height and view.
pub const LOST_AT_PLACE_MAX: usize = 4;

/// The lost proposals that a validator knows.
#[derive(Debug, Clone)]
pub struct LostProposals {
    kept: BTreeMap<ProposalPlace, LostProposal>,
    of_one_max: usize,
    forgotten: u64,
    changed: bool,
}

impl LostProposals {
    /// A book of the proposals of these validators, with what was kept before.
    pub fn new(validators: &ValidatorSet, kept: Vec<LostProposal>) -> Self {
        let of_one_max = LOST_MAX.checked_div(validators.len()).unwrap_or_default();
        let mut book = Self {
            kept: BTreeMap::new(),
            of_one_max: of_one_max.max(LOST_OF_ONE_MIN),
            forgotten: 0,
            changed: false,
        };
        // Written by this process or another version of it: the bounds hold nevertheless.
        for lost in kept.into_iter().filter(|lost| lost.check(validators).is_ok()) {
            book.keep(lost);
        }
        (book.forgotten, book.changed) = (0, false);
        book
    }

    /// What the core tells of a proposal, beside what is known of it.
    pub fn note(&mut self, news: Lost) {
        let place = ProposalPlace::from(&news.statement);
        let known = self.kept.remove(&place);
        let is_new = known.is_none();
        let Some(proposed) = known.as_ref().map(|known| known.proposed).or(news.proposed) else {
            return;
        };
        let mut lost = known.unwrap_or_else(|| only(proposed));
        let before = lost.clone();
        lost.header = lost.header.or(news.header);
        for vote in news.votes {
            add(&mut lost, vote);
        }
        match news.fate {
            Fate::Refused(refusal) => lost.refused = Some(refusal.name().to_owned()),
            Fate::Rival { first } => {
                lost.rival = lost.rival.or(first);
                first.into_iter().for_each(|first| self.oppose(first, proposed));
            }
            Fate::ViewLeft(to) => lost.left = lost.left.or(Some(to)),
            Fate::Outvoted => {}
        }
        self.changed |= is_new || lost != before;
        self.keep(lost);
    }

    /// The first of two proposals is as much a rival of the second.
    fn oppose(&mut self, first: Vote, second: Vote) {
        let known = self.kept.remove(&ProposalPlace::from(&first.statement));
        self.changed |= known.as_ref().is_none_or(|known| known.rival.is_none());
        let mut lost = known.unwrap_or_else(|| only(first));
        lost.rival = lost.rival.or(Some(second));
        self.keep(lost);
    }

    /// A block is committed: what was proposed for its height is lost for good, but for itself. What was still
    /// undecided until now is given back.
    pub fn commit(&mut self, proved: &ProvedBlock) -> Vec<LostProposal> {
        let (height, block) = (proved.block.header.height, proved.block.id());
        let winner = Winner { block, view: proved.proof.certificate.statement.view };
        let first = ProposalPlace { height, view: View::FIRST, block: BlockId::NONE };
        let end = ProposalPlace { height: height.next(), ..first };
        let mut decided = Vec::new();
        let mut committed = Vec::new();
        for (place, lost) in self.kept.range_mut(first..end) {
            if place.block == block {
                committed.push(*place);
            } else if lost.winner.is_none() {
                lost.winner = Some(winner);
                decided.push(lost.clone());
            }
        }
        self.changed |= !decided.is_empty() || !committed.is_empty();
        for place in committed {
            self.kept.remove(&place);
        }
        decided
    }

    /// The heights of which it is not known yet what was committed there.
    pub fn undecided(&self) -> BTreeSet<Height> {
        let open = self.kept.iter().filter(|(_, lost)| lost.winner.is_none());
        open.map(|(place, _)| place.height).collect()
    }

    /// Proposals in descending order, below `before` (from the highest for none), at most `limit`.
    pub fn page(&self, before: Option<ProposalPlace>, limit: usize) -> Vec<LostProposal> {
        let all = self.kept.iter().rev();
        let below = all.filter(|(place, _)| before.is_none_or(|before| **place < before));
        below.take(limit).map(|(_, lost)| lost.clone()).collect()
    }

    /// How often a proposal was not kept, or given up for another, since the start.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Everything that is kept, if there is anything new since this was asked last.
    pub fn take_changed(&mut self) -> Option<Vec<LostProposal>> {
        std::mem::take(&mut self.changed).then(|| self.kept.values().cloned().collect())
    }

    fn keep(&mut self, lost: LostProposal) {
        let (place, proposer) = (lost.place(), lost.proposer());
        self.kept.insert(place, lost);
        let here: Vec<(usize, ProposalPlace)> = self
            .kept
            .range(first_at(place.height, place.view)..)
            .take_while(|(other, _)| (other.height, other.view) == (place.height, place.view))
            .map(|(other, lost)| (lost.votes.len(), *other))
            .collect();
        if here.len() > LOST_AT_PLACE_MAX {
            // What others voted for says more than what only its proposer did; of equal ones the newest goes.
            let fewest = here.iter().map(|(votes, _)| *votes).min();
            let newest = here.iter().find(|one| **one == (fewest.unwrap_or_default(), place));
            let given_up = newest.or_else(|| here.iter().min());
            given_up.into_iter().for_each(|(_, place)| self.forget(place));
        }
        if self.of(proposer).count() > self.of_one_max {
            let lowest = self.of(proposer).next();
            lowest.into_iter().for_each(|place| self.forget(&place));
        }
    }

    fn of(&self, proposer: ReplicaId) -> impl Iterator<Item = ProposalPlace> {
        let of_proposer = self.kept.values().filter(move |lost| lost.proposer() == proposer);
        of_proposer.map(LostProposal::place)
    }

    fn forget(&mut self, place: &ProposalPlace) {
        if self.kept.remove(place).is_some() {
            self.forgotten = self.forgotten.saturating_add(1);
        }
    }
}

/// A proposal of which no more is known than what its proposer signed.
const fn only(proposed: Vote) -> LostProposal {
    LostProposal {
        proposed,
        header: None,
        votes: Vec::new(),
        refused: None,
        rival: None,
        left: None,
        winner: None,
    }
}

/// The first of all proposals at a height in a view.
const fn first_at(height: Height, view: View) -> ProposalPlace {
    ProposalPlace { height, view, block: BlockId::NONE }
}

/// Counts a vote, one of each phase of each replica: the first.
fn add(lost: &mut LostProposal, vote: Vote) {
    let same = |known: &Vote| {
        (known.replica, known.statement.phase) == (vote.replica, vote.statement.phase)
    };
    if !same(&lost.proposed) && !lost.votes.iter().any(same) {
        lost.votes.push(vote);
    }
}

#[cfg(test)]
mod tests;
