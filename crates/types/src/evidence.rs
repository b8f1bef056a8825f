//! Evidence: what proves to anybody who has the genesis that a key lied (protocol page §7).
//!
//! Each kind is a contradiction that no replica which follows the protocol ever produces, whatever it receives and
//! however often it crashes. Different means that what was certified or voted for differs, never which signatures
//! or bytes carried it: those a relay can choose.

use crypto::digest::{Domain, digest_of};
use crypto::encoding::{Decode, Encode};
use crypto::signed::Authenticated;
use crypto::verify::Claim;
use thiserror::Error;

use crate::header::{BlockId, DESCENDANTS_MAX, HEADER_BYTES, Header};
use crate::macros::digest_name;
use crate::number::{Height, View};
use crate::replica::ReplicaId;
use crate::validators::ValidatorSet;
use crate::view_change::{
    Asked, NewViewError, NewViewStatement, Opened, ViewChangeError, ViewChangeStatement,
};
use crate::vote::{NotAMember, Phase, Statement, Vote};

mod outline;

pub use outline::Outline;

digest_name! {
    /// The name of a piece of evidence: the digest of its canonical bytes.
    EvidenceId
}

/// Canonical bytes of who asked for a view with what: a replica's number, and perhaps a statement.
const ASKED_BYTES: usize = 2 + 1 + 4 + 8 + 8 + 32;

/// For the rest of a piece: two statements with their signatures, the kind, and lengths.
const ROOM_BYTES: usize = 512;

/// Two statements of one key that exclude each other. Of what was said only the signed words are in it: certificates and
/// view changes that came along prove nothing about who signed.
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
        first: Asked,
        /// The other.
        second: Asked,
    },
    /// A commit vote, and a view change for a later view whose certificate is below it.
    Forgotten {
        /// What was voted for.
        commit: Vote,
        /// What does not know of it.
        view_change: Asked,
    },
    /// Two new views for one view, by its primary, with different sets of view changes.
    NewViews {
        /// The one.
        first: Opened,
        /// The other.
        second: Opened,
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
    /// A bound on the canonical bytes of evidence among these validators: two words of a primary about who asked for its
    /// view, or two votes with all headers between their blocks.
    pub fn bytes_max(validators: &ValidatorSet) -> usize {
        let asked = validators.len().saturating_mul(ASKED_BYTES);
        let headers = DESCENDANTS_MAX.saturating_add(2).saturating_mul(HEADER_BYTES);
        asked.saturating_mul(2).max(headers).saturating_add(ROOM_BYTES)
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
            Self::NewViews { first, .. } => validators.primary(first.statement.view),
        }
    }

    /// The view in which the lie was told, of two the later.
    pub const fn view(&self) -> View {
        match self {
            Self::Votes { first, .. } => first.statement.view,
            Self::Branches { higher, .. } => higher.statement.view,
            Self::ViewChanges { first, .. } => first.statement.view,
            Self::Forgotten { view_change, .. } => view_change.statement.view,
            Self::NewViews { first, .. } => first.statement.view,
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
                let (first, second) = (&first.statement, &second.statement);
                contradicts(first.view == second.view && certified(first) != certified(second))
            }
            Self::Forgotten { commit, view_change } => {
                same_replica(commit.replica, view_change.replica)?;
                view_change.check(validators)?;
                let said = &commit.statement;
                let asked = &view_change.statement;
                let known = asked.certified.map(|known| (known.view, known.height));
                contradicts(
                    said.phase == Phase::Commit
                        && asked.view > said.view
                        && known < Some((said.view, said.height)),
                )
            }
            Self::NewViews { first, second } => {
                first.check(validators)?;
                second.check(validators)?;
                let (first, second) = (&first.statement, &second.statement);
                contradicts(first.view == second.view && askers(first) != askers(second))
            }
        }
    }
}

/// The place and the block that a certificate is for, whatever its phase.
pub(crate) type Certified = (View, Height, BlockId);

/// Who asked for a new view, each with what its certificate certifies.
pub(crate) type Askers = Vec<(ReplicaId, Option<Certified>)>;

/// What a view change certifies, as far as it counts as different: a prepared and a commit certificate of one block
/// at one place are the same.
pub(crate) fn certified(asked: &ViewChangeStatement) -> Option<Certified> {
    asked.certified.as_ref().map(without_phase)
}

/// Who asked for a new view, with what.
pub(crate) fn askers(opened: &NewViewStatement) -> Askers {
    let asked = opened.asked.iter();
    asked.map(|(replica, known)| (*replica, known.as_ref().map(without_phase))).collect()
}

const fn without_phase(statement: &Statement) -> Certified {
    (statement.view, statement.height, statement.block)
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
                claims.push(first.claim(validators)?);
                claims.push(second.claim(validators)?);
            }
            Self::Forgotten { commit, view_change } => {
                claims.push(commit.claim(validators)?);
                claims.push(view_change.claim(validators)?);
            }
            Self::NewViews { first, second } => {
                claims.push(first.claim(validators)?);
                claims.push(second.claim(validators)?);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
