//! Replicas that lie, by script: good enough to show that a broken rule matters.
//!
//! A [`Liar`] has a replica inside that plays by the rules, and twists what that says ([`Lie`]); it also says things of
//! its own. What it said that the replica inside does not know of is kept from it, or it would retire. Which lies it
//! tells is drawn from the seed. This is no catalogue of attacks: it is what broken rules need in order to be noticed.
//!
//! Lies are bounded: what a liar says because of what it hears it says once, so that several liars do not answer one
//! another for ever.

use std::collections::BTreeSet;
use std::sync::Arc;

use crypto::keys::Signer;
use crypto::signed::Signed;
use ledger::Ledger;
use pbft::{Input, Message, Outgoing, Output, Protocol, Recipients, Replica};
use types::block::BlockId;
use types::certificate::Certificate;
use types::number::View;
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;
use types::vote::Statement;

use crate::rivals::Rivals;
use crate::traitor::{Witness, tell_of_lies};
use crate::{Desk, Random};

mod lie;
mod propose;
mod views;
mod votes;

pub use lie::Lie;

/// How many in 1,000 steps come with a replay.
const REPLAYS_PER_MILLE: u32 = 100;

/// The most things that a liar says because of what it hears, over its whole life.
const ANSWERS_MAX: usize = 1 << 14;

/// A replica that lies.
pub struct Liar {
    inner: Replica<Ledger>,
    desk: Desk,
    lies: BTreeSet<Lie>,
    rivals: Rivals,
    /// What it has said because of what it heard, and to whom.
    answers: BTreeSet<Answer>,
    witness: Option<Witness>,
}

/// Something that is said once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Vote(ReplicaId, Statement),
    Proposal(BlockId),
    NewView(View, usize),
}

impl Liar {
    /// A liar around a replica, with the key that the replica has. Which lies it tells is drawn from the seed.
    pub fn new(
        own: ReplicaId,
        inner: Replica<Ledger>,
        validators: ValidatorSet,
        signer: Arc<dyn Signer>,
        seed: u64,
    ) -> Self {
        let mut random = Random::stream(seed, "liar", &[u64::from(own.get())]);
        let lies = Lie::some(&mut random);
        let desk = Desk::new(own, validators, signer, random, inner.status());
        let (rivals, answers) = (Rivals::default(), BTreeSet::new());
        Self { inner, desk, lies, rivals, answers, witness: None }
    }

    /// The same, and the witness is told of what it says that the replica inside does not say.
    #[must_use]
    pub fn witnessed(self, witness: Witness) -> Self {
        Self { witness: Some(witness), ..self }
    }

    fn tells(&self, lie: Lie) -> bool {
        self.lies.contains(&lie)
    }

    /// Whether something was not said before, and may be.
    fn first_time(&mut self, answer: Answer) -> bool {
        self.answers.len() < ANSWERS_MAX && self.answers.insert(answer)
    }

    /// What it says instead of a message.
    fn twist(&mut self, outgoing: Outgoing) -> Vec<Outgoing> {
        let Outgoing { to, message } = outgoing;
        match message {
            Message::PrePrepare(first) if first.vote.replica == self.desk.own => {
                self.propose(to, first)
            }
            Message::Prepare(vote) if vote.replica == self.desk.own => {
                self.vote_as_it_likes(to, Message::Prepare(vote), vote)
            }
            Message::Commit(vote) if vote.replica == self.desk.own => {
                self.vote_as_it_likes(to, Message::Commit(vote), vote)
            }
            Message::ViewChange(mut asked) => {
                self.complete(asked.certificate.as_mut());
                if asked.replica == self.desk.own {
                    return self.ask(to, asked);
                }
                vec![Outgoing { to, message: Message::ViewChange(asked) }]
            }
            Message::NewView(mut new_view) => {
                for asked in &mut new_view.view_changes {
                    self.complete(asked.certificate.as_mut());
                }
                if self.desk.validators.primary(new_view.view) == self.desk.own {
                    return self.show_new_view(to, new_view);
                }
                vec![Outgoing { to, message: Message::NewView(new_view) }]
            }
            Message::PrePrepare(_)
            | Message::Prepare(_)
            | Message::Commit(_)
            | Message::Status(_)
            | Message::Handover(_) => vec![Outgoing { to, message }],
        }
    }

    /// What it says without being asked, because of what it hears.
    fn hears(&mut self, message: &Message) -> Vec<Outgoing> {
        let author = message.author(&self.desk.validators);
        let mut said = Vec::new();
        if let Some(vote) = message.vote()
            && self.tells(Lie::VotesForAll)
        {
            said.extend(self.echo(author, &vote.statement));
        }
        if let Message::PrePrepare(first) = message
            && author == self.desk.validators.primary(first.vote.statement.view)
            && self.tells(Lie::ProposesAsBackup)
            && self.first_time(Answer::Proposal(first.vote.statement.block))
        {
            let second = self.rivals.rival(&self.desk, first);
            said.push(Outgoing { to: Recipients::All, message: Message::PrePrepare(second) });
        }
        if let Message::ViewChange(asked) = message
            && self.tells(Lie::NewViewsOfOthers)
        {
            said.extend(self.new_view_of_other(asked.view));
        }
        said
    }

    fn replay(&mut self) -> Option<Outgoing> {
        if !self.tells(Lie::Replays) || !self.desk.random.chance(REPLAYS_PER_MILLE) {
            return None;
        }
        let message = self.desk.memory.any(&mut self.desk.random)?;
        let to = self.desk.random.pick(&self.desk.others()).copied()?;
        Some(Outgoing { to: Recipients::One(to), message })
    }

    /// What the replica inside may hear: nothing that was said under its own key.
    fn hush(&self, input: Input) -> Option<Input> {
        match input {
            Input::Message(message) => {
                let mut message = message.into_inner();
                if message.author(&self.desk.validators) == self.desk.own {
                    return None;
                }
                match &mut message {
                    Message::ViewChange(asked) => self.strip(asked.certificate.as_mut()),
                    Message::NewView(new_view) => {
                        new_view.view_changes.retain(|asked| asked.replica != self.desk.own);
                        for asked in &mut new_view.view_changes {
                            self.strip(asked.certificate.as_mut());
                        }
                    }
                    Message::PrePrepare(_)
                    | Message::Prepare(_)
                    | Message::Commit(_)
                    | Message::Status(_)
                    | Message::Handover(_) => {}
                }
                Some(Input::Message(Signed::vouched(message)))
            }
            Input::Blocks(blocks) => {
                let strip = |proved: Signed<ProvedBlock>| {
                    let mut proved = proved.into_inner();
                    self.strip(Some(&mut proved.proof.certificate));
                    Signed::vouched(proved)
                };
                Some(Input::Blocks(blocks.into_iter().map(strip).collect()))
            }
            Input::Evidence(evidence)
                if evidence.get().accused(&self.desk.validators) == self.desk.own =>
            {
                None
            }
            Input::Tick { .. }
            | Input::Work
            | Input::Timer(_)
            | Input::Connected(_)
            | Input::Evidence(_) => Some(input),
        }
    }

    fn strip(&self, certificate: Option<&mut Certificate>) {
        if let Some(certificate) = certificate {
            certificate.signatures.retain(|(replica, _)| *replica != self.desk.own);
        }
    }

    /// Puts back the own signature that was kept from the replica inside, where a quorum lacks it.
    fn complete(&self, certificate: Option<&mut Certificate>) {
        let Some(certificate) = certificate else {
            return;
        };
        let has_own = certificate.signatures.iter().any(|(replica, _)| *replica == self.desk.own);
        if !has_own && certificate.signatures.len() < self.desk.validators.quorum().q() {
            let signature = self.desk.vote(certificate.statement.phase, &certificate.statement);
            certificate.signatures.push((self.desk.own, signature.signature));
            certificate.signatures.sort_by_key(|(replica, _)| *replica);
        }
    }
}

impl Protocol for Liar {
    type Application = Ledger;

    fn step(&mut self, input: Input) -> Output {
        let mut said = Vec::new();
        if let Input::Message(message) = &input {
            let message = message.get().clone();
            self.desk.memory.note(&message, &self.desk.validators);
            if message.author(&self.desk.validators) != self.desk.own {
                said = self.hears(&message);
            }
        }
        let mut output = self.hush(input).map(|input| self.inner.step(input)).unwrap_or_default();
        let honest = std::mem::take(&mut output.messages);
        let inside = if self.witness.is_some() { honest.clone() } else { Vec::new() };
        output.messages = honest.into_iter().flat_map(|outgoing| self.twist(outgoing)).collect();
        output.messages.append(&mut said);
        output.messages.extend(self.replay());
        tell_of_lies(&mut self.witness, "liar", &inside, &output.messages);
        for proved in &mut output.committed {
            if self.tells(Lie::BadProofs) {
                proved.proof.certificate.signatures.truncate(1);
            } else {
                self.complete(Some(&mut proved.proof.certificate));
            }
        }
        output
    }

    crate::as_inner!();
}
