//! Leaving a view and entering the next one (protocol page §4).
//!
//! What is signed names certificates by what they certify and never by their signatures: two certificates of one
//! statement mean the same, and nobody can be accused over which signatures were at hand.

use crypto::digest::Domain;
use crypto::encoding::{Decode, Encode};
use crypto::keys::{Signature, Signer};
use crypto::signed::{Authenticated, ChainId, Signable, signing_digest};
use crypto::verify::Claim;
use thiserror::Error;

use crate::certificate::{Certificate, CertificateError};
use crate::mutant;
use crate::number::View;
use crate::replica::ReplicaId;
use crate::validators::ValidatorSet;
use crate::vote::{NotAMember, Statement};

/// What a replica signs when it asks for a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct ViewChangeStatement {
    /// The view asked for.
    pub view: View,
    /// What its highest certificate certifies; `None` when it has none.
    pub certified: Option<Statement>,
}

impl Signable for ViewChangeStatement {
    const DOMAIN: Domain = Domain::SignedViewChange;
}

/// A replica asks for a view, and shows the highest certificate it has.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct ViewChange {
    /// The view asked for, above [`View::FIRST`].
    pub view: View,
    /// The highest certificate that the sender has, of a lower view.
    pub certificate: Option<Certificate>,
    /// Who asks.
    pub replica: ReplicaId,
    /// Its signature under [`ViewChange::statement`].
    pub signature: Signature,
}

/// What a replica signed when it asked for a view, without the certificate that it showed: enough to hold it to its
/// word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Asked {
    /// What it said.
    pub statement: ViewChangeStatement,
    /// Who asks.
    pub replica: ReplicaId,
    /// Its signature under the statement.
    pub signature: Signature,
}

impl From<&ViewChange> for Asked {
    fn from(whole: &ViewChange) -> Self {
        let ViewChange { replica, signature, .. } = *whole;
        Self { statement: whole.statement(), replica, signature }
    }
}

impl Asked {
    /// Whether a member asks for a view that can be asked for, and says of its certificate that it is of a lower one.
    /// No signature is looked at.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, in the order of [`ViewChangeError`].
    pub fn check(&self, validators: &ValidatorSet) -> Result<(), ViewChangeError> {
        let ViewChangeStatement { view, certified } = self.statement;
        if view == View::FIRST {
            return Err(ViewChangeError::FirstView);
        }
        if let Some(certified) = certified.map(|statement| statement.view)
            && certified >= view
        {
            return Err(ViewChangeError::CertificateView { asked: view, certified });
        }
        let replica = self.replica;
        validators.get(replica).map(|_| ()).ok_or(NotAMember { replica }.into())
    }

    /// What its sender signed.
    ///
    /// # Errors
    ///
    /// Fails when there is no such replica.
    pub fn claim(&self, validators: &ValidatorSet) -> Result<Claim, NotAMember> {
        let replica = self.replica;
        let validator = validators.get(replica).ok_or(NotAMember { replica })?;
        Ok(Claim {
            key: validator.key,
            message: signing_digest(validators.chain(), &self.statement),
            signature: self.signature,
        })
    }
}

/// Why a view change is none, whatever its signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ViewChangeError {
    /// Nobody asks for the first view.
    #[error("a view change to the first view")]
    FirstView,
    /// The certificate is of the view asked for, or of a later one.
    #[error("the certificate is of view {certified}, which is not below view {asked}")]
    CertificateView {
        /// The view asked for.
        asked: View,
        /// The certificate's.
        certified: View,
    },
    /// There is no such replica.
    #[error(transparent)]
    NotAMember(#[from] NotAMember),
    /// The certificate is none.
    #[error("the certificate is none: {0}")]
    Certificate(#[from] CertificateError),
}

impl ViewChange {
    /// Signs a view change as `replica`, whose key `signer` holds.
    pub fn sign(
        view: View,
        certificate: Option<Certificate>,
        replica: ReplicaId,
        chain: &ChainId,
        signer: &dyn Signer,
    ) -> Self {
        let certified = certificate.as_ref().map(|certificate| certificate.statement);
        let statement = ViewChangeStatement { view, certified };
        let signature = signer.sign(&signing_digest(chain, &statement));
        Self { view, certificate, replica, signature }
    }

    /// What its sender signed.
    pub fn statement(&self) -> ViewChangeStatement {
        ViewChangeStatement { view: self.view, certified: self.certified() }
    }

    /// What its certificate certifies.
    pub fn certified(&self) -> Option<Statement> {
        self.certificate.as_ref().map(|certificate| certificate.statement)
    }

    /// Whether a member asks for a view that can be asked for, with a certificate of a lower one, if any. No
    /// signature is looked at.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, in the order of [`ViewChangeError`].
    pub fn check(&self, validators: &ValidatorSet) -> Result<(), ViewChangeError> {
        Asked::from(self).check(validators)?;
        if let Some(certificate) = &self.certificate {
            certificate.check(validators)?;
        }
        Ok(())
    }
}

impl Authenticated for ViewChange {
    type Context = ValidatorSet;
    type Malformed = ViewChangeError;

    fn claims(
        &self,
        validators: &ValidatorSet,
        claims: &mut Vec<Claim>,
    ) -> Result<(), ViewChangeError> {
        self.check(validators)?;
        claims.push(Asked::from(self).claim(validators)?);
        if let Some(certificate) = &self.certificate {
            certificate.claims(validators, claims)?;
        }
        Ok(())
    }
}

/// What the primary of a view signs when it enters it: who asked for the view, each with what it had certified.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct NewViewStatement {
    /// The view.
    pub view: View,
    /// Who asked, ascending, and what its highest certificate certified.
    pub asked: Vec<(ReplicaId, Option<Statement>)>,
}

impl NewViewStatement {
    /// As [`NewView::tip`].
    pub fn tip(&self) -> Option<Statement> {
        tip(self.asked.iter().filter_map(|(_, certified)| *certified))
    }
}

impl Signable for NewViewStatement {
    const DOMAIN: Domain = Domain::SignedNewView;
}

/// The primary of a view shows that a quorum asked for it. What the view goes on from follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct NewView {
    /// The view, above [`View::FIRST`].
    pub view: View,
    /// At least q view changes for this view, by strictly ascending sender.
    pub view_changes: Vec<ViewChange>,
    /// Signature of the view's primary under [`NewView::statement`].
    pub signature: Signature,
}

/// What the primary of a view signed when it entered it, without the view changes that it showed: enough to hold it to
/// its word.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crypto::encoding")]
pub struct Opened {
    /// What it said.
    pub statement: NewViewStatement,
    /// Signature of the view's primary under the statement.
    pub signature: Signature,
}

impl From<&NewView> for Opened {
    fn from(whole: &NewView) -> Self {
        Self { statement: whole.statement(), signature: whole.signature }
    }
}

impl Opened {
    /// Whether it says that at least q distinct members asked for this view, with what can be certified before it. No
    /// signature is looked at.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, in the order of [`NewViewError`].
    pub fn check(&self, validators: &ValidatorSet) -> Result<(), NewViewError> {
        let NewViewStatement { view, asked } = &self.statement;
        check_size(*view, asked.len(), validators)?;
        check_order(asked.iter().map(|(replica, _)| *replica))?;
        for (replica, certified) in asked {
            let statement = ViewChangeStatement { view: *view, certified: *certified };
            let (replica, signature) = (*replica, self.signature);
            let asked = Asked { statement, replica, signature };
            asked.check(validators).map_err(|error| NewViewError::ViewChange { replica, error })?;
        }
        Ok(())
    }

    /// What its sender, the primary of the view, signed.
    ///
    /// # Errors
    ///
    /// Fails when there is no such replica.
    pub fn claim(&self, validators: &ValidatorSet) -> Result<Claim, NotAMember> {
        let replica = validators.primary(self.statement.view);
        let validator = validators.get(replica).ok_or(NotAMember { replica })?;
        Ok(Claim {
            key: validator.key,
            message: signing_digest(validators.chain(), &self.statement),
            signature: self.signature,
        })
    }
}

/// Why a new view is none, whatever its signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NewViewError {
    /// The first view needs none.
    #[error("a new view for the first view")]
    FirstView,
    /// More view changes than the network has validators.
    #[error("{found} view changes, the network has {n} validators")]
    TooMany {
        /// View changes found.
        found: usize,
        /// Validators there are.
        n: usize,
    },
    /// Fewer view changes than a quorum.
    #[error("{found} view changes, {q} are needed")]
    TooFew {
        /// View changes found.
        found: usize,
        /// View changes needed.
        q: usize,
    },
    /// A replica stands behind itself or behind a greater one.
    #[error("replica {replica} is named twice or out of order")]
    NotAscending {
        /// The replica.
        replica: ReplicaId,
    },
    /// A view change asks for another view.
    #[error("replica {replica} asked for view {found}")]
    OtherView {
        /// Who asked.
        replica: ReplicaId,
        /// For which view.
        found: View,
    },
    /// A view change is none.
    #[error("the view change of replica {replica} is none: {error}")]
    ViewChange {
        /// Its sender.
        replica: ReplicaId,
        /// What is wrong with it.
        error: ViewChangeError,
    },
}

impl NewView {
    /// Signs a new view, of view changes by ascending sender, with the key of its primary.
    pub fn sign(
        view: View,
        view_changes: Vec<ViewChange>,
        chain: &ChainId,
        signer: &dyn Signer,
    ) -> Self {
        let statement = statement(view, &view_changes);
        let signature = signer.sign(&signing_digest(chain, &statement));
        Self { view, view_changes, signature }
    }

    /// What its primary signed.
    pub fn statement(&self) -> NewViewStatement {
        statement(self.view, &self.view_changes)
    }

    /// What the greatest of the certificates shown certifies; `None` when nothing is certified and the view goes on
    /// from the genesis.
    pub fn tip(&self) -> Option<Statement> {
        tip(self.view_changes.iter().filter_map(ViewChange::certified))
    }

    /// Whether at least q distinct members ask for this very view, each with a sound view change. No signature is
    /// looked at.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, in the order of [`NewViewError`].
    pub fn check(&self, validators: &ValidatorSet) -> Result<(), NewViewError> {
        check_size(self.view, self.view_changes.len(), validators)?;
        check_order(self.view_changes.iter().map(|asked| asked.replica))?;
        for asked in &self.view_changes {
            let replica = asked.replica;
            if asked.view != self.view {
                return Err(NewViewError::OtherView { replica, found: asked.view });
            }
            asked.check(validators).map_err(|error| NewViewError::ViewChange { replica, error })?;
        }
        Ok(())
    }
}

/// The greatest of what is certified.
fn tip(certified: impl Iterator<Item = Statement>) -> Option<Statement> {
    mutant!({ return crate::mutant::greatest(certified) });
    certified.max_by_key(Statement::rank)
}

/// Whether so many view changes open this view.
fn check_size(view: View, found: usize, validators: &ValidatorSet) -> Result<(), NewViewError> {
    if view == View::FIRST {
        return Err(NewViewError::FirstView);
    }
    let quorum = validators.quorum();
    if found > quorum.n() {
        return Err(NewViewError::TooMany { found, n: quorum.n() });
    }
    if found < quorum.q() && !mutant!(NewViewOfFew) {
        return Err(NewViewError::TooFew { found, q: quorum.q() });
    }
    Ok(())
}

/// Whether each is greater than the one before.
fn check_order(replicas: impl Iterator<Item = ReplicaId>) -> Result<(), NewViewError> {
    let mut before = None;
    for replica in replicas {
        if before.is_some_and(|before| before >= replica) {
            return Err(NewViewError::NotAscending { replica });
        }
        before = Some(replica);
    }
    Ok(())
}

fn statement(view: View, view_changes: &[ViewChange]) -> NewViewStatement {
    let asked = view_changes.iter().map(|asked| (asked.replica, asked.certified()));
    NewViewStatement { view, asked: asked.collect() }
}

impl Authenticated for NewView {
    type Context = ValidatorSet;
    type Malformed = NewViewError;

    fn claims(
        &self,
        validators: &ValidatorSet,
        claims: &mut Vec<Claim>,
    ) -> Result<(), NewViewError> {
        self.check(validators)?;
        let claim = Opened::from(self).claim(validators);
        claims.push(claim.map_err(|none| NewViewError::ViewChange {
            replica: none.replica,
            error: none.into(),
        })?);
        for asked in &self.view_changes {
            asked
                .claims(validators, claims)
                .map_err(|error| NewViewError::ViewChange { replica: asked.replica, error })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
