//! Blocks with a transaction that must not be in them.

use pbft::{Message, Outgoing};
use types::address::Address;
use types::amount::Amount;
use types::block::{Block, Body};
use types::memo::Memo;
use types::number::{Height, Nonce};
use types::transaction::{Action, SignedTransaction, Transaction, Transfer};

use super::{Kind, Role, Strategy};
use crate::Desk;

pub(super) const KIND: Kind = Kind {
    name: "bad-transaction",
    sentence: "as primary puts a transaction into its blocks that nobody may commit: overspent, twice the same, of another \
               chain, with a changed amount, each in its turn",
    answer: "nobody votes for the block, at the door or after executing it, and the view changes",
    role: Role::Primary,
    provable: false,
    make: || Box::new(BadTransaction { turn: 0 }),
};

struct BadTransaction {
    /// Which of the bad transactions comes next.
    turn: u64,
}

impl Strategy for BadTransaction {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let Some(proposal) = desk.own_new_block(&outgoing.message) else {
            return vec![outgoing];
        };
        let view = proposal.vote.statement.view;
        let Some(bad) = bad(desk, self.turn, &proposal.block.body) else {
            return vec![outgoing];
        };
        self.turn = self.turn.wrapping_add(1);
        let block = with(proposal.block.clone(), bad);
        let message = Message::PrePrepare(desk.propose(block, view));
        vec![Outgoing { to: outgoing.to, message }]
    }
}

/// A block with one transaction more, and a header that fits its body.
pub(super) fn with(block: Block, more: SignedTransaction) -> Block {
    let Block { mut header, body } = block;
    let mut transactions = body.into_transactions();
    transactions.push(more);
    let body = Body::new(transactions);
    header.body_root = body.root();
    header.transactions = u32::try_from(body.len()).unwrap_or(u32::MAX);
    Block { header, body }
}

fn bad(desk: &Desk, turn: u64, body: &Body) -> Option<SignedTransaction> {
    let first = body.transactions().first()?.clone();
    Some(match turn % 4 {
        0 => own(desk, *desk.validators.chain()),
        1 => first,
        2 => own(desk, types::ChainId::new(*first.id().digest())),
        _ => {
            let SignedTransaction { mut transaction, signature } = first;
            let Action::Transfer(transfer) = &mut transaction.action;
            transfer.amount = Amount::new(transfer.amount.get().wrapping_add(1));
            SignedTransaction { transaction, signature }
        }
    })
}

/// A transfer out of an account that has nothing: that of its own key.
fn own(desk: &Desk, chain: types::ChainId) -> SignedTransaction {
    let sender = Address::Key(desk.signer.public_key());
    let transaction = Transaction {
        chain,
        sender,
        nonce: Nonce::FIRST,
        valid_until: Height::new(u64::MAX),
        action: Action::Transfer(Transfer {
            recipient: sender,
            amount: Amount::new(u64::from(u32::MAX)),
            memo: Memo::empty(),
        }),
    };
    SignedTransaction::sign(transaction, desk.signer.as_ref())
}
