//! The smallest application: a block holds a number, and every block can be executed on every parent.
//!
//! Money is the business of the other runs of the lab. Here every state is copied for every word that may come next,
//! and what is in a block decides nothing but whether a replica can tell two blocks apart.

use crypto::digest::{Digest, Domain, digest_pair};
use crypto::keys::Signature;
use crypto::signed::ChainId;
use types::address::Address;
use types::amount::Amount;
use types::application::{Application, Arrivals, BlockRefusal, Pending, Proposal};
use types::block::{Block, BlockId, Body};
use types::evidence::Evidence;
use types::memo::Memo;
use types::number::{Height, Nonce};
use types::replica::ReplicaId;
use types::transaction::{Action, SignedTransaction, Transaction, Transfer};

use crate::keys::Owner;

/// Has one request for each height up to the last, and no state but the height it has committed.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    chain: ChainId,
    committed: Height,
    last: Height,
}

impl Numbers {
    pub(super) const fn new(chain: ChainId, last: Height) -> Self {
        Self { chain, committed: Height::GENESIS, last }
    }
}

/// A body with a number in it. Honest replicas propose the number 0.
pub(super) fn body(chain: ChainId, number: u64) -> Body {
    let sender = Address::Key(Owner::Client(0).public_key());
    let transaction = Transaction {
        chain,
        sender,
        nonce: Nonce::new(number),
        valid_until: Height::new(u64::MAX),
        action: Action::Transfer(Transfer {
            recipient: sender,
            amount: Amount::new(1),
            memo: Memo::default(),
        }),
    };
    Body::new(vec![SignedTransaction { transaction, signature: Signature::from_bytes([0; 64]) }])
}

/// The root of the state after a block.
pub(super) fn root(parent: &BlockId, body: &Body) -> Digest {
    digest_pair(Domain::StateRoot, parent.digest(), &body.root())
}

impl Application for Numbers {
    fn pending(&self) -> Pending {
        let transactions = u64::from(self.committed < self.last);
        Pending { transactions, bytes: transactions }
    }

    fn arrivals(&self) -> Arrivals {
        Arrivals::default()
    }

    fn propose(
        &mut self,
        parent: &BlockId,
        height: Height,
        _evidence: &[&Evidence],
    ) -> Option<Proposal> {
        let body = body(self.chain, 0);
        let state_root = root(parent, &body);
        (height <= self.last).then_some(Proposal { body, state_root })
    }

    /// Everybody is, from the beginning: so no evidence is news that a block would carry, and any view may be left at any
    /// time, whoever has found out what. That is more than can happen, and the same for states that differ in nothing
    /// but what they can prove.
    fn is_convicted(&self, _replica: ReplicaId, _block: &BlockId) -> bool {
        true
    }

    fn execute(&mut self, block: &Block) -> Result<(), BlockRefusal> {
        let promised = block.header.state_root;
        let found = root(&block.header.parent, &block.body);
        if promised == found { Ok(()) } else { Err(BlockRefusal::StateRoot { promised, found }) }
    }

    fn commit(&mut self, _block: &BlockId) {
        self.committed = self.committed.next();
    }

    fn forget(&mut self, _block: &BlockId) {}
}
