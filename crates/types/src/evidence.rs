//! Evidence: what proves to anybody who has the genesis that a key lied (protocol page §7).
//!
//! Each kind is a contradiction that no replica which follows the protocol ever produces, whatever it receives and
//! however often it crashes. Different means that what was certified or voted for differs, never which signatures
//! or bytes carried it: those a relay can choose.

use crypto::digest::{Domain, digest_of};
use crypto::encoding::{Decode, Encode};
use crypto::signed::{Authenticated, signing_digest};
use crypto::verify::Claim;
use thiserror::Error;

use crate::header::{BlockId, DESCENDANTS_MAX, HEADER_BYTES, Header};
use crate::macros::digest_name;
use crate::number::{Height, View};
use crate::replica::ReplicaId;
use crate::validators::ValidatorSet;
use crate::view_change::{NewView, NewViewError, ViewChange, ViewChangeError};
use crate::vote::{NotAMember, Phase, Statement, Vote};

mod outline;

pub use outline::Outline;

digest_name! {
    /// The name of a piece of evidence: the digest of its canonical bytes.
    EvidenceId
}

/// Two statements of one key that exclude each other.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub enum Evidence {
    /// Two votes with equal phase, view and height for different blocks.
    Votes {
        /// The one.
        first: Vote,
        /// The other.
        second: Vote,
    },
    /// Two votes in one view, of whatever phase, for blocks of which neither is an ancestor of the other.
    Branches {
        /// The one at the greater height.
        higher: Vote,
        /// The one at the lower height.
        lower: Vote,
        /// From the block of `higher` down to its ancestor at the height of `lower`: each the parent of the one
        /// before. At most [`DESCENDANTS_MAX`].
        headers: Vec<Header>,
    },
    /// Two view changes for one view that certify different statements.
    ViewChanges {
        /// The one.
        first: ViewChange,
        /// The other.
        second: ViewChange,
    },
    /// A commit vote, and a view change for a later view whose certificate is below it.
    Forgotten {
        /// What was voted for.
        commit: Vote,
        /// What does not know of it.
        view_change: ViewChange,
    },
    /// Two new views for one view, by its primary, with different sets of view changes.
    NewViews {
        /// The one.
        first: NewView,
        /// The other.
        second: NewView,
    },
}

/// Why something is no evidence, whatever its signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EvidenceError {
    /// The two statements are of different replicas.
    #[error("the statements are of replicas {first} and {second}")]
    OtherReplica {
        /// Who made the one.
        first: ReplicaId,
        /// Who made the other.
        second: ReplicaId,
    },
    /// Both may be said by one who follows the protocol.
    #[error("the statements do not contradict each other")]
    NoContradiction,
    /// A header is missing, or is not the parent of the one before.
    #[error("the headers do not lead from the one block to the height of the other")]
    BrokenChain,
    /// There is no such replica.
    #[error(transparent)]
    NotAMember(#[from] NotAMember),
    /// A view change is none.
    #[error(transparent)]
    ViewChange(#[from] ViewChangeError),
    /// A new view is none.
    #[error(transparent)]
    NewView(#[from] NewViewError),
}

impl Evidence {
    /// A bound on the canonical bytes of evidence among these validators: two new views, or two votes with all headers
    /// between their blocks.
    pub fn bytes_max(validators: &ValidatorSet) -> usize {
        let headers = DESCENDANTS_MAX.saturating_add(2).saturating_mul(HEADER_BYTES);
        validators.new_view_bytes_max().saturating_mul(2).saturating_add(headers)
    }

    /// Its name.
    pub fn id(&self) -> EvidenceId {
        EvidenceId::new(digest_of(Domain::EvidenceId, self))
    }

    /// Whose key lied, if the evidence [holds](Evidence::check). The primary of a view is who it is by number.
    pub fn accused(&self, validators: &ValidatorSet) -> ReplicaId {
        match self {
            Self::Votes { first, .. } => first.replica,
            Self::Branches { higher, .. } => higher.replica,
            Self::ViewChanges { first, .. } => first.replica,
            Self::Forgotten { commit, .. } => commit.replica,
            Self::NewViews { first, .. } => validators.primary(first.view),
        }
    }

    /// The view in which the lie was told, of two the later.
    pub const fn view(&self) -> View {
        match self {
            Self::Votes { first, .. } => first.statement.view,
            Self::Branches { higher, .. } => higher.statement.view,
            Self::ViewChanges { first, .. } => first.view,
            Self::Forgotten { view_change, .. } => view_change.view,
            Self::NewViews { first, .. } => first.view,
        }
    }

    /// A short name of the kind, stable over versions.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Votes { .. } => "votes",
            Self::Branches { .. } => "branches",
            Self::ViewChanges { .. } => "view-changes",
            Self::Forgotten { .. } => "forgotten",
            Self::NewViews { .. } => "new-views",
        }
    }

    /// Whether the two statements exclude each other. No signature is looked at.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn check(&self, validators: &ValidatorSet) -> Result<(), EvidenceError> {
        match self {
            Self::Votes { first, second } => {
                same_replica(first.replica, second.replica)?;
                let (one, other) = (first.statement, second.statement);
                contradicts(place(&one) == place(&other) && one.block != other.block)
            }
            Self::Branches { higher, lower, headers } => {
                same_replica(higher.replica, lower.replica)?;
                check_branches(&higher.statement, &lower.statement, headers)
            }
            Self::ViewChanges { first, second } => {
                same_replica(first.replica, second.replica)?;
                first.check(validators)?;
                second.check(validators)?;
                contradicts(first.view == second.view && certified(first) != certified(second))
            }
            Self::Forgotten { commit, view_change } => {
                same_replica(commit.replica, view_change.replica)?;
                view_change.check(validators)?;
                let said = &commit.statement;
                let known = view_change.certified().map(|known| (known.view, known.height));
                contradicts(
                    said.phase == Phase::Commit
                        && view_change.view > said.view
                        && known < Some((said.view, said.height)),
                )
            }
            Self::NewViews { first, second } => {
                first.check(validators)?;
                second.check(validators)?;
                contradicts(first.view == second.view && asked(first) != asked(second))
            }
        }
    }
}

/// The place and the block that a certificate is for, whatever its phase.
pub(crate) type Certified = (View, Height, BlockId);

/// Who asked for a new view, each with what its certificate certifies.
pub(crate) type Asked = Vec<(ReplicaId, Option<Certified>)>;

/// What a view change certifies, as far as it counts as different: a prepared and a commit certificate of one block
/// at one place are the same.
pub(crate) fn certified(view_change: &ViewChange) -> Option<Certified> {
    let statement = view_change.certified()?;
    Some((statement.view, statement.height, statement.block))
}

/// Who asked for a new view, with what.
pub(crate) fn asked(new_view: &NewView) -> Asked {
    new_view.view_changes.iter().map(|asked| (asked.replica, certified(asked))).collect()
}

const fn place(statement: &Statement) -> (Phase, View, Height) {
    (statement.phase, statement.view, statement.height)
}

fn same_replica(first: ReplicaId, second: ReplicaId) -> Result<(), EvidenceError> {
    if first == second { Ok(()) } else { Err(EvidenceError::OtherReplica { first, second }) }
}

const fn contradicts(contradicts: bool) -> Result<(), EvidenceError> {
    if contradicts { Ok(()) } else { Err(EvidenceError::NoContradiction) }
}

/// Whether the ancestor of the higher block, at the height of the lower one, is another block.
fn check_branches(
    higher: &Statement,
    lower: &Statement,
    headers: &[Header],
) -> Result<(), EvidenceError> {
    contradicts(higher.view == lower.view && higher.height >= lower.height)?;
    if headers.len() > DESCENDANTS_MAX {
        return Err(EvidenceError::BrokenChain);
    }
    let mut expected = (higher.height, higher.block);
    for header in headers {
        if (header.height, header.id()) != expected {
            return Err(EvidenceError::BrokenChain);
        }
        expected = (header.height.saturating_sub(1), header.parent);
    }
    if expected.0 != lower.height || (headers.is_empty() && higher.height != lower.height) {
        return Err(EvidenceError::BrokenChain);
    }
    contradicts(expected.1 != lower.block)
}

impl Authenticated for Evidence {
    type Context = ValidatorSet;
    type Malformed = EvidenceError;

    fn claims(
        &self,
        validators: &ValidatorSet,
        claims: &mut Vec<Claim>,
    ) -> Result<(), EvidenceError> {
        self.check(validators)?;
        match self {
            Self::Votes { first, second }
            | Self::Branches { higher: first, lower: second, headers: _ } => {
                claims.push(first.claim(validators)?);
                claims.push(second.claim(validators)?);
            }
            Self::ViewChanges { first, second } => {
                claims.push(own_claim(first, validators)?);
                claims.push(own_claim(second, validators)?);
            }
            Self::Forgotten { commit, view_change } => {
                claims.push(commit.claim(validators)?);
                claims.push(own_claim(view_change, validators)?);
            }
            Self::NewViews { first, second } => {
                claims.push(primary_claim(first, validators)?);
                claims.push(primary_claim(second, validators)?);
            }
        }
        Ok(())
    }
}

/// What the sender of a view change signed; whether its certificate is one does not matter to what it said.
pub(crate) fn own_claim(
    view_change: &ViewChange,
    validators: &ValidatorSet,
) -> Result<Claim, NotAMember> {
    let replica = view_change.replica;
    let validator = validators.get(replica).ok_or(NotAMember { replica })?;
    Ok(Claim {
        key: validator.key,
        message: signing_digest(validators.chain(), &view_change.statement()),
        signature: view_change.signature,
    })
}

/// What the primary of a view signed when it opened it; what is in it does not matter to that.
pub(crate) fn primary_claim(
    new_view: &NewView,
    validators: &ValidatorSet,
) -> Result<Claim, NotAMember> {
    let replica = validators.primary(new_view.view);
    let validator = validators.get(replica).ok_or(NotAMember { replica })?;
    Ok(Claim {
        key: validator.key,
        message: signing_digest(validators.chain(), &new_view.statement()),
        signature: new_view.signature,
    })
}

#[cfg(test)]
mod tests;
