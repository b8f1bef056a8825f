//! Proposals of views far ahead.

use pbft::{Message, Outgoing};
use types::number::View;

use super::{Kind, Role, Strategy};
use crate::Desk;

/// Every so many-th view is its own: so many rounds of all primaries ahead.
const ROUNDS: u64 = 1_000;

pub(super) const KIND: Kind = Kind {
    name: "inflate-view",
    sentence: "as primary proposes its blocks in views far ahead that would be its own, up to the last there is",
    answer: "nobody follows a number without a quorum behind it, and the view changes by one",
    role: Role::Primary,
    provable: false,
    make: || Box::new(InflateView { turn: 0 }),
};

struct InflateView {
    turn: u64,
}

impl Strategy for InflateView {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let Some(proposal) = desk.own_new_block(&outgoing.message) else {
            return vec![outgoing];
        };
        self.turn = self.turn.wrapping_add(1);
        let n = u64::try_from(desk.validators.len()).unwrap_or(1).max(1);
        let view = proposal.vote.statement.view;
        let view = if self.turn % 2 == 1 {
            view.saturating_add(n.saturating_mul(ROUNDS))
        } else {
            let after_last =
                (u64::MAX % n).saturating_add(n).saturating_sub(u64::from(desk.own.get()));
            View::new(u64::MAX.saturating_sub(after_last % n))
        };
        let mut block = proposal.block.clone();
        block.header.view = view;
        let message = Message::PrePrepare(desk.propose(block, view));
        vec![Outgoing { to: outgoing.to, message }]
    }
}
