//! A network of real cores with real ledgers on one clock, that says what its validators would answer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use api::hex;
use api::types::{Live, SaidStatus, StandingAnswer, Status};
use crypto::keys::SecretKey;
use crypto::signed::{Signed, Unverified};
use ledger::{Ledger, Origin, PoolLimits};
use pbft::{Config, Input, Message, Output, Protocol as _, Recipients, Replica, Timer};
use types::memo::Memo;
use types::number::{Height, Nonce};
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::transaction::{Action, SignedTransaction, Transaction, Transfer};

use crate::explain::{Asked, Explanation, Facts, explain};
use crate::fixture::Signers;
use crate::testnet::plan::Plan;

/// Where the wall clock begins.
const BEGIN_MS: u64 = 1_790_000_000_000;

/// How far the clock goes at a time.
const TICK_MS: u64 = 10;

/// Whether a message is lost on its way from one to another.
type Loss = Box<dyn Fn(u16, u16, &Message) -> bool>;

pub(super) struct Net {
    pub(super) signers: Signers,
    plan: Plan,
    nodes: Vec<Node>,
    flying: VecDeque<(u16, u16, Message)>,
    lost: Loss,
    now_ms: u64,
    nonce: u64,
    liars: BTreeSet<ReplicaId>,
    /// Whether those that are behind are given the blocks they lack.
    pub(super) serves: bool,
}

#[derive(Default)]
struct Node {
    core: Option<Replica<Ledger>>,
    timers: BTreeMap<Timer, u64>,
    heard: BTreeMap<ReplicaId, (pbft::Status, u64)>,
    blocks: Vec<ProvedBlock>,
}

impl Net {
    /// So many validators that have heard one another and committed a block.
    pub(super) fn new(count: u16) -> Self {
        let mut net = Self {
            signers: Signers::new(usize::from(count)),
            plan: Plan::new(usize::from(count), 0).unwrap(),
            nodes: (0..count).map(|_| Node::default()).collect(),
            flying: VecDeque::new(),
            lost: Box::new(|_, _, _| false),
            now_ms: 0,
            nonce: 0,
            liars: BTreeSet::new(),
            serves: true,
        };
        (0..count).for_each(|number| net.start(number));
        net.run(1_500);
        net
    }

    /// Starts one that has nothing on its disk.
    pub(super) fn start(&mut self, number: u16) {
        let genesis = &self.signers.genesis;
        let config = Config {
            replica: ReplicaId::new(number),
            validators: genesis.validators().clone(),
            parameters: *genesis.parameters(),
        };
        let signer = Arc::new(SecretKey::from_seed(
            *self.plan.validators[usize::from(number)].validator_seed,
        ));
        let ledger = Ledger::new(genesis, PoolLimits::default());
        let tip = genesis.header().clone();
        let (core, output) = Replica::recover(config, signer, ledger, tip, Vec::new()).unwrap();
        self.nodes[usize::from(number)] = Node { core: Some(core), ..Node::default() };
        self.perform(number, output);
    }

    pub(super) fn kill(&mut self, numbers: &[u16]) {
        numbers.iter().for_each(|number| self.nodes[usize::from(*number)].core = None);
    }

    /// From now on these messages are lost.
    pub(super) fn lose(&mut self, lost: impl Fn(u16, u16, &Message) -> bool + 'static) {
        self.lost = Box::new(lost);
    }

    /// Somebody pays somebody, and all who run hear of it; what they say to one another is on the way.
    pub(super) fn submit(&mut self) {
        let [sender, recipient, ..] = &self.plan.accounts[..] else { panic!() };
        let transaction = Transaction {
            chain: *self.plan.genesis.chain(),
            sender: sender.address(),
            nonce: Nonce::new(self.nonce),
            valid_until: Height::new(u64::MAX),
            action: Action::Transfer(Transfer {
                recipient: recipient.address(),
                amount: types::amount::Amount::new(1),
                memo: Memo::default(),
            }),
        };
        let signed = SignedTransaction::sign(transaction, &sender.key);
        self.nonce += 1;
        for number in 0..self.count() {
            let Some(core) = &mut self.nodes[usize::from(number)].core else { continue };
            let request = Signed::vouched(signed.clone());
            core.application_mut().admit(request, Origin::Client).unwrap();
            self.step(number, Input::Work);
        }
    }

    /// Time passes.
    pub(super) fn run(&mut self, ms: u64) {
        for _ in 0..ms / TICK_MS {
            self.now_ms += TICK_MS;
            for number in 0..self.count() {
                self.step(number, self.tick());
                let node = &mut self.nodes[usize::from(number)];
                let due: Vec<Timer> = node
                    .timers
                    .iter()
                    .filter(|(_, at)| **at <= self.now_ms)
                    .map(|(timer, _)| *timer)
                    .collect();
                node.timers.retain(|timer, _| !due.contains(timer));
                due.into_iter().for_each(|timer| self.step(number, Input::Timer(timer)));
            }
            self.deliver();
        }
    }

    /// A message comes to one of them, from whomever.
    pub(super) fn bring(&mut self, to: u16, message: Message) {
        self.step(to, Input::Message(Signed::vouched(message)));
    }

    /// What these answer, and what follows from it.
    pub(super) fn explain(&self, asked: &[u16]) -> Explanation {
        explain(&self.facts(asked))
    }

    pub(super) fn facts(&self, asked: &[u16]) -> Facts {
        Facts::of(&self.signers.genesis, self.answers(asked), self.liars.clone())
    }

    /// What these answer, each known to be asked.
    pub(super) fn answers(&self, asked: &[u16]) -> Vec<Asked> {
        let answers = asked.iter().map(|number| Asked {
            name: format!("node{number}"),
            replica: Some(ReplicaId::new(*number)),
            answer: self.answer(*number),
        });
        answers.collect()
    }

    fn answer(&self, number: u16) -> StandingAnswer {
        let (genesis, node) = (&self.signers.genesis, &self.nodes[usize::from(number)]);
        let core = node.core.as_ref().expect("only who runs answers");
        let (seen, ledger) = (core.status(), core.application());
        let live = Live {
            replica: ReplicaId::new(number),
            height: seen.committed,
            block: ledger.committed().1,
            state_root: crypto::digest::Digest::ZERO,
            supply: genesis.supply(),
            accounts: ledger.accounts(),
            view: seen.view,
            primary: seen.primary,
            entered: seen.entered,
            voting: seen.voting,
            retired: seen.retired,
            convicted: ledger.convicted().iter().copied().collect(),
            fork: None,
            timeout_ms: seen.timeout_ms,
            in_flight: u32::try_from(seen.in_flight).unwrap(),
            pending: ledger.pool().pending,
            connected: Vec::new(),
            ready: true,
            uptime_seconds: self.now_ms / 1_000,
        };
        let said = node.heard.values().map(|(status, at_ms)| SaidStatus {
            replica: status.standpoint.replica.get(),
            age_ms: self.now_ms - at_ms,
            view: status.standpoint.view,
            entered: status.standpoint.entered,
            committed: status.standpoint.committed,
            waits: None,
            status: hex::to_hex_wire(status),
        });
        StandingAnswer { status: Status::new(genesis, &live), said: said.collect() }
    }

    fn count(&self) -> u16 {
        u16::try_from(self.nodes.len()).unwrap()
    }

    fn tick(&self) -> Input {
        Input::Tick { wall_ms: BEGIN_MS + self.now_ms, steady_ms: self.now_ms }
    }

    fn deliver(&mut self) {
        while let Some((from, to, message)) = self.flying.pop_front() {
            if !(self.lost)(from, to, &message) {
                self.bring(to, message);
            }
        }
    }

    fn step(&mut self, number: u16, input: Input) {
        let node = &mut self.nodes[usize::from(number)];
        let Some(core) = &mut node.core else { return };
        if let Input::Message(message) = &input {
            note(&mut node.heard, message.get(), self.now_ms);
        }
        let output = core.step(input);
        self.perform(number, output);
    }

    fn perform(&mut self, number: u16, output: Output) {
        let (count, now_ms) = (self.count(), self.now_ms);
        let node = &mut self.nodes[usize::from(number)];
        node.blocks.extend(output.committed);
        for set in output.timers {
            node.timers.insert(set.timer, now_ms + u64::from(set.after_ms));
        }
        for outgoing in output.messages {
            note(&mut node.heard, &outgoing.message, now_ms);
            let to: Vec<u16> = match outgoing.to {
                Recipients::All => (0..count).filter(|other| *other != number).collect(),
                Recipients::One(replica) => vec![replica.get()],
            };
            let sent = to.into_iter().map(|to| (number, to, outgoing.message.clone()));
            self.flying.extend(sent);
        }
        for evidence in output.evidence {
            let validators = self.signers.genesis.validators();
            let evidence = Unverified::new(evidence).verify(validators).expect("it holds");
            self.liars.insert(evidence.get().accused(validators));
        }
        if output.behind.is_some() && self.serves {
            self.catch_up(number);
        }
    }

    fn catch_up(&mut self, number: u16) {
        let has = self.nodes[usize::from(number)].blocks.len();
        let most = self.nodes.iter().map(|node| &node.blocks).max_by_key(|blocks| blocks.len());
        let lacks: Vec<_> = most.unwrap()[has..].iter().cloned().map(Signed::vouched).collect();
        if !lacks.is_empty() {
            self.step(number, Input::Blocks(lacks));
        }
    }
}

fn note(heard: &mut BTreeMap<ReplicaId, (pbft::Status, u64)>, message: &Message, now_ms: u64) {
    if let Message::Status(status) = message {
        heard.insert(status.standpoint.replica, (status.clone(), now_ms));
    }
}
