//! A network in which some replicas run twice, as a value that can be copied: what happens in a round.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use byzantine::Twin;
use crypto::signed::Signed;
use ledger::{Ledger, Origin};
use pbft::{Door, Ignored, Input, Message, Output, Overview, Protocol, Recipients, Replica, Timer};
use types::block::BlockId;
use types::genesis::Genesis;
use types::number::{Height, View};
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::transaction::SignedTransaction;

use super::schedule::Round;
use super::setup::Setup;
use crate::check::{Checker, Violation};
use crate::keys::Verifier;
use crate::letter::{Letter, is_proved};
use crate::record::Said;
use crate::time::Time;

/// The most messages that arrive in a round: beyond it they answer one another for ever.
const MESSAGES_MAX: u64 = 20_000;

/// How often a progress timer may fire in a round: once for what it was set for, once for what that was put off to.
const FIRES_MAX: u32 = 2;

/// How often everybody says where it stands before anybody loses patience, once all are healed: who says the same for the
/// second time says what it lacks, and timeouts double until there is time for that.
const STATUSES_A_VIEW: u32 = 2;

/// A clock that runs on for longer has heard from others in the meantime, in milliseconds.
const LONG_MS: u64 = 1_000;

/// What is the same for all copies.
pub(super) struct Shared {
    pub(super) setup: Setup,
    pub(super) genesis: Genesis,
    pub(super) door: Door,
    pub(super) verifier: Verifier,
    /// The transfers of each instance's own client, by nonce: as many as it may be handed.
    pub(super) transfers: Vec<Vec<SignedTransaction>>,
}

/// The whole network at one moment.
#[derive(Clone)]
pub(super) struct Network {
    pub(super) shared: Arc<Shared>,
    instances: Vec<Instance>,
    /// What is on its way, in the order of sending.
    air: VecDeque<Flight>,
    check: Checker,
    now: Time,
    /// What primaries have proposed, of their own accord, at which place.
    proposals: BTreeMap<(View, Height), BTreeSet<BlockId>>,
    pub(super) counts: Counts,
}

/// What happened so far, as far as it is counted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    /// Messages that arrived.
    pub(super) messages: u64,
    /// Second proposals and second votes of one key that replicas without a twin refused.
    pub(super) refused: u64,
    /// Proofs of lies that replicas without a twin found.
    pub(super) evidence: u64,
}

/// One process.
#[derive(Clone)]
struct Instance {
    replica: ReplicaId,
    core: Core,
    /// Its own clock, in milliseconds: it runs on when its patience ends, so that all lose theirs in one round
    /// however often their timeouts have doubled.
    clock_ms: u64,
    /// When its progress timer fires.
    patience: Option<u64>,
    /// A timer that waits for nothing but the others.
    due: Option<Timer>,
    /// How many transfers of its own client it was handed.
    handed: usize,
    behind: Option<Height>,
    chain: Vec<Arc<ProvedBlock>>,
}

#[derive(Clone)]
enum Core {
    /// The replica as it is.
    Plain(Replica<Ledger>),
    /// A replica that does not hear its twin.
    Hushed(Twin),
}

#[derive(Debug, Clone)]
struct Flight {
    from: usize,
    to: usize,
    letter: Arc<Letter>,
}

impl Core {
    fn step(&mut self, input: Input) -> Output {
        match self {
            Self::Plain(replica) => replica.step(input),
            Self::Hushed(twin) => twin.step(input),
        }
    }

    fn ledger(&self) -> &Ledger {
        match self {
            Self::Plain(replica) => replica.application(),
            Self::Hushed(twin) => twin.application(),
        }
    }

    fn ledger_mut(&mut self) -> &mut Ledger {
        match self {
            Self::Plain(replica) => replica.application_mut(),
            Self::Hushed(twin) => twin.application_mut(),
        }
    }

    fn status(&self) -> Overview {
        match self {
            Self::Plain(replica) => replica.status(),
            Self::Hushed(twin) => twin.status(),
        }
    }
}

impl Network {
    /// A network at its genesis, in which all have just heard one another.
    pub(super) fn new(shared: Arc<Shared>) -> Result<Self, String> {
        let setup = &shared.setup;
        let check = Checker::new(&shared.genesis, shared.verifier.clone(), setup.twinned.clone());
        let mut network = Self {
            instances: Vec::new(),
            air: VecDeque::new(),
            check,
            now: Time::default(),
            proposals: BTreeMap::new(),
            counts: Counts::default(),
            shared: Arc::clone(&shared),
        };
        let mut begun = Vec::new();
        for replica in setup.instances() {
            let (core, output) = setup.start(replica, &shared.genesis)?;
            let hushed = setup.hush && setup.twinned.contains(&replica.get());
            let validators = shared.genesis.validators().clone();
            let core = if hushed {
                Core::Hushed(Twin::new(replica, core, validators))
            } else {
                Core::Plain(core)
            };
            network.instances.push(Instance {
                replica,
                core,
                clock_ms: 1,
                patience: None,
                due: None,
                handed: 0,
                behind: None,
                chain: Vec::new(),
            });
            begun.push(output);
        }
        for (instance, output) in begun.into_iter().enumerate() {
            network.perform(instance, output);
            network.tick(instance);
        }
        let whole = Round::whole(network.instances.len());
        network.say_status();
        network.deliver(&whole);
        Ok(network)
    }

    /// One round, from the transfers that arrive in it to the end of everybody's patience. What is said then travels in
    /// the next round: a round is about one view, from the view changes that lead into it.
    pub(super) fn play(&mut self, round: &Round) {
        self.now = self.now.after_ms(1_000);
        for instance in 0..self.instances.len() {
            self.hand(instance);
        }
        self.deliver(round);
        for instance in 0..self.instances.len() {
            if self.leads(instance) {
                self.hand(instance);
            }
        }
        self.say_status();
        self.deliver(round);
        self.look();
        self.lose_patience(round);
    }

    /// One round in which everybody hears everybody. Whether everything is committed by its end.
    pub(super) fn heal(&mut self) -> bool {
        self.now = self.now.after_ms(1_000);
        let whole = Round::whole(self.instances.len());
        self.deliver(&whole);
        for _ in 0..STATUSES_A_VIEW {
            self.say_status();
            self.deliver(&whole);
            if self.is_settled() {
                self.look();
                return true;
            }
        }
        self.look();
        self.lose_patience(&whole);
        false
    }

    /// The last word of the checker.
    pub(super) fn finish(&mut self) {
        let shared = Arc::clone(&self.shared);
        for instance in &self.instances {
            let replica = instance.replica.get();
            self.check.finish(self.now, &shared.genesis, replica, &instance.chain);
        }
    }

    /// What was broken so far.
    pub(super) fn violations(&self) -> &[Violation] {
        self.check.violations()
    }

    /// The highest height that a replica without a twin has committed.
    pub(super) fn top(&self) -> Height {
        self.check.top()
    }

    /// At how many places two blocks were proposed under one key.
    pub(super) fn rivals(&self) -> usize {
        self.proposals.values().filter(|blocks| blocks.len() > 1).count()
    }

    /// How many instances have retired.
    pub(super) fn retired(&self) -> usize {
        self.instances.iter().filter(|instance| instance.core.status().retired).count()
    }

    /// Whether so many messages were sent that nothing is concluded.
    pub(super) const fn is_storm(&self) -> bool {
        self.counts.messages > MESSAGES_MAX
    }

    /// Where everybody stands, for people.
    pub(super) fn standings(&self) -> String {
        let each = self.instances.iter().zip(self.shared.setup.names());
        let words = each.map(|(instance, name)| {
            let Overview { view, committed, entered, retired, .. } = instance.core.status();
            let waits = if entered { "" } else { ", waits for it" };
            let retired = if retired { ", retired" } else { "" };
            format!("{name}: height {committed}, view {view}{waits}{retired}")
        });
        words.collect::<Vec<_>>().join("; ")
    }

    fn leads(&self, instance: usize) -> bool {
        self.instances.get(instance).is_some_and(|instance| {
            let status = instance.core.status();
            status.voting && status.primary == instance.replica
        })
    }

    /// Whether every replica without a twin has committed every request.
    fn is_settled(&self) -> bool {
        let top = self.check.top();
        let mut level = self.instances.iter().filter(|it| !self.is_twinned(it.replica));
        level.all(|instance| {
            let ledger = instance.core.ledger();
            ledger.committed().0 == top && self.handed().all(|last| has_committed(ledger, last))
        })
    }

    /// The last transfer that each instance was handed.
    fn handed(&self) -> impl Iterator<Item = &SignedTransaction> {
        let each = self.shared.transfers.iter().zip(&self.instances);
        each.filter_map(|(of_one, instance)| of_one.get(instance.handed.checked_sub(1)?))
    }

    fn is_twinned(&self, replica: ReplicaId) -> bool {
        self.shared.setup.twinned.contains(&replica.get())
    }

    /// An instance gets the next transfer of its own client.
    fn hand(&mut self, number: usize) {
        let Some(instance) = self.instances.get_mut(number) else {
            return;
        };
        let nonce = instance.handed;
        let of_client = self.shared.transfers.get(number);
        let transfer = of_client.and_then(|transfers| transfers.get(nonce)).cloned();
        if let Some(transfer) = transfer {
            instance.handed = nonce.saturating_add(1);
            self.admit(number, transfer);
            self.feed(number, Input::Work);
        }
    }

    /// Everybody gets every transfer that anybody was handed.
    pub(super) fn hand_everything(&mut self) {
        let shared = Arc::clone(&self.shared);
        let handed: Vec<usize> = self.instances.iter().map(|instance| instance.handed).collect();
        let known = shared.transfers.iter().zip(handed);
        let known: Vec<_> = known.flat_map(|(of_one, count)| of_one.iter().take(count)).collect();
        for instance in 0..self.instances.len() {
            for transfer in &known {
                self.admit(instance, SignedTransaction::clone(transfer));
            }
            self.feed(instance, Input::Work);
        }
    }

    fn admit(&mut self, instance: usize, transfer: SignedTransaction) {
        if let Some(instance) = self.instances.get_mut(instance) {
            let transfer = Signed::vouched(transfer);
            // What is committed here already is refused, and that is all right.
            instance.core.ledger_mut().admit(transfer, Origin::Peer).ok();
        }
    }

    /// Everything arrives, and what is said because of it, until nobody has anything to say.
    fn deliver(&mut self, round: &Round) {
        loop {
            while let Some(Flight { from, to, letter }) = self.air.pop_front() {
                let Some(message) = letter.message.as_ref().ok().filter(|_| round.hears(from, to))
                else {
                    continue;
                };
                let commits = matches!(message, Message::Commit(_));
                if self.is_storm() || (commits && !round.hears_commits(to)) {
                    continue;
                }
                self.counts.messages = self.counts.messages.saturating_add(1);
                self.feed(to, Input::Message(Signed::vouched(message.clone())));
            }
            let fired = self.fire_due();
            let fetched = self.fetch(round);
            if !fired && !fetched {
                break;
            }
        }
    }

    /// Timers that only let others speak first. Whether there were any.
    fn fire_due(&mut self) -> bool {
        let mut fired = false;
        for instance in 0..self.instances.len() {
            let due = self.instances.get_mut(instance).and_then(|instance| instance.due.take());
            if let Some(timer) = due {
                fired = true;
                self.feed(instance, Input::Timer(timer));
            }
        }
        fired
    }

    /// Whoever lacks blocks gets them of the first in its set that has them. Whether anybody did.
    fn fetch(&mut self, round: &Round) -> bool {
        let mut fetched = false;
        for instance in 0..self.instances.len() {
            let blocks = self.blocks_for(instance, round);
            if !blocks.is_empty() {
                fetched = true;
                self.feed(instance, Input::Blocks(blocks));
            }
        }
        fetched
    }

    fn blocks_for(&mut self, to: usize, round: &Round) -> Vec<Signed<ProvedBlock>> {
        let shared = Arc::clone(&self.shared);
        let Some(asker) = self.instances.get_mut(to) else {
            return Vec::new();
        };
        let (behind, known) = (asker.behind.take(), asker.chain.len());
        if behind.is_none() {
            return Vec::new();
        }
        let mut others = self.instances.iter().enumerate();
        let peer = others.find(|(from, it)| round.hears(*from, to) && it.chain.len() > known);
        let blocks = peer.into_iter().flat_map(|(_, peer)| peer.chain.iter().skip(known));
        blocks
            .take_while(|proved| is_proved(proved, &shared.door, &shared.verifier))
            .map(|proved| Signed::vouched(ProvedBlock::clone(proved)))
            .collect()
    }

    /// Everybody says where it stands.
    fn say_status(&mut self) {
        for instance in 0..self.instances.len() {
            self.feed(instance, Input::Timer(Timer::Status));
        }
    }

    /// Everybody who waits for progress has waited too long.
    fn lose_patience(&mut self, round: &Round) {
        let mut long = false;
        for instance in 0..self.instances.len() {
            long |= self.wait(instance);
        }
        if long {
            // Nobody is silent for seconds.
            self.say_status();
            self.deliver(round);
        }
        for instance in 0..self.instances.len() {
            self.give_up(instance);
        }
    }

    /// The clock of one that waits for progress runs up to the last moment. Whether that took long.
    fn wait(&mut self, number: usize) -> bool {
        let Some(instance) = self.instances.get_mut(number) else {
            return false;
        };
        let Some(at_ms) = instance.patience else {
            return false;
        };
        let last_ms = at_ms.saturating_sub(1).max(instance.clock_ms);
        let long = last_ms.saturating_sub(instance.clock_ms) > LONG_MS;
        instance.clock_ms = last_ms;
        self.tick(number);
        long
    }

    /// The progress timer of one fires, if it waits for progress.
    fn give_up(&mut self, number: usize) {
        for _ in 0..FIRES_MAX {
            let Some(instance) = self.instances.get_mut(number) else {
                return;
            };
            let Some(at_ms) = instance.patience.take() else {
                return;
            };
            instance.clock_ms = instance.clock_ms.max(at_ms);
            let view = instance.core.status().view;
            self.tick(number);
            self.feed(number, Input::Timer(Timer::Progress));
            let left = |it: &Instance| it.core.status().view > view;
            if self.instances.get(number).is_some_and(left) {
                return;
            }
        }
    }

    fn tick(&mut self, instance: usize) {
        if let Some(steady_ms) = self.instances.get(instance).map(|it| it.clock_ms) {
            self.feed(instance, Input::Tick { wall_ms: NOON_MS, steady_ms });
        }
    }

    fn feed(&mut self, instance: usize, input: Input) {
        if let Some(taker) = self.instances.get_mut(instance) {
            let output = taker.core.step(input);
            self.perform(instance, output);
        }
    }

    /// An output, from top to bottom. Nobody's power fails here: a record is durable when it is made.
    fn perform(&mut self, number: usize, output: Output) {
        let Some(instance) = self.instances.get_mut(number) else {
            return;
        };
        let (now, replica) = (self.now, instance.replica.get());
        if !output.records.is_empty() {
            self.check.recorded(now, replica, &output.records);
        }
        for proved in output.committed.into_iter().map(Arc::new) {
            self.check.committed(now, replica, &proved);
            self.check.durable(replica, proved.block.header.height);
            instance.chain.push(proved);
        }
        for set in &output.timers {
            match set.timer {
                Timer::Progress => {
                    let at_ms = instance.clock_ms.saturating_add(u64::from(set.after_ms));
                    instance.patience = Some(at_ms);
                }
                Timer::Batch | Timer::Proposal => instance.due = Some(set.timer),
                // Statuses are said when a round is over.
                Timer::Status => {}
            }
        }
        instance.behind = output.behind;
        let twinned = self.shared.setup.twinned.contains(&replica);
        if !twinned {
            let refused = output.ignored.iter().filter(|ignored| is_rival(ignored)).count();
            let refused = u64::try_from(refused).unwrap_or(u64::MAX);
            self.counts.refused = self.counts.refused.saturating_add(refused);
            for evidence in &output.evidence {
                self.counts.evidence = self.counts.evidence.saturating_add(1);
                self.check.evidence(now, replica, evidence);
            }
        }
        for outgoing in output.messages {
            self.send(number, outgoing.to, &outgoing.message);
        }
    }

    fn send(&mut self, from: usize, recipients: Recipients, message: &Message) {
        let Some(sender) = self.instances.get(from).map(|sender| sender.replica) else {
            return;
        };
        self.check.said(self.now, sender.get(), message);
        self.note_proposal(sender, message);
        let letter = Letter::new(message, sender, &self.shared.door, &self.shared.verifier);
        if letter.message.is_err() && !self.is_twinned(sender) {
            self.check.unsound(self.now, sender.get(), Said::of(message).to_string());
        }
        for (to, receiver) in self.instances.iter().enumerate() {
            let meant = match recipients {
                Recipients::All => true,
                Recipients::One(replica) => receiver.replica == replica,
            };
            if meant && to != from {
                self.air.push_back(Flight { from, to, letter: Arc::clone(&letter) });
            }
        }
    }

    /// What a primary proposes of its own accord: the tip of a new view is not its choice.
    fn note_proposal(&mut self, sender: ReplicaId, message: &Message) {
        if let Message::PrePrepare(pre_prepare) = message
            && pre_prepare.vote.replica == sender
            && pre_prepare.block.header.view == pre_prepare.vote.statement.view
        {
            let statement = &pre_prepare.vote.statement;
            let place = (statement.view, statement.height);
            self.proposals.entry(place).or_default().insert(statement.block);
        }
    }

    /// The checker looks at everybody's bounds.
    fn look(&mut self) {
        for instance in &self.instances {
            let (status, pool) = (instance.core.status(), instance.core.ledger().pool());
            self.check.seen(self.now, instance.replica.get(), &status, &pool, 0);
        }
    }
}

/// Whether something was refused because its author had said something else before.
const fn is_rival(ignored: &Ignored) -> bool {
    matches!(ignored, Ignored::RivalProposal { .. } | Ignored::RivalVote { .. })
}

/// Whether the transfer is committed.
fn has_committed(ledger: &Ledger, transfer: &SignedTransaction) -> bool {
    let account = ledger.account(&transfer.transaction.sender);
    account.is_some_and(|account| account.nonce > transfer.transaction.nonce)
}

/// The time of day, in milliseconds since 1970: it stands still, since blocks need no more than to be later than
/// their parents.
const NOON_MS: u64 = 1_000_000_000;
