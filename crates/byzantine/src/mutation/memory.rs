//! What a mutator has heard and said, to mix it with something else.

use pbft::Message;
use types::block::{Block, BlockId};
use types::certificate::Certificate;
use types::transaction::SignedTransaction;
use types::view_change::ViewChange;

use crate::Random;

/// The most that is remembered of each kind.
const REMEMBERED_MAX: usize = 64;

/// The last of everything.
#[derive(Debug, Default)]
pub(super) struct Memory {
    messages: Vec<Message>,
    blocks: Vec<BlockId>,
    transactions: Vec<SignedTransaction>,
    certificates: Vec<Certificate>,
    asked: Vec<ViewChange>,
}

impl Memory {
    pub(super) fn note(&mut self, message: &Message) {
        remember(&mut self.messages, message);
        match message {
            Message::PrePrepare(pre_prepare) => self.note_block(&pre_prepare.block),
            Message::Handover(handover) => self.note_block(&handover.block),
            Message::ViewChange(asked) => self.note_asked(asked),
            Message::NewView(new_view) => {
                for asked in &new_view.view_changes {
                    self.note_asked(asked);
                }
            }
            Message::Prepare(_) | Message::Commit(_) | Message::Status(_) => {}
        }
    }

    fn note_block(&mut self, block: &Block) {
        remember(&mut self.blocks, &block.id());
        for transaction in block.body.transactions() {
            remember(&mut self.transactions, transaction);
        }
    }

    fn note_asked(&mut self, asked: &ViewChange) {
        remember(&mut self.asked, asked);
        if let Some(certificate) = &asked.certificate {
            remember(&mut self.certificates, certificate);
        }
    }

    pub(super) fn message(&self, random: &mut Random) -> Option<Message> {
        random.pick(&self.messages).cloned()
    }

    pub(super) fn block(&self, random: &mut Random) -> Option<BlockId> {
        random.pick(&self.blocks).copied()
    }

    pub(super) fn transaction(&self, random: &mut Random) -> Option<SignedTransaction> {
        random.pick(&self.transactions).cloned()
    }

    pub(super) fn certificate(&self, random: &mut Random) -> Option<Certificate> {
        random.pick(&self.certificates).cloned()
    }

    pub(super) fn asked(&self, random: &mut Random) -> Option<ViewChange> {
        random.pick(&self.asked).cloned()
    }
}

fn remember<T: Clone>(items: &mut Vec<T>, item: &T) {
    if items.len() >= REMEMBERED_MAX {
        items.remove(0);
    }
    items.push(item.clone());
}
