//! What a strategy works with: its key, its chance, what it has heard, and where it stands.

use std::collections::BTreeSet;
use std::sync::Arc;

use crypto::keys::Signer;
use pbft::{Overview, PrePrepare, Recipients};
use types::block::Block;
use types::number::View;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;
use types::vote::{Phase, Statement, Vote};

use crate::Random;
use crate::attack::Knobs;

/// The desk at which a traitor writes.
pub struct Desk {
    pub(crate) own: ReplicaId,
    pub(crate) validators: ValidatorSet,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) random: Random,
    /// Where the replica inside stood before this step.
    pub(crate) at: Overview,
    /// Milliseconds of the clock that only goes forward.
    pub(crate) now_ms: u64,
    /// Of the attack at work.
    pub(crate) knobs: Knobs,
}

impl Desk {
    /// Whether an attack that happens in some cases only happens in this one.
    pub(crate) fn is_time(&mut self) -> bool {
        self.random.chance(self.knobs.chance_per_mille)
    }

    /// All replicas but this one.
    pub(crate) fn others(&self) -> Vec<ReplicaId> {
        let all = self.validators.iter().map(|(replica, _)| replica);
        all.filter(|replica| *replica != self.own).collect()
    }

    /// The others among those whom something is for.
    pub(crate) fn receivers(&self, to: Recipients) -> Vec<ReplicaId> {
        match to {
            Recipients::All => self.others(),
            Recipients::One(other) => vec![other],
        }
    }

    /// The victims, or half of the others when nobody is named.
    pub(crate) fn half(&self) -> BTreeSet<ReplicaId> {
        if !self.knobs.victims.is_empty() {
            return self.knobs.victims.clone();
        }
        let others = self.others();
        let half = others.len().div_ceil(2);
        others.into_iter().take(half).collect()
    }

    /// A vote of its own.
    pub(crate) fn vote(&self, phase: Phase, statement: &Statement) -> Vote {
        let statement = Statement { phase, ..*statement };
        Vote::sign(statement, self.own, self.validators.chain(), self.signer.as_ref())
    }

    /// A commit vote of its own for what a statement is about.
    pub(crate) fn commit(&self, statement: &Statement) -> Vote {
        self.vote(Phase::Commit, statement)
    }

    /// A proposal of this block under its own key.
    pub(crate) fn propose(&self, block: Block, view: View) -> PrePrepare {
        let (height, id) = (block.header.height, block.id());
        let statement = Statement { phase: Phase::Prepare, view, height, block: id };
        PrePrepare { vote: self.vote(Phase::Prepare, &statement), block }
    }

    /// Whether this is a proposal of its own, for the first time in any view.
    pub(crate) fn is_own_first_proposal(&self, proposal: &PrePrepare) -> bool {
        proposal.vote.replica == self.own
            && proposal.block.header.view == proposal.vote.statement.view
    }
}
