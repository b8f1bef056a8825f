//! Certificates: q signatures by distinct members under one statement (protocol page §1).
//!
//! Everything about the members is judged before any signature is: how many, who, in which order.
//! The order makes one set of signatures one encoding, and a replica that is named twice visible at
//! a glance.

use std::collections::BTreeMap;

use crypto::encoding::{Decode, Encode};
use crypto::keys::Signature;
use crypto::signed::{Authenticated, signing_digest};
use crypto::verify::Claim;
use thiserror::Error;

use crate::number::{Height, View};
use crate::replica::ReplicaId;
use crate::validators::ValidatorSet;
use crate::vote::{Phase, Statement, Vote};

/// A statement with the signatures of a quorum, or of those who claim to be one.
///
/// Two certificates of one statement may have different signatures and mean the same: nothing may
/// be told apart by the signatures.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Certificate {
    /// What all of them said.
    pub statement: Statement,
    /// Who said it, by strictly ascending number.
    pub signatures: Vec<(ReplicaId, Signature)>,
}

/// Why a certificate is none, whatever its signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// More signatures than the network has validators.
    #[error("{found} signatures, the network has {n} validators")]
    TooMany {
        /// Signatures found.
        found: usize,
        /// Validators there are.
        n: usize,
    },
    /// Fewer signatures than a quorum.
    #[error("{found} signatures, {q} are needed")]
    TooFew {
        /// Signatures found.
        found: usize,
        /// Signatures needed.
        q: usize,
    },
    /// A replica that stands behind itself or behind a greater one.
    #[error("replica {replica} is named twice or out of order")]
    NotAscending {
        /// The replica.
        replica: ReplicaId,
    },
    /// A replica that the network does not have.
    #[error("there is no replica {replica}")]
    NotAMember {
        /// The number named.
        replica: ReplicaId,
    },
}

impl Certificate {
    /// The certificate that these votes make: of those for exactly this statement, one per replica.
    /// Votes for anything else are left out, and so are further votes of one replica.
    ///
    /// The votes must have been checked; here they are only counted.
    ///
    /// # Errors
    ///
    /// When the votes left are no quorum of members.
    pub fn from_votes<'a>(
        statement: Statement,
        votes: impl IntoIterator<Item = &'a Vote>,
        validators: &ValidatorSet,
    ) -> Result<Self, CertificateError> {
        let mut signatures = BTreeMap::new();
        for vote in votes {
            if vote.statement == statement {
                signatures.entry(vote.replica).or_insert(vote.signature);
            }
        }
        let certificate = Self { statement, signatures: signatures.into_iter().collect() };
        certificate.check(validators)?;
        Ok(certificate)
    }

    /// Whether distinct members, at least q, in ascending order, are named. No signature is looked
    /// at.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn check(&self, validators: &ValidatorSet) -> Result<(), CertificateError> {
        let quorum = validators.quorum();
        let found = self.signatures.len();
        if found > quorum.n() {
            return Err(CertificateError::TooMany { found, n: quorum.n() });
        }
        if found < quorum.q() {
            return Err(CertificateError::TooFew { found, q: quorum.q() });
        }
        let mut before = None;
        for (replica, _) in &self.signatures {
            if before.is_some_and(|before| before >= *replica) {
                return Err(CertificateError::NotAscending { replica: *replica });
            }
            if validators.get(*replica).is_none() {
                return Err(CertificateError::NotAMember { replica: *replica });
            }
            before = Some(*replica);
        }
        Ok(())
    }

    /// How certificates are ordered: by view and height; of equal ones the commit certificate is
    /// the greater.
    pub const fn rank(&self) -> (View, Height, Phase) {
        self.statement.rank()
    }

    /// Who signed, in ascending order.
    pub fn replicas(&self) -> impl ExactSizeIterator<Item = ReplicaId> {
        self.signatures.iter().map(|(replica, _)| *replica)
    }
}

impl Authenticated for Certificate {
    type Context = ValidatorSet;
    type Malformed = CertificateError;

    fn claims(
        &self,
        validators: &ValidatorSet,
        claims: &mut Vec<Claim>,
    ) -> Result<(), CertificateError> {
        self.check(validators)?;
        let message = signing_digest(validators.chain(), &self.statement);
        for (replica, signature) in &self.signatures {
            let validator = validators
                .get(*replica)
                .ok_or(CertificateError::NotAMember { replica: *replica })?;
            claims.push(Claim { key: validator.key, message, signature: *signature });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
