//! The messages that replicas send to one another (protocol page, section 2), and what makes one authentic.
//!
//! A message that fails here is refused before any signature is looked at, so what only wastes time
//! costs little. Who is primary of the view that a pre-prepare names is such a thing: everybody
//! else's pre-prepares, the longest messages there are, cost the door no look at the block and the
//! core no memory. Whether an authentic message is of any use (its view, its height) is the
//! replica's business and not the door's.

use crypto::digest::Domain;
use crypto::encoding::{Decode, Encode};
use crypto::keys::{Signature, Signer};
use crypto::signed::{Authenticated, ChainId, Signable, signing_digest};
use crypto::verify::Claim;
use thiserror::Error;
use types::block::{Block, BlockId};
use types::door::{BadBody, Door};
use types::mutant;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;
use types::view_change::{NewView, NewViewError, ViewChange, ViewChangeError};
use types::vote::{NotAMember, Phase, Vote};

use crate::status::{HEIGHTS_MAX, Status};

/// What one replica says to the others.
///
/// All but the last two may be handed on by anybody: who said it is known by its signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub enum Message {
    /// The primary proposes a block.
    PrePrepare(PrePrepare),
    /// A replica has executed the proposed block and would accept it.
    Prepare(Vote),
    /// A replica knows that a quorum would accept the block.
    Commit(Vote),
    /// A replica asks for another view.
    ViewChange(ViewChange),
    /// The primary of a view shows that a quorum asked for it.
    NewView(NewView),
    /// A replica says where it stands and what it lacks.
    Status(Status),
    /// A replica hands over the body of a block that was asked for.
    Handover(Handover),
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

/// A block that somebody asked for by its id. Its transactions are not looked at: a quorum certified the id.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Handover {
    /// The block.
    pub block: Block,
    /// Who hands it over.
    pub replica: ReplicaId,
    /// Its signature.
    pub signature: Signature,
}

/// What is signed with a handover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
struct HandedOver {
    block: BlockId,
}

impl Signable for HandedOver {
    const DOMAIN: Domain = Domain::SignedHandover;
}

impl Handover {
    /// Hands over a block as `replica`, whose key `signer` holds.
    pub fn sign(block: Block, replica: ReplicaId, chain: &ChainId, signer: &dyn Signer) -> Self {
        let statement = HandedOver { block: block.id() };
        let signature = signer.sign(&signing_digest(chain, &statement));
        Self { block, replica, signature }
    }
}

impl Message {
    /// The vote that the message carries, if it is about one block.
    pub const fn vote(&self) -> Option<&Vote> {
        match self {
            Self::PrePrepare(pre_prepare) => Some(&pre_prepare.vote),
            Self::Prepare(vote) | Self::Commit(vote) => Some(vote),
            Self::ViewChange(_) | Self::NewView(_) | Self::Status(_) | Self::Handover(_) => None,
        }
    }

    /// Who says it, by whose signature it is authentic.
    pub fn author(&self, validators: &ValidatorSet) -> ReplicaId {
        match self {
            Self::PrePrepare(pre_prepare) => pre_prepare.vote.replica,
            Self::Prepare(vote) | Self::Commit(vote) => vote.replica,
            Self::ViewChange(view_change) => view_change.replica,
            Self::NewView(new_view) => validators.primary(new_view.view),
            Self::Status(status) => status.standpoint.replica,
            Self::Handover(handover) => handover.replica,
        }
    }

    /// Whether a peer may deliver it. What binds its author is as good from anybody; a status or a body handed over
    /// speaks for a moment, and said again by another it would speak for a moment that has passed.
    pub fn is_deliverable_by(&self, peer: ReplicaId) -> bool {
        match self {
            Self::PrePrepare(_)
            | Self::Prepare(_)
            | Self::Commit(_)
            | Self::ViewChange(_)
            | Self::NewView(_) => true,
            Self::Status(status) => status.standpoint.replica == peer,
            Self::Handover(handover) => handover.replica == peer,
        }
    }

    /// A short name of the kind, for counting and tracing.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::PrePrepare(_) => "pre-prepare",
            Self::Prepare(_) => "prepare",
            Self::Commit(_) => "commit",
            Self::ViewChange(_) => "view-change",
            Self::NewView(_) => "new-view",
            Self::Status(_) => "status",
            Self::Handover(_) => "handover",
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
    OtherBody,
    /// Something in the body can be valid in no state.
    #[error(transparent)]
    Body(#[from] BadBody),
    /// A view change is none.
    #[error(transparent)]
    ViewChange(#[from] ViewChangeError),
    /// A new view is none.
    #[error(transparent)]
    NewView(#[from] NewViewError),
    /// A status says something about more heights than can be in flight.
    #[error("a status about {found} heights, at most {HEIGHTS_MAX} are looked at")]
    TooManyHeights {
        /// Heights found.
        found: usize,
    },
}

impl Authenticated for Message {
    type Context = Door;
    type Malformed = Malformed;

    fn claims(&self, door: &Door, claims: &mut Vec<Claim>) -> Result<(), Malformed> {
        let validators = door.validators();
        mutant!(CertificateUnchecked | CertificatePartlyChecked | NewViewOfAnybody => {
            return crate::mutated::claims(self, door, claims);
        });
        match self {
            Self::PrePrepare(pre_prepare) => {
                vote_claim(&pre_prepare.vote, Phase::Prepare, validators, claims)?;
                pre_prepare.body_claims(door, claims)?;
            }
            Self::Prepare(vote) => vote_claim(vote, Phase::Prepare, validators, claims)?,
            Self::Commit(vote) => vote_claim(vote, Phase::Commit, validators, claims)?,
            Self::ViewChange(view_change) => view_change.claims(validators, claims)?,
            Self::NewView(new_view) => new_view.claims(validators, claims)?,
            Self::Status(status) => status.append_claim(validators, claims)?,
            Self::Handover(handover) => handover.append_claim(validators, claims)?,
        }
        Ok(())
    }
}

fn vote_claim(
    vote: &Vote,
    phase: Phase,
    validators: &ValidatorSet,
    claims: &mut Vec<Claim>,
) -> Result<(), Malformed> {
    if vote.statement.phase != phase {
        return Err(Malformed::Phase);
    }
    claims.push(vote.claim(validators)?);
    Ok(())
}

pub(crate) fn claim<M: Signable>(
    statement: &M,
    replica: ReplicaId,
    signature: Signature,
    validators: &ValidatorSet,
) -> Result<Claim, NotAMember> {
    let validator = validators.get(replica).ok_or(NotAMember { replica })?;
    let message = signing_digest(validators.chain(), statement);
    Ok(Claim { key: validator.key, message, signature })
}

impl Status {
    fn append_claim(
        &self,
        validators: &ValidatorSet,
        claims: &mut Vec<Claim>,
    ) -> Result<(), Malformed> {
        let found = self.standpoint.lacks.as_ref().map_or(0, |lacks| lacks.heights.len());
        if found > HEIGHTS_MAX {
            return Err(Malformed::TooManyHeights { found });
        }
        let replica = self.standpoint.replica;
        claims.push(claim(&self.standpoint, replica, self.signature, validators)?);
        Ok(())
    }
}

impl Handover {
    fn append_claim(
        &self,
        validators: &ValidatorSet,
        claims: &mut Vec<Claim>,
    ) -> Result<(), Malformed> {
        let statement = HandedOver { block: self.block.id() };
        claims.push(claim(&statement, self.replica, self.signature, validators)?);
        if self.block.fits() { Ok(()) } else { Err(Malformed::OtherBody) }
    }
}

impl PrePrepare {
    /// Checks that the vote is the primary's and for this block, and the body the block's, the
    /// cheap things first, and appends the claims of the transactions that were not checked before.
    fn body_claims(&self, door: &Door, claims: &mut Vec<Claim>) -> Result<(), Malformed> {
        let replica = self.vote.replica;
        let primary = door.validators().primary(self.vote.statement.view);
        if replica != primary && !mutant!(ProposerUnchecked) {
            return Err(Malformed::NotPrimary { replica });
        }
        if self.vote.statement.height != self.block.header.height {
            return Err(Malformed::Height);
        }
        if self.vote.statement.block != self.block.id() {
            return Err(Malformed::Block);
        }
        if !self.block.fits() {
            return Err(Malformed::OtherBody);
        }
        door.body_claims(&self.block.body, claims)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
