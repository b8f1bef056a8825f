//! What a piece of evidence is about: for lists, and for people.

use super::{Evidence, EvidenceId};
use crate::number::{Height, View};
use crate::replica::ReplicaId;
use crate::validators::ValidatorSet;

/// What a piece of evidence is about, without the statements in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Its name.
    pub id: EvidenceId,
    /// [`Evidence::name`] of its kind.
    pub kind: &'static str,
    /// Whose key lied.
    pub accused: ReplicaId,
    /// The view in which the lie was told, of two the later.
    pub view: View,
    /// The heights that it is about, ascending; none when nothing in it has one.
    pub heights: Vec<Height>,
}

impl Evidence {
    /// What it is about.
    pub fn outline(&self, validators: &ValidatorSet) -> Outline {
        Outline {
            id: self.id(),
            kind: self.name(),
            accused: self.accused(validators),
            view: self.view(),
            heights: self.heights(),
        }
    }

    /// The heights that it is about, ascending, each once: those of votes, those of the certificates of view
    /// changes, and those at which new views go on.
    pub fn heights(&self) -> Vec<Height> {
        let said = match self {
            Self::Votes { first, second } => [Some(first.statement), Some(second.statement)],
            Self::Branches { higher, lower, headers: _ } => {
                [Some(higher.statement), Some(lower.statement)]
            }
            Self::ViewChanges { first, second } => {
                [first.statement.certified, second.statement.certified]
            }
            Self::Forgotten { commit, view_change } => {
                [Some(commit.statement), view_change.statement.certified]
            }
            Self::NewViews { first, second } => [first.statement.tip(), second.statement.tip()],
        };
        let mut heights: Vec<Height> = said.into_iter().flatten().map(|said| said.height).collect();
        heights.sort_unstable();
        heights.dedup();
        heights
    }

    /// What the accused did that no honest validator ever does, as a sentence.
    pub const fn wrong(&self) -> &'static str {
        match self {
            Self::Votes { .. } => {
                "An honest validator never votes for two blocks at one height in the same phase of one view."
            }
            Self::Branches { .. } => {
                "An honest validator's votes in one view lie on one chain: of two blocks it votes for, one is the \
                 other's ancestor."
            }
            Self::ViewChanges { .. } => {
                "An honest validator asks for a view once and does not change what it then says it knows."
            }
            Self::Forgotten { .. } => {
                "An honest validator that voted to commit a block shows a certificate at least as high when it later \
                 asks for another view."
            }
            Self::NewViews { .. } => {
                "An honest primary opens its view once, with one set of view changes."
            }
        }
    }
}

#[cfg(test)]
mod tests;
