//! The nouns of the ledger, and the seams between its engines.
//!
//! One module per noun, in the words of the protocol page: who takes part ([`quorum`], [`replica`],
//! [`validators`]), what is agreed on ([`block`], [`transaction`], [`account`]), who said so
//! ([`vote`], [`certificate`], [`proof`], [`view_change`], [`reply`], [`receipt`]), who lied
//! ([`evidence`], [`forensics`]), from where it starts ([`genesis`]), and the one door between consensus and money
//! ([`application`]).
//!
//! Most of these are decoded from bytes that a stranger chose. So a value of a type here means only
//! that the bytes had its shape: what is checked, and where, stands with each noun. Checking never
//! panics, wraps or allocates more than in proportion to its input.
//!
//! What happens to the nouns is elsewhere: agreement in `pbft`, money in `ledger`, files in
//! `storage`.

pub mod account;
pub mod address;
pub mod amount;
pub mod application;
pub mod block;
pub mod certificate;
pub mod document;
pub mod door;
pub mod evidence;
pub mod forensics;
pub mod genesis;
mod header;
pub mod lost;
mod macros;
pub mod memo;
#[cfg(feature = "mutants")]
pub mod mutant;
pub mod number;
pub mod parameters;
pub mod peer_id;
pub mod proof;
pub mod quorum;
pub mod receipt;
pub mod rejection;
pub mod replica;
pub mod reply;
pub mod transaction;
pub mod validators;
pub mod view_change;
pub mod vote;

pub use account::{Account, AccountProof, ProvedAccount, Snapshot, state_root};
pub use address::{Address, AddressError};
pub use amount::{Amount, AmountError, Denomination};
pub use application::{Application, Arrivals, BlockRefusal, Pending, Proposal};
pub use block::{Block, BlockId, Body, Header};
pub use certificate::{Certificate, CertificateError};
pub use crypto::signed::ChainId;
pub use door::{CheckedTransactions, Door, NothingChecked};
pub use evidence::{Evidence, EvidenceError, EvidenceId, Outline};
pub use genesis::{Genesis, GenesisBuilder, GenesisErrors};
pub use lost::{LostProposal, LostProposalError, ProposalPlace, Winner};
pub use memo::{MEMO_BYTES_MAX, Memo};
pub use number::{Height, Nonce, View};
pub use parameters::Parameters;
pub use proof::{Proof, ProofError, ProvedBlock, ProvedBlockError};
pub use quorum::Quorum;
pub use receipt::{Receipt, ReceiptError};
pub use rejection::Rejection;
pub use replica::ReplicaId;
pub use reply::{BlockReply, CommittedStatement};
pub use transaction::{
    Action, SignedTransaction, TRANSACTION_BYTES_MAX, Transaction, TransactionId, Transfer,
};
pub use validators::{VALIDATORS_MAX, Validator, ValidatorSet, ValidatorSetError};
pub use view_change::{NewView, NewViewError, ViewChange, ViewChangeError};
pub use vote::{NotAMember, Phase, Statement, Vote};

#[cfg(test)]
mod tests;
