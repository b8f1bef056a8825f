//! Starts validators and waits until they are ready, or leaves nothing running.

use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::testnet::Testnet;
use crate::testnet::attacks::Attacks;
use crate::testnet::log;
use crate::testnet::node::{Node, Started};
use crate::testnet::process::{Condition, Process};
use crate::testnet::relays::Relays;
use crate::testnet::stop::{self, GRACE};

/// Lines of a log that explain a failure.
const LOG_LINES: usize = 20;

/// Pause between two looks at something that is awaited.
const PAUSE: Duration = Duration::from_millis(25);

/// How long a validator may take to answer one question while it is awaited.
const ANSWER_PATIENCE: Duration = Duration::from_secs(1);

/// The validators that this process started, and what carries their links. Dropped, it stops what still runs.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    started: Vec<Started>,
    /// What carries the links, if it was started here.
    relays: Option<(Relays, Child)>,
}

/// How validators are started.
#[derive(Debug, Clone)]
pub(crate) struct Orders {
    /// Whether they end with this process.
    pub(crate) attached: bool,
    /// When they have to be ready.
    pub(crate) deadline: Instant,
    /// What ends the wait.
    pub(crate) interrupt: Interrupt,
}

/// A validator that ended although nobody here told it to.
#[derive(Debug)]
pub(crate) struct Death {
    /// Which one.
    pub(crate) node: Node,
    /// How its process ended.
    pub(crate) status: ExitStatus,
    /// The last lines of its log since it was started.
    pub(crate) log: Vec<String>,
}

impl Fleet {
    /// Starts those of `wanted` that do not run, lets halted ones go on, and gives what it started.
    /// What carries the links is started before them, where there is such a thing and it does not run.
    /// The first of an empty network is started alone, because its address is what the others begin
    /// with.
    ///
    /// # Errors
    ///
    /// Fails when a validator ends, is not reachable in time, or the process is told to end;
    /// whatever was started is stopped again then.
    pub(crate) fn start(
        testnet: &Testnet,
        wanted: &[Node],
        orders: &Orders,
    ) -> Result<Self, Failure> {
        let all = testnet.nodes();
        let relays = testnet.relays();
        let child = relays.start(orders.attached)?;
        let mut fleet = Self { started: Vec::new(), relays: child.map(|child| (relays, child)) };
        let mut missing = Vec::new();
        for node in wanted {
            match node.process()? {
                Some(process) => resume(node, &process)?,
                None => missing.push(node.clone()),
            }
        }
        let mut missing = missing.into_iter();
        let mut bootstrap = addresses(&all)?;
        if bootstrap.is_empty()
            && let Some(first) = missing.next()
        {
            fleet.started.push(first.spawn(&[], orders.attached)?);
            fleet.await_listening(orders)?;
            bootstrap = addresses(&all)?;
        }
        for node in missing {
            fleet.started.push(node.spawn(&bootstrap, orders.attached)?);
        }
        fleet.await_listening(orders)?;
        Ok(fleet)
    }

    /// Waits until all of these validators say that they are ready, or that they never vote again,
    /// and each is connected to all others of them. An adversary may say what it likes: nobody waits
    /// for it.
    ///
    /// # Errors
    ///
    /// As [`Fleet::start`].
    pub(crate) fn await_ready(&mut self, nodes: &[Node], orders: &Orders) -> Result<(), Failure> {
        let mut waiting = Vec::new();
        for node in nodes {
            if Attacks::of(node)?.is_honest() {
                waiting.push(node.clone());
            }
        }
        let others = u32::try_from(waiting.len()).unwrap_or(u32::MAX).saturating_sub(1);
        loop {
            self.all_alive()?;
            waiting.retain(|node| !is_ready(node, others));
            if waiting.is_empty() {
                return Ok(());
            }
            self.go_on(&waiting, "ready", orders)?;
        }
    }

    /// Whether all validators ran already, and only what carries their links had to be started.
    pub(crate) const fn has_only_relays(&self) -> bool {
        self.started.is_empty() && self.relays.is_some()
    }

    /// Those that ended since the last call. One of whom the system does not tell counts as
    /// running.
    pub(crate) fn deaths(&mut self) -> Vec<Death> {
        let mut deaths = Vec::new();
        let mut alive = Vec::new();
        for mut started in self.started.drain(..) {
            match started.child.try_wait() {
                Ok(None) | Err(_) => alive.push(started),
                Ok(Some(status)) => {
                    let log = last_lines(&started.node, started.log_from);
                    deaths.push(Death { node: started.node, status, log });
                }
            }
        }
        self.started = alive;
        deaths
    }

    /// Leaves the validators running when this process ends.
    pub(crate) fn leave(mut self) {
        self.started.clear();
        self.relays = None;
    }

    /// Stops the validators and waits until they have ended.
    pub(crate) fn stop(mut self, interrupt: &Interrupt) {
        self.end(interrupt);
    }

    /// Waits until every one that was started says where it is reached, and answers there.
    fn await_listening(&mut self, orders: &Orders) -> Result<(), Failure> {
        loop {
            self.all_alive()?;
            let waiting: Vec<Node> = self
                .started
                .iter()
                .filter(|started| !answers(&started.node, started.child.id()))
                .map(|started| started.node.clone())
                .collect();
            if waiting.is_empty() {
                return Ok(());
            }
            self.go_on(&waiting, "reachable", orders)?;
        }
    }

    fn all_alive(&mut self) -> Result<(), Failure> {
        let Some(death) = self.deaths().into_iter().next() else { return Ok(()) };
        let text = format!("{} ended while it was started: {}", death.node.name(), death.status);
        Err(Failure::new(Exit::Fault, text).with_log(&death.node.name(), death.log))
    }

    /// Pauses, unless there is a reason not to wait any longer.
    fn go_on(&self, waiting: &[Node], what: &str, orders: &Orders) -> Result<(), Failure> {
        if orders.interrupt.wait(PAUSE) {
            let text = format!("told to end before the validators were {what}");
            return Err(Failure::new(Exit::Interrupted, text));
        }
        if Instant::now() < orders.deadline {
            return Ok(());
        }
        let names: Vec<String> = waiting.iter().map(Node::name).collect();
        let text = format!("not {what} in time: {}", names.join(", "));
        let failure = Failure::new(Exit::TimedOut, text)
            .with_hint("give the validators more time with --timeout SECONDS");
        let Some(node) = waiting.first() else { return Err(failure) };
        let begin = self.started.iter().find(|started| started.node == *node);
        let lines = last_lines(node, begin.map_or(0, |started| started.log_from));
        Err(failure.with_log(&node.name(), lines))
    }

    fn end(&mut self, interrupt: &Interrupt) {
        for started in &self.started {
            if let Some(process) = Process::of(started.child.id()) {
                // One that cannot be asked is killed below.
                drop(stop::ask(&process));
            }
        }
        let deadline = Instant::now() + GRACE;
        for mut started in self.started.drain(..) {
            while matches!(started.child.try_wait(), Ok(None))
                && Instant::now() < deadline
                && !interrupt.insists()
            {
                thread::sleep(PAUSE);
            }
            let process = Process::of(started.child.id());
            // Our own child: its id is its own until it is waited for, and killing one that has
            // ended is harmless.
            drop(started.child.kill());
            drop(started.child.wait());
            if let Some(process) = process {
                started.node.forget(&process);
            }
        }
        if let Some((relays, mut child)) = self.relays.take() {
            // One that does not end by itself is killed.
            drop(relays.stop());
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.end(&Interrupt::never());
    }
}

/// Lets a halted validator go on.
fn resume(node: &Node, process: &Process) -> Result<(), Failure> {
    if process.condition() == Condition::Halted {
        process.signal(Signal::CONT).map_err(|cause| stop::cannot_signal(node, &cause))?;
    }
    Ok(())
}

/// The libp2p addresses of all validators that can be reached now.
fn addresses(all: &[Node]) -> Result<Vec<String>, Failure> {
    let mut addresses = Vec::new();
    for node in all {
        if let Some(process) = node.process()?
            && process.condition() == Condition::Running
            && let Some(file) = node.reached(&process)
        {
            addresses.push(file.p2p);
        }
    }
    Ok(addresses)
}

fn answers(node: &Node, pid: u32) -> bool {
    let client = Process::of(pid).and_then(|process| node.client(&process, ANSWER_PATIENCE));
    client.is_some_and(|client| client.status().is_ok())
}

fn is_ready(node: &Node, others: u32) -> bool {
    let process = node.process().ok().flatten();
    let client = process.and_then(|process| node.client(&process, ANSWER_PATIENCE));
    client.is_some_and(|client| {
        // One that never votes again is never ready; that it follows is all there is to wait for.
        client.status().is_ok_and(|status| {
            status.peers_connected >= others && (status.retired || client.ready() == Ok(true))
        })
    })
}

/// The last lines of a log; what cannot be read explains nothing.
pub(crate) fn last_lines(node: &Node, from: u64) -> Vec<String> {
    log::tail(&node.log(), from, LOG_LINES).map(|(lines, _)| lines).unwrap_or_default()
}
