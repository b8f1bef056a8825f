//! Changes of statements, votes and certificates.

use crypto::keys::Signature;
use types::certificate::Certificate;
use types::replica::ReplicaId;
use types::vote::{Statement, Vote};

use super::{Mutation, Mutator, Variant};

/// Those of a certificate, each with its member.
type Signatures = Vec<(ReplicaId, Signature)>;

impl Mutator {
    pub(super) fn statements(&mut self, one: &Statement) -> Vec<(Mutation, Statement)> {
        let Statement { phase, view, height, block } = *one;
        vec![
            (Mutation::StatementPhase, Statement { phase: Self::phase(phase), ..*one }),
            (Mutation::StatementView, Statement { view: self.view(view), ..*one }),
            (Mutation::StatementHeight, Statement { height: self.height(height), ..*one }),
            (Mutation::StatementBlock, Statement { block: self.block_id(&block), ..*one }),
        ]
    }

    pub(super) fn votes(&mut self, one: &Vote) -> Vec<Variant<Vote>> {
        let Vote { statement, replica, signature } = *one;
        let mut variants = Vec::new();
        for (mutation, statement) in self.statements(&statement) {
            let stale = Vote { statement, ..*one };
            variants.push(self.signed_vote(mutation, stale));
        }
        let stale = Vote { replica: self.replica(replica), ..*one };
        variants.push(self.signed_vote(Mutation::VoteReplica, stale));
        let stale = Vote { signature: self.signature(&signature), ..*one };
        variants.push(Variant::stale(Mutation::VoteSignature, stale));
        variants
    }

    fn signed_vote(&self, mutation: Mutation, stale: Vote) -> Variant<Vote> {
        Variant { mutation, anew: Some(self.sign_vote(stale)), stale }
    }

    /// A vote with its own signature, whoever it names.
    pub(super) fn sign_vote(&self, vote: Vote) -> Vote {
        let chain = self.validators.chain();
        Vote::sign(vote.statement, vote.replica, chain, self.signer.as_ref())
    }

    /// Certificates have no signature of their own.
    pub(super) fn certificates(&mut self, one: &Certificate) -> Vec<(Mutation, Certificate)> {
        let Certificate { statement, signatures } = one;
        let with = |signatures: &[(ReplicaId, Signature)]| Certificate {
            statement: *statement,
            signatures: signatures.to_vec(),
        };
        let mut variants: Vec<(Mutation, Certificate)> = self
            .statements(statement)
            .into_iter()
            .map(|(mutation, statement)| (mutation, Certificate { statement, ..one.clone() }))
            .collect();
        variants.push((Mutation::CertificateEmptied, with(&[])));
        let reverse: Vec<_> = signatures.iter().rev().copied().collect();
        variants.push((Mutation::CertificateReordered, with(&reverse)));
        let place = self.random.index(signatures.len());
        let Some((member, signature)) = signatures.get(place).copied() else {
            return variants;
        };
        let other = (self.replica(member), signature);
        let false_one = (member, self.signature(&signature));
        let mut changed = |mutation, change: &dyn Fn(&mut Signatures)| {
            let mut signatures = signatures.clone();
            change(&mut signatures);
            variants.push((mutation, with(&signatures)));
        };
        changed(Mutation::CertificateDropped, &|it| {
            it.remove(place);
        });
        changed(Mutation::CertificateDoubled, &|it| it.insert(place, (member, signature)));
        changed(Mutation::CertificateMember, &|it| replace(it, place, other));
        changed(Mutation::CertificateSignature, &|it| replace(it, place, false_one));
        let mixed = self.memory.certificate(&mut self.random);
        let mixed = mixed.filter(|other| other.statement != *statement);
        if let Some(mixed) = mixed.and_then(|other| other.signatures.get(place).copied()) {
            changed(Mutation::CertificateMixed, &|it| replace(it, place, mixed));
        }
        variants
    }
}

fn replace<T: Copy>(items: &mut [T], place: usize, with: T) {
    if let Some(item) = items.get_mut(place) {
        *item = with;
    }
}
