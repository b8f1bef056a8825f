//! What a liar does, and which lies go together.

use std::collections::BTreeSet;

use crate::Random;

/// What a liar does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lie {
    /// As primary it proposes two blocks at one height to different replicas, or both to all, and votes for both.
    TwoProposals,
    /// As primary it proposes blocks whose roots are wrong.
    WrongRoot,
    /// As backup it proposes another block than the primary, in the primary's name.
    ProposesAsBackup,
    /// It votes for whatever anybody votes for, to him.
    VotesForAll,
    /// It votes for blocks that nobody has proposed.
    VotesForNothing,
    /// As backup it keeps its votes to itself, until it shows a certificate with them.
    Withholds,
    /// Its view changes show any certificate that there can be, or none, another one to everybody.
    AnyCertificate,
    /// Its view changes show certificates that nobody signed.
    Forges,
    /// As primary it makes two new views.
    TwoNewViews,
    /// As primary it shows its new views to no more than it takes to go on without the rest.
    HidesNewViews,
    /// It makes new views for views of others, and before a quorum has asked.
    NewViewsOfOthers,
    /// It asks for views far away.
    AsksForMore,
    /// It says again what others have said.
    Replays,
    /// The proofs of the blocks that it hands out lack signatures.
    BadProofs,
}

impl Lie {
    /// Every lie.
    pub const ALL: [Self; 14] = [
        Self::TwoProposals,
        Self::WrongRoot,
        Self::ProposesAsBackup,
        Self::VotesForAll,
        Self::VotesForNothing,
        Self::Withholds,
        Self::AnyCertificate,
        Self::Forges,
        Self::TwoNewViews,
        Self::HidesNewViews,
        Self::NewViewsOfOthers,
        Self::AsksForMore,
        Self::Replays,
        Self::BadProofs,
    ];

    /// Lies that work together: one with two faces, one that hoards what it could have shared, and one that leaves
    /// somebody out and is good to all others.
    const TOGETHER: [&[Self]; 3] = [
        &[Self::TwoProposals, Self::VotesForAll, Self::TwoNewViews],
        &[Self::Withholds, Self::AnyCertificate, Self::BadProofs],
        &[Self::HidesNewViews],
    ];

    /// The lies of one liar: every other time some that work together, else a third of all.
    pub(super) fn some(random: &mut Random) -> BTreeSet<Self> {
        if random.chance(500)
            && let Some(together) = random.pick(&Self::TOGETHER)
        {
            return together.iter().copied().collect();
        }
        let mut lies: BTreeSet<Self> =
            Self::ALL.into_iter().filter(|_| random.chance(333)).collect();
        if lies.is_empty() {
            lies.extend(random.pick(&Self::ALL));
        }
        lies
    }
}

#[cfg(test)]
mod tests;
