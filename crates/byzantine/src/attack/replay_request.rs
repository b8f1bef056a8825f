//! Blocks with a transaction that was executed before.

use pbft::{Message, Outgoing};
use types::proof::ProvedBlock;
use types::transaction::SignedTransaction;

use super::{Kind, Role, Strategy, bad_transaction};
use crate::Desk;

pub(super) const KIND: Kind = Kind {
    name: "replay-request",
    sentence: "as primary puts a transaction into its blocks that was committed before",
    answer: "nobody votes for the block: each nonce of an account is spent once",
    role: Role::Primary,
    provable: false,
    make: || Box::new(ReplayRequest::default()),
};

#[derive(Default)]
struct ReplayRequest {
    /// One that was committed.
    executed: Option<SignedTransaction>,
}

impl Strategy for ReplayRequest {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let Some(proposal) = desk.own_new_block(&outgoing.message) else {
            return vec![outgoing];
        };
        let Some(executed) = self.executed.clone() else {
            return vec![outgoing];
        };
        let block = bad_transaction::with(proposal.block.clone(), executed);
        let message = Message::PrePrepare(desk.propose(block, proposal.vote.statement.view));
        vec![Outgoing { to: outgoing.to, message }]
    }

    fn keeps(&mut self, _: &mut Desk, block: &mut ProvedBlock) {
        self.executed = block.block.body.transactions().first().cloned().or(self.executed.take());
    }
}
