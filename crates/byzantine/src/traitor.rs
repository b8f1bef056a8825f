//! A validator that attacks.
//!
//! Inside is a replica that plays by the rules and does not hear what was said under its own key (a [`Twin`]), so it
//! never learns what its owner says besides. What it says goes through every attack at work, in the order in which they
//! were named.
//!
//! An attack that chooses among requests stands before the replica inside: requests are brought to a ledger of its own,
//! which follows the chain, and the replica hears of those that are let through.

use std::collections::BTreeSet;
use std::sync::Arc;

use crypto::keys::Signer;
use crypto::signed::Signed;
use ledger::{Ledger, Origin};
use pbft::{Input, Message, Outgoing, Output, Overview, Protocol, Replica, Timer, TimerSet};
use types::application::Application;
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::transaction::{SignedTransaction, TransactionId};
use types::validators::ValidatorSet;

use crate::attack::{Attack, Strategy};
use crate::desk::Desk;
use crate::{Random, Twin};

/// The most requests that are looked at in one step, the longest-waiting first.
const REQUESTS_MAX: usize = 1_024;

/// The most requests that were turned away and are remembered, so that each is told of once.
const TURNED_AWAY_MAX: usize = 1_024;

/// Something that a traitor did because of an attack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The name of the attack.
    pub attack: &'static str,
    /// What it did.
    pub act: Act,
}

/// What a traitor does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// It says what the replica inside does not say, or not like this.
    Says(Outgoing),
    /// It does not say what the replica inside says.
    Withholds(Outgoing),
    /// It keeps a committed block, and hands it out, like this.
    Keeps(Box<ProvedBlock>),
    /// It does not hear of a request.
    TurnsAway(TransactionId),
}

impl Deed {
    /// What was said, if it is something said.
    pub const fn said(&self) -> Option<&Outgoing> {
        match &self.act {
            Act::Says(said) => Some(said),
            Act::Withholds(_) | Act::Keeps(_) | Act::TurnsAway(_) => None,
        }
    }
}

/// Is told of every deed before it is sent.
pub type Witness = Box<dyn FnMut(Deed) + Send>;

/// Tells of everything that is said and that the replica inside did not say, or not like this.
pub(crate) fn tell_of_lies(
    witness: &mut Option<Witness>,
    attack: &'static str,
    honest: &[Outgoing],
    said: &[Outgoing],
) {
    let Some(witness) = witness else {
        return;
    };
    for said in said.iter().filter(|said| !honest.contains(said)) {
        witness(Deed { attack, act: Act::Says(said.clone()) });
    }
    for withheld in honest.iter().filter(|honest| !said.contains(honest)) {
        witness(Deed { attack, act: Act::Withholds(withheld.clone()) });
    }
}

/// A replica that attacks.
pub struct Traitor {
    inner: Twin,
    desk: Desk,
    attacks: Vec<AtWork>,
    witness: Witness,
    /// Where requests are brought when an attack chooses among them.
    gate: Option<Gate>,
    /// When the batch timer of the replica inside fires, on the clock that only goes forward.
    batch_ms: Option<u64>,
}

struct AtWork {
    attack: Attack,
    strategy: Box<dyn Strategy>,
}

/// Stands before the replica inside.
struct Gate {
    ledger: Ledger,
    turned_away: BTreeSet<TransactionId>,
}

impl Traitor {
    /// A traitor around a replica, with the key that the replica has. Chance comes from the seed.
    pub fn new(
        own: ReplicaId,
        inner: Replica<Ledger>,
        validators: ValidatorSet,
        signer: Arc<dyn Signer>,
        attacks: Vec<Attack>,
        seed: u64,
        witness: Witness,
    ) -> Self {
        let random = Random::stream(seed, "traitor", &[u64::from(own.get())]);
        let desk = Desk::new(own, validators.clone(), signer, random, inner.status());
        let begin = |attack: Attack| AtWork { strategy: attack.kind.begin(), attack };
        let attacks: Vec<AtWork> = attacks.into_iter().map(begin).collect();
        let chooses = attacks.iter().any(|work| work.strategy.chooses());
        let gate = chooses
            .then(|| Gate { ledger: inner.application().clone(), turned_away: BTreeSet::new() });
        let inner = Twin::new(own, inner, validators);
        Self { inner, desk, attacks, witness, gate, batch_ms: None }
    }

    /// Lets requests through to the replica inside.
    fn let_through(&mut self) {
        let Self { inner, desk, attacks, witness, gate: Some(gate), .. } = self else {
            return;
        };
        let waiting = gate.ledger.pending_since(gate.ledger.ticket(), REQUESTS_MAX);
        let waiting: Vec<SignedTransaction> = waiting.into_iter().cloned().collect();
        for request in waiting {
            let id = request.id();
            if inner.application().contains(&id) {
                continue;
            }
            let against = attacks.iter_mut().find_map(|work| work.refuses(desk, &request));
            match against {
                Some(attack) => {
                    if gate.turned_away.insert(id) {
                        witness(Deed { attack, act: Act::TurnsAway(id) });
                    }
                    while gate.turned_away.len() > TURNED_AWAY_MAX {
                        gate.turned_away.pop_first();
                    }
                }
                // What it refuses now it may take later: the request stays at the gate.
                None => drop(inner.application_mut().admit(Signed::vouched(request), Origin::Peer)),
            }
        }
    }

    /// Wakes itself, by the one timer that does nothing when the replica inside does not wait for it. A setting of the
    /// replica inside stands: it wakes as well.
    fn set_alarm(&mut self, input_was_batch: bool, output: &mut Output) {
        let now_ms = self.desk.now_ms;
        if input_was_batch {
            self.batch_ms = None;
        }
        let set = output.timers.iter().rev().find(|set| set.timer == Timer::Batch);
        if let Some(set) = set {
            self.batch_ms = Some(now_ms.saturating_add(u64::from(set.after_ms)));
        }
        let Some(alarm_ms) = self.desk.alarm_ms else {
            return;
        };
        if self.batch_ms.is_none() {
            let after_ms =
                alarm_ms.saturating_sub(now_ms).clamp(1, u64::from(pbft::output::AFTER_MS_MAX));
            let after_ms = u32::try_from(after_ms).unwrap_or(u32::MAX);
            output.timers.push(TimerSet { timer: Timer::Batch, after_ms });
            self.batch_ms = Some(now_ms.saturating_add(u64::from(after_ms)));
        }
    }
}

impl Gate {
    /// Follows the chain.
    fn follow(&mut self, committed: &[ProvedBlock]) {
        for proved in committed {
            // The replica inside has executed it on the same state.
            if self.ledger.execute(&proved.block).is_ok() {
                self.ledger.commit(&proved.block.id());
            }
        }
    }
}

impl AtWork {
    /// Turns the knobs; whether the attack is at work here.
    fn is_at_work(&self, desk: &mut Desk) -> bool {
        desk.knobs.clone_from(&self.attack.knobs);
        desk.knobs.cover(desk.at.committed.next(), desk.at.view)
    }

    /// The name of the attack, if it keeps a request from the replica inside.
    fn refuses(&mut self, desk: &mut Desk, request: &SignedTransaction) -> Option<&'static str> {
        let refused = self.is_at_work(desk) && !self.strategy.admits(desk, request);
        refused.then_some(self.attack.kind.name)
    }

    /// What is said with this attack at work instead of what was to be said.
    fn twist(
        &mut self,
        desk: &mut Desk,
        honest: Vec<Outgoing>,
        heard: Option<&Message>,
        kept: &mut [ProvedBlock],
        witness: &mut Witness,
    ) -> Vec<Outgoing> {
        if !self.is_at_work(desk) {
            return honest;
        }
        let attack = self.attack.kind.name;
        let mut did = |act| witness(Deed { attack, act });
        let mut twisted = Vec::with_capacity(honest.len());
        for outgoing in honest {
            if !desk.is_time() {
                twisted.push(outgoing);
                continue;
            }
            let said = self.strategy.says(desk, outgoing.clone());
            for said in said.iter().filter(|said| **said != outgoing) {
                did(Act::Says(said.clone()));
            }
            if said.is_empty() {
                did(Act::Withholds(outgoing));
            }
            twisted.extend(said);
        }
        let mut of_its_own = Vec::new();
        if let Some(message) = heard
            && desk.is_time()
        {
            of_its_own.extend(self.strategy.hears(desk, message));
        }
        of_its_own.extend(self.strategy.wakes(desk));
        for said in of_its_own {
            did(Act::Says(said.clone()));
            twisted.push(said);
        }
        for block in kept {
            if desk.is_time() {
                let as_it_was = block.clone();
                self.strategy.keeps(desk, block);
                if *block != as_it_was {
                    did(Act::Keeps(Box::new(block.clone())));
                }
            }
        }
        twisted
    }
}

impl Protocol for Traitor {
    type Application = Ledger;

    fn step(&mut self, input: Input) -> Output {
        self.desk.at = self.inner.status();
        let mut heard = None;
        let mut batch = false;
        match &input {
            Input::Tick { steady_ms, .. } => self.desk.now_ms = *steady_ms,
            Input::Message(message) => heard = Some(message.get().clone()),
            Input::Work => self.let_through(),
            Input::Timer(timer) => batch = *timer == Timer::Batch,
            Input::Connected(_) | Input::Blocks(_) | Input::Evidence(_) => {}
        }
        let mut output = self.inner.step(input);
        let Self { desk, attacks, witness, .. } = self;
        let said = output.messages.iter().map(|outgoing| &outgoing.message);
        heard.iter().chain(said).for_each(|message| desk.memory.note(message, &desk.validators));
        desk.alarm_ms = None;
        if let Some(gate) = &mut self.gate {
            gate.follow(&output.committed);
        }
        for work in attacks {
            let honest = std::mem::take(&mut output.messages);
            let kept = &mut output.committed;
            output.messages = work.twist(desk, honest, heard.as_ref(), kept, witness);
        }
        self.set_alarm(batch, &mut output);
        output
    }

    fn application(&self) -> &Ledger {
        self.inner.application()
    }

    fn application_mut(&mut self) -> &mut Ledger {
        match &mut self.gate {
            Some(gate) => &mut gate.ledger,
            None => self.inner.application_mut(),
        }
    }

    fn status(&self) -> Overview {
        self.inner.status()
    }
}
