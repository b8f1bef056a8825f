//! What a replica that lies has heard and said, and what can be made of it.

use std::collections::BTreeMap;

use crypto::keys::Signature;
use pbft::Message;
use types::certificate::Certificate;
use types::number::View;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;
use types::view_change::ViewChange;
use types::vote::Statement;

use crate::Random;

/// The most messages that are remembered.
const MESSAGES_MAX: usize = 128;

/// The most statements, and the most views, of which it is remembered who signed them.
const REMEMBERED_MAX: usize = 1_024;

/// Everything of use.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    messages: Vec<Message>,
    /// Who signed which statement.
    signatures: BTreeMap<Statement, BTreeMap<ReplicaId, Signature>>,
    /// Who asked for which view.
    asked: BTreeMap<View, BTreeMap<ReplicaId, ViewChange>>,
}

impl Memory {
    pub(crate) fn note(&mut self, message: &Message, validators: &ValidatorSet) {
        if self.messages.len() >= MESSAGES_MAX {
            self.messages.remove(0);
        }
        self.messages.push(message.clone());
        match message {
            Message::ViewChange(asked) => self.note_view_change(asked),
            Message::NewView(new_view) => {
                for asked in &new_view.view_changes {
                    self.note_view_change(asked);
                }
            }
            Message::PrePrepare(_)
            | Message::Prepare(_)
            | Message::Commit(_)
            | Message::Status(_)
            | Message::Handover(_) => {}
        }
        if let Some(vote) = message.vote() {
            let author = message.author(validators);
            self.signatures.entry(vote.statement).or_default().insert(author, vote.signature);
        }
        while self.signatures.len() > REMEMBERED_MAX {
            self.signatures.pop_first();
        }
        while self.asked.len() > REMEMBERED_MAX {
            self.asked.pop_first();
        }
    }

    pub(crate) fn note_view_change(&mut self, asked: &ViewChange) {
        self.asked.entry(asked.view).or_default().insert(asked.replica, asked.clone());
        if let Some(certificate) = &asked.certificate {
            let known = self.signatures.entry(certificate.statement).or_default();
            known.extend(certificate.signatures.iter().copied());
        }
    }

    /// Any of the last messages.
    pub(crate) fn any(&self, random: &mut Random) -> Option<Message> {
        random.pick(&self.messages).cloned()
    }

    /// The statements of views below this one that are certified by one more signature at most.
    pub(crate) fn certifiable(&self, own: ReplicaId, others: usize, below: View) -> Vec<Statement> {
        let known = self.signatures.iter().filter(|(statement, signatures)| {
            let signers = signatures.keys().filter(|replica| **replica != own);
            statement.view < below && signers.count() >= others
        });
        known.map(|(statement, _)| *statement).collect()
    }

    /// The greatest certificate of a view below this one that can be made of what is known, with one signature more.
    pub(crate) fn greatest(
        &self,
        quorum: usize,
        below: View,
        own: ReplicaId,
        sign: impl Fn(&Statement) -> Signature,
    ) -> Option<Certificate> {
        let known = self.certifiable(own, quorum.saturating_sub(1), below);
        let greatest = known.into_iter().max_by_key(|it| (it.view, it.height, it.phase))?;
        Some(self.certificate(greatest, (own, sign(&greatest))))
    }

    /// A statement that somebody has signed.
    pub(crate) fn any_statement(&self, random: &mut Random) -> Option<Statement> {
        let place = random.index(self.signatures.len());
        self.signatures.keys().nth(place).copied()
    }

    /// A certificate with the signatures that are known, and one more.
    pub(crate) fn certificate(
        &self,
        statement: Statement,
        own: (ReplicaId, Signature),
    ) -> Certificate {
        let mut signatures = self.signatures.get(&statement).cloned().unwrap_or_default();
        signatures.insert(own.0, own.1);
        Certificate { statement, signatures: signatures.into_iter().collect() }
    }

    /// Who asked for a view, by sender.
    pub(crate) fn asked(&self, view: View) -> Vec<ViewChange> {
        self.asked.get(&view).into_iter().flat_map(BTreeMap::values).cloned().collect()
    }
}
