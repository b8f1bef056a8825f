//! The network as a payment sees it.

use std::time::Duration;

use types::{Height, Nonce, SignedTransaction, TransactionId};

/// A certified block, as far as the sender's rows are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertifiedBlock {
    /// Its height.
    pub(crate) height: Height,
    /// The ids of its transactions.
    pub(crate) ids: Vec<TransactionId>,
}

/// What one validator said about one submitted transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// Who said it.
    pub(crate) validator: String,
    /// About which transaction.
    pub(crate) id: TransactionId,
    /// The refusal, `None` when it was taken in.
    pub(crate) refusal: Option<Refusal>,
}

/// A refusal by one validator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Its stable code.
    pub(crate) code: String,
    /// The reason with its values.
    pub(crate) detail: String,
    /// Whether trying again cannot help.
    pub(crate) lasting: bool,
}

/// The network, as far as a payment needs it.
pub(crate) trait Chain {
    /// How many validators are known, and how many words are enough to contain an honest one.
    fn validators(&self) -> (usize, usize);
    /// Starts a submission, to some validators or to everybody; the answers come as words.
    fn submit(&mut self, batch: Vec<SignedTransaction>, everybody: bool);
    /// What validators said since the last call.
    fn words(&mut self) -> Vec<Word>;
    /// The sender's certified nonce and its height; `None` when nobody proves it now.
    fn nonce(&mut self) -> Option<(Height, Nonce)>;
    /// The certified block that holds one of these transactions, if a validator finds and proves
    /// it.
    fn find(&mut self, ids: &[TransactionId]) -> Option<CertifiedBlock>;
    /// The committed transaction of the sender that has this nonce, proved.
    fn holder(&mut self, nonce: Nonce) -> Option<TransactionId>;
    /// Asks another validator from now on, and looks again where they all are.
    fn rotate(&mut self);
    /// Waits a moment.
    fn pause(&mut self);
    /// Time since the beginning.
    fn elapsed(&self) -> Duration;
}
