//! A validator that attacks.
//!
//! Inside is a replica that plays by the rules and does not hear what was said under its own key (a [`Twin`]), so it
//! never learns what its owner says besides. What it says goes through every attack at work, in the order in which they
//! were named.

use std::sync::Arc;

use crypto::keys::Signer;
use ledger::Ledger;
use pbft::{Input, Message, Outgoing, Output, Protocol, Replica};
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;

use crate::attack::{Attack, Knobs, Strategy};
use crate::desk::Desk;
use crate::{Random, Twin};

/// Something that a traitor said because of an attack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The name of the attack.
    pub attack: &'static str,
    /// What was said, and to whom.
    pub said: Outgoing,
}

/// Is told of every deed before it is sent.
pub type Witness = Box<dyn FnMut(Deed) + Send>;

/// A replica that attacks.
pub struct Traitor {
    inner: Twin,
    desk: Desk,
    attacks: Vec<AtWork>,
    witness: Witness,
}

struct AtWork {
    attack: Attack,
    strategy: Box<dyn Strategy>,
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
        let desk = Desk {
            own,
            validators: validators.clone(),
            signer,
            random: Random::stream(seed, "traitor", &[u64::from(own.get())]),
            at: inner.status(),
            now_ms: 0,
            knobs: Knobs::default(),
        };
        let begin = |attack: Attack| AtWork { strategy: attack.kind.begin(), attack };
        let attacks = attacks.into_iter().map(begin).collect();
        Self { inner: Twin::new(own, inner, validators), desk, attacks, witness }
    }
}

impl AtWork {
    /// What is said with this attack at work instead of what was to be said.
    fn twist(
        &mut self,
        desk: &mut Desk,
        honest: Vec<Outgoing>,
        heard: Option<&Message>,
        kept: &mut [ProvedBlock],
        witness: &mut Witness,
    ) -> Vec<Outgoing> {
        desk.knobs.clone_from(&self.attack.knobs);
        if !desk.knobs.cover(desk.at.committed.next(), desk.at.view) {
            return honest;
        }
        let attack = self.attack.kind.name;
        let mut twisted = Vec::with_capacity(honest.len());
        let mut lie = |said: Outgoing, twisted: &mut Vec<Outgoing>| {
            witness(Deed { attack, said: said.clone() });
            twisted.push(said);
        };
        for outgoing in honest {
            if !desk.is_time() {
                twisted.push(outgoing);
                continue;
            }
            let as_it_was = outgoing.clone();
            for said in self.strategy.says(desk, outgoing) {
                if said == as_it_was {
                    twisted.push(said);
                } else {
                    lie(said, &mut twisted);
                }
            }
        }
        if let Some(message) = heard
            && desk.is_time()
        {
            let said = self.strategy.hears(desk, message);
            said.into_iter().for_each(|said| lie(said, &mut twisted));
        }
        let said = self.strategy.wakes(desk);
        said.into_iter().for_each(|said| lie(said, &mut twisted));
        for block in kept {
            if desk.is_time() {
                self.strategy.keeps(desk, block);
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
        match &input {
            Input::Tick { steady_ms, .. } => self.desk.now_ms = *steady_ms,
            Input::Message(message) => heard = Some(message.get().clone()),
            Input::Work
            | Input::Timer(_)
            | Input::Connected(_)
            | Input::Blocks(_)
            | Input::Evidence(_) => {}
        }
        let mut output = self.inner.step(input);
        let Self { desk, attacks, witness, .. } = self;
        for work in attacks {
            let honest = std::mem::take(&mut output.messages);
            let kept = &mut output.committed;
            output.messages = work.twist(desk, honest, heard.as_ref(), kept, witness);
        }
        output
    }

    crate::as_inner!();
}
