//! Votes for whatever anybody votes for.

use std::collections::BTreeSet;

use pbft::{Message, Outgoing};
use types::replica::ReplicaId;
use types::vote::{Phase, Statement, Vote};

use super::{Kind, Role, Strategy};
use crate::Desk;
use crate::desk::to_one;

/// The most statements, each with whom it was said to, that are remembered.
const SAID_MAX: usize = 1_024;

pub(super) const KIND: Kind = Kind {
    name: "accomplice",
    sentence: "gives both votes for whatever anybody votes for, to him: with a primary that proposes two blocks, for both",
    answer: "with no more than t of them a quorum is never reached for two blocks, and their votes prove the lie",
    role: Role::Backup,
    provable: false,
    make: || Box::new(Accomplice::default()),
};

#[derive(Default)]
pub(super) struct Accomplice {
    /// What was said to whom.
    said: BTreeSet<(Statement, ReplicaId)>,
}

impl Accomplice {
    /// Both votes for what somebody votes for, to him alone, once.
    pub(super) fn vote_with(&mut self, desk: &mut Desk, vote: &Vote) -> Vec<Outgoing> {
        let statement = Statement { phase: Phase::Prepare, ..vote.statement };
        if !self.said.insert((statement, vote.replica)) {
            return Vec::new();
        }
        while self.said.len() > SAID_MAX {
            self.said.pop_first();
        }
        let both = [Phase::Prepare, Phase::Commit].map(|phase| Statement { phase, ..statement });
        both.map(|statement| to_one(vote.replica, desk.vote_message(&statement))).into()
    }
}

impl Strategy for Accomplice {
    /// Two of them do not answer one another for ever: everything is said once.
    fn hears(&mut self, desk: &mut Desk, message: &Message) -> Vec<Outgoing> {
        let vote = message.vote().filter(|vote| vote.replica != desk.own).copied();
        vote.map_or_else(Vec::new, |vote| self.vote_with(desk, &vote))
    }
}
