//! The replica: one door, dispatch behind it, invariants after every step.

use std::fmt;
use std::sync::Arc;

use crypto::keys::Signer;
use crypto::signed::Signed;
use types::application::Application;
use types::block::Header;
use types::evidence::Evidence;
use types::mutant;
use types::number::{Height, View};
use types::parameters::Parameters;
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::validators::ValidatorSet;

use crate::follow::follow;
use crate::handler;
use crate::ignored::Ignored;
use crate::invariant;
use crate::message::Message;
use crate::output::{Output, Timer, TimerSet};
use crate::record::Record;
use crate::recovery::{self, RecoveryError};
use crate::state::{Stage, Standing, State};

/// Who a replica is, and by which rules it plays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Its number.
    pub replica: ReplicaId,
    /// All of them, itself included.
    pub validators: ValidatorSet,
    /// The parameters of the genesis.
    pub parameters: Parameters,
}

/// What can happen to a replica.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "an input is moved once, from its channel into the step: a few hundred bytes"
)]
pub enum Input {
    /// Time passes.
    Tick {
        /// Milliseconds since 1970. Only timestamps of blocks look at this clock, and it may jump.
        wall_ms: u64,
        /// Milliseconds since any moment before the first tick, on a clock that only goes forward.
        steady_ms: u64,
    },
    /// A message, checked at the door.
    Message(Signed<Message>),
    /// Requests arrived in the application.
    Work,
    /// A timer fired. One that is not awaited any more does nothing.
    Timer(Timer),
    /// Blocks that others committed, in ascending order, checked at the door.
    Blocks(Vec<Signed<ProvedBlock>>),
    /// This replica can be reached again, and may have missed anything said before.
    Connected(ReplicaId),
    /// Somebody proves that a key lied; checked at the door.
    Evidence(Box<Signed<Evidence>>),
}

/// What a replica shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overview {
    /// The view it is in.
    pub view: View,
    /// The primary of the view.
    pub primary: ReplicaId,
    /// The height committed.
    pub committed: Height,
    /// How many heights above the committed one it has voted for in this view.
    pub in_flight: u64,
    /// Whether it has entered the view; else it waits for the new view.
    pub entered: bool,
    /// Whether it votes in this view.
    pub voting: bool,
    /// Whether it never votes again under its key, which has spoken without its knowledge.
    pub retired: bool,
    /// How long it waits for progress in this view before it asks for the next one, in milliseconds.
    pub timeout_ms: u64,
}

/// The one door into consensus. Attacks and instruments wrap it.
pub trait Protocol {
    /// What executes the blocks.
    type Application: Application;

    /// Takes one input and says everything that follows from it, to be performed from top to bottom.
    fn step(&mut self, input: Input) -> Output;

    /// The application, as of the last step.
    fn application(&self) -> &Self::Application;

    /// The application, to bring requests to; [`Input::Work`] follows.
    fn application_mut(&mut self) -> &mut Self::Application;

    /// What there is to see, as of the last step.
    fn status(&self) -> Overview;
}

/// A replica that plays by the rules. A copy goes its own way from where it was made.
#[derive(Clone)]
pub struct Replica<A> {
    state: State<A>,
}

impl<A: Application> Replica<A> {
    /// A replica as its journal left it, and what it does first: it says again what it had said, byte for byte.
    ///
    /// `application` is at the committed block `tip`, which is the newest one known to be durable; `records` is the
    /// whole journal in the order written. The first start is the one without records, at the genesis.
    ///
    /// # Errors
    ///
    /// Whatever keeps the journal from being this replica's word on this chain, see [`RecoveryError`]. Nothing is
    /// repaired: a replica that does not know what it said must not speak.
    ///
    /// # Panics
    ///
    /// As [`Protocol::step`]: when an invariant is broken, which is a bug.
    pub fn recover(
        config: Config,
        signer: Arc<dyn Signer>,
        application: A,
        tip: Header,
        records: Vec<Record>,
    ) -> Result<(Self, Output), RecoveryError> {
        let mut state = recovery::recover(config, signer, application, tip, records)?;
        let before = state.low();
        let mut messages = recovery::say_again(&state);
        let mut output = Output::default();
        follow(&mut state, &mut output);
        mutant!({ crate::mutated::forget(&mut output) });
        output.timers.push(TimerSet { timer: Timer::Status, after_ms: 0 });
        invariant::assert_all(&state);
        invariant::assert_output(&state, before, &output);
        messages.append(&mut output.messages);
        Ok((Self { state }, Output { messages, ..output }))
    }
}

impl<A> Replica<A> {
    /// Everything that decides what it says next but time, signatures and its application, as canonical
    /// bytes: two replicas of equal number and outline answer equal messages with equal words. For
    /// model checks.
    pub fn outline(&self) -> Vec<u8> {
        self.state.outline()
    }
}

#[cfg(test)]
impl<A> Replica<A> {
    /// The state, for tests that look closer than the door allows.
    pub(crate) fn peek(&self) -> &State<A> {
        &self.state
    }

    /// The state, for tests that break it.
    pub(crate) fn state_mut(&mut self) -> &mut State<A> {
        &mut self.state
    }
}

impl<A: Application> fmt::Debug for Replica<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Replica")
            .field("replica", &self.state.config.replica)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

impl<A: Application> Protocol for Replica<A> {
    type Application = A;

    fn step(&mut self, input: Input) -> Output {
        let state = &mut self.state;
        let before = state.low();
        let mut output = Output::default();
        match input {
            Input::Tick { wall_ms, steady_ms } => {
                state.wall_ms = wall_ms;
                state.pace.tick(steady_ms);
            }
            Input::Message(message) => {
                let taken = receive(state, message.into_inner(), &mut output);
                output.ignored.extend(taken.err());
            }
            Input::Work => {}
            Input::Timer(timer) => handler::timer::handle(state, timer, &mut output),
            Input::Blocks(blocks) => handler::blocks::handle(state, blocks, &mut output),
            Input::Evidence(evidence) => {
                let taken = handler::evidence::handle(state, evidence.into_inner(), &mut output);
                output.ignored.extend(taken.err());
            }
            Input::Connected(replica) => {
                let told = handler::connected::handle(state, replica, &mut output);
                output.ignored.extend(told.err());
            }
        }
        follow(state, &mut output);
        mutant!({ crate::mutated::forget(&mut output) });
        invariant::assert_all(state);
        invariant::assert_output(state, before, &output);
        output
    }

    fn application(&self) -> &A {
        &self.state.application
    }

    fn application_mut(&mut self) -> &mut A {
        &mut self.state.application
    }

    fn status(&self) -> Overview {
        let own = self.state.config.replica;
        let voted = self.state.slots.values().filter(|slot| slot.prepares.of(own).is_some());
        Overview {
            view: self.state.view,
            primary: self.state.primary(),
            committed: self.state.low(),
            in_flight: u64::try_from(voted.count()).unwrap_or(u64::MAX),
            entered: self.state.stage == Stage::Entered,
            voting: self.state.is_voting(),
            retired: self.state.standing == Standing::Retired,
            timeout_ms: self.state.pace.timeout_ms(),
        }
    }
}

/// A message from outside.
fn receive<A: Application>(
    state: &mut State<A>,
    message: Message,
    output: &mut Output,
) -> Result<(), Ignored> {
    let author = message.author(&state.config.validators);
    if author == state.config.replica {
        return Err(handler::own_key::handle(state, &message, output));
    }
    state.hear(author, &message, output);
    match message {
        Message::PrePrepare(pre_prepare) => {
            handler::pre_prepare::handle(state, pre_prepare, output)
        }
        Message::Prepare(vote) | Message::Commit(vote) => {
            handler::vote::handle(state, vote, output)
        }
        Message::ViewChange(asked) => handler::view_change::handle(state, asked, output),
        Message::NewView(new_view) => handler::new_view::handle(state, new_view, output),
        Message::Status(status) => handler::status::handle(state, status, output),
        Message::Handover(handover) => handler::handover::handle(state, handover),
    }
}
