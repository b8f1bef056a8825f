//! A process that is not necessarily our child: whether it is still there, whether it is halted,
//! signals to it.
//!
//! A process id alone may by now belong to somebody else, so a [`Process`] remembers when it was
//! born and never signals one that was born at another time.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// A process, named by its id and its birth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pid: Pid,
    birth: String,
}

/// How a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// It runs or waits.
    Running,
    /// It is halted by SIGSTOP.
    Halted,
    /// It has ended; if its parent did not look yet, its entry is left. So may be its open files and their locks
    /// for a moment, see [`Process::holds`].
    Gone,
}

/// What the system says about a process id.
struct Seen {
    state: char,
    birth: String,
}

impl Process {
    /// The process that has this id now, `None` when none has.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
        let seen = look(pid)?;
        (condition(seen.state) != Condition::Gone).then_some(Self { pid, birth: seen.birth })
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        u32::try_from(self.pid.as_raw_nonzero().get()).unwrap_or_default()
    }

    /// How it is.
    pub(crate) fn condition(&self) -> Condition {
        match look(self.pid) {
            Some(seen) if seen.birth == self.birth => condition(seen.state),
            Some(_) | None => Condition::Gone,
        }
    }

    /// How long the thread of it that waited most has waited for a processor, in all: what a busy computer took from
    /// it. Zero where the system does not tell, and when it has ended.
    pub(crate) fn starved(&self) -> Duration {
        let id = self.pid.as_raw_nonzero();
        let threads = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
        let waited = threads.filter_map(|thread| {
            // Time on a processor, time waited for one, both in nanoseconds, and how often.
            let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split_whitespace().nth(1)?.parse().ok()
        });
        Duration::from_nanos(waited.max().unwrap_or(0))
    }

    /// Whether a lock that somebody holds, and whose holder wrote this id, is held by this process.
    ///
    /// One that is [`Condition::Gone`] may hold it: a process that was killed counts as ended as soon as its main
    /// thread has, while its other threads are still on their way out and keep its files open.
    pub(crate) fn holds(&self, written: Option<u32>) -> bool {
        let id = self.id();
        // Somebody else who has the id by now took the lock anew.
        written == Some(id) && Self::of(id).is_none_or(|now| now == *self)
    }

    /// Sends a signal, if it is still there.
    ///
    /// # Errors
    ///
    /// Fails when the system does not let us.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        if self.condition() == Condition::Gone {
            return Ok(());
        }
        match kill_process(self.pid, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

const fn condition(state: char) -> Condition {
    match state {
        'T' => Condition::Halted,
        'Z' | 'X' | 'x' => Condition::Gone,
        _ => Condition::Running,
    }
}

/// Asks `/proc` where there is one, and `ps` elsewhere.
fn look(pid: Pid) -> Option<Seen> {
    let id = pid.as_raw_nonzero();
    if Path::new("/proc/self/stat").exists() {
        return parse_stat(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?);
    }
    let id = id.to_string();
    let output =
        Command::new("ps").args(["-o", "state=", "-o", "lstart=", "-p", &id]).output().ok()?;
    parse_ps(&String::from_utf8_lossy(&output.stdout))
}

/// State and start time, fields 3 and 22. The name before them is in brackets and may hold
/// anything.
fn parse_stat(text: &str) -> Option<Seen> {
    let (_, after) = text.rsplit_once(')')?;
    let mut fields = after.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some(Seen { state, birth: fields.nth(18)?.to_owned() })
}

fn parse_ps(text: &str) -> Option<Seen> {
    let (state, birth) = text.trim().split_once(char::is_whitespace)?;
    Some(Seen { state: state.chars().next()?, birth: birth.trim().to_owned() })
}

#[cfg(test)]
mod tests;
