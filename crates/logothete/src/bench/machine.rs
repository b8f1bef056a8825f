//! What this machine is, what the run took of it, and what its limits are. Linux only: it reads
//! `/proc`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crypto::digest::{Domain, digest_of};
use crypto::keys::{SecretKey, Signer};
use crypto::verify::{Claim, batch_holds};
use serde::Serialize;

/// Clock ticks a second in `/proc`: fixed by Linux for programs, whatever the kernel's own tick is.
const TICKS_PER_SECOND: u64 = 100;
/// Claims of one measured batch.
const CLAIMS: usize = 1_024;
/// How long each limit is measured.
const MEASURE: Duration = Duration::from_millis(600);

/// The machine.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    /// Processors that this process may use.
    pub(crate) cores: usize,
    /// The processor's own name.
    pub(crate) processor: String,
    /// Signatures that one core verifies in a second, in batches with distinct keys.
    pub(crate) verifications_per_second_per_core: u64,
    /// Median of one append of 4 KiB with `fdatasync`, in microseconds.
    pub(crate) fdatasync_us_p50: u64,
    /// 99th percentile of the same.
    pub(crate) fdatasync_us_p99: u64,
}

/// What processes have used so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// Processor time of the named processes, in milliseconds.
    pub(crate) processes_cpu_ms: u64,
    /// Processor time of this process, in milliseconds.
    pub(crate) own_cpu_ms: u64,
    /// Processor time of the whole machine that was not idle, in milliseconds.
    pub(crate) machine_cpu_ms: u64,
    /// The most memory that one of the named processes held at a time, in bytes.
    pub(crate) memory_bytes_max: u64,
}

impl Machine {
    /// Measures this machine, writing a scratch file below `folder`.
    ///
    /// # Errors
    ///
    /// Fails when the scratch file cannot be written.
    pub(crate) fn measure(folder: &Path) -> io::Result<Self> {
        let (fdatasync_us_p50, fdatasync_us_p99) = measure_sync(folder)?;
        Ok(Self {
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get),
            processor: processor(),
            verifications_per_second_per_core: measure_verification(),
            fdatasync_us_p50,
            fdatasync_us_p99,
        })
    }
}

impl Usage {
    /// What these processes, this one and the machine have used until now.
    pub(crate) fn now(pids: &[u32]) -> Self {
        Self {
            processes_cpu_ms: pids.iter().map(|pid| cpu_ms(&pid.to_string())).sum(),
            own_cpu_ms: cpu_ms("self"),
            machine_cpu_ms: machine_cpu_ms(),
            memory_bytes_max: pids.iter().map(|pid| memory_bytes(*pid)).max().unwrap_or(0),
        }
    }

    /// What was used between `earlier` and this.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            processes_cpu_ms: self.processes_cpu_ms.saturating_sub(earlier.processes_cpu_ms),
            own_cpu_ms: self.own_cpu_ms.saturating_sub(earlier.own_cpu_ms),
            machine_cpu_ms: self.machine_cpu_ms.saturating_sub(earlier.machine_cpu_ms),
            memory_bytes_max: self.memory_bytes_max,
        }
    }
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split_once(':'))
        .map_or_else(|| "unknown".to_owned(), |(_, name)| name.trim().to_owned())
}

/// User and system time from `/proc/PID/stat`, whose second field may hold spaces and ends with the
/// last `)`.
fn cpu_ms(process: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    ticks.saturating_mul(1_000 / TICKS_PER_SECOND)
}

/// All but idle and waiting for disks, from the first line of `/proc/stat`.
fn machine_cpu_ms() -> u64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields: Vec<u64> = text
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .take(8)
        .filter_map(|field| field.parse().ok())
        .collect();
    let idle: u64 = fields.iter().skip(3).take(2).sum();
    let ticks = fields.iter().sum::<u64>().saturating_sub(idle);
    ticks.saturating_mul(1_000 / TICKS_PER_SECOND)
}

fn memory_bytes(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0).saturating_mul(1_024)
}

/// Signatures of distinct keys verified in batches, as a validator does it.
fn measure_verification() -> u64 {
    let claims: Vec<Claim> = (0..CLAIMS)
        .map(|index| {
            let number = u64::try_from(index).unwrap_or(0);
            let message = digest_of(Domain::SeedDerivation, &number);
            let key = SecretKey::from_seed(*message.as_bytes());
            Claim { key: Signer::public_key(&key), message, signature: key.sign(&message) }
        })
        .collect();
    let begin = Instant::now();
    let mut verified: u64 = 0;
    while begin.elapsed() < MEASURE {
        if !batch_holds(&claims) {
            return 0;
        }
        verified = verified.saturating_add(u64::try_from(CLAIMS).unwrap_or(0));
    }
    per_second(verified, begin.elapsed())
}

fn measure_sync(folder: &Path) -> io::Result<(u64, u64)> {
    let path = folder.join("sync.scratch");
    let mut file = File::create(&path)?;
    let mut times = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < MEASURE {
        let one = Instant::now();
        file.write_all(&[0; 4_096])?;
        file.sync_data()?;
        times.push(u64::try_from(one.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    drop(file);
    fs::remove_file(&path)?;
    times.sort_unstable();
    Ok((percentile(&times, 50), percentile(&times, 99)))
}

/// `count` in `elapsed`, for each second.
pub(crate) fn per_second(count: u64, elapsed: Duration) -> u64 {
    let micros = elapsed.as_micros().max(1);
    u64::try_from(u128::from(count).saturating_mul(1_000_000) / micros).unwrap_or(u64::MAX)
}

/// The value that `percent` of these sorted values do not exceed; 0 for none.
pub(crate) fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = sorted.len().saturating_mul(percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or(0)
}

/// Bytes of all files below a folder.
pub(crate) fn folder_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests;
