//! A short honest history, and hands to doctor it with.

use std::collections::BTreeSet;
use std::sync::Arc;

use ledger::{Ledger, PoolLimits};
use pbft::{Message, PrePrepare, Record};
use types::address::Address;
use types::amount::Amount;
use types::application::{Application, BlockRefusal};
use types::block::{Block, Body, Header};
use types::certificate::Certificate;
use types::genesis::Genesis;
use types::memo::Memo;
use types::number::{Height, Nonce, View};
use types::proof::{Proof, ProvedBlock};
use types::replica::ReplicaId;
use types::transaction::{Action, SignedTransaction, Transaction, Transfer};
use types::view_change::{NewView, ViewChange};
use types::vote::{Phase, Statement, Vote};

use super::{Checker, Property};
use crate::keys::{Owner, SignerKind, Verifier};
use crate::plan::{Limits, Plan};
use crate::time::Time;

/// A network of four with one client, three blocks of one transfer each, and a checker that has
/// seen nothing.
pub(super) struct Story {
    pub(super) genesis: Genesis,
    pub(super) blocks: Vec<Block>,
    pub(super) check: Checker,
}

impl Story {
    pub(super) fn new() -> Self {
        Self::leaving_out(BTreeSet::new())
    }

    pub(super) fn leaving_out(faulty: BTreeSet<u16>) -> Self {
        let mut plan = Plan::random(1, &Limits { replicas: vec![4], ..Limits::default() });
        plan.load.clients = 1;
        let genesis = crate::world::genesis(&plan);
        let check = Checker::new(&genesis, Verifier::new(SignerKind::Fast), faulty);
        let mut story = Self { genesis, blocks: Vec::new(), check };
        for nonce in 0..3 {
            let block = story.next_block(vec![story.transfer(nonce, 5)]);
            story.blocks.push(block);
        }
        story
    }

    pub(super) fn transfer(&self, nonce: u64, amount: u64) -> SignedTransaction {
        let transaction = Transaction {
            chain: *self.genesis.chain(),
            sender: Address::Key(Owner::Client(0).public_key()),
            nonce: Nonce::new(nonce),
            valid_until: Height::new(u64::MAX),
            action: Action::Transfer(Transfer {
                recipient: Address::Key(Owner::Client(1).public_key()),
                amount: Amount::new(amount),
                memo: Memo::empty(),
            }),
        };
        SignedTransaction::sign(transaction, Owner::Client(0).signer(SignerKind::Fast).as_ref())
    }

    /// A block on the last one, with the right roots if it can be executed at all.
    pub(super) fn next_block(&self, transactions: Vec<SignedTransaction>) -> Block {
        let mut ledger = Ledger::new(&self.genesis, PoolLimits::default());
        for block in &self.blocks {
            ledger.execute(block).unwrap();
            ledger.commit(&block.id());
        }
        let parent = self.blocks.last().map_or(self.genesis.header(), |block| &block.header);
        let body = Body::new(transactions);
        let header = Header {
            chain: *self.genesis.chain(),
            height: parent.height.next(),
            parent: parent.id(),
            view: View::FIRST,
            proposer: ReplicaId::new(0),
            timestamp_ms: parent.timestamp_ms + 1,
            body_root: body.root(),
            transactions: u32::try_from(body.len()).unwrap(),
            state_root: parent.state_root,
        };
        let mut block = Block { header, body };
        if let Err(BlockRefusal::StateRoot { found, .. }) = ledger.execute(&block) {
            block.header.state_root = found;
        }
        block
    }

    pub(super) fn vote(&self, replica: u16, phase: Phase, view: u64, block: &Block) -> Vote {
        let statement = Statement {
            phase,
            view: View::new(view),
            height: block.header.height,
            block: block.id(),
        };
        let signer = Owner::Replica(replica).signer(SignerKind::Fast);
        Vote::sign(statement, ReplicaId::new(replica), self.genesis.chain(), signer.as_ref())
    }

    /// A block with a proof of commit votes by these replicas.
    pub(super) fn proved_by(&self, who: &[u16], block: &Block) -> Arc<ProvedBlock> {
        let votes: Vec<Vote> =
            who.iter().map(|replica| self.vote(*replica, Phase::Commit, 0, block)).collect();
        let certificate = Certificate {
            statement: votes[0].statement,
            signatures: votes.iter().map(|vote| (vote.replica, vote.signature)).collect(),
        };
        let proof = Proof { descendants: Vec::new(), certificate };
        Arc::new(ProvedBlock { block: block.clone(), proof })
    }

    pub(super) fn proved(&self, block: &Block) -> Arc<ProvedBlock> {
        self.proved_by(&[0, 1, 2], block)
    }

    /// A replica commits the first blocks of the story.
    pub(super) fn commits(&mut self, replica: u16, count: usize) {
        for block in &self.blocks[..count] {
            let proved = self.proved(block);
            self.check.committed(NOW, replica, &proved);
        }
    }

    /// A replica's prepare vote is flushed and sent, and before it, in the view of the block, that of who proposed it.
    pub(super) fn votes(&mut self, replica: u16, view: u64, block: &Block) {
        let (proposer, first) = (block.header.proposer.get(), block.header.view.get());
        if replica != proposer {
            self.votes(proposer, first, block);
        }
        let vote = self.vote(replica, Phase::Prepare, view, block);
        self.check.recorded(NOW, replica, &[recorded(vote, block)]);
        self.check.said(NOW, replica, &Message::Prepare(vote));
    }

    /// Who asks for a view, with a certificate of prepare votes for a block in the view before, if any.
    pub(super) fn asks(&self, replica: u16, view: u64, block: Option<&Block>) -> ViewChange {
        let certificate = block.map(|block| {
            let vote = |replica| self.vote(replica, Phase::Prepare, view - 1, block);
            let votes = [0, 1, 2].map(vote);
            let signatures = votes.iter().map(|vote| (vote.replica, vote.signature)).collect();
            Certificate { statement: votes[0].statement, signatures }
        });
        let signer = Owner::Replica(replica).signer(SignerKind::Fast);
        let (view, replica, chain) =
            (View::new(view), ReplicaId::new(replica), self.genesis.chain());
        ViewChange::sign(view, certificate, replica, chain, signer.as_ref())
    }

    /// The new view of a view, with these view changes, by its primary.
    pub(super) fn new_view(&self, view: u64, asked: Vec<ViewChange>) -> NewView {
        let primary = u16::try_from(view % 4).unwrap();
        let signer = Owner::Replica(primary).signer(SignerKind::Fast);
        NewView::sign(View::new(view), asked, self.genesis.chain(), signer.as_ref())
    }

    /// A replica asks for a view together with two others, and enters it; the block, if any, is its tip.
    pub(super) fn enters(&mut self, replica: u16, view: u64, tip: Option<&Block>) {
        let asked = [0, 1, 2].map(|who| self.asks(who, view, tip));
        let new_view = self.new_view(view, asked.to_vec());
        self.check.recorded(NOW, replica, &[Record::NewView { new_view }]);
    }

    /// The properties that were broken.
    pub(super) fn broken(&self) -> Vec<Property> {
        self.check.violations().iter().map(|violation| violation.property).collect()
    }
}

pub(super) const NOW: Time = Time::from_ms(7);

/// The record of a prepare vote.
pub(super) fn recorded(vote: Vote, block: &Block) -> Record {
    Record::Vote { vote, block: Some(block.clone()) }
}

/// The proposal of a block.
pub(super) fn proposal(vote: Vote, block: &Block) -> Message {
    Message::PrePrepare(PrePrepare { block: block.clone(), vote })
}
