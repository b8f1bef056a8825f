//! `logothete bench`: how much a network of separate processes commits, and how fast.
//!
//! Everything that is claimed is measured from outside: load through the public API, replies as
//! clients see them, processor time and memory as the system accounts them. Transfers are signed
//! before the clock starts.

pub(crate) mod load;
pub(crate) mod machine;
pub(crate) mod observe;
pub(crate) mod report;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use api::client::Client;
use api::types::Status;
use crypto::keys::SecretKey;
use types::address::Address;

use crate::bench::load::{Course, Lane, Prepared, Senders};
use crate::bench::machine::{Machine, Usage, folder_bytes, per_second, percentile};
use crate::bench::observe::Observed;
use crate::bench::report::{Adversary, Agreement, BenchReport, Latency, thousandths};
use crate::cli::BenchArguments;
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::scratch::Scratch;
use crate::testnet::Testnet;
use crate::testnet::attacks::{self, Attacks};
use crate::testnet::create;
use crate::testnet::fleet::{Fleet, Orders};
use crate::testnet::layout::Layout;
use crate::testnet::node::Node;
use crate::testnet::plan::{self, Plan};

/// What the keys of a benchmark's network are derived from.
const SEED: u64 = 1;
/// Transfers signed for each second when as many as possible are asked for.
const PREPARED_PER_SECOND: usize = 12_000;
/// How long the validators may take to be ready.
const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// How long nothing may happen after the end of the load before the rest counts as missing.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// How long the validators may take to reach the same height after that.
const AGREE_TIMEOUT: Duration = Duration::from_secs(20);
/// The pause between two looks at something that is awaited.
const INTERRUPT_PAUSE: Duration = Duration::from_millis(50);
/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running network with its senders' keys. Of its adversaries nothing is asked.
struct Subject {
    testnet: Testnet,
    keys: Vec<SecretKey>,
    /// Those that follow the protocol.
    honest: Vec<Node>,
    clients: Vec<Client>,
    pids: Vec<u32>,
    /// The validators that this command started, and their temporary folder.
    own: Option<(Fleet, Scratch)>,
}

/// Runs the benchmark.
///
/// # Errors
///
/// Fails when the network cannot be started, a validator refuses a transfer, or the validators
/// contradict one another or do not reach one state.
pub(crate) fn run(arguments: &BenchArguments, output: &mut Output) -> Result<Exit, Failure> {
    let interrupt =
        Interrupt::install().map_err(|cause| Failure::fault("cannot take signals", &cause))?;
    let subject = subject(arguments, &interrupt, output)?;
    let result = measure(arguments, &subject, &interrupt, output);
    if let Some((fleet, folder)) = subject.own {
        fleet.stop(&interrupt);
        drop(folder);
    }
    output.result(&result?)?;
    Ok(Exit::Done)
}

/// The network to be measured: one that runs, or one of our own in a temporary folder.
fn subject(
    arguments: &BenchArguments,
    interrupt: &Interrupt,
    output: &mut Output,
) -> Result<Subject, Failure> {
    let (testnet, keys, own) = if arguments.running {
        let testnet = Testnet::find(arguments.dir.as_deref())?;
        let count = testnet.genesis.validators().len();
        let plan = Plan::new(count, testnet.accounts.seed)?;
        (testnet, plan.accounts.into_iter().map(|account| account.key).collect(), None)
    } else {
        let keys = plan::further_keys(SEED, arguments.accounts);
        let addresses: Vec<_> = keys.iter().map(|key| Address::Key(key.public_key())).collect();
        let plan = Plan::with_accounts(arguments.validators, SEED, &addresses)?;
        // Nothing is made for a network that cannot be.
        let roles = attacks::roles(plan.genesis.validators().quorum(), &arguments.adversaries)?;
        let folder = scratch(arguments.dir.as_deref())?;
        let layout = Layout::new(folder.path());
        create::create(&layout, &plan)?;
        let testnet = Testnet::open(layout)?;
        let nodes = testnet.nodes();
        nodes.iter().zip(&roles).try_for_each(|(node, role)| role.give(node))?;
        let noun = if nodes.len() == 1 { "validator" } else { "validators" };
        output.notice(format_args!("starting {} {noun}", nodes.len()));
        let deadline = Instant::now() + READY_TIMEOUT;
        let orders = Orders { attached: true, deadline, interrupt: interrupt.clone() };
        let mut fleet = Fleet::start(&testnet, &nodes, &orders)?;
        fleet.await_ready(&nodes, &orders)?;
        (testnet, keys, Some((fleet, folder)))
    };
    let mut honest = Vec::new();
    for node in testnet.nodes() {
        if Attacks::of(&node)?.is_honest() {
            honest.push(node);
        }
    }
    let (clients, pids) = reach(&honest)?;
    Ok(Subject { testnet, keys, honest, clients, pids, own })
}

/// A folder of this benchmark's own, in the one that was named if any was.
fn scratch(dir: Option<&Path>) -> Result<Scratch, Failure> {
    let parent = dir.map_or_else(std::env::temp_dir, Path::to_owned);
    fs::create_dir_all(&parent).map_err(|cause| Failure::file("make", &parent, &cause))?;
    Scratch::new(&parent, "bench")
}

fn reach(nodes: &[Node]) -> Result<(Vec<Client>, Vec<u32>), Failure> {
    let mut clients = Vec::new();
    let mut pids = Vec::new();
    for node in nodes {
        let process = node.process()?;
        let reached = process
            .as_ref()
            .and_then(|process| Some((node.client(process, PATIENCE)?, process.id())));
        let (client, pid) = reached.ok_or_else(|| {
            Failure::new(Exit::Unreachable, format!("{} does not run", node.name()))
        })?;
        clients.push(client);
        pids.push(pid);
    }
    Ok((clients, pids))
}

/// Everything that was found, before it is made readable.
struct Findings {
    rate: Option<u64>,
    machine: Machine,
    course: Course,
    observed: Observed,
    used: Usage,
    elapsed: Duration,
    syncs: Syncs,
    agreement: Agreement,
    adversaries: Vec<Adversary>,
}

/// Signs, sends, observes and compares.
fn measure(
    arguments: &BenchArguments,
    subject: &Subject,
    interrupt: &Interrupt,
    output: &mut Output,
) -> Result<BenchReport, Failure> {
    let folder = subject.testnet.layout.root();
    let machine =
        Machine::measure(folder).map_err(|cause| Failure::fault("cannot measure", &cause))?;
    let rate = (!arguments.max).then_some(arguments.rate);
    let seconds = usize::try_from(arguments.seconds).unwrap_or(usize::MAX);
    let per_second = rate.map_or(Ok(PREPARED_PER_SECOND), usize::try_from).unwrap_or(usize::MAX);
    let count = per_second.saturating_mul(seconds);
    output.notice(format_args!("signing {count} transfers"));
    let nonces = first_nonces(subject)?;
    let senders = Senders {
        chain: *subject.testnet.genesis.chain(),
        keys: &subject.keys,
        nonces: &nonces,
        rate,
    };
    let lanes = load::prepare(&senders, subject.clients.len(), count);
    output.notice(format_args!("sending for {} s", arguments.seconds));
    let begin = (Syncs::of(&subject.clients), Usage::now(&subject.pids));
    let after = statuses(&subject.clients)?;
    let course = Course::new(Duration::from_secs(arguments.seconds), rate.is_some());
    let observed = drive(&course, subject, &lanes, interrupt, &after);
    let used = Usage::now(&subject.pids).since(&begin.1);
    let elapsed = course.start.elapsed();
    if interrupt.came() {
        return Err(Failure::new(Exit::Interrupted, "told to end before the benchmark was done"));
    }
    if let Some(trouble) = course.trouble.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(Failure::new(Exit::Fault, trouble));
    }
    if let Some(contradiction) = &observed.contradiction {
        return Err(Failure::new(Exit::Contradiction, contradiction.as_str()));
    }
    let agreement = agree(&subject.clients)?;
    let syncs = Syncs::of(&subject.clients).since(&begin.0);
    let adversaries = adversaries(subject, &statuses(&subject.clients)?)?;
    let findings =
        Findings { rate, machine, course, observed, used, elapsed, syncs, agreement, adversaries };
    Ok(findings.report(subject, arguments.seconds))
}

impl Findings {
    fn report(self, subject: &Subject, load_seconds: u64) -> BenchReport {
        let Self { rate, machine, course, observed, used, elapsed, syncs, agreement, adversaries } =
            self;
        let settled_from = load_seconds / 3;
        let settled: u64 =
            observed.by_second.range(settled_from..load_seconds).map(|(_, count)| count).sum();
        let seconds = observed.by_second.last_key_value().map_or(0, |(second, _)| second + 1);
        let by_second = 0..seconds;
        let by_second =
            by_second.map(|second| observed.by_second.get(&second).copied().unwrap_or(0));
        let each = |milliseconds: u64| {
            let thousandths_us = milliseconds.saturating_mul(1_000_000);
            thousandths(thousandths_us.checked_div(observed.everywhere).unwrap_or(0))
        };
        let others = used
            .machine_cpu_ms
            .saturating_sub(used.processes_cpu_ms)
            .saturating_sub(used.own_cpu_ms);
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
        let accepted = course.accepted.load(Ordering::Relaxed);
        BenchReport {
            transfers_per_second: per_second(
                observed.everywhere,
                Duration::from_micros(observed.last_us),
            ),
            transfers: observed.everywhere,
            missing: accepted.saturating_sub(observed.everywhere),
            seconds: thousandths(observed.last_us / 1_000),
            rate,
            latency_ms: latency(observed.latencies_us),
            settled_per_second: settled
                .checked_div(load_seconds.saturating_sub(settled_from))
                .unwrap_or(0),
            pause_ms_max: thousandths(observed.pause_us),
            validators: subject.testnet.genesis.validators().len(),
            adversaries,
            accounts: subject.keys.len(),
            blocks: observed.blocks,
            cpu_us_per_transfer: each(used.processes_cpu_ms),
            own_cpu_us_per_transfer: each(used.own_cpu_ms),
            other_cpu_percent: thousandths(others.saturating_mul(100_000) / millis),
            disk_bytes: subject.honest.iter().map(|node| folder_bytes(&node.data())).sum(),
            journal_syncs: syncs.journal,
            store_syncs: syncs.store,
            memory_bytes_max: used.memory_bytes_max,
            pushed_back: course.pushed_back.load(Ordering::Relaxed),
            by_second: by_second.collect(),
            agreement,
            machine,
        }
    }
}

fn latency(mut micros: Vec<u64>) -> Latency {
    micros.sort_unstable();
    let at = |percent| thousandths(percentile(&micros, percent));
    Latency { p50: at(50), p95: at(95), p99: at(99), max: at(100) }
}

/// Sends every lane and follows every validator until all is seen.
fn drive(
    course: &Course,
    subject: &Subject,
    lanes: &[Lane],
    interrupt: &Interrupt,
    after: &[Status],
) -> Observed {
    let prepared: HashMap<_, Arc<Prepared>> =
        lanes.iter().flatten().map(|prepared| (prepared.id, prepared.clone())).collect();
    let (seen, judged) = mpsc::channel();
    thread::scope(|scope| {
        for (client, status) in subject.clients.iter().zip(after) {
            let seen = seen.clone();
            scope.spawn(move || observe::follow(course, client, status.height, &seen));
        }
        drop(seen);
        for (client, lane) in subject.clients.iter().zip(lanes) {
            scope.spawn(move || load::send(course, client, lane));
        }
        let finished = AtomicBool::new(false);
        thread::scope(|inner| {
            inner.spawn(|| {
                // The wait is where this thread sleeps.
                let told = std::iter::repeat_with(|| interrupt.wait(INTERRUPT_PAUSE))
                    .find(|told| *told || finished.load(Ordering::Relaxed));
                if told == Some(true) {
                    course.stop.store(true, Ordering::Relaxed);
                }
            });
            let validators = (subject.testnet.genesis.validators(), subject.clients.len());
            let observed = observe::judge(course, validators, &prepared, &judged, SILENCE_MAX);
            finished.store(true, Ordering::Relaxed);
            // The readers end with the next event or status, at the latest when a stream is silent
            // for long.
            course.stop.store(true, Ordering::Relaxed);
            drop(judged);
            observed
        })
    })
}

/// The next nonce of every sender: zero in a network of our own.
fn first_nonces(subject: &Subject) -> Result<Vec<u64>, Failure> {
    if subject.own.is_some() {
        return Ok(vec![0; subject.keys.len()]);
    }
    let prefix = subject.testnet.genesis.prefix();
    let client = subject
        .clients
        .first()
        .ok_or_else(|| Failure::new(Exit::Unreachable, "the network has no validator"))?;
    subject
        .keys
        .iter()
        .map(|key| {
            let address = Address::Key(key.public_key()).to_text(prefix);
            let account = client
                .account(&address)
                .map_err(|cause| Failure::fault("cannot ask for an account", &cause))?;
            Ok(account.map_or(0, |account| account.next_nonce.get()))
        })
        .collect()
}

/// Those that attack, and whether the others have proved it.
fn adversaries(subject: &Subject, statuses: &[Status]) -> Result<Vec<Adversary>, Failure> {
    let nodes = subject.testnet.nodes().into_iter().enumerate();
    let attacks = nodes.map(|(index, node)| Ok((index, node.name(), Attacks::of(&node)?)));
    let attacks = attacks.collect::<Result<Vec<_>, Failure>>()?;
    let attacking = attacks.into_iter().filter(|(.., attacks)| !attacks.is_honest());
    let convicted = |index: usize| {
        let has = |status: &Status| status.convicted.iter().any(|one| usize::from(*one) == index);
        statuses.iter().all(has)
    };
    let adversaries = attacking.map(|(index, name, attacks)| Adversary {
        name,
        attacks: attacks.list().to_vec(),
        convicted: convicted(index),
    });
    Ok(adversaries.collect())
}

fn statuses(clients: &[Client]) -> Result<Vec<Status>, Failure> {
    clients
        .iter()
        .map(|client| {
            client.status().map_err(|cause| Failure::fault("cannot ask for the status", &cause))
        })
        .collect()
}

/// Waits until all validators show the same height, and compares everything else they show.
fn agree(clients: &[Client]) -> Result<Agreement, Failure> {
    let deadline = Instant::now() + AGREE_TIMEOUT;
    loop {
        let all = statuses(clients)?;
        let Some(first) = all.first() else {
            return Err(Failure::new(Exit::Unreachable, "the network has no validator"));
        };
        if all.iter().all(|status| status.height == first.height) {
            let same = |status: &Status| {
                (status.block, status.state_root, status.supply)
                    == (first.block, first.state_root, first.supply)
            };
            if !all.iter().all(same) {
                let text = format!("the validators differ at height {}", first.height);
                return Err(Failure::new(Exit::Contradiction, text));
            }
            return Ok(Agreement {
                height: first.height.get(),
                block: first.block.to_string(),
                state_root: first.state_root.to_string(),
                supply: first.supply_text.clone(),
            });
        }
        if Instant::now() >= deadline {
            return Err(Failure::new(Exit::TimedOut, "the validators did not reach one height"));
        }
        thread::sleep(INTERRUPT_PAUSE);
    }
}

/// Flushes of all validators, as their metrics count them.
#[derive(Debug, Clone, Copy, Default)]
struct Syncs {
    journal: u64,
    store: u64,
}

impl Syncs {
    fn of(clients: &[Client]) -> Self {
        let mut syncs = Self::default();
        for text in clients.iter().filter_map(|client| client.metrics().ok()) {
            let value = |name: &str| -> u64 {
                let line = text.lines().find_map(|line| line.strip_prefix(name));
                line.and_then(|rest| rest.trim().parse().ok()).unwrap_or(0)
            };
            syncs.journal =
                syncs.journal.saturating_add(value("logothete_journal_append_seconds_count "));
            syncs.store =
                syncs.store.saturating_add(value("logothete_store_append_seconds_count "));
        }
        syncs
    }

    fn since(self, earlier: &Self) -> Self {
        Self {
            journal: self.journal.saturating_sub(earlier.journal),
            store: self.store.saturating_sub(earlier.store),
        }
    }
}

#[cfg(test)]
mod tests;
