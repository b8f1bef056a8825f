//! Receipts for transactions of one committed block, its tree built at most once.

use std::sync::{Arc, OnceLock};

use crypto::merkle::Tree;
use types::evidence::Evidence;
use types::proof::ProvedBlock;
use types::receipt::Receipt;
use types::reply::BlockReply;

/// A block that is durable here, with this validator's signature under that.
#[derive(Debug)]
pub(crate) struct Committed {
    block: Arc<ProvedBlock>,
    reply: BlockReply,
    tree: OnceLock<Tree>,
}

impl Committed {
    /// A durable block and what this validator says about it.
    pub(crate) fn new(block: Arc<ProvedBlock>, reply: BlockReply) -> Self {
        Self { block, reply, tree: OnceLock::new() }
    }

    /// The block.
    pub(crate) fn block(&self) -> &Arc<ProvedBlock> {
        &self.block
    }

    /// The receipt of the transaction at this position; `None` when there is none.
    pub(crate) fn receipt(&self, index: u32) -> Option<Receipt> {
        let body = &self.block.block.body;
        let transaction = body.transactions().get(usize::try_from(index).ok()?)?;
        let path = self.tree.get_or_init(|| body.tree()).path(index.into())?;
        Some(Receipt {
            transaction: transaction.clone(),
            index,
            path,
            evidence: body.evidence().map(Evidence::id),
            header: self.block.block.header.clone(),
            reply: self.reply,
        })
    }
}
