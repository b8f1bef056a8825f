//! Votes for two blocks at one place.

use pbft::Outgoing;
use types::block::BlockId;
use types::vote::{Phase, Statement};

use super::{Kind, Role, Strategy, forge_header};
use crate::Desk;

pub(super) const PREPARE: Kind = Kind {
    name: "double-prepare",
    sentence: "gives two prepare votes at every height: one for the block, one for a block that there is not",
    answer: "the first of the two is counted, and together they prove the lie",
    role: Role::Backup,
    provable: true,
    make: || Box::new(DoubleVote { phase: Phase::Prepare }),
};

pub(super) const COMMIT: Kind = Kind {
    name: "double-commit",
    sentence: "gives two commit votes at every height: one for the block, one for a block that there is not",
    answer: "the first of the two is counted, and together they prove the lie",
    role: Role::Backup,
    provable: true,
    make: || Box::new(DoubleVote { phase: Phase::Commit }),
};

struct DoubleVote {
    phase: Phase,
}

impl Strategy for DoubleVote {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let vote = desk.own_vote(&outgoing.message);
        let Some(vote) = vote.filter(|vote| vote.statement.phase == self.phase) else {
            return vec![outgoing];
        };
        let block = BlockId::new(forge_header::other(vote.statement.block.digest()));
        let message = desk.vote_message(&Statement { block, ..vote.statement });
        vec![outgoing.clone(), Outgoing { to: outgoing.to, message }]
    }
}
