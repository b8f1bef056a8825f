//! What validators of a planned network sign, honest or not.

use anstream::adapter::strip_str;
use crypto::digest::Digest;
use crypto::keys::SecretKey;
use types::address::Address;
use types::amount::Amount;
use types::block::{Block, Body, Header};
use types::certificate::Certificate;
use types::evidence::Evidence;
use types::genesis::Genesis;
use types::memo::Memo;
use types::number::{Height, Nonce, View};
use types::proof::{Proof, ProvedBlock};
use types::replica::ReplicaId;
use types::transaction::{Action, SignedTransaction, Transaction, Transfer};
use types::view_change::{NewView, ViewChange};
use types::vote::{Phase, Statement, Vote};

use crate::output::Report;
use crate::testnet::plan::Plan;

/// A network whose keys all are known.
pub(crate) struct Signers {
    pub(crate) genesis: Genesis,
    keys: Vec<SecretKey>,
}

impl Signers {
    /// The network that `testnet up -n COUNT` makes.
    pub(crate) fn new(count: usize) -> Self {
        let plan = Plan::new(count, 0).unwrap();
        let keys = plan.validators.iter().map(|it| SecretKey::from_seed(*it.validator_seed));
        Self { keys: keys.collect(), genesis: plan.genesis }
    }

    pub(crate) fn key(&self, replica: u16) -> &SecretKey {
        &self.keys[usize::from(replica)]
    }

    /// Empty blocks of a branch, from height 1 on. Branches of different `mark` differ from the height on that is
    /// named.
    pub(crate) fn branch(&self, count: u64, mark: u64, from: u64) -> Vec<Block> {
        let mut parent = self.genesis.header().clone();
        let mut blocks = Vec::new();
        for height in 1..=count {
            let body = Body::default();
            let marked = if height < from { 0 } else { mark };
            parent = Header {
                chain: *self.genesis.chain(),
                height: Height::new(height),
                parent: parent.id(),
                view: View::FIRST,
                proposer: ReplicaId::new(0),
                timestamp_ms: parent.timestamp_ms + 1 + marked,
                body_root: body.root(),
                transactions: 0,
                state_root: Digest::ZERO,
            };
            blocks.push(Block { header: parent.clone(), body });
        }
        blocks
    }

    /// A transfer of the first replica to itself.
    pub(crate) fn transfer(&self, nonce: u64) -> SignedTransaction {
        let own = Address::Key(self.key(0).public_key());
        let transfer = Transfer { recipient: own, amount: Amount::new(1), memo: Memo::default() };
        let transaction = Transaction {
            chain: *self.genesis.chain(),
            sender: own,
            nonce: Nonce::new(nonce),
            valid_until: Height::new(1_000),
            action: Action::Transfer(transfer),
        };
        SignedTransaction::sign(transaction, self.key(0))
    }

    pub(crate) fn vote(&self, phase: Phase, view: u64, block: &Block, replica: u16) -> Vote {
        let (height, id) = (block.header.height, block.id());
        let statement = Statement { phase, view: View::new(view), height, block: id };
        let chain = self.genesis.chain();
        Vote::sign(statement, ReplicaId::new(replica), chain, self.key(replica))
    }

    pub(crate) fn certificate(
        &self,
        phase: Phase,
        view: u64,
        block: &Block,
        signers: &[u16],
    ) -> Certificate {
        let votes: Vec<Vote> =
            signers.iter().map(|replica| self.vote(phase, view, block, *replica)).collect();
        let validators = self.genesis.validators();
        Certificate::from_votes(votes[0].statement, &votes, validators).unwrap()
    }

    /// The block with a commit certificate of this view by these.
    pub(crate) fn proved(&self, view: u64, block: &Block, signers: &[u16]) -> ProvedBlock {
        let certificate = self.certificate(Phase::Commit, view, block, signers);
        ProvedBlock { block: block.clone(), proof: Proof { descendants: Vec::new(), certificate } }
    }

    pub(crate) fn view_change(
        &self,
        view: u64,
        certificate: Option<Certificate>,
        replica: u16,
    ) -> ViewChange {
        let (chain, number) = (self.genesis.chain(), ReplicaId::new(replica));
        ViewChange::sign(View::new(view), certificate, number, chain, self.key(replica))
    }

    /// The new view that the primary makes of these view changes.
    pub(crate) fn new_view(&self, view: u64, view_changes: Vec<ViewChange>) -> NewView {
        let primary = self.genesis.validators().primary(View::new(view));
        let chain = self.genesis.chain();
        NewView::sign(View::new(view), view_changes, chain, self.key(primary.get()))
    }

    /// A piece of evidence of each kind against replica 1.
    pub(crate) fn evidence(&self) -> [Evidence; 5] {
        let [one, other] = [0, 7].map(|mark| self.branch(3, mark, 2));
        let prepared = self.certificate(Phase::Prepare, 0, &one[1], &[0, 2, 3]);
        let asked = |certificate| self.view_change(1, certificate, 1);
        let opened = |certificate| {
            let others = [0, 2].map(|replica| self.view_change(1, None, replica));
            let [first, last] = others;
            self.new_view(1, vec![first, asked(certificate), last])
        };
        [
            Evidence::Votes {
                first: self.vote(Phase::Prepare, 0, &one[1], 1),
                second: self.vote(Phase::Prepare, 0, &other[1], 1),
            },
            Evidence::Branches {
                higher: self.vote(Phase::Prepare, 0, &one[2], 1),
                lower: self.vote(Phase::Commit, 0, &other[1], 1),
                headers: vec![one[2].header.clone()],
            },
            Evidence::ViewChanges {
                first: (&asked(Some(prepared.clone()))).into(),
                second: (&asked(None)).into(),
            },
            Evidence::Forgotten {
                commit: self.vote(Phase::Commit, 0, &one[1], 1),
                view_change: (&asked(None)).into(),
            },
            Evidence::NewViews {
                first: (&opened(Some(prepared))).into(),
                second: (&opened(None)).into(),
            },
        ]
    }
}

/// The text of a result, without styles.
pub(crate) fn text(report: &impl Report) -> String {
    let mut out = Vec::new();
    report.text(&mut out).unwrap();
    strip_str(std::str::from_utf8(&out).unwrap()).to_string()
}
