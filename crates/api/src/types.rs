//! The JSON shapes of the API, one module for each kind of resource.
//!
//! Fields hold the nouns of the `types` crate wherever one exists, so a client that decoded an
//! answer holds checked values and not texts. On the wire, ids, keys and signatures are lower-case
//! hexadecimal, amounts are decimal texts of base units with a formatted text (`…_text`) beside
//! them, heights, views and nonces are integers up to 2⁵³ and decimal texts above (JSON readers
//! round larger integers), and proofs are the hexadecimal text of their wire bytes
//! (`crypto::encoding::to_wire`).
//!
//! What an answer proves is not here: receipts and proofs are checked by the nouns themselves.

pub mod scalar;

mod account;
mod block;
mod event;
mod evidence;
mod fork;
mod standing;
mod status;
mod transaction;

pub use account::{
    AccountAnswer, AccountUnproved, HistoryEntry, HistoryPage, Position, PositionError,
};
pub use block::{
    BlockAnswer, BlockName, BlockNameError, BlockPage, BlockSummary, CertificateAnswer,
    CertificateSigner,
};
pub use event::{BlockEvent, Event, RefusedEvent};
pub use evidence::{
    AskedFor, CertifiedBlock, EvidenceAnswer, EvidencePage, EvidenceSummary, SignedStatement,
    ValidatorName,
};
pub use fork::{ForkAnswer, ForkPage, ForkWinner, LostEvent};
pub use scalar::Integer;
pub use standing::{NextHeight, SaidStatus, StandingAnswer, Waits};
pub use status::{Live, Status, ValidatorAnswer, Validators};
pub use transaction::{
    BatchAnswer, BatchRequest, BatchResult, BatchStatus, SubmitAnswer, SubmitRequest, SubmitStatus,
    TransactionAnswer, TransactionText,
};
