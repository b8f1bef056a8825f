//! The messages that replicas send to one another (protocol page, section 2), and what makes one authentic.
//!
//! A message that fails here is refused before any signature is looked at, so what only wastes time
//! costs little. Who is primary of the view that a pre-prepare names is such a thing: everybody
//! else's pre-prepares, the longest messages there are, cost the door no look at the block and the
//! core no memory. Whether an authentic message is of any use (its view, its height) is the
//! replica's business and not the door's.

use crypto::encoding::{Decode, Encode};
use crypto::signed::Authenticated;
use crypto::verify::Claim;
use thiserror::Error;
use types::block::Block;
use types::door::{BadTransaction, Door};
use types::replica::ReplicaId;
use types::vote::{NotAMember, Phase, Vote};

/// What one replica says to the others.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub enum Message {
    /// The primary proposes a block.
    PrePrepare(PrePrepare),
    /// A replica has executed the proposed block and would accept it.
    Prepare(Vote),
    /// A replica knows that a quorum would accept the block.
    Commit(Vote),
}

/// A block and the primary's own prepare vote for it.
///
/// The vote is what authenticates the proposal (deviation 1 of the protocol page), and it counts once towards
/// the quorum like any other prepare vote.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct PrePrepare {
    /// The proposed block.
    pub block: Block,
    /// The primary's prepare vote, which names the block.
    pub vote: Vote,
}

impl Message {
    /// The vote that the message carries: each carries exactly one.
    pub fn vote(&self) -> &Vote {
        match self {
            Self::PrePrepare(pre_prepare) => &pre_prepare.vote,
            Self::Prepare(vote) | Self::Commit(vote) => vote,
        }
    }

    /// The phase that the vote of such a message must be for.
    fn phase(&self) -> Phase {
        match self {
            Self::PrePrepare(_) | Self::Prepare(_) => Phase::Prepare,
            Self::Commit(_) => Phase::Commit,
        }
    }
}

/// Why a message is refused before its signatures are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Malformed {
    /// The vote is for the other phase than the message.
    #[error("the vote is for another phase than the message")]
    Phase,
    /// There is no such replica.
    #[error(transparent)]
    NotAMember(#[from] NotAMember),
    /// A pre-prepare by a replica that is not the primary of the view it names.
    #[error("replica {replica} is not the primary of the view")]
    NotPrimary {
        /// Who is said to have signed it.
        replica: ReplicaId,
    },
    /// The vote of a pre-prepare names another height than the block's header.
    #[error("the vote names another height than the block")]
    Height,
    /// The vote of a pre-prepare names another block.
    #[error("the vote names another block")]
    Block,
    /// The body is not the one that the header commits to.
    #[error("the body is not the one of the header")]
    Body,
    /// A transaction of the body can be valid in no state.
    #[error(transparent)]
    Transaction(#[from] BadTransaction),
}

impl Authenticated for Message {
    type Context = Door;
    type Malformed = Malformed;

    fn claims(&self, door: &Door, claims: &mut Vec<Claim>) -> Result<(), Malformed> {
        let vote = self.vote();
        if vote.statement.phase != self.phase() {
            return Err(Malformed::Phase);
        }
        claims.push(vote.claim(door.validators())?);
        match self {
            Self::PrePrepare(pre_prepare) => pre_prepare.body_claims(door, claims),
            Self::Prepare(_) | Self::Commit(_) => Ok(()),
        }
    }
}

impl PrePrepare {
    /// Checks that the vote is the primary's and for this block, and the body the block's, the
    /// cheap things first, and appends the claims of the transactions that were not checked before.
    fn body_claims(&self, door: &Door, claims: &mut Vec<Claim>) -> Result<(), Malformed> {
        let replica = self.vote.replica;
        if replica != door.validators().primary(self.vote.statement.view) {
            return Err(Malformed::NotPrimary { replica });
        }
        if self.vote.statement.height != self.block.header.height {
            return Err(Malformed::Height);
        }
        if self.vote.statement.block != self.block.id() {
            return Err(Malformed::Block);
        }
        if !self.block.fits() {
            return Err(Malformed::Body);
        }
        door.body_claims(&self.block.body, claims)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
