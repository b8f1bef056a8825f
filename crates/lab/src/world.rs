//! A whole network in one thread.
//!
//! A [`World`] takes the next event from its queue, lets it happen, and asks the checker. Replicas
//! are the production core over the production ledger, journals are frames of production, a restart
//! goes the way of production; what is played here is what the shell does (`turn`, `perform`,
//! `life`, `fetch`), the disks, the links, the clocks and the clients. The order in which an output
//! is performed is the shell's, and a process can die at any point of it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;

use byzantine::mutation::Sent;
use crypto::keys::Signature;
use ledger::Ledger;
use pbft::{Door, Outgoing, Protocol, Replica, Timer};
use serde::Serialize;
use types::address::Address;
use types::amount::Amount;
use types::block::{Block, BlockId};
use types::door::CheckedTransactions;
use types::evidence::Evidence;
use types::genesis::{Genesis, GenesisBuilder};
use types::memo::Memo;
use types::number::Height;
use types::parameters::Parameters;
use types::proof::ProvedBlock;
use types::replica::ReplicaId;
use types::reply::BlockReply;
use types::transaction::TransactionId;
use types::validators::Validator;

use crate::check::Checker;
use crate::keys::{Owner, Verifier, peer_id};
use crate::letter::{Letter, Parcel};
use crate::links::Links;
use crate::plan::{Fate, Plan, Rules};
use crate::queue::Queue;
use crate::record::{Lies, Recorder};
use crate::report::{Report, Verdict};
use crate::time::Time;
use crate::trace::{Reader, Trace};

mod client;
mod end;
mod fault;
mod fetch;
mod host;
mod life;
#[cfg(test)]
mod liveness;
mod load;
mod perform;
mod point;
mod seen;
mod store;
mod tell;
mod turn;

use client::Client;
use host::Host;
pub use point::{Census, Crash, Point};

/// What every account has at the genesis, in base units.
const BALANCE: u64 = 10_000;

/// The most events of a run; beyond it nothing is concluded.
const EVENTS_MAX: u64 = 3_000_000;

/// Makes what stands in the place of a replica, such as one that lies.
pub type Wrap = Box<dyn Fn(ReplicaId, Replica<Ledger>) -> Box<dyn Protocol<Application = Ledger>>>;

/// How many votes make a certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuorumRule {
    /// As many as the protocol page says.
    #[default]
    Kept,
    #[serde(rename = "majority")]
    /// More than half of the replicas. **Not safe**: the lab shows it.
    NaiveMajority,
}

impl QuorumRule {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Kept, Self::NaiveMajority];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::NaiveMajority => "majority",
        }
    }

    /// The network with this rule.
    pub fn of(self, genesis: &Genesis) -> Genesis {
        match self {
            Self::Kept => genesis.clone(),
            Self::NaiveMajority => genesis.under_naive_majority(),
        }
    }
}

/// Something that a replica does, shown to who looks on.
#[derive(Debug)]
pub enum Act<'a> {
    /// It says something.
    Says(&'a Outgoing),
    /// It commits a block.
    Commits(&'a Block),
}

/// Is shown everything that replicas do; the run ends where it breaks off. It sees what became of a property that was
/// broken, because the run does not end there.
pub type Onlooker = Box<dyn FnMut(ReplicaId, &Act<'_>) -> ControlFlow<()>>;

/// What a run is made with beside plan and seed.
#[derive(Default)]
pub struct Options {
    /// Reads along.
    pub reader: Option<Reader>,
    /// Records what happens.
    pub recorder: Option<Recorder>,
    /// What those who attack tell of it, for who reads along or records.
    pub lies: Lies,
    /// Stands between the core and the world; `None` for the plain replica.
    pub wrap: Option<Wrap>,
    /// Replicas of which nothing is promised, because they lie: the checker leaves them out.
    pub faulty: BTreeSet<u16>,
    /// How often each change was sent by those that lie by plan.
    pub sent: Rc<RefCell<Sent>>,
    /// A replica, and a client whose requests it never hears.
    pub starves: Option<(u16, u16)>,
    /// Is told every point that a process comes to, up to the healing.
    pub census: Option<Census>,
    /// Where the power fails, beside the plan.
    pub crashes: Vec<Crash>,
    /// How many votes make a certificate.
    pub quorum: QuorumRule,
    /// What every transfer of the clients says.
    pub memo: Memo,
    /// Looks on.
    pub onlooker: Option<Onlooker>,
    /// Progress is asked for even where more replicas lie than the protocol bears.
    pub demands_progress: bool,
    /// When the run ends, in milliseconds: then nothing heals, and liveness is not judged.
    pub ends_ms: Option<u64>,
}

/// One run, from its beginning to its end.
pub struct World {
    plan: Plan,
    seed: u64,
    genesis: Genesis,
    door: Door,
    verifier: Verifier,
    now: Time,
    queue: Queue<Event>,
    trace: Trace,
    lies: Lies,
    hosts: Vec<Host>,
    clients: Vec<Client>,
    links: Links,
    check: Checker,
    counts: Counts,
    healed: bool,
    wrap: Option<Wrap>,
    sent: Rc<RefCell<Sent>>,
    starves: Option<(u16, u16)>,
    onlooker: Option<Onlooker>,
    demands_progress: bool,
    ends_ms: Option<u64>,
    /// The onlooker has seen enough.
    seen_enough: bool,
    points: point::Points,
    ending: end::Ending,
}

/// What happens next.
#[derive(Debug)]
enum Event {
    /// A consensus message arrives.
    Letter { to: u16, number: u64, letter: Arc<Letter> },
    /// A peer proves that a key lied.
    Accusation { from: u16, to: u16, number: u64, evidence: Arc<Evidence> },
    /// Requests arrive from another replica.
    Requests { to: u16, parcels: Arc<Vec<Arc<Parcel>>> },
    /// A request arrives from a client.
    Submission { to: u16, client: u16, parcel: Arc<Parcel> },
    /// A replica tells a client that a block is committed.
    Reply { client: u16, reply: BlockReply, block: Arc<ProvedBlock> },
    /// A client thinks about what to do.
    Client { client: u16 },
    /// A peer asks for blocks.
    Question { to: u16, from: u16, number: u64, height: Height },
    /// A peer answers with blocks.
    Answer { to: u16, life: u64, number: u64, blocks: Vec<Arc<ProvedBlock>> },
    /// A connection stands again.
    Connected { to: u16, life: u64, peer: u16 },
    /// Something within one process, unless it has died since.
    Inside { replica: u16, life: u64, what: Inside },
    /// A process is started.
    Start { replica: u16, life: u64 },
    /// A fault of the plan begins.
    Fault(usize),
    /// A fault of the plan ends.
    FaultEnds(usize),
    /// Everything that heals is healed.
    Heal,
    /// A look at whether the run is over.
    Look,
}

/// What happens within a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// It looks at what has arrived.
    Turn,
    /// The journal is flushed.
    Flushed,
    /// The store is flushed up to this many blocks.
    Stored(usize),
    /// A timer fires, unless it was set again since.
    Timer(Timer, u64),
    /// What waits for long is said again.
    Resend,
    /// Peers are asked for blocks, without a reason.
    Fetch,
    /// The peer that answered is asked for more.
    FetchMore,
    /// No answer has come to the question of this number.
    NoAnswer(u64),
}

/// What a run consisted of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub(crate) events: u64,
    pub(crate) faults: BTreeMap<&'static str, u64>,
    pub(crate) ignored: BTreeMap<&'static str, u64>,
    pub(crate) messages: u64,
    pub(crate) restarts: u64,
    pub(crate) fetched: u64,
    pub(crate) pruned: u64,
    /// When a replica without fault last committed a height that none had committed, in milliseconds.
    pub(crate) last_commit_ms: u64,
    /// The longest that a client waited for a transfer, in milliseconds.
    pub(crate) longest_wait_ms: u64,
    /// Every block that was proposed.
    pub(crate) proposed: BTreeSet<BlockId>,
    /// By height, the blocks that replicas without fault have committed, each with the first of them.
    pub(crate) commits: BTreeMap<u64, BTreeMap<BlockId, u16>>,
    /// Whose conviction stands in a committed block.
    pub(crate) convicted: BTreeSet<u16>,
    /// Whom honest replicas have proved a lie, and of which kinds.
    pub(crate) culprits: BTreeMap<u16, BTreeSet<&'static str>>,
}

impl World {
    /// A network at rest, with everything that the plan will do to it ahead.
    ///
    /// # Panics
    ///
    /// When the plan asks for more replicas or clients than there are keys, or for none.
    pub fn new(plan: Plan, seed: u64, options: Options) -> Self {
        let genesis = options.quorum.of(&genesis(&plan));
        let verifier = Verifier::new(plan.signer);
        // Requests are checked where they arrive and proposals where they are sent, so nothing is
        // skipped.
        let checked = Arc::new(NoneChecked);
        let door = Door::new(genesis.validators().clone(), checked);
        let lying = plan.broken.iter().filter(|broken| broken.fate == Fate::Lying);
        let faulty = lying.map(|broken| broken.replica).chain(options.faulty).collect();
        let mut check = Checker::new(&genesis, verifier.clone(), faulty);
        if options.quorum == QuorumRule::NaiveMajority {
            check.count_majorities();
        }
        let hosts = (0..plan.replicas).map(|replica| Host::new(replica, &plan, seed)).collect();
        let clients = 0..plan.load.clients;
        let clients = clients.map(|client| Client::new(client, &plan, seed, options.memo.clone()));
        let trace = Trace::new(options.reader, options.recorder);
        if trace.is_heard() {
            options.lies.listen();
        }
        let mut world = Self {
            now: Time::default(),
            queue: Queue::new(),
            trace,
            lies: options.lies,
            hosts,
            clients: clients.collect(),
            links: Links::new(plan.links, seed),
            check,
            counts: Counts::default(),
            healed: false,
            wrap: options.wrap,
            sent: options.sent,
            starves: options.starves,
            onlooker: options.onlooker,
            demands_progress: options.demands_progress,
            ends_ms: options.ends_ms,
            seen_enough: false,
            points: point::Points::new(options.census, options.crashes),
            ending: end::Ending::default(),
            genesis,
            door,
            verifier,
            plan,
            seed,
        };
        world.prepare();
        world
    }

    /// Puts the beginning of everything into the queue.
    fn prepare(&mut self) {
        for replica in 0..self.plan.replicas {
            self.queue.push(Time::default(), Event::Start { replica, life: 0 });
        }
        for client in 0..self.plan.load.clients {
            self.queue.push(Time::from_ms(1), Event::Client { client });
        }
        for (index, fault) in self.plan.faults.iter().enumerate() {
            self.queue.push(Time::from_ms(fault.at_ms), Event::Fault(index));
        }
        match self.ends_ms {
            Some(ends_ms) => self.queue.push(Time::from_ms(ends_ms), Event::Look),
            None => self.queue.push(Time::from_ms(self.plan.heal_ms), Event::Heal),
        }
    }

    /// Lets everything happen.
    pub fn run(mut self) -> Report {
        let verdict = loop {
            if let Some(verdict) = self.step() {
                break verdict;
            }
        };
        if let Verdict::Violated(violations) = &verdict {
            self.trace.broken(self.now, violations);
        }
        Report::new(&self.plan, self.seed, verdict, &self)
    }

    /// Lets the next thing happen; a verdict when it was the last.
    fn step(&mut self) -> Option<Verdict> {
        let Some((at, event)) = self.queue.pop() else {
            return Some(self.judge());
        };
        self.now = at;
        self.counts.events = self.counts.events.saturating_add(1);
        if self.counts.events > EVENTS_MAX {
            return Some(Verdict::Inconclusive(format!("more than {EVENTS_MAX} events")));
        }
        let looked = matches!(event, Event::Look);
        self.happen(event);
        self.trace.broken(self.now, self.check.violations());
        let goes_on = (self.onlooker.is_some() && !self.seen_enough) || self.bears_it();
        if !self.check.violations().is_empty() && !goes_on {
            return Some(Verdict::Violated(self.check.violations().to_vec()));
        }
        if self.seen_enough {
            return Some(Verdict::Held);
        }
        (looked && self.is_over()).then(|| self.judge())
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Letter { to, number, letter } => self.letter(to, number, &letter),
            Event::Accusation { from, to, number, evidence } => {
                self.accusation(from, to, number, evidence);
            }
            Event::Requests { to, parcels } => self.requests(to, parcels),
            Event::Submission { to, client, parcel } => self.submission(to, client, &parcel),
            Event::Reply { client, reply, block } => self.reply(client, &reply, &block),
            Event::Client { client } => self.client_thinks(client),
            Event::Question { to, from, number, height } => {
                self.question(to, from, number, height);
            }
            Event::Answer { to, life, number, blocks } => self.answer(to, life, number, &blocks),
            Event::Connected { to, life, peer } => self.connected(to, life, peer),
            Event::Inside { replica, life, what } => self.inside(replica, life, what),
            Event::Start { replica, life } => self.start(replica, life),
            Event::Fault(index) => self.fault(index),
            Event::FaultEnds(index) => self.fault_ends(index),
            Event::Heal => self.heal(),
            Event::Look => self.look(),
        }
    }

    fn inside(&mut self, replica: u16, life: u64, what: Inside) {
        let host = self.host(replica);
        if host.life != life || host.process.is_none() {
            return;
        }
        match what {
            Inside::Turn => self.turn(replica),
            Inside::Flushed => self.flushed(replica),
            Inside::Stored(blocks) => self.stored(replica, blocks),
            Inside::Timer(timer, number) => self.timer(replica, timer, number),
            Inside::Resend => self.resend(replica),
            Inside::Fetch => self.fetch_period(replica),
            Inside::FetchMore => self.fetch_more(replica),
            Inside::NoAnswer(number) => self.no_answer(replica, number),
        }
    }

    /// Something that will happen within a process as it is now.
    fn later(&mut self, replica: u16, after_us: u64, what: Inside) {
        let life = self.host(replica).life;
        let at = self.now.after_us(after_us);
        self.queue.push(at, Event::Inside { replica, life, what });
    }

    fn host(&mut self, replica: u16) -> &mut Host {
        self.hosts.get_mut(usize::from(replica)).expect("the plan names replicas that there are")
    }

    fn replicas(&self) -> std::ops::Range<u16> {
        0..self.plan.replicas
    }

    /// Replicas that do not stay broken and do not lie.
    fn core(&self) -> Vec<u16> {
        let broken = |replica| self.plan.broken.iter().any(|broken| broken.replica == replica);
        let lies = |replica| self.check.is_faulty(replica);
        self.replicas().filter(|replica| !broken(*replica) && !lies(*replica)).collect()
    }

    /// Shows something that a replica does to who looks on.
    fn show(&mut self, replica: u16, act: &Act<'_>) {
        if let Some(onlooker) = &mut self.onlooker {
            self.seen_enough |= onlooker(ReplicaId::new(replica), act).is_break();
        }
    }

    pub(crate) const fn now(&self) -> Time {
        self.now
    }

    pub(crate) const fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(crate) const fn checker(&self) -> &Checker {
        &self.check
    }

    pub(crate) fn trace_digest(&self) -> crypto::digest::Digest {
        self.trace.digest()
    }
}

/// Everything is checked whenever it arrives.
#[derive(Debug)]
struct NoneChecked;

impl CheckedTransactions for NoneChecked {
    fn is_checked(&self, _id: &TransactionId, _signature: &Signature) -> bool {
        false
    }
}

/// The account of a client.
pub(crate) fn address(client: u16) -> Address {
    Address::Key(Owner::Client(client).public_key())
}

/// The genesis of a plan.
pub(crate) fn genesis(plan: &Plan) -> Genesis {
    genesis_of(plan.replicas, &plan.rules, plan.load.clients)
}

/// The genesis of a network of so many replicas, by these rules, with so many clients.
pub(crate) fn genesis_of(replicas: u16, rules: &Rules, clients: u16) -> Genesis {
    let mut builder = GenesisBuilder::local("lab");
    builder.parameters = Parameters {
        window_heights: rules.window_heights,
        block_transactions_max: rules.block_transactions_max,
        batch_delay_ms: rules.batch_delay_ms,
        view_timeout_ms: rules.view_timeout_ms,
        snapshot_interval_blocks: rules.snapshot_interval_blocks,
        clock_drift_max_ms: rules.clock_drift_max_ms,
        ..Parameters::default()
    };
    let validator = |replica| Validator {
        name: format!("v{replica}"),
        key: Owner::Replica(replica).public_key(),
        peer_id: peer_id(replica),
    };
    builder.validators = (0..replicas).map(validator).collect();
    let account = |client| (address(client), Amount::new(BALANCE));
    builder.accounts = (0..clients).map(account).collect();
    builder.build().expect("a plan's rules are within the bounds of a genesis")
}

#[cfg(test)]
mod tests;
