//! The ledger as consensus sees it: propose, execute, commit, forget.

use types::address::Address;
use types::application::{Application, Arrivals, BlockRefusal, Pending, Proposal};
use types::block::{Block, BlockId, Body, evidence_bytes};
use types::evidence::Evidence;
use types::number::Height;
use types::replica::ReplicaId;
use types::transaction::SignedTransaction;

use crate::execute::{Executed, Execution};
use crate::layers::Layer;
use crate::ledger::Ledger;

/// What was proposed last. A primary executes its own proposal next, and need not do it twice.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    parent: BlockId,
    executed: Executed,
}

impl Application for Ledger {
    fn pending(&self) -> Pending {
        self.pool.pending()
    }

    fn arrivals(&self) -> Arrivals {
        self.pool.arrivals()
    }

    /// What waits, in the order of arrival, as much as fits. An account whose next transaction is
    /// not valid on this branch is passed over; only so many are, as a block has transactions, so
    /// that what a liar sends cannot make a proposal slow. On the committed state none is.
    fn propose(
        &mut self,
        parent: &BlockId,
        height: Height,
        evidence: &[&Evidence],
    ) -> Option<Proposal> {
        if self.layers.height_of(parent)?.checked_next() != Some(height) {
            return None;
        }
        let transactions_max =
            usize::try_from(self.bounds.block_transactions_max).unwrap_or(usize::MAX);
        let bytes_max = usize::try_from(self.bounds.block_bytes_max).unwrap_or(usize::MAX);
        let branch = self.layers.branch(&self.state, parent)?;
        let accusation = self.accusation(evidence, parent, bytes_max);
        let mut execution = Execution::new(branch, self.chain, height);
        let mut transactions: Vec<SignedTransaction> = Vec::new();
        let mut bytes = accusation.map_or(0, evidence_bytes).saturating_add(Body::EMPTY_BYTES);
        let mut passed_over = 0_usize;
        let mut walk = self.pool.walk();
        while transactions.len() < transactions_max
            && passed_over < transactions_max
            && let Some((place, entry)) = walk.next()
        {
            let with_it = bytes.saturating_add(entry.transaction.encoded_bytes());
            if with_it > bytes_max {
                break;
            }
            match execution.apply(&entry.transaction.transaction) {
                Ok(()) => {
                    bytes = with_it;
                    transactions.push(entry.transaction.clone());
                    walk.took(place);
                }
                Err(_) => passed_over = passed_over.saturating_add(1),
            }
        }
        if transactions.is_empty() && accusation.is_none() {
            return None;
        }
        let executed = execution.finish(*parent);
        let state_root = executed.layer.state_root;
        self.draft = Some(Draft { parent: *parent, executed });
        let body = Body::new(transactions).with_evidence(accusation.cloned());
        Some(Proposal { body, state_root })
    }

    fn is_convicted(&self, replica: ReplicaId, block: &BlockId) -> bool {
        self.convicted.contains(&replica) || self.layers.is_convicted(replica, block)
    }

    fn execute(&mut self, block: &Block) -> Result<(), BlockRefusal> {
        let id = block.id();
        if self.layers.contains(&id) || self.committed().1 == id {
            return Ok(());
        }
        self.check_bounds(block)?;
        let convicts = self.convicts(block)?;
        let executed = match self.drafted(block) {
            Some(executed) => executed,
            None => self.run(block)?,
        };
        let found = executed.layer.state_root;
        if found != block.header.state_root {
            return Err(BlockRefusal::StateRoot { promised: block.header.state_root, found });
        }
        let mut layer = self.with_strangers(executed, block);
        layer.convicts = convicts;
        let senders: Vec<_> = layer.senders.clone();
        self.layers.insert(id, layer);
        for (number, next) in senders {
            self.pool.raise_next(number, next);
        }
        Ok(())
    }

    fn commit(&mut self, block: &BlockId) {
        let (mut layer, rivals) = self.layers.commit(block);
        let senders = std::mem::take(&mut layer.senders);
        let strangers = std::mem::take(&mut layer.strangers);
        let changed: Vec<Address> = if self.pool.parked.len() == 0 {
            Vec::new()
        } else {
            layer.changed.iter().map(|(_, account)| account.address).collect()
        };
        self.convicted.extend(layer.convicts);
        self.state.fold_in(layer);
        self.settle_committed(&senders, &strangers);
        self.settle_accounts(&senders);
        self.settle_lost(rivals);
        self.settle_height(self.committed().0.next());
        self.retry_parked(&changed, &strangers);
        self.drop_stale_draft();
    }

    fn forget(&mut self, block: &BlockId) {
        let lost = self.layers.forget(block);
        self.settle_lost(lost);
        self.drop_stale_draft();
    }
}

impl Ledger {
    /// The first piece of evidence that accuses a replica not convicted on this branch and fits into a body.
    fn accusation<'a>(
        &self,
        evidence: &[&'a Evidence],
        parent: &BlockId,
        bytes_max: usize,
    ) -> Option<&'a Evidence> {
        let mut news = evidence
            .iter()
            .copied()
            .filter(|evidence| !self.is_convicted(evidence.accused(&self.validators), parent));
        news.find(|evidence| {
            evidence_bytes(evidence).saturating_add(Body::EMPTY_BYTES) <= bytes_max
        })
    }

    /// Whom the evidence of a block convicts.
    fn convicts(&self, block: &Block) -> Result<Option<ReplicaId>, BlockRefusal> {
        let Some(evidence) = block.body.evidence() else {
            return Ok(None);
        };
        let replica = evidence.accused(&self.validators);
        if self.is_convicted(replica, &block.header.parent) {
            return Err(BlockRefusal::Convicted { replica });
        }
        Ok(Some(replica))
    }

    /// Everything about a block that can be said without executing it.
    fn check_bounds(&self, block: &Block) -> Result<(), BlockRefusal> {
        let header = &block.header;
        let parent = header.parent;
        let below = self
            .layers
            .height_of(&parent)
            .filter(|_| header.chain == self.chain)
            .ok_or(BlockRefusal::UnknownParent { parent })?;
        if below.checked_next() != Some(header.height) {
            return Err(BlockRefusal::WrongHeight { expected: below.next(), found: header.height });
        }
        if self.layers.len() >= self.bounds.layers_max {
            return Err(BlockRefusal::TooManyLayers {
                layers_max: u32::try_from(self.bounds.layers_max).unwrap_or(u32::MAX),
            });
        }
        if block.body.is_empty() {
            return Err(BlockRefusal::Empty);
        }
        let found = size(block.body.len());
        if found > u64::from(self.bounds.block_transactions_max) {
            return Err(BlockRefusal::TooManyTransactions {
                found,
                transactions_max: self.bounds.block_transactions_max,
            });
        }
        let found = size(block.body.encoded_bytes());
        if found > u64::from(self.bounds.block_bytes_max) {
            return Err(BlockRefusal::TooManyBytes {
                found,
                bytes_max: self.bounds.block_bytes_max,
            });
        }
        if block.fits() { Ok(()) } else { Err(BlockRefusal::BodyRoot) }
    }

    /// Takes the draft if it is of exactly these transactions on this parent. Signatures may
    /// differ: no state depends on them.
    fn drafted(&mut self, block: &Block) -> Option<Executed> {
        let transactions = block.body.transactions();
        self.draft
            .take_if(|draft| {
                let places = &draft.executed.places;
                draft.parent == block.header.parent
                    && places.len() == transactions.len()
                    && places.iter().zip(transactions).all(|(place, transaction)| {
                        self.pool.holds(*place, &transaction.transaction)
                    })
            })
            .map(|draft| draft.executed)
    }

    /// Executes every transaction of a block on its parent.
    fn run(&self, block: &Block) -> Result<Executed, BlockRefusal> {
        let parent = block.header.parent;
        let branch = self
            .layers
            .branch(&self.state, &parent)
            .ok_or(BlockRefusal::UnknownParent { parent })?;
        let mut execution = Execution::new(branch, self.chain, block.header.height);
        for (index, transaction) in (0..).zip(block.body.transactions()) {
            execution
                .apply(&transaction.transaction)
                .map_err(|rejection| BlockRefusal::Transaction { index, rejection })?;
        }
        Ok(execution.finish(parent))
    }

    /// Notes which transactions of an executed block the pool has never seen: they arrive with it.
    fn with_strangers(&mut self, executed: Executed, block: &Block) -> Layer {
        let Executed { mut layer, places } = executed;
        for (place, transaction) in places.iter().zip(block.body.transactions()) {
            if !self.pool.holds(*place, &transaction.transaction) {
                layer.strangers.insert(
                    (transaction.transaction.sender, place.nonce),
                    (self.pool.arrival(), transaction.clone()),
                );
            }
        }
        layer
    }

    /// Lets go of a draft that nothing can stand on any more.
    fn drop_stale_draft(&mut self) {
        let layers = &self.layers;
        self.draft.take_if(|draft| layers.height_of(&draft.parent).is_none());
    }
}

fn size(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
