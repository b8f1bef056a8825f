//! The states of single replicas, and the steps between them, each computed once.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crypto::digest::Digest;
use crypto::encoding::encode;
use crypto::keys::{PublicKey, Signature, Signer};
use crypto::signed::Signed;
use pbft::{Config, Handover, Ignored, Input, Message, Output, Protocol, Record, Replica};
use types::block::BlockId;
use types::genesis::Genesis;
use types::number::{Height, View};
use types::replica::ReplicaId;
use types::vote::Statement;

use super::Scope;
use super::application::Numbers;
use super::words::{SIGNATURE, TIMEOUT, Words};
use crate::keys::Owner;

/// The time of day, which stands still.
const NOON_MS: u64 = 1_000_000_000;

/// Longer than patience lasts here, and not so long that those heard before count as absent.
const PATIENCE_MS: u64 = 2_500;

/// The number of the emission that says nothing.
pub(super) const SILENCE: u32 = 0;

/// What a replica has committed from height 1 on, each block with the statement of the certificate that
/// proved it.
pub(super) type Chain = Arc<Vec<(BlockId, Statement)>>;

/// A state, and what was said on the way to it.
pub(super) type Step = (u32, u32);

/// Every state of a single replica that was met.
pub(super) struct Locals {
    scope: Scope,
    states: Vec<Local>,
    numbers: BTreeMap<(u16, [u8; 16]), u32>,
    /// What is said in one step, by number: the words in ascending order.
    emissions: Vec<Vec<u32>>,
    emission_numbers: BTreeMap<Vec<u32>, u32>,
    /// Steps of the core that were computed.
    pub(super) computed: u64,
}

/// A replica of the production core in one of its states.
#[derive(Clone)]
pub(super) struct Local {
    number: u16,
    replica: Replica<Numbers>,
    steady_ms: u64,
    view: View,
    chain: Chain,
    /// What becomes of it, by word, ascending.
    steps: Vec<(u32, Step)>,
}

impl Locals {
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            scope,
            states: Vec::new(),
            numbers: BTreeMap::new(),
            emissions: vec![Vec::new()],
            emission_numbers: BTreeMap::from([(Vec::new(), SILENCE)]),
            computed: 0,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.states.len()
    }

    pub(super) fn chain(&self, local: u32) -> Option<&Chain> {
        self.state(local).map(Local::chain)
    }

    pub(super) fn emission(&self, emission: u32) -> &[u32] {
        let words = usize::try_from(emission).ok().and_then(|place| self.emissions.get(place));
        words.map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn state(&self, local: u32) -> Option<&Local> {
        self.states.get(usize::try_from(local).ok()?)
    }

    /// Whether this is a state of this replica.
    pub(super) fn is_of(&self, local: u32, replica: u16) -> bool {
        self.state(local).is_some_and(|state| state.number == replica)
    }

    /// A replica that has just been started, with what it says first.
    pub(super) fn start(&mut self, words: &mut Words, number: u16) -> Result<Step, String> {
        let (local, output) = start(&words.genesis, number, self.scope.heights)?;
        let emission = self.emitted(words, &output);
        Ok((self.intern(local), emission))
    }

    /// What becomes of a state when this happens, and what is said on the way.
    pub(super) fn step(
        &mut self,
        words: &mut Words,
        local: u32,
        word: u32,
    ) -> Result<Step, String> {
        let Some(state) = self.state(local) else {
            return Ok((local, SILENCE));
        };
        let place = match state.steps.binary_search_by_key(&word, |(word, _)| *word) {
            Ok(place) => {
                let known = state.steps.get(place);
                return Ok(known.map_or((local, SILENCE), |(_, step)| *step));
            }
            Err(place) => place,
        };
        let step = match self.take(words, state, word)? {
            Some((next, output)) => {
                self.computed = self.computed.saturating_add(1);
                let emission = self.emitted(words, &output);
                (self.intern(next), emission)
            }
            None => (local, SILENCE),
        };
        if let Some(state) = usize::try_from(local).ok().and_then(|at| self.states.get_mut(at)) {
            state.steps.insert(place, (word, step));
        }
        Ok(step)
    }

    /// One step of the core, and whether it broke what a replica promises; nothing when nothing can happen.
    pub(super) fn take(
        &self,
        words: &Words,
        state: &Local,
        word: u32,
    ) -> Result<Option<(Local, Output)>, String> {
        let Some(what) = words.word(word) else {
            return Ok(None);
        };
        let mut steady_ms = state.steady_ms;
        let inputs = if word != TIMEOUT {
            words.input(what, state.number).into_iter().collect()
        } else if state.view.get() < self.scope.last_view {
            steady_ms = steady_ms.saturating_add(PATIENCE_MS);
            timeout(words, state.number, steady_ms)
        } else {
            Vec::new()
        };
        if inputs.is_empty() {
            return Ok(None);
        }
        let (mut replica, number) = (state.replica.clone(), state.number);
        let stepped = catch_unwind(AssertUnwindSafe(|| {
            let mut all = Output::default();
            for input in inputs {
                append(&mut all, replica.step(input));
            }
            (replica, all)
        }));
        let (replica, output) = stepped.map_err(|payload| {
            let text = payload.downcast_ref::<String>().cloned();
            let text = text.unwrap_or_else(|| "an assertion of the core failed".to_owned());
            format!("replica {number}: {text}")
        })?;
        judge(words, &state.chain, &output)
            .map_err(|sentence| format!("replica {number}: {sentence}"))?;
        let mut chain = Arc::clone(&state.chain);
        if !output.committed.is_empty() {
            let blocks = output.committed.iter();
            let blocks =
                blocks.map(|proved| (proved.block.id(), proved.proof.certificate.statement));
            chain = Arc::new(chain.iter().copied().chain(blocks).collect());
        }
        let view = replica.status().view;
        Ok(Some((Local { number, replica, steady_ms, view, chain, steps: Vec::new() }, output)))
    }

    /// The number of a state; of equal ones the first is kept.
    pub(super) fn intern(&mut self, local: Local) -> u32 {
        let next = u32::try_from(self.states.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(key(&local)).or_insert(next);
        if number == next {
            self.states.push(local);
        }
        number
    }

    /// The number of what an output says.
    pub(super) fn emitted(&mut self, words: &mut Words, output: &Output) -> u32 {
        let messages = output.messages.iter();
        let mut said: Vec<u32> =
            messages.filter_map(|outgoing| words.read(&outgoing.message)).collect();
        said.sort_unstable();
        said.dedup();
        if let Some(number) = self.emission_numbers.get(&said) {
            return *number;
        }
        let number = u32::try_from(self.emissions.len()).unwrap_or(u32::MAX);
        self.emissions.push(said.clone());
        self.emission_numbers.insert(said, number);
        number
    }
}

impl Local {
    /// Whose state it is.
    pub(super) const fn replica(&self) -> u16 {
        self.number
    }

    /// What it has committed.
    pub(super) const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The view that it is in.
    #[cfg(test)]
    pub(super) const fn view(&self) -> View {
        self.view
    }
}

/// States are told apart by who it is, the outline, and what was committed with what proof.
fn key(local: &Local) -> (u16, [u8; 16]) {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&local.replica.outline());
    hasher.update(&encode(local.chain.as_ref()));
    let mut short = [0; 16];
    for (to, from) in short.iter_mut().zip(hasher.finalize().as_bytes()) {
        *to = *from;
    }
    (local.number, short)
}

/// A replica on its first start, and what it says then.
fn start(genesis: &Genesis, number: u16, heights: u64) -> Result<(Local, Output), String> {
    let config = Config {
        replica: ReplicaId::new(number),
        validators: genesis.validators().clone(),
        parameters: *genesis.parameters(),
    };
    let signer: Arc<dyn Signer> = Arc::new(Dumb(Owner::Replica(number).public_key()));
    let application = Numbers::new(*genesis.chain(), Height::new(heights));
    let tip = genesis.header().clone();
    let recovered = Replica::recover(config, signer, application, tip, Vec::new());
    let (mut replica, mut output) = recovered.map_err(|error| error.to_string())?;
    let steady_ms = PATIENCE_MS;
    append(&mut output, replica.step(Input::Tick { wall_ms: NOON_MS, steady_ms }));
    let (view, chain, steps) = (View::FIRST, Chain::default(), Vec::new());
    Ok((Local { number, replica, steady_ms, view, chain, steps }, output))
}

fn append(all: &mut Output, output: Output) {
    all.records.extend(output.records);
    all.committed.extend(output.committed);
    all.messages.extend(output.messages);
    all.evidence.extend(output.evidence);
    all.ignored.extend(output.ignored);
}

/// What a single step shows to be broken. Evidence must prove something; whom it accuses is not asked here, because
/// a merged state may remember words of others from several histories. What honest replicas have said is looked
/// at as a whole, pair by pair.
fn judge(words: &Words, chain: &Chain, output: &Output) -> Result<(), String> {
    let validators = words.genesis.validators();
    for evidence in &output.evidence {
        if let Err(error) = evidence.check(validators) {
            let (kind, who) = (evidence.name(), evidence.accused(validators));
            return Err(format!("S12: evidence of {kind} against replica {who}: {error}"));
        }
    }
    if output.records.iter().any(|record| matches!(record, Record::Retired { .. })) {
        return Err("S5: an honest replica does not know its own word".to_owned());
    }
    let mut height = Height::new(u64::try_from(chain.len()).unwrap_or(u64::MAX));
    for proved in &output.committed {
        height = height.next();
        if proved.block.header.height != height {
            return Err(format!("S2: the block committed at height {height} is of another one"));
        }
        if let Err(error) = proved.proof.check(&proved.block.header, validators) {
            return Err(format!("S4: the block at height {height} has no proof: {error}"));
        }
    }
    let bad =
        |ignored: &&Ignored| matches!(ignored, Ignored::Fork { .. } | Ignored::Diverged { .. });
    match output.ignored.iter().find(bad) {
        Some(ignored) => Err(format!("S1: {}", ignored.name())),
        None => Ok(()),
    }
}

/// Everybody was heard just now, by a word without a meaning, and then time passes.
fn timeout(words: &Words, number: u16, steady_ms: u64) -> Vec<Input> {
    let others = words.genesis.validators().iter().map(|(replica, _)| replica);
    let others = others.filter(|replica| replica.get() != number);
    let heard = others.map(|replica| {
        let block = words.genesis.block();
        let handover = Handover { block, replica, signature: SIGNATURE };
        Input::Message(Signed::vouched(Message::Handover(handover)))
    });
    heard.chain([Input::Tick { wall_ms: NOON_MS, steady_ms }]).collect()
}

/// Signs with nothing: nobody checks.
struct Dumb(PublicKey);

impl Signer for Dumb {
    fn public_key(&self) -> PublicKey {
        self.0
    }

    fn sign(&self, _message: &Digest) -> Signature {
        SIGNATURE
    }
}
