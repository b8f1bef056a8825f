//! Blocks whose header is wrong in one field.

use crypto::digest::Digest;
use pbft::{Message, Outgoing};
use types::block::{BlockId, Header};
use types::replica::ReplicaId;

use super::{Kind, Role, Strategy};
use crate::Desk;

/// A day, in milliseconds.
const DAY_MS: u64 = 86_400_000;

pub(super) const KIND: Kind = Kind {
    name: "forge-header",
    sentence: "as primary proposes blocks whose header is wrong in one field: state root, parent, height, proposer, view, \
               timestamp, body root, number of transactions, chain, each in its turn",
    answer: "nobody votes for the block, whatever the field, and the view changes",
    role: Role::Primary,
    provable: false,
    make: || Box::new(ForgeHeader { turn: 0 }),
};

struct ForgeHeader {
    /// Which field comes next.
    turn: u64,
}

impl Strategy for ForgeHeader {
    fn says(&mut self, desk: &mut Desk, outgoing: Outgoing) -> Vec<Outgoing> {
        let Some(proposal) = desk.own_new_block(&outgoing.message) else {
            return vec![outgoing];
        };
        let view = proposal.vote.statement.view;
        let mut block = proposal.block.clone();
        forge(&mut block.header, self.turn);
        self.turn = self.turn.wrapping_add(1);
        let message = Message::PrePrepare(desk.propose(block, view));
        vec![Outgoing { to: outgoing.to, message }]
    }
}

fn forge(header: &mut Header, turn: u64) {
    match turn % 10 {
        0 => header.state_root = other(&header.state_root),
        1 => header.parent = BlockId::new(other(header.parent.digest())),
        2 => header.height = header.height.next(),
        3 => header.proposer = ReplicaId::new(header.proposer.get().wrapping_add(1)),
        4 => header.view = header.view.next(),
        5 => header.timestamp_ms = 0,
        6 => header.timestamp_ms = header.timestamp_ms.saturating_add(DAY_MS),
        7 => header.body_root = other(&header.body_root),
        8 => header.transactions = header.transactions.wrapping_add(1),
        _ => header.chain = types::ChainId::new(other(header.chain.digest())),
    }
}

/// Another digest than this one.
pub(crate) fn other(digest: &Digest) -> Digest {
    let mut bytes = *digest.as_bytes();
    if let Some(first) = bytes.first_mut() {
        *first ^= 1;
    }
    Digest::from_bytes(bytes)
}
