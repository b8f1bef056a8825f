//! A replica that changes what it says, field by field.
//!
//! A [`Mutator`] has a replica inside that plays by the rules and does not hear what was said under its own key (a
//! [`Twin`]). Beside what that says, and at times in its place, it says the same with one field changed, and beside
//! what it hears from others too: of every message, every vote, certificate, header, body and transaction in it. Which
//! fields there are is not written down in a list that could be forgotten: each struct is taken apart with all its
//! fields named, so that a new one does not compile before somebody says here what its [`Mutation`] is.
//!
//! What has a signature of its own is sent changed under the old signature, and changed and signed anew, with whatever
//! follows from the change made to fit: the door must turn away the one, the core must bear the other. Of all
//! changes that a message allows, the one is chosen that was sent least so far, so that none is left out.
//!
//! It says little: at most [`EXTRA_MAX`] messages more in a step than the replica inside, and because of what it hears
//! at most one, to one replica and seldom, so two of them do not answer one another for ever.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crypto::keys::Signer;
use ledger::Ledger;
use pbft::{Input, Message, Outgoing, Output, Protocol, Recipients, Replica};
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;

use crate::traitor::{Witness, tell_of_lies};
use crate::{Random, Twin};

mod blocks;
mod catalogue;
mod memory;
mod values;
mod views;
mod votes;

pub use catalogue::Mutation;
use memory::Memory;

/// The most messages that are said in a step beside those of the replica inside.
pub const EXTRA_MAX: usize = 3;

/// How many in 1,000 of its own messages are said changed as well.
const CHANGED_PER_MILLE: u32 = 300;

/// How many in 1,000 of its own messages are not said at all.
const WITHHELD_PER_MILLE: u32 = 30;

/// How many in 1,000 messages that it hears are said again, changed.
const HEARD_PER_MILLE: u32 = 60;

/// How many in 1,000 steps come with something that was said before.
const REPLAYED_PER_MILLE: u32 = 30;

/// How many in 1,000 of the blocks that it commits are handed out changed.
const PROOFS_PER_MILLE: u32 = 150;

/// How a change is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signing {
    /// The signature is that of what was changed.
    Stale,
    /// It is signed anew, under its own key, with everything else made to fit.
    Anew,
}

/// How often each change was sent.
pub type Sent = BTreeMap<(Mutation, Signing), u64>;

/// A replica that changes what it says.
pub struct Mutator {
    inner: Twin,
    own: ReplicaId,
    validators: ValidatorSet,
    signer: Arc<dyn Signer>,
    random: Random,
    memory: Memory,
    /// What it has sent itself: chance and this alone decide what it sends next.
    sent: Sent,
    /// Where it is counted for all.
    counter: Rc<RefCell<Sent>>,
    witness: Option<Witness>,
}

/// Something with one change.
struct Variant<T> {
    mutation: Mutation,
    stale: T,
    /// `None` where the change is one of the signature.
    anew: Option<T>,
}

impl<T> Variant<T> {
    const fn stale(mutation: Mutation, stale: T) -> Self {
        Self { mutation, stale, anew: None }
    }

    fn map<U>(self, change: impl Fn(T) -> U) -> Variant<U> {
        let Self { mutation, stale, anew } = self;
        Variant { mutation, stale: change(stale), anew: anew.map(change) }
    }
}

impl Mutator {
    /// A mutator around a replica. What it does is left to this chance, and counted in `counter`.
    pub fn new(
        own: ReplicaId,
        inner: Replica<Ledger>,
        validators: ValidatorSet,
        signer: Arc<dyn Signer>,
        random: Random,
        counter: Rc<RefCell<Sent>>,
    ) -> Self {
        Self {
            inner: Twin::new(own, inner, validators.clone()),
            own,
            validators,
            signer,
            random,
            memory: Memory::default(),
            sent: Sent::new(),
            counter,
            witness: None,
        }
    }

    /// The same, and the witness is told of what it says that the replica inside does not say.
    #[must_use]
    pub fn witnessed(self, witness: Witness) -> Self {
        Self { witness: Some(witness), ..self }
    }

    /// What is said instead of what the replica inside says, and because of what it hears.
    fn change(&mut self, honest: Vec<Outgoing>, heard: Option<Message>) -> Vec<Outgoing> {
        let mut said = Vec::with_capacity(honest.len());
        let mut extra = 0_usize;
        for outgoing in honest {
            self.memory.note(&outgoing.message);
            let changed_per_mille = match &outgoing.message {
                // Few are ever handed over, and who was found out leads no view.
                Message::Handover(_) | Message::NewView(_) => 1_000,
                Message::PrePrepare(_)
                | Message::Prepare(_)
                | Message::Commit(_)
                | Message::ViewChange(_)
                | Message::Status(_) => CHANGED_PER_MILLE,
            };
            if extra < EXTRA_MAX && self.random.chance(changed_per_mille) {
                let to = self.recipients(outgoing.to);
                let changed = self.mutated(&outgoing.message);
                said.extend(changed.map(|message| Outgoing { to, message }));
                extra = extra.saturating_add(1);
            }
            if self.random.chance(WITHHELD_PER_MILLE) {
                self.count(Mutation::Withheld, Signing::Stale);
            } else {
                said.push(outgoing);
            }
        }
        let mut more = None;
        if let Some(heard) = heard {
            if self.random.chance(HEARD_PER_MILLE) {
                more = self.mutated(&heard);
            }
            self.memory.note(&heard);
        }
        if more.is_none() && self.random.chance(REPLAYED_PER_MILLE) {
            more = self.memory.message(&mut self.random);
            if more.is_some() {
                self.count(Mutation::Replay, Signing::Stale);
            }
        }
        if let (Some(message), Some(to)) = (more.filter(|_| extra < EXTRA_MAX), self.anybody()) {
            said.push(Outgoing { to: Recipients::One(to), message });
        }
        said
    }

    /// Half of what is meant for all goes to one alone, so that the others hear something else.
    fn recipients(&mut self, to: Recipients) -> Recipients {
        match to {
            Recipients::All if self.random.chance(500) => {
                self.anybody().map_or(to, Recipients::One)
            }
            Recipients::All | Recipients::One(_) => to,
        }
    }

    fn anybody(&mut self) -> Option<ReplicaId> {
        let all = self.validators.iter().map(|(replica, _)| replica);
        let others: Vec<ReplicaId> = all.filter(|replica| *replica != self.own).collect();
        self.random.pick(&others).copied()
    }

    /// A message with the change that was sent least so far.
    fn mutated(&mut self, message: &Message) -> Option<Message> {
        let mut choices = Vec::new();
        for Variant { mutation, stale, anew } in self.messages(message) {
            choices.push((mutation, Signing::Stale, stale));
            choices.extend(anew.map(|anew| (mutation, Signing::Anew, anew)));
        }
        choices.retain(|(_, _, changed)| changed != message);
        let times = |sent: &Sent, mutation, signing| {
            sent.get(&(mutation, signing)).copied().unwrap_or_default()
        };
        let each =
            choices.iter().map(|(mutation, signing, _)| times(&self.sent, *mutation, *signing));
        let least = each.min()?;
        choices.retain(|(mutation, signing, _)| times(&self.sent, *mutation, *signing) == least);
        let place = self.random.index(choices.len());
        let (mutation, signing, changed) = choices.into_iter().nth(place)?;
        self.count(mutation, signing);
        Some(changed)
    }

    fn count(&mut self, mutation: Mutation, signing: Signing) {
        let mut all = self.counter.borrow_mut();
        for counts in [&mut self.sent, &mut *all] {
            let count = counts.entry((mutation, signing)).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Every change of one field of a message.
    fn messages(&mut self, message: &Message) -> Vec<Variant<Message>> {
        fn all<T>(variants: Vec<Variant<T>>, wrap: fn(T) -> Message) -> Vec<Variant<Message>> {
            variants.into_iter().map(|variant| variant.map(wrap)).collect()
        }
        match message {
            Message::PrePrepare(one) => all(self.pre_prepares(one), Message::PrePrepare),
            Message::Prepare(vote) => {
                let mut variants = all(self.votes(vote), Message::Prepare);
                variants.push(Variant::stale(Mutation::Kind, Message::Commit(*vote)));
                variants
            }
            Message::Commit(vote) => {
                let mut variants = all(self.votes(vote), Message::Commit);
                variants.push(Variant::stale(Mutation::Kind, Message::Prepare(*vote)));
                variants
            }
            Message::ViewChange(one) => all(self.view_changes(one), Message::ViewChange),
            Message::NewView(one) => all(self.new_views(one), Message::NewView),
            Message::Status(one) => all(self.statuses(one), Message::Status),
            Message::Handover(one) => all(self.handovers(one), Message::Handover),
        }
    }

    /// Hands out some blocks changed.
    fn falsify(&mut self, committed: &mut [ProvedBlock]) {
        for proved in committed {
            if !self.random.chance(PROOFS_PER_MILLE) {
                continue;
            }
            let variants = self.proofs(proved);
            let place = self.random.index(variants.len());
            if let Some((mutation, changed)) = variants.into_iter().nth(place) {
                self.count(mutation, Signing::Stale);
                *proved = changed;
            }
        }
    }
}

impl Protocol for Mutator {
    type Application = Ledger;

    fn step(&mut self, input: Input) -> Output {
        let heard = match &input {
            Input::Message(message) => Some(message.get().clone()),
            Input::Tick { .. }
            | Input::Work
            | Input::Timer(_)
            | Input::Blocks(_)
            | Input::Evidence(_)
            | Input::Connected(_) => None,
        };
        let mut output = self.inner.step(input);
        let honest = std::mem::take(&mut output.messages);
        let inside = if self.witness.is_some() { honest.clone() } else { Vec::new() };
        output.messages = self.change(honest, heard);
        tell_of_lies(&mut self.witness, "mutation", &inside, &output.messages);
        self.falsify(&mut output.committed);
        output
    }

    crate::as_inner!();
}
