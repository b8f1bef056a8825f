//! A fork by a shared plan.
//!
//! Nothing is agreed on the way: the plan is what the knobs say, so everybody who was given the same ones has the same.
//! Who is in it (`with`), and so who is not; which of those are shown the second block (`victims`, or one half of
//! them). Whoever of the conspirators leads shows the first of two blocks to the one part and to the other conspirators,
//! and the second to the other part; and every one of them votes for whatever an honest replica votes for, to that one
//! alone. What the replica inside says about the first block is kept from those who see the second.

use std::collections::BTreeSet;

use pbft::{Message, Outgoing};
use types::replica::ReplicaId;

use super::accomplice::Accomplice;
use super::{Kind, Role, Strategy};
use crate::Desk;
use crate::desk::to_one;
use crate::rivals::Rivals;

pub(super) const KIND: Kind = Kind {
    name: "conspire",
    sentence: "with others who were given the same knobs shows one part of the honest one block, the rest another, and \
               votes for each before those who see it; `with` says who is in the plan",
    answer: "with no more than t of them no two quorums are reached, and the lies are proved; with more there is a fork, \
             which is noticed, told as such, and proved against more than t of them",
    role: Role::Primary,
    provable: true,
    make: || Box::new(Conspire::default()),
};

#[derive(Default)]
struct Conspire {
    rivals: Rivals,
    partner: Accomplice,
}

/// Who is shown what.
struct Plan {
    conspirators: BTreeSet<ReplicaId>,
    second: BTreeSet<ReplicaId>,
}

impl Plan {
    /// What follows from the knobs: the same for everybody who is in it.
    fn of(desk: &Desk) -> Self {
        let all = || desk.validators.iter().map(|(replica, _)| replica);
        let quorum = desk.validators.quorum();
        // Two quorums have at least so many in common.
        let enough = quorum.q().saturating_mul(2).saturating_sub(quorum.n());
        let mut conspirators = desk.knobs.with.clone();
        if conspirators.is_empty() {
            conspirators.extend(all().take(enough));
        }
        conspirators.insert(desk.own);
        let honest: Vec<ReplicaId> = all().filter(|one| !conspirators.contains(one)).collect();
        let half = honest.len() / 2;
        let named = &desk.knobs.victims;
        let second = match named.is_empty() {
            true => honest.into_iter().skip(half).collect(),
            false => named.iter().filter(|one| honest.contains(one)).copied().collect(),
        };
        Self { conspirators, second }
    }
}

impl Strategy for Conspire {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let plan = Plan::of(desk);
        let about_the_first = match &outgoing.message {
            Message::PrePrepare(_)
            | Message::Prepare(_)
            | Message::Commit(_)
            | Message::Handover(_) => true,
            Message::ViewChange(_) | Message::NewView(_) | Message::Status(_) => false,
        };
        if !about_the_first {
            return vec![outgoing];
        }
        let receivers = desk.receivers(outgoing.to);
        let second = desk.own_new_block(&outgoing.message).cloned();
        let second = second.map(|first| self.rivals.rival(desk, &first));
        let mut said = Vec::new();
        for other in receivers {
            if !plan.second.contains(&other) {
                said.push(to_one(other, outgoing.message.clone()));
            } else if let Some(second) = &second {
                said.push(to_one(other, Message::PrePrepare(second.clone())));
            }
        }
        said
    }

    fn hears(&mut self, desk: &mut Desk, message: &Message) -> Vec<Outgoing> {
        let Some(vote) = message.vote().copied() else {
            return Vec::new();
        };
        if Plan::of(desk).conspirators.contains(&vote.replica) {
            return Vec::new();
        }
        self.partner.vote_with(desk, &vote)
    }
}
