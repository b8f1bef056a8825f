//! What several validators tell of lost proposals, laid together.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crypto::signed::Unverified;
use types::genesis::Genesis;
use types::lost::{LostProposal, ProposalPlace, Winner};
use types::number::{Height, View};
use types::vote::Vote;

/// All that was told and holds.
pub(super) struct Merged<'a> {
    genesis: &'a Genesis,
    /// By place.
    pub(super) forks: BTreeMap<ProposalPlace, Fork>,
    /// Who did not answer.
    pub(super) problems: Vec<String>,
    /// Who told of proposals that are not signed by whom they name, and how many.
    unproven: BTreeMap<String, usize>,
    /// Who gave proposals up, and how many.
    pub(super) forgotten: BTreeMap<String, u64>,
}

/// A proposal as those saw it who tell of it.
#[derive(Debug, Clone)]
pub(super) struct Fork {
    /// What is signed: by the proposer, and by whoever voted for it.
    pub(super) lost: LostProposal,
    /// Who tells of it, and has at least the proposer's signature.
    pub(super) seen_by: Vec<String>,
    /// Who of them has the block.
    pub(super) held_by: Vec<String>,
    /// Who refused it, each by which rule.
    pub(super) refused: Vec<(String, String)>,
    /// Who left the view while it was undecided, each for which view.
    pub(super) left: Vec<(String, View)>,
}

impl<'a> Merged<'a> {
    pub(super) fn new(genesis: &'a Genesis) -> Self {
        Self {
            genesis,
            forks: BTreeMap::new(),
            problems: Vec::new(),
            unproven: BTreeMap::new(),
            forgotten: BTreeMap::new(),
        }
    }

    /// A page of what one validator tells. What is not signed by those whom it names is left out and told of.
    pub(super) fn add(&mut self, name: &str, told: Vec<LostProposal>, forgotten: u64) {
        if forgotten > 0 {
            self.forgotten.insert(name.to_owned(), forgotten);
        }
        for lost in told {
            match Unverified::new(lost).verify(self.genesis.validators()) {
                Ok(lost) => self.take(name, lost.into_inner()),
                Err(_) => {
                    let times = self.unproven.entry(name.to_owned()).or_default();
                    *times = times.saturating_add(1);
                }
            }
        }
    }

    /// Who did not answer, or tells what does not hold.
    pub(super) fn problems(&self) -> Vec<String> {
        let what = "that is not signed by whom it names: left out, and it accuses nobody";
        let unproven = self.unproven.iter();
        let unproven = unproven
            .map(|(name, times)| format!("{name} tells of a proposal {what} ({times} times)"));
        self.problems.iter().cloned().chain(unproven).collect()
    }

    fn take(&mut self, name: &str, told: LostProposal) {
        let fork = self.forks.entry(told.place()).or_insert_with(|| Fork {
            lost: LostProposal { winner: None, votes: Vec::new(), rival: None, ..told.clone() },
            seen_by: Vec::new(),
            held_by: Vec::new(),
            refused: Vec::new(),
            left: Vec::new(),
        });
        // Who tells of it once more says nothing new.
        if fork.seen_by.iter().any(|teller| teller == name) {
            return;
        }
        fork.seen_by.push(name.to_owned());
        if told.header.is_some() {
            fork.held_by.push(name.to_owned());
        }
        fork.refused.extend(told.refused.map(|rule| (name.to_owned(), rule)));
        fork.left.extend(told.left.map(|view| (name.to_owned(), view)));
        fork.lost.header = fork.lost.header.take().or(told.header);
        fork.lost.rival = fork.lost.rival.or(told.rival);
        let key = |vote: &Vote| (vote.statement.phase, vote.replica);
        let known: BTreeSet<_> = fork.lost.votes.iter().map(key).collect();
        let news = told.votes.into_iter().filter(|vote| !known.contains(&key(vote)));
        fork.lost.votes.extend(news);
        fork.lost.votes.sort_by_key(key);
    }

    /// Leaves so many: the highest of each teller in turn, so that none fills the list alone with what it made up.
    pub(super) fn cut(&mut self, limit: usize) {
        let mut told: BTreeMap<&str, usize> = BTreeMap::new();
        let mut ranked = Vec::new();
        for (place, fork) in self.forks.iter().rev() {
            let ranks = fork.seen_by.iter().map(|teller| {
                let rank = told.entry(teller).or_default();
                *rank = rank.saturating_add(1);
                *rank
            });
            ranked.push((ranks.min(), Reverse(*place)));
        }
        ranked.sort_unstable();
        let kept: BTreeSet<ProposalPlace> =
            ranked.into_iter().take(limit).map(|(_, Reverse(place))| place).collect();
        self.forks.retain(|place, _| kept.contains(place));
    }

    /// The heights that proposals were lost at.
    pub(super) fn heights(&self) -> BTreeSet<Height> {
        self.forks.keys().map(|place| place.height).collect()
    }

    /// What is proved to be committed at a height has won there, and is not lost itself.
    pub(super) fn decide(&mut self, height: Height, winner: Option<Winner>) {
        let Some(winner) = winner else { return };
        self.forks.retain(|place, _| place.height != height || place.block != winner.block);
        for (_, fork) in self.forks.iter_mut().filter(|(place, _)| place.height == height) {
            fork.lost.winner = Some(winner);
        }
    }
}
