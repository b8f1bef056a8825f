//! Proposals that did not become part of the chain, as one replica saw them.
//!
//! What is signed here is proved: that the primary proposed the block, and who voted for it. The rest, why a replica
//! refused the block and when it left the view, is the word of the replica that tells it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crypto::encoding::{Decode, Encode};
use crypto::signed::Authenticated;
use crypto::verify::Claim;
use thiserror::Error;

use crate::header::{BlockId, Header};
use crate::number::{Height, View};
use crate::replica::ReplicaId;
use crate::validators::ValidatorSet;
use crate::vote::{NotAMember, Phase, Statement, Vote};

/// Longest name of a rule, in bytes.
const RULE_BYTES_MAX: usize = 64;

/// A proposal that did not become part of the chain of the replica that tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct LostProposal {
    /// What the primary signed with its proposal: its own prepare vote for the block.
    pub proposed: Vote,
    /// The header of the block; absent when only votes for it were seen.
    pub header: Option<Header>,
    /// Votes of others for the block in this view, and the primary's commit vote; at most one of each phase of each
    /// replica.
    pub votes: Vec<Vote>,
    /// The rule by which the replica refused to vote for it: 1 to 64 lower-case letters and hyphens.
    pub refused: Option<String>,
    /// What the same primary signed for another block at the same place.
    pub rival: Option<Vote>,
    /// The view to which the replica went while the proposal was undecided.
    pub left: Option<View>,
    /// What was committed at this height instead, when something was.
    pub winner: Option<Winner>,
}

/// What was committed at the height of a lost proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Winner {
    /// The block.
    pub block: BlockId,
    /// The view of the certificate that proves it, or a descendant of it.
    pub view: View,
}

/// Where a proposal stands in the order of proposals: by height, view and block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProposalPlace {
    /// The height of the block.
    pub height: Height,
    /// The view in which it was proposed.
    pub view: View,
    /// The block.
    pub block: BlockId,
}

impl From<&Statement> for ProposalPlace {
    fn from(statement: &Statement) -> Self {
        Self { height: statement.height, view: statement.view, block: statement.block }
    }
}

impl fmt::Display for ProposalPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}-{}", self.height, self.view, self.block)
    }
}

/// The text names no place of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a proposal is named HEIGHT-VIEW-BLOCK")]
pub struct ProposalPlaceError;

impl FromStr for ProposalPlace {
    type Err = ProposalPlaceError;

    fn from_str(text: &str) -> Result<Self, ProposalPlaceError> {
        let number = |text: &str| text.parse().map_err(|_| ProposalPlaceError);
        let mut parts = text.splitn(3, '-');
        let (Some(height), Some(view), Some(block)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(ProposalPlaceError);
        };
        Ok(Self {
            height: Height::new(number(height)?),
            view: View::new(number(view)?),
            block: block.parse().map_err(|_| ProposalPlaceError)?,
        })
    }
}

/// Why a lost proposal is none, before any signature is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LostProposalError {
    /// The proposal is no prepare vote of the primary of its view.
    #[error("replica {replica} does not propose in view {view}")]
    NotPrimary {
        /// Whose vote it is.
        replica: ReplicaId,
        /// The view it names.
        view: View,
    },
    /// The header is that of another block.
    #[error("the header is that of another block")]
    OtherHeader,
    /// A vote is for another block or place, or its replica has another one of the phase.
    #[error("a vote of replica {replica} does not belong to the proposal")]
    OtherVote {
        /// Whose vote it is.
        replica: ReplicaId,
    },
    /// The rival is no other proposal at the same place.
    #[error("the rival is no other proposal of the primary at this place")]
    NoRival,
    /// The rule is no name of one, but a text of whoever tells of the proposal.
    #[error("the rule by which it was refused is no name of a rule")]
    NoRule,
    /// There is no such replica.
    #[error(transparent)]
    NotAMember(#[from] NotAMember),
}

impl LostProposal {
    /// Where it stands.
    pub fn place(&self) -> ProposalPlace {
        ProposalPlace::from(&self.proposed.statement)
    }

    /// Who proposed it.
    pub const fn proposer(&self) -> ReplicaId {
        self.proposed.replica
    }

    /// Why it was lost, in one word that is stable over versions: `refused`, `rival`, `view-left` or `outvoted`; the
    /// first of them that holds.
    pub const fn why(&self) -> &'static str {
        if self.refused.is_some() {
            "refused"
        } else if self.rival.is_some() {
            "rival"
        } else if self.left.is_some() {
            "view-left"
        } else {
            "outvoted"
        }
    }

    /// Who voted for it in a phase, ascending; of the prepare votes the primary's is one.
    pub fn voters(&self, phase: Phase) -> BTreeSet<ReplicaId> {
        let own = std::iter::once(&self.proposed);
        let of_phase = own.chain(&self.votes).filter(|vote| vote.statement.phase == phase);
        of_phase.map(|vote| vote.replica).collect()
    }

    /// Whether everything in it is about one proposal of the primary of its view. No signature is looked at.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn check(&self, validators: &ValidatorSet) -> Result<(), LostProposalError> {
        let said = &self.proposed.statement;
        let (replica, view) = (self.proposed.replica, said.view);
        if said.phase != Phase::Prepare || replica != validators.primary(view) {
            return Err(LostProposalError::NotPrimary { replica, view });
        }
        if self.refused.as_deref().is_some_and(|rule| !names_rule(rule)) {
            return Err(LostProposalError::NoRule);
        }
        let header = self.header.as_ref();
        if header.is_some_and(|it| it.id() != said.block || it.height != said.height) {
            return Err(LostProposalError::OtherHeader);
        }
        let mut counted = BTreeSet::from([(Phase::Prepare, replica)]);
        for vote in &self.votes {
            let about = Statement { phase: Phase::Prepare, ..vote.statement };
            if about != *said || !counted.insert((vote.statement.phase, vote.replica)) {
                return Err(LostProposalError::OtherVote { replica: vote.replica });
            }
        }
        let Some(rival) = &self.rival else { return Ok(()) };
        let other = Statement { block: said.block, ..rival.statement };
        if rival.replica == replica && other == *said && rival.statement.block != said.block {
            return Ok(());
        }
        Err(LostProposalError::NoRival)
    }
}

/// Whether a text may be the name of a rule: it is shown to people and in logs, and comes from others.
fn names_rule(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    (1..=RULE_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain)
}

impl Authenticated for LostProposal {
    type Context = ValidatorSet;
    type Malformed = LostProposalError;

    fn claims(
        &self,
        validators: &ValidatorSet,
        claims: &mut Vec<Claim>,
    ) -> Result<(), LostProposalError> {
        self.check(validators)?;
        for vote in std::iter::once(&self.proposed).chain(&self.votes).chain(&self.rival) {
            claims.push(vote.claim(validators)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
