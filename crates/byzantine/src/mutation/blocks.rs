//! Changes of blocks, and of what carries them.

use pbft::{Handover, PrePrepare};
use types::block::{Block, Body, Header};
use types::proof::{Proof, ProvedBlock};
use types::transaction::{Action, SignedTransaction, Transaction, Transfer};
use types::vote::{Statement, Vote};

use super::{Mutation, Mutator, Variant};

impl Mutator {
    fn headers(&mut self, one: &Header) -> Vec<(Mutation, Header)> {
        let Header {
            chain,
            height,
            parent,
            view,
            proposer,
            timestamp_ms,
            body_root,
            transactions,
            state_root,
        } = one.clone();
        let header = || one.clone();
        vec![
            (Mutation::HeaderChain, Header { chain: self.chain(&chain), ..header() }),
            (Mutation::HeaderHeight, Header { height: self.height(height), ..header() }),
            (Mutation::HeaderParent, Header { parent: self.block_id(&parent), ..header() }),
            (Mutation::HeaderView, Header { view: self.view(view), ..header() }),
            (Mutation::HeaderProposer, Header { proposer: self.replica(proposer), ..header() }),
            (
                Mutation::HeaderTimestamp,
                Header { timestamp_ms: self.number(timestamp_ms), ..header() },
            ),
            (Mutation::HeaderBodyRoot, Header { body_root: self.digest(&body_root), ..header() }),
            (
                Mutation::HeaderTransactions,
                Header { transactions: self.small_number(transactions), ..header() },
            ),
            (
                Mutation::HeaderStateRoot,
                Header { state_root: self.digest(&state_root), ..header() },
            ),
        ]
    }

    fn bodies(&mut self, one: &Body) -> Vec<(Mutation, Body)> {
        let transactions = one.transactions();
        let mut variants = vec![(Mutation::BodyEmptied, Body::default())];
        let place = self.random.index(transactions.len());
        let Some(chosen) = transactions.get(place) else {
            return variants;
        };
        let mut changed = |mutation, change: &dyn Fn(&mut Vec<SignedTransaction>)| {
            let mut transactions = transactions.to_vec();
            change(&mut transactions);
            variants.push((mutation, Body::new(transactions)));
        };
        changed(Mutation::BodyDropped, &|it| {
            it.remove(place);
        });
        changed(Mutation::BodyDoubled, &|it| it.insert(place, chosen.clone()));
        if transactions.len() > 1 {
            let last = transactions.len().saturating_sub(1);
            let other = if place == last { 0 } else { last };
            changed(Mutation::BodySwapped, &|it| it.swap(place, other));
        }
        if let Some(foreign) = self.memory.transaction(&mut self.random) {
            changed(Mutation::BodyForeign, &|it| it.push(foreign.clone()));
        }
        for (mutation, transaction) in self.transactions(chosen) {
            let replace = |it: &mut Vec<SignedTransaction>| {
                if let Some(item) = it.get_mut(place) {
                    *item = transaction.clone();
                }
            };
            changed(mutation, &replace);
        }
        variants
    }

    /// Nobody but the sender can sign them anew.
    fn transactions(&mut self, one: &SignedTransaction) -> Vec<(Mutation, SignedTransaction)> {
        let SignedTransaction { transaction, signature } = one;
        let Transaction { chain, sender, nonce, valid_until, action } = transaction;
        let Action::Transfer(Transfer { recipient, amount, memo }) = action;
        let transfer = |recipient, amount, memo| Transaction {
            action: Action::Transfer(Transfer { recipient, amount, memo }),
            ..transaction.clone()
        };
        let same = || transaction.clone();
        let changed = [
            (Mutation::TransactionChain, Transaction { chain: self.chain(chain), ..same() }),
            (Mutation::TransactionSender, Transaction { sender: self.address(sender), ..same() }),
            (Mutation::TransactionNonce, Transaction { nonce: self.nonce(*nonce), ..same() }),
            (
                Mutation::TransactionValidUntil,
                Transaction { valid_until: self.height(*valid_until), ..same() },
            ),
            (
                Mutation::TransactionRecipient,
                transfer(self.address(recipient), *amount, memo.clone()),
            ),
            (Mutation::TransactionAmount, transfer(*recipient, self.amount(*amount), memo.clone())),
            (Mutation::TransactionMemo, transfer(*recipient, *amount, self.memo(memo))),
        ];
        let stale = |transaction| SignedTransaction { transaction, signature: *signature };
        let mut variants: Vec<(Mutation, SignedTransaction)> = changed
            .into_iter()
            .map(|(mutation, transaction)| (mutation, stale(transaction)))
            .collect();
        let signature = self.signature(signature);
        let forged = SignedTransaction { transaction: same(), signature };
        variants.push((Mutation::TransactionSignature, forged));
        variants
    }

    /// Changed blocks: as they are, and with a header that fits the body again.
    fn blocks(&mut self, one: &Block) -> Vec<(Mutation, Block, Block)> {
        let Block { header, body } = one;
        let mut variants = Vec::new();
        for (mutation, header) in self.headers(header) {
            let block = Block { header, body: body.clone() };
            variants.push((mutation, block.clone(), block));
        }
        for (mutation, body) in self.bodies(body) {
            let block = Block { header: header.clone(), body };
            let mut fitting = block.clone();
            fitting.header.body_root = fitting.body.root();
            fitting.header.transactions = u32::try_from(fitting.body.len()).unwrap_or(u32::MAX);
            variants.push((mutation, block, fitting));
        }
        variants
    }

    pub(super) fn pre_prepares(&mut self, one: &PrePrepare) -> Vec<Variant<PrePrepare>> {
        let PrePrepare { block, vote } = one;
        let mut variants = Vec::new();
        for (mutation, stale, fitting) in self.blocks(block) {
            let (height, id) = (fitting.header.height, fitting.id());
            let statement = Statement { height, block: id, ..vote.statement };
            let signed = self.sign_vote(Vote { statement, ..*vote });
            variants.push(Variant {
                mutation,
                stale: PrePrepare { block: stale, vote: *vote },
                anew: Some(PrePrepare { block: fitting, vote: signed }),
            });
        }
        for changed in self.votes(vote) {
            variants.push(changed.map(|vote| PrePrepare { block: block.clone(), vote }));
        }
        variants
    }

    pub(super) fn handovers(&mut self, one: &Handover) -> Vec<Variant<Handover>> {
        let Handover { block, replica, signature } = one;
        let (chain, signer) = (*self.validators.chain(), std::sync::Arc::clone(&self.signer));
        let mut variants = Vec::new();
        for (mutation, stale, fitting) in self.blocks(block) {
            let anew = Handover::sign(fitting, *replica, &chain, signer.as_ref());
            let stale = Handover { block: stale, ..one.clone() };
            variants.push(Variant { mutation, stale, anew: Some(anew) });
        }
        let other = self.replica(*replica);
        variants.push(Variant {
            mutation: Mutation::HandoverReplica,
            stale: Handover { replica: other, ..one.clone() },
            anew: Some(Handover::sign(block.clone(), other, &chain, signer.as_ref())),
        });
        let stale = Handover { signature: self.signature(signature), ..one.clone() };
        variants.push(Variant::stale(Mutation::HandoverSignature, stale));
        variants
    }

    /// What it hands out when it is asked for blocks.
    pub(super) fn proofs(&mut self, one: &ProvedBlock) -> Vec<(Mutation, ProvedBlock)> {
        let ProvedBlock { block, proof } = one;
        let Proof { descendants, certificate } = proof;
        let with = |proof| ProvedBlock { block: block.clone(), proof };
        let mut more = descendants.clone();
        if more.pop().is_none() {
            more.push(block.header.clone());
        }
        let longer = Proof { descendants: more, certificate: certificate.clone() };
        let mut variants = vec![(Mutation::ProofDescendants, with(longer))];
        for (mutation, certificate) in self.certificates(certificate) {
            let other = Proof { descendants: descendants.clone(), certificate };
            variants.push((mutation, with(other)));
        }
        for (mutation, _, block) in self.blocks(block) {
            variants.push((mutation, ProvedBlock { block, proof: proof.clone() }));
        }
        variants
    }
}
