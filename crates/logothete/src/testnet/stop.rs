//! Ends validators, and makes sure that they have ended.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::testnet::hold::Hold;
use crate::testnet::layout::Layout;
use crate::testnet::node::Node;
use crate::testnet::process::{Condition, Process};
use crate::testnet::relays::Relays;

/// How long a validator may take to end cleanly.
pub(crate) const GRACE: Duration = Duration::from_secs(15);

/// How long the system may take to end a process that was killed.
pub(crate) const KILL_PATIENCE: Duration = Duration::from_secs(10);

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// How a validator ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself, after it was told to.
    Clean,
    /// It had to be killed.
    Killed,
}

/// Stops those of the validators that run, also halted ones: SIGTERM to all of them, then SIGKILL
/// to those that have not ended in time. When it returns none of them is left and their data
/// directories are free. Somebody who insists shortens the wait.
///
/// # Errors
///
/// Fails when a process cannot be signalled or does not go away.
pub(crate) fn stop(nodes: &[Node], interrupt: &Interrupt) -> Result<Vec<(Node, End)>, Failure> {
    let mut running = Vec::new();
    for node in nodes {
        if let Some(process) = node.process()? {
            ask(&process).map_err(|cause| cannot_signal(node, &cause))?;
            running.push((node.clone(), process));
        }
    }
    let deadline = Instant::now() + GRACE;
    let there = |process: &Process| process.condition() != Condition::Gone;
    while running.iter().any(|(_, process)| there(process)) {
        if Instant::now() > deadline || interrupt.insists() {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    let mut ends = Vec::new();
    for (node, process) in running {
        let end = if there(&process) { End::Killed } else { End::Clean };
        // Killing what has ended does nothing; what it left behind is cleared either way.
        kill(&node, &process)?;
        ends.push((node, end));
    }
    Ok(ends)
}

/// Asks a process to end. A halted one hears it when it goes on.
pub(crate) fn ask(process: &Process) -> std::io::Result<()> {
    process.signal(Signal::TERM)?;
    process.signal(Signal::CONT)
}

/// Ends a process with SIGKILL and waits until it is gone and its data directory is free.
///
/// # Errors
///
/// Fails when it cannot be signalled or does not go away.
pub(crate) fn kill(node: &Node, process: &Process) -> Result<(), Failure> {
    process.signal(Signal::KILL).map_err(|cause| cannot_signal(node, &cause))?;
    await_condition(node, process, Condition::Gone, KILL_PATIENCE)?;
    node.forget(process);
    Ok(())
}

/// Waits until a process is in this condition. One that has ended counts as gone when its data directory is free.
///
/// # Errors
///
/// [`Exit::TimedOut`] when it is not in time; [`Exit::Fault`] when it has ended instead.
pub(crate) fn await_condition(
    node: &Node,
    process: &Process,
    expected: Condition,
    patience: Duration,
) -> Result<(), Failure> {
    let deadline = Instant::now() + patience;
    loop {
        let condition = process.condition();
        let reached = match expected {
            Condition::Running | Condition::Halted => condition == expected,
            Condition::Gone => node.is_free_of(process)?,
        };
        if reached {
            return Ok(());
        }
        if condition == Condition::Gone && expected != Condition::Gone {
            return Err(Failure::new(Exit::Fault, format!("{} has ended", node.name())));
        }
        if Instant::now() > deadline {
            let what = match expected {
                Condition::Running => "running",
                Condition::Halted => "halted",
                Condition::Gone => "gone",
            };
            let text = format!(
                "{} (process {}) is not {what} after {} s",
                node.name(),
                process.id(),
                patience.as_secs()
            );
            return Err(Failure::new(Exit::TimedOut, text));
        }
        std::thread::sleep(PAUSE);
    }
}

/// Stops a whole testnet: first a `testnet up` that works on it, which stops what it started, then
/// every validator that still runs, then what carries the links.
///
/// # Errors
///
/// As [`stop`].
pub(crate) fn down(layout: &Layout, interrupt: &Interrupt) -> Result<Vec<(Node, End)>, Failure> {
    let nodes = layout.existing_nodes()?;
    let mut before = Vec::new();
    for node in &nodes {
        if let Some(process) = node.process()? {
            before.push((node.clone(), process));
        }
    }
    if let Some(up) = Hold::holder(&layout.up_lock())? {
        ask(&up).map_err(|cause| Failure::fault("cannot end `testnet up`", &cause))?;
        // It gives its validators their time and then kills them.
        let deadline = Instant::now() + GRACE + KILL_PATIENCE;
        while !Hold::is_free_of(&layout.up_lock(), &up)? && Instant::now() < deadline {
            std::thread::sleep(PAUSE);
        }
    }
    let mut ends = stop(&nodes, interrupt)?;
    Relays::of(layout).stop()?;
    for (node, _) in before {
        if !ends.iter().any(|(ended, _)| *ended == node) {
            ends.push((node, End::Clean));
        }
    }
    ends.sort_by_key(|(node, _)| node.index());
    Ok(ends)
}

/// The failure to signal a validator's process.
pub(crate) fn cannot_signal(node: &Node, cause: &std::io::Error) -> Failure {
    Failure::fault(format!("cannot signal {}", node.name()), cause)
}
