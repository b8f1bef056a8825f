//! Proofs that a block is committed (protocol page §3, step 4).
//!
//! Votes for a block are votes for its ancestors (deviation 3), so the proof of a block is a commit
//! certificate for it, or for a descendant together with all headers between. Catch-up, wallet and
//! auditor take both. Whether the block itself is sound is asked by executing it, in `ledger`.

use crypto::encoding::{Decode, Encode};
use crypto::signed::Authenticated;
use crypto::verify::Claim;
use thiserror::Error;

use crate::block::{Block, Header};
use crate::certificate::{Certificate, CertificateError};
use crate::door::{BadBody, Door};
pub use crate::header::DESCENDANTS_MAX;
use crate::number::Height;
use crate::validators::ValidatorSet;
use crate::vote::Phase;

/// What proves a block.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Proof {
    /// The headers above the block, each the child of the one before; none when the certificate is
    /// for the block itself. At most [`DESCENDANTS_MAX`].
    pub descendants: Vec<Header>,
    /// A commit certificate for the last of them, or for the block.
    pub certificate: Certificate,
}

/// Why a proof is none, whatever its signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProofError {
    /// More headers than any proof has.
    #[error("{found} descendants, at most {DESCENDANTS_MAX} are looked at")]
    TooLong {
        /// Headers found.
        found: usize,
    },
    /// A header names another network.
    #[error("the header at height {height} is of another network")]
    ForeignChain {
        /// Its height.
        height: Height,
    },
    /// A header is not the child of the one before.
    #[error("the header at height {height} is not the child of the one before")]
    BrokenChain {
        /// Its height.
        height: Height,
    },
    /// The certificate is not for the last header.
    #[error("the certificate is for another block than the last header")]
    OtherBlock,
    /// The certificate is a prepared one, which proves no commit.
    #[error("the certificate is a prepared one, which proves no commit")]
    NotCommit,
    /// The certificate is none.
    #[error("the certificate is none: {0}")]
    Certificate(#[from] CertificateError),
}

impl Proof {
    /// Whether this is a proof of the block with this header, if its signatures hold: every header
    /// of this network and the child of the one before, a commit certificate for exactly the last
    /// one, by a quorum. No signature is looked at.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, in the order of [`ProofError`].
    pub fn check(&self, header: &Header, validators: &ValidatorSet) -> Result<(), ProofError> {
        if self.descendants.len() > DESCENDANTS_MAX {
            return Err(ProofError::TooLong { found: self.descendants.len() });
        }
        for of_chain in std::iter::once(header).chain(&self.descendants) {
            if of_chain.chain != *validators.chain() {
                return Err(ProofError::ForeignChain { height: of_chain.height });
            }
        }
        let mut last = header;
        for next in &self.descendants {
            if !next.follows(last) {
                return Err(ProofError::BrokenChain { height: next.height });
            }
            last = next;
        }
        let statement = &self.certificate.statement;
        if statement.height != last.height || statement.block != last.id() {
            return Err(ProofError::OtherBlock);
        }
        match statement.phase {
            Phase::Prepare => return Err(ProofError::NotCommit),
            Phase::Commit => {}
        }
        self.certificate.check(validators)?;
        Ok(())
    }

    /// Appends the claims of the certificate, after [`Proof::check`] for this header.
    ///
    /// A proof is always one of something, so it has this instead of
    /// [`Authenticated`].
    ///
    /// # Errors
    ///
    /// As [`Proof::check`]; then no claim was appended.
    pub fn claims(
        &self,
        header: &Header,
        validators: &ValidatorSet,
        claims: &mut Vec<Claim>,
    ) -> Result<(), ProofError> {
        self.check(header, validators)?;
        self.certificate.claims(validators, claims)?;
        Ok(())
    }
}

/// A block with its proof: what is stored, and what catch-up fetches.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct ProvedBlock {
    /// The block.
    pub block: Block,
    /// Its proof.
    pub proof: Proof,
}

/// Why a proved block is refused before its signatures are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProvedBlockError {
    /// The proof is none.
    #[error("the block is not proved: {0}")]
    Proof(#[from] ProofError),
    /// The body is not the one the header commits to.
    #[error("the body is not the one of the header")]
    Body,
    /// Something in the body can be valid in no state.
    #[error(transparent)]
    BadBody(#[from] BadBody),
}

impl ProvedBlock {
    /// Whether the proof is one of this block and the body is the header's. No signature is looked
    /// at.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn check(&self, validators: &ValidatorSet) -> Result<(), ProvedBlockError> {
        self.proof.check(&self.block.header, validators)?;
        if self.block.fits() { Ok(()) } else { Err(ProvedBlockError::Body) }
    }
}

impl Authenticated for ProvedBlock {
    type Context = Door;
    type Malformed = ProvedBlockError;

    fn claims(&self, door: &Door, claims: &mut Vec<Claim>) -> Result<(), ProvedBlockError> {
        self.check(door.validators())?;
        door.body_claims(&self.block.body, claims)?;
        self.proof
            .certificate
            .claims(door.validators(), claims)
            .map_err(ProofError::Certificate)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
