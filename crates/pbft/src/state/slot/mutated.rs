//! Tallies that count what they must not.

use types::certificate::Certificate;
use types::mutant;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;
use types::vote::{Statement, Vote};

use super::Tally;

/// Where a vote is kept that was counted already: no network has so many replicas.
const AGAIN: u16 = 1_000;

impl Tally {
    /// Counts a vote once more.
    pub(crate) fn count_again(&mut self, vote: Vote) {
        let place = ReplicaId::new(vote.replica.get().saturating_add(AGAIN));
        self.0.insert(place, vote);
    }

    /// Forgets what a replica said.
    pub(crate) fn forget(&mut self, replica: ReplicaId) {
        self.0.remove(&replica);
    }

    /// The vote that stands last, whoever gave it.
    pub(crate) fn last(&self) -> Option<&Vote> {
        self.0.values().next_back()
    }

    /// What most votes are for, when there are enough, whatever they are for.
    pub(super) fn quorum_of_anything(&self, q: usize) -> Option<Statement> {
        let most = self.0.values().max_by_key(|vote| self.count(&vote.statement))?;
        (self.0.len() >= q).then_some(most.statement)
    }

    fn count(&self, statement: &Statement) -> usize {
        self.0.values().filter(|vote| vote.statement == *statement).count()
    }

    /// A certificate of votes that are not enough.
    pub(super) fn false_certificate(
        &self,
        statement: Statement,
        validators: &ValidatorSet,
    ) -> Option<Certificate> {
        let anything = mutant!(OtherBlocksCounted);
        let fits = |vote: &&Vote| anything || vote.statement == statement;
        let votes: Vec<&Vote> = self.0.values().filter(fits).collect();
        let primary = validators.primary(statement.view);
        let twice = mutant!(PrimaryCountedTwice) && self.of(primary).is_some();
        if votes.len().saturating_add(usize::from(twice)) < validators.quorum().q() {
            return None;
        }
        let mut signatures: Vec<_> =
            votes.into_iter().map(|vote| (vote.replica, vote.signature)).collect();
        signatures.sort_by_key(|(replica, _)| *replica);
        Some(Certificate { statement, signatures })
    }
}
