//! What a validator says when a block is committed (protocol page §3, step 4).
//!
//! **Deviation 6: one signature per block and not per transaction.** A validator signs the height
//! and id of each committed block; its reply for one transaction is that signature and the
//! transaction's path in the block ([`Receipt`](crate::receipt::Receipt)). It says the same,
//! because the id covers the body and the state after it, and a block of thousands of transactions
//! costs one signature.

use crypto::digest::Domain;
use crypto::encoding::{Decode, Encode};
use crypto::keys::{Signature, Signer};
use crypto::signed::{Authenticated, ChainId, Signable, signing_digest};
use crypto::verify::Claim;

use crate::header::BlockId;
use crate::number::Height;
use crate::replica::ReplicaId;
use crate::validators::ValidatorSet;
use crate::vote::NotAMember;

/// "This block is committed at this height." The chain id is signed with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct CommittedStatement {
    /// The height.
    pub height: Height,
    /// The block.
    pub block: BlockId,
}

impl Signable for CommittedStatement {
    const DOMAIN: Domain = Domain::SignedReply;
}

/// A committed block as one replica is said to have signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct BlockReply {
    /// What is said.
    pub statement: CommittedStatement,
    /// Who says it.
    pub replica: ReplicaId,
    /// The signature.
    pub signature: Signature,
}

impl BlockReply {
    /// Signs a statement as `replica`, whose key `signer` holds.
    pub fn sign(
        statement: CommittedStatement,
        replica: ReplicaId,
        chain: &ChainId,
        signer: &dyn Signer,
    ) -> Self {
        Self { statement, replica, signature: signer.sign(&signing_digest(chain, &statement)) }
    }

    /// What the reply claims: that the replica it names signed the statement.
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

impl Authenticated for BlockReply {
    type Context = ValidatorSet;
    type Malformed = NotAMember;

    fn claims(&self, validators: &ValidatorSet, claims: &mut Vec<Claim>) -> Result<(), NotAMember> {
        claims.push(self.claim(validators)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
