//! What the server asks of the validator behind it.
//!
//! The server turns requests into these calls and their answers into JSON; it holds no state of the
//! ledger. Whoever implements [`Backend`] answers from what is committed and durable, and never
//! blocks the task it is called on.
//!
//! How a transaction is checked, spread and executed is not here.

use std::sync::Arc;
use std::time::Duration;

use crypto::signed::Unverified;
use thiserror::Error;
use types::account::{Account, ProvedAccount};
use types::address::Address;
use types::block::{BlockId, Header};
use types::evidence::{Evidence, EvidenceId, Outline};
use types::genesis::Genesis;
use types::lost::{LostProposal, ProposalPlace};
use types::number::{Height, Nonce};
use types::proof::ProvedBlock;
use types::receipt::Receipt;
use types::rejection::Rejection;
use types::reply::BlockReply;
use types::transaction::{SignedTransaction, TransactionId};

use crate::events::EventHub;
use crate::types::{Live, Position, SaidStatus};

/// A validator, as the API sees it.
///
/// Futures are dropped when a client goes away, and the client's place is free again: whatever a call
/// has begun must stay correct without its caller, and how much of it goes on must have a bound here.
pub trait Backend: Send + Sync + 'static {
    /// The genesis of the network.
    fn genesis(&self) -> &Genesis;

    /// The genesis document as the operator wrote it, comments included.
    fn genesis_text(&self) -> &str;

    /// Where committed blocks and dropped transactions are published.
    fn events(&self) -> &EventHub;

    /// How the validator is.
    fn live(&self) -> impl Future<Output = Result<Live, Fault>> + Send;

    /// Every metric in the OpenMetrics text format.
    fn metrics(&self) -> impl Future<Output = Result<String, Fault>> + Send;

    /// The committed block at `height` with its proof; none for the genesis and above the last one.
    fn block(
        &self,
        height: Height,
    ) -> impl Future<Output = Result<Option<Arc<ProvedBlock>>, Fault>> + Send;

    /// The height of the committed block with this id, [`Height::GENESIS`] for the genesis block.
    fn height_of(
        &self,
        block: BlockId,
    ) -> impl Future<Output = Result<Option<Height>, Fault>> + Send;

    /// Headers of committed blocks below `before` (below the end for none), newest first, at most
    /// `limit`, which the server keeps at 100 or less. The genesis block is not among them.
    fn headers(
        &self,
        before: Option<Height>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Header>, Fault>> + Send;

    /// This validator's signed reply for the committed block of `header`. Signing the same
    /// statement again is harmless, so nothing need be stored for it.
    fn reply(&self, header: &Header) -> BlockReply;

    /// Takes in a transaction that nobody has checked. With `wait` the future resolves when the
    /// transaction is committed and durable here, when it is refused after all, or when the time is
    /// over: then the answer is [`Submission::Pending`] and the transaction stays where it is.
    ///
    /// A transaction that is committed already is no refusal.
    fn submit(
        &self,
        transaction: Unverified<SignedTransaction>,
        wait: Option<Duration>,
    ) -> impl Future<Output = Result<Submission, SubmitError>> + Send;

    /// Takes in up to [`BATCH_TRANSACTIONS_MAX`] transactions without waiting for their commit,
    /// with one answer for each, in order. Signatures are best checked in one batch.
    fn submit_batch(
        &self,
        transactions: Vec<Unverified<SignedTransaction>>,
    ) -> impl Future<Output = Result<Vec<Result<Submission, Rejection>>, Fault>> + Send;

    /// What is known about a transaction.
    fn transaction(
        &self,
        id: TransactionId,
    ) -> impl Future<Output = Result<Option<Known>, Fault>> + Send;

    /// An account of the last committed state that is durable here.
    fn account(
        &self,
        address: Address,
    ) -> impl Future<Output = Result<Option<AccountView>, Fault>> + Send;

    /// Committed transactions in which the account sends or receives, strictly before `before`
    /// (from the newest for none), newest first, at most `limit`, which the server keeps at 100 or
    /// less. Empty for an account that does not exist.
    fn history(
        &self,
        address: Address,
        before: Option<Position>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Happened>, Fault>> + Send;

    /// Evidence that this validator keeps, by ascending id, strictly after `after` (from the first for none), at
    /// most `limit`, which the server keeps at 100 or less.
    fn evidence(
        &self,
        after: Option<EvidenceId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<KeptEvidence>, Fault>> + Send;

    /// A piece of evidence that this validator keeps, and when it was stored, as in [`KeptEvidence`].
    fn evidence_piece(
        &self,
        id: EvidenceId,
    ) -> impl Future<Output = Result<Option<(Evidence, Option<u64>)>, Fault>> + Send;

    /// What this validator and the others last said of themselves, by replica.
    fn said(&self) -> impl Future<Output = Result<Vec<SaidStatus>, Fault>> + Send;

    /// Lost proposals in descending order, strictly below `before` (from the highest for none), at most `limit`, which
    /// the server keeps at 100 or less; and how often one was not kept since the start.
    fn lost(
        &self,
        before: Option<ProposalPlace>,
        limit: usize,
    ) -> impl Future<Output = Result<(Vec<LostProposal>, u64), Fault>> + Send;
}

/// A piece of evidence that the validator keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptEvidence {
    /// What it is about.
    pub outline: Outline,
    /// When it was stored here, in milliseconds since 1970 (UTC), when that is known.
    pub stored_ms: Option<u64>,
}

/// Most transactions of one batch.
pub const BATCH_TRANSACTIONS_MAX: usize = 1_000;

/// What became of a submitted transaction that was not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// In the pool, or parked until its turn.
    Pending,
    /// It was there before.
    AlreadyPending,
    /// Committed while the call waited.
    Committed(Box<Receipt>),
    /// Committed before the call. A batch answers without the receipt.
    AlreadyCommitted(Option<Box<Receipt>>),
}

/// Why a transaction was not taken in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SubmitError {
    /// By a rule of the ledger or a bound of the pool.
    #[error(transparent)]
    Refused(#[from] Rejection),
    /// Not because of the transaction.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The validator cannot answer now, whatever was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// It is stopping.
    #[error("the validator is stopping")]
    Stopping,
    /// A queue inside it is full; asking again later helps.
    #[error("the validator is overloaded")]
    Overloaded,
    /// Something is broken; the text is for the operator and is logged, not sent.
    #[error("internal fault: {0}")]
    Internal(String),
}

/// A transaction that the validator knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// In the pool.
    Pending(Box<SignedTransaction>),
    /// In a committed block; the receipt holds the transaction and its place.
    Committed(Box<Receipt>),
}

/// An account, and what the pool adds to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    /// The account in the committed state.
    pub state: AccountState,
    /// The nonce after the account's transactions that wait here without gap.
    pub next_nonce: Nonce,
}

/// An account in the committed state, as far as it can be proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountState {
    /// Nothing is committed yet: the genesis says it, and there is no certificate.
    Genesis(Account),
    /// After a committed block, with its path and the proof of that block.
    Proved(Box<ProvedAccount>),
}

/// A committed transaction of an account's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// Where it stands.
    pub position: Position,
    /// The block it stands in.
    pub block: BlockId,
    /// When that block was first proposed, in milliseconds since 1970 (UTC).
    pub timestamp_ms: u64,
    /// The transaction.
    pub transaction: SignedTransaction,
}
