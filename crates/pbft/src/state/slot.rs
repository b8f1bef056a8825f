//! What a replica knows about one height: the first proposal, and the votes of both phases.

use std::collections::BTreeMap;
use std::sync::Arc;

use types::block::{Block, BlockId};
use types::certificate::Certificate;
use types::mutant;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;
use types::vote::{Phase, Statement, Vote};

/// One height above the committed one, in the current view. At most one block and two votes of each replica.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slot {
    /// The first proposal of the primary. A second one never replaces it.
    pub(crate) proposal: Option<Proposal>,
    pub(crate) prepares: Tally,
    pub(crate) commits: Tally,
}

impl Slot {
    pub(crate) const fn tally(&self, phase: Phase) -> &Tally {
        match phase {
            Phase::Prepare => &self.prepares,
            Phase::Commit => &self.commits,
        }
    }

    pub(crate) const fn tally_mut(&mut self, phase: Phase) -> &mut Tally {
        match phase {
            Phase::Prepare => &mut self.prepares,
            Phase::Commit => &mut self.commits,
        }
    }
}

/// A proposed block. It stays when it is refused: others may have committed it.
#[derive(Debug, Clone)]
pub(crate) struct Proposal {
    pub(crate) id: BlockId,
    pub(crate) block: Arc<Block>,
    /// Whether this replica has decided not to vote for it.
    pub(crate) refused: bool,
}

impl Proposal {
    pub(crate) fn new(block: Arc<Block>) -> Self {
        Self { id: block.id(), block, refused: false }
    }
}

/// The votes of one phase at one height, one per replica: the first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(BTreeMap<ReplicaId, Vote>);

impl Tally {
    /// Counts the vote of a replica that has none here yet; the callers have looked.
    pub(crate) fn insert(&mut self, vote: Vote) {
        let before = self.0.insert(vote.replica, vote);
        assert!(before.is_none(), "a second vote of replica {} replaced the first", vote.replica);
    }

    /// The vote of one replica.
    pub(crate) fn of(&self, replica: ReplicaId) -> Option<&Vote> {
        self.0.get(&replica)
    }

    /// All votes by replica, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ReplicaId, &Vote)> {
        self.0.iter()
    }

    /// The statement that at least `q` replicas made, if there is one; two quorums always share a replica, and
    /// each replica is counted with one vote, so there is never a second one.
    pub(crate) fn quorum(&self, q: usize) -> Option<Statement> {
        mutant!(OtherBlocksCounted => { return self.quorum_of_anything(q) });
        if self.0.len() < q {
            return None;
        }
        let mut counts = BTreeMap::new();
        for vote in self.0.values() {
            let count: &mut usize = counts.entry(vote.statement).or_default();
            *count = count.saturating_add(1);
        }
        let (statement, _) = counts.into_iter().find(|(_, count)| *count >= q)?;
        Some(statement)
    }

    /// The certificate for exactly this statement, when a quorum made it.
    pub(crate) fn certificate(
        &self,
        statement: Statement,
        validators: &ValidatorSet,
    ) -> Option<Certificate> {
        mutant!(PrimaryCountedTwice | VotersCountedTwice | OtherBlocksCounted => {
            return self.false_certificate(statement, validators);
        });
        if self.0.len() < validators.quorum().q() {
            return None;
        }
        Certificate::from_votes(statement, self.0.values(), validators).ok()
    }
}

#[cfg(feature = "mutants")]
mod mutated;
#[cfg(test)]
mod tests;
