//! `testnet kill|pause|resume|start|restart|down`: what can be done to running validators.
//!
//! Each command returns when what it did can be seen.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{Deed, Deeds};
use crate::commands::status::PATIENCE;
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::testnet::attacks::Attacks;
use crate::testnet::fleet::{Fleet, Orders};
use crate::testnet::layout::{Kind, Layout};
use crate::testnet::node::Node;
use crate::testnet::process::{Condition, Process};
use crate::testnet::stop::{self, End, cannot_signal};
use crate::testnet::{Testnet, not_found};

/// The pause between two looks at something that is awaited.
const PAUSE: Duration = Duration::from_millis(25);

/// How long a signal may take to show its effect.
const SIGNAL_PATIENCE: Duration = Duration::from_secs(10);

/// How long a validator may take to start and, where it can, to be ready.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// SIGKILL, as a crash would be.
///
/// # Errors
///
/// [`Exit::Refused`] when one does not run; nothing is done then.
pub(super) fn kill(nodes: &[Node], output: &mut Output) -> Result<Exit, Failure> {
    let running = running(nodes)?;
    // All at once: that is what a power cut would do.
    for (node, process) in &running {
        process.signal(Signal::KILL).map_err(|cause| cannot_signal(node, &cause))?;
    }
    let mut deeds = Deeds::default();
    for (node, process) in &running {
        stop::kill(node, process)?;
        deeds.add(node, "killed");
    }
    output.result(&deeds)?;
    Ok(Exit::Done)
}

/// SIGSTOP. One that is halted already stays so.
///
/// # Errors
///
/// As [`kill`].
pub(super) fn pause(nodes: &[Node], output: &mut Output) -> Result<Exit, Failure> {
    let mut deeds = Deeds::default();
    for (node, process) in running(nodes)? {
        halt(&node, &process)?;
        deeds.add(&node, "paused");
    }
    output.result(&deeds)?;
    Ok(Exit::Done)
}

/// Halts a process and waits until it is.
///
/// # Errors
///
/// Fails when it cannot be signalled or does not halt.
pub(super) fn halt(node: &Node, process: &Process) -> Result<(), Failure> {
    process.signal(Signal::STOP).map_err(|cause| cannot_signal(node, &cause))?;
    stop::await_condition(node, process, Condition::Halted, SIGNAL_PATIENCE)
}

/// SIGCONT. One that was not halted stays as it is.
///
/// # Errors
///
/// As [`kill`], and [`Exit::TimedOut`] when one does not answer again.
pub(super) fn resume(nodes: &[Node], output: &mut Output) -> Result<Exit, Failure> {
    let mut deeds = Deeds::default();
    for (node, process) in running(nodes)? {
        go_on(&node, &process)?;
        deeds.add(&node, "running");
    }
    output.result(&deeds)?;
    Ok(Exit::Done)
}

/// Lets a halted process go on and waits until it answers.
///
/// # Errors
///
/// Fails when it cannot be signalled; [`Exit::TimedOut`] when it does not answer.
pub(super) fn go_on(node: &Node, process: &Process) -> Result<(), Failure> {
    process.signal(Signal::CONT).map_err(|cause| cannot_signal(node, &cause))?;
    stop::await_condition(node, process, Condition::Running, SIGNAL_PATIENCE)?;
    let deadline = Instant::now() + SIGNAL_PATIENCE;
    while node.client(process, PATIENCE).is_none_or(|client| client.status().is_err()) {
        if Instant::now() > deadline {
            let text = format!("{} runs again and does not answer", node.name());
            return Err(Failure::new(Exit::TimedOut, text));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// Starts validators that do not run, with the addresses of those that do.
///
/// # Errors
///
/// [`Exit::Refused`] when one runs already; else as [`Fleet::start`].
pub(super) fn start(
    testnet: &Testnet,
    nodes: &[Node],
    output: &mut Output,
) -> Result<Exit, Failure> {
    for node in nodes {
        if let Some(process) = node.process()? {
            let text = format!("{} runs already (process {})", node.name(), process.id());
            return Err(Failure::refused(text));
        }
    }
    start_them(testnet, nodes, output)
}

/// Stops validators, where they run, and starts them again.
///
/// # Errors
///
/// As [`start`] and [`stop::stop`].
pub(super) fn restart(
    testnet: &Testnet,
    nodes: &[Node],
    output: &mut Output,
) -> Result<Exit, Failure> {
    let ends = stop::stop(nodes, &Interrupt::never())?;
    warn_of_killed(&ends, output);
    start_them(testnet, nodes, output)
}

/// Stops everything that runs in a testnet's directory, whatever became of its genesis and accounts.
///
/// # Errors
///
/// [`Exit::NotFound`] when there is no testnet; else as [`stop::down`].
pub(super) fn down(dir: Option<&Path>, output: &mut Output) -> Result<Exit, Failure> {
    let directory = api::client::network::directory(dir);
    let layout = Layout::new(&directory);
    match layout.kind()? {
        Kind::Testnet | Kind::Damaged | Kind::Remains => {}
        Kind::Nothing | Kind::Other { .. } => return Err(not_found(&directory)),
    }
    let ends = stop::down(&layout, &Interrupt::never())?;
    warn_of_killed(&ends, output);
    if ends.is_empty() {
        output.notice("nothing was running");
    }
    let mut deeds = Deeds::default();
    for (node, _) in &ends {
        deeds.add(node, "stopped");
    }
    output.result(&deeds)?;
    Ok(Exit::Done)
}

/// Says which validators did not end by themselves.
pub(super) fn warn_of_killed(ends: &[(Node, End)], output: &mut Output) {
    for (node, end) in ends {
        if *end == End::Killed {
            output.warning(format_args!("{} did not end in time and was killed", node.name()));
        }
    }
}

/// Starts validators and tells how they are.
///
/// # Errors
///
/// As [`Fleet::start`].
pub(super) fn start_them(
    testnet: &Testnet,
    nodes: &[Node],
    output: &mut Output,
) -> Result<Exit, Failure> {
    let deeds = started(testnet, nodes, output)?;
    output.result(&deeds)?;
    Ok(Exit::Done)
}

/// Starts validators and gives how they are.
///
/// # Errors
///
/// As [`Fleet::start`].
pub(super) fn started(
    testnet: &Testnet,
    nodes: &[Node],
    output: &mut Output,
) -> Result<Deeds, Failure> {
    let interrupt =
        Interrupt::install().map_err(|cause| Failure::fault("cannot take signals", &cause))?;
    let orders = Orders { attached: false, deadline: Instant::now() + START_PATIENCE, interrupt };
    let all = testnet.nodes();
    let mut fleet = Fleet::start(testnet, nodes, &orders)?;
    // A validator is ready when it reaches a quorum, which it can only do while a quorum runs.
    let mut live = 0_usize;
    for node in &all {
        let process = node.process()?;
        if process.is_some_and(|process| process.condition() == Condition::Running) {
            live = live.saturating_add(1);
        }
    }
    let quorum = live >= testnet.genesis.validators().quorum().q();
    let whole = testnet.relays().are_whole()?;
    if quorum && whole {
        fleet.await_ready(nodes, &orders)?;
    } else if quorum {
        output.notice("links are faulty, so nobody waits until all are connected");
    } else {
        output.notice(format_args!("too few validators run for a quorum: {live}"));
    }
    fleet.leave();
    let mut deeds = Deeds::default();
    for node in nodes {
        let process = node.process()?;
        let client = process.as_ref().and_then(|process| node.client(process, PATIENCE));
        let retired = client.and_then(|client| client.status().ok()).is_some_and(|it| it.retired);
        let attacks = Attacks::of(node)?;
        let state = match (retired, quorum && whole && attacks.is_honest()) {
            (true, _) => "retired",
            (false, true) => "ready",
            (false, false) => "running",
        };
        let file = process.and_then(|process| node.reached(&process));
        let api = file.map(|file| file.api);
        deeds.validators.push(Deed { api, ..Deed::of(node, state, &attacks) });
    }
    Ok(deeds)
}

/// The processes of the validators, all of which must run.
pub(super) fn running(nodes: &[Node]) -> Result<Vec<(Node, Process)>, Failure> {
    let mut running = Vec::new();
    for node in nodes {
        let Some(process) = node.process()? else {
            let text = format!("{} is not running", node.name());
            return Err(Failure::refused(text)
                .with_hint(format!("start it with `logothete testnet start {}`", node.name())));
        };
        running.push((node.clone(), process));
    }
    Ok(running)
}
