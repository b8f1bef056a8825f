//! Processes that are not our children.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Whether a process with this id is there and has not ended. One that has ended and was not waited
/// for by its parent is gone.
pub fn is_alive(pid: u32) -> bool {
    let Ok(text) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    let state = text.rsplit_once(')').and_then(|(_, after)| after.trim_start().chars().next());
    state.is_some_and(|state| !"ZXx".contains(state))
}

/// Sends a signal to a process of ours and says whether it was still there.
pub fn signal(pid: u32, signal: Signal) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| kill_process(pid, signal).is_ok())
}

/// How long the thread of this process that waited most has waited for a processor, in all: what a
/// loaded machine took from it. Zero where the system does not tell.
pub fn waited(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let waited = threads.filter_map(|thread| {
        // Time on a processor, time waited for one, both in nanoseconds, and how often.
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().nth(1)?.parse().ok()
    });
    Duration::from_nanos(waited.max().unwrap_or(0))
}
