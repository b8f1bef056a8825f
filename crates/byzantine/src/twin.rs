//! A replica that has a twin: another process with the same key, of which it knows nothing.
//!
//! Two such processes, each of them honest, are one replica that lies: as primary they propose two blocks at one
//! height, as backups they vote for two, and they ask for a view with two certificates ("Twins: BFT Systems Made
//! Robust", Bano, Sonnino, Chursin, Perelman, Li, Ching and Malkhi, OPODIS 2021). Section 5 of the protocol page ends that as
//! soon as they meet: who sees a vote of his own key that he never gave never votes again. A liar would not
//! do that, so a [`Twin`] does not hear what was said under its own key: messages are dropped, signatures in the
//! certificates of others are taken out, and its own view change in a new view is taken out after its certificate was
//! given to a neighbour, so that the tip stays the same. What was taken out is put back into whatever it
//! sends, so that its words hold at every door.

use std::collections::BTreeMap;

use crypto::keys::Signature;
use crypto::signed::Signed;
use ledger::Ledger;
use pbft::{Input, Message, Output, Protocol, Replica};
use types::certificate::Certificate;
use types::number::View;
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;
use types::view_change::{NewView, ViewChange};
use types::vote::Statement;

/// The most signatures, and the most new views, that are remembered.
const REMEMBERED_MAX: usize = 64;

/// A replica that does not hear its twin. A copy goes its own way from where it was made.
#[derive(Clone)]
pub struct Twin {
    inner: Replica<Ledger>,
    own: ReplicaId,
    validators: ValidatorSet,
    /// The signatures of its key that were taken out of certificates.
    signatures: BTreeMap<Statement, Signature>,
    /// New views as they came.
    new_views: BTreeMap<View, NewView>,
}

impl Twin {
    /// A twin around a replica.
    pub const fn new(own: ReplicaId, inner: Replica<Ledger>, validators: ValidatorSet) -> Self {
        Self { inner, own, validators, signatures: BTreeMap::new(), new_views: BTreeMap::new() }
    }

    /// What the replica inside may hear.
    fn hush(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::Message(message) => {
                let message = self.hush_message(message.into_inner())?;
                Some(Input::Message(Signed::vouched(message)))
            }
            Input::Blocks(blocks) => {
                let mut hushed = Vec::with_capacity(blocks.len());
                for proved in blocks {
                    let mut proved: ProvedBlock = proved.into_inner();
                    self.strip(Some(&mut proved.proof.certificate));
                    hushed.push(Signed::vouched(proved));
                }
                Some(Input::Blocks(hushed))
            }
            Input::Evidence(evidence) if evidence.get().accused(&self.validators) == self.own => {
                None
            }
            Input::Tick { .. }
            | Input::Work
            | Input::Timer(_)
            | Input::Connected(_)
            | Input::Evidence(_) => Some(input),
        }
    }

    fn hush_message(&mut self, message: Message) -> Option<Message> {
        if message.author(&self.validators) == self.own {
            return None;
        }
        Some(match message {
            Message::ViewChange(mut asked) => {
                self.strip(asked.certificate.as_mut());
                Message::ViewChange(asked)
            }
            Message::NewView(new_view) => Message::NewView(self.hush_new_view(new_view)),
            Message::PrePrepare(_)
            | Message::Prepare(_)
            | Message::Commit(_)
            | Message::Status(_)
            | Message::Handover(_) => message,
        })
    }

    fn hush_new_view(&mut self, mut new_view: NewView) -> NewView {
        self.new_views.entry(new_view.view).or_insert_with(|| new_view.clone());
        while self.new_views.len() > REMEMBERED_MAX {
            self.new_views.pop_first();
        }
        let asked = &mut new_view.view_changes;
        if let Some(place) = asked.iter().position(|asked| asked.replica == self.own) {
            let said = asked.remove(place);
            let greatest = asked.iter_mut().max_by_key(|asked| rank(asked));
            if let Some(neighbour) = greatest.filter(|greatest| rank(greatest) < rank(&said)) {
                neighbour.certificate = said.certificate;
            }
        }
        for asked in &mut new_view.view_changes {
            self.strip(asked.certificate.as_mut());
        }
        new_view
    }

    /// Takes the signature of its own key out of a certificate.
    fn strip(&mut self, certificate: Option<&mut Certificate>) {
        let Some(certificate) = certificate else {
            return;
        };
        let own = self.own;
        let signature = certificate.signatures.iter().find(|(replica, _)| *replica == own);
        if let Some((_, signature)) = signature {
            self.signatures.insert(certificate.statement, *signature);
            certificate.signatures.retain(|(replica, _)| *replica != own);
        }
        while self.signatures.len() > REMEMBERED_MAX {
            self.signatures.pop_first();
        }
    }

    /// Puts back into a message what was taken out of those that it is made of.
    fn mend_message(&self, message: &mut Message) {
        match message {
            Message::ViewChange(asked) => self.mend(asked.certificate.as_mut()),
            Message::NewView(new_view) => match self.new_views.get(&new_view.view) {
                Some(whole) => *new_view = whole.clone(),
                None => {
                    for asked in &mut new_view.view_changes {
                        self.mend(asked.certificate.as_mut());
                    }
                }
            },
            Message::PrePrepare(_)
            | Message::Prepare(_)
            | Message::Commit(_)
            | Message::Status(_)
            | Message::Handover(_) => {}
        }
    }

    fn mend(&self, certificate: Option<&mut Certificate>) {
        let Some(certificate) = certificate else {
            return;
        };
        let own = self.own;
        let Some(signature) = self.signatures.get(&certificate.statement) else {
            return;
        };
        let place = certificate.signatures.partition_point(|(replica, _)| *replica < own);
        if certificate.signatures.get(place).is_none_or(|(replica, _)| *replica != own) {
            certificate.signatures.insert(place, (own, *signature));
        }
    }
}

fn rank(asked: &ViewChange) -> Option<(View, types::number::Height, types::vote::Phase)> {
    asked.certificate.as_ref().map(Certificate::rank)
}

impl Protocol for Twin {
    type Application = Ledger;

    fn step(&mut self, input: Input) -> Output {
        let Some(input) = self.hush(input) else {
            return Output::default();
        };
        let mut output = self.inner.step(input);
        for outgoing in &mut output.messages {
            self.mend_message(&mut outgoing.message);
        }
        for proved in &mut output.committed {
            self.mend(Some(&mut proved.proof.certificate));
        }
        output
    }

    crate::as_inner!();
}
