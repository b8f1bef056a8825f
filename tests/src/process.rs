//! Processes that are not our children.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Whether a process with this id is there and has not ended. One that has ended and was not waited
/// for by its parent is gone.
pub fn is_alive(pid: u32) -> bool {
    state(Path::new(&format!("/proc/{pid}"))).is_some_and(|state| !"ZXx".contains(state))
}

/// Whether a process of ours is halted by SIGSTOP, with all its threads.
pub fn is_halted(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    threads.flatten().all(|thread| state(&thread.path()) == Some('T'))
}

/// The state of a process or thread, from its folder under `/proc`.
fn state(folder: &Path) -> Option<char> {
    let text = fs::read_to_string(folder.join("stat")).ok()?;
    text.rsplit_once(')')?.1.trim_start().chars().next()
}

/// Sends a signal to a process of ours and says whether it was still there.
pub fn signal(pid: u32, signal: Signal) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| kill_process(pid, signal).is_ok())
}

/// What Ctrl-C sends. Where it is ignored by this process, and so by the programs that it starts, as a shell has it
/// for what is started with `&`, the next best: SIGTERM.
pub fn interruption() -> Signal {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = text.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    // Signal 1 is the lowest bit.
    if mask >> (Signal::INT.as_raw() - 1) & 1 == 1 { Signal::TERM } else { Signal::INT }
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

/// The most memory that a process has had at a time, in bytes.
///
/// # Panics
///
/// When it is not there.
pub fn peak_bytes(pid: u32) -> u64 {
    memory_bytes(pid, "VmHWM:")
}

/// The memory that a process has now, in bytes.
///
/// # Panics
///
/// When it is not there.
pub fn resident_bytes(pid: u32) -> u64 {
    memory_bytes(pid, "VmRSS:")
}

fn memory_bytes(pid: u32, which: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let bytes = text.lines().find_map(|line| line.strip_prefix(which));
    let bytes = bytes.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    bytes.unwrap_or_else(|| panic!("process {pid} has no {which}")) * 1024
}

/// How long a process has been on a processor, all its threads together.
///
/// # Panics
///
/// When it is not there.
pub fn worked(pid: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    // For itself and in the system, in hundredths of a second.
    let ticks: Option<Vec<u64>> = fields.skip(11).take(2).map(|field| field.parse().ok()).collect();
    let ticks = ticks.filter(|ticks| ticks.len() == 2);
    let ticks = ticks.unwrap_or_else(|| panic!("process {pid} is not there"));
    Duration::from_millis(ticks.iter().sum::<u64>() * 10)
}
