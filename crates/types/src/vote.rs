//! Votes: one replica's signature under one statement (protocol page §1 and §3).

use crypto::digest::Domain;
use crypto::encoding::{Decode, Encode};
use crypto::keys::{Signature, Signer};
use crypto::signed::{Authenticated, ChainId, Signable, signing_digest};
use crypto::verify::Claim;
use thiserror::Error;

use crate::header::BlockId;
use crate::number::{Height, View};
use crate::replica::ReplicaId;
use crate::validators::ValidatorSet;

/// What a vote is for. A commit vote is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub enum Phase {
    /// "I accept this block at this place in this view." Variant 0.
    Prepare,
    /// "I know that q accepted it." Variant 1.
    Commit,
}

/// What a vote says. The chain id is signed with it and not repeated in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Statement {
    /// Prepare or commit.
    pub phase: Phase,
    /// The view in which the vote is given; not always the one the block was first proposed in.
    pub view: View,
    /// The height of the block.
    pub height: Height,
    /// The block.
    pub block: BlockId,
}

impl Statement {
    /// How what is certified is ordered: by view and height; of equal places the commit certificate is the greater.
    pub const fn rank(&self) -> (View, Height, Phase) {
        (self.view, self.height, self.phase)
    }
}

impl Signable for Statement {
    const DOMAIN: Domain = Domain::SignedVote;
}

/// A statement that a replica is said to have signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Vote {
    /// What is said.
    pub statement: Statement,
    /// Who says it: the signature is checked under this replica's key and no other.
    pub replica: ReplicaId,
    /// The signature.
    pub signature: Signature,
}

/// A replica that the network does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there is no replica {replica}")]
pub struct NotAMember {
    /// The number named.
    pub replica: ReplicaId,
}

impl Vote {
    /// Signs a statement as `replica`, whose key `signer` holds.
    pub fn sign(
        statement: Statement,
        replica: ReplicaId,
        chain: &ChainId,
        signer: &dyn Signer,
    ) -> Self {
        Self { statement, replica, signature: signer.sign(&signing_digest(chain, &statement)) }
    }

    /// What the vote claims: that the replica it names signed the statement.
    ///
    /// # Errors
    ///
    /// When there is no such replica.
    pub fn claim(&self, validators: &ValidatorSet) -> Result<Claim, NotAMember> {
        let validator = validators.get(self.replica).ok_or(NotAMember { replica: self.replica })?;
        Ok(Claim {
            key: validator.key,
            message: signing_digest(validators.chain(), &self.statement),
            signature: self.signature,
        })
    }
}

impl Authenticated for Vote {
    type Context = ValidatorSet;
    type Malformed = NotAMember;

    fn claims(&self, validators: &ValidatorSet, claims: &mut Vec<Claim>) -> Result<(), NotAMember> {
        claims.push(self.claim(validators)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
