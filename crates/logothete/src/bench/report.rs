//! What a benchmark found, for people and for scripts.

use std::io::{self, Write};

use serde::Serialize;

use crate::bench::machine::Machine;
use crate::output::{BOLD, DIM, GOOD, Report, styled};

/// Latencies from the intended moment of sending to t + 1 replies, in milliseconds.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Latency {
    /// The median.
    pub(crate) p50: f64,
    /// 95 of 100 are not above it.
    pub(crate) p95: f64,
    /// 99 of 100 are not above it.
    pub(crate) p99: f64,
    /// The greatest.
    pub(crate) max: f64,
}

/// A validator that attacked meanwhile.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Adversary {
    /// Which one.
    pub(crate) name: String,
    /// What it did.
    pub(crate) attacks: Vec<String>,
    /// Whether every other validator ended with a proof of it.
    pub(crate) convicted: bool,
}

/// What all validators agreed on at the end.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Agreement {
    /// The last committed height.
    pub(crate) height: u64,
    /// The id of that block.
    pub(crate) block: String,
    /// The state root after it.
    pub(crate) state_root: String,
    /// The sum of all balances, with its unit.
    pub(crate) supply: String,
}

/// The whole result. Field names are stable.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BenchReport {
    /// Transfers that all validators have, by the seconds from the first moment of sending to the
    /// last report.
    pub(crate) transfers_per_second: u64,
    /// Transfers that all validators have.
    pub(crate) transfers: u64,
    /// Those that were taken in and are not everywhere.
    pub(crate) missing: u64,
    /// From the first moment of sending to the last report.
    pub(crate) seconds: f64,
    /// Transfers a second that were asked for; none when as many as possible.
    pub(crate) rate: Option<u64>,
    /// Of the transfers that t + 1 validators replied for.
    pub(crate) latency_ms: Latency,
    /// Of the transfers that all validators had while the load ran, those after its first third, a second: what is
    /// left of the throughput once an attack has had its answer.
    pub(crate) settled_per_second: u64,
    /// The longest time without a block that all validators have, in milliseconds.
    pub(crate) pause_ms_max: f64,
    /// Validators.
    pub(crate) validators: usize,
    /// Those of them that attacked; every other figure is about the rest.
    pub(crate) adversaries: Vec<Adversary>,
    /// Accounts that send.
    pub(crate) accounts: usize,
    /// Blocks that hold the transfers.
    pub(crate) blocks: u64,
    /// Processor time of all validators for each transfer, in microseconds.
    pub(crate) cpu_us_per_transfer: f64,
    /// Processor time of the benchmark itself for each transfer, in microseconds.
    pub(crate) own_cpu_us_per_transfer: f64,
    /// What else used the machine meanwhile, in percent of one core.
    pub(crate) other_cpu_percent: f64,
    /// Bytes on disk of all validators together.
    pub(crate) disk_bytes: u64,
    /// Appends to all journals, one `fdatasync` each.
    pub(crate) journal_syncs: u64,
    /// Groups of blocks made durable in all stores.
    pub(crate) store_syncs: u64,
    /// The most memory of one validator, in bytes.
    pub(crate) memory_bytes_max: u64,
    /// Requests that validators answered with "too much to do".
    pub(crate) pushed_back: u64,
    /// Transfers that were everywhere, second by second.
    pub(crate) by_second: Vec<u64>,
    /// What all validators agreed on at the end.
    pub(crate) agreement: Agreement,
    /// The machine.
    pub(crate) machine: Machine,
}

impl Report for BenchReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let Latency { p50, p95, p99, max } = self.latency_ms;
        let rate = styled(GOOD, format_args!("{} transfers/s", self.transfers_per_second));
        let asked = self.rate.map_or("as many as possible".to_owned(), |rate| format!("{rate}/s"));
        writeln!(
            out,
            "{rate} committed by all {} {}validators: {} transfers in {:.1} s, {asked} asked for",
            self.validators.saturating_sub(self.adversaries.len()),
            if self.adversaries.is_empty() { "" } else { "honest " },
            self.transfers,
            self.seconds
        )?;
        for Adversary { name, attacks, convicted } in &self.adversaries {
            let proved =
                if *convicted { "proved by all others" } else { "not proved by all others" };
            row(out, "adversary", &format!("{name}: {}, {proved}", attacks.join(" + ")))?;
        }
        let settled = format!(
            "{} transfers/s after the first third; the longest pause {:.0} ms",
            self.settled_per_second, self.pause_ms_max
        );
        row(out, "settled", &settled)?;
        row(out, "latency", &format!("p50 {p50:.1} ms, p95 {p95:.1}, p99 {p99:.1}, max {max:.1}"))?;
        row(out, "blocks", &format!("{}, {} accounts sending", self.blocks, self.accounts))?;
        let cpu = format!(
            "{:.0} µs a transfer over all validators, {:.0} µs the benchmark, others {:.0} % of a core",
            self.cpu_us_per_transfer, self.own_cpu_us_per_transfer, self.other_cpu_percent
        );
        row(out, "processor", &cpu)?;
        let disk = format!(
            "{:.1} MB, {} journal syncs, {} store syncs",
            megabytes(self.disk_bytes),
            self.journal_syncs,
            self.store_syncs
        );
        row(out, "disk", &disk)?;
        row(out, "memory", &format!("{:.0} MB at most", megabytes(self.memory_bytes_max)))?;
        if self.pushed_back > 0 || self.missing > 0 {
            let load =
                format!("{} requests pushed back, {} missing", self.pushed_back, self.missing);
            row(out, "load", &load)?;
        }
        let Agreement { height, block, state_root, supply } = &self.agreement;
        let agreement = format!("height {height}, block {block}");
        row(out, "agreed on", &agreement)?;
        row(out, "", &format!("state {state_root}, supply {supply}"))?;
        let machine = &self.machine;
        let limits = format!(
            "{} × {}; verifies {} signatures/s a core; fdatasync {} µs (p99 {})",
            machine.cores,
            machine.processor,
            machine.verifications_per_second_per_core,
            machine.fdatasync_us_p50,
            machine.fdatasync_us_p99
        );
        writeln!(out, "{}", styled(DIM, format_args!("{:<10} {limits}", "machine")))
    }
}

fn row(out: &mut dyn Write, name: &str, text: &str) -> io::Result<()> {
    writeln!(out, "{} {text}", styled(BOLD, format_args!("{name:<10}")))
}

fn megabytes(bytes: u64) -> f64 {
    thousandths(bytes / 1_000)
}

/// A count of thousandths as a decimal number; exact enough for reading.
pub(crate) fn thousandths(count: u64) -> f64 {
    // One division, so that the nearest number to so many thousandths is found and is written short.
    let whole = u32::try_from(count / 1_000).unwrap_or(u32::MAX);
    let rest = u32::try_from(count % 1_000).unwrap_or(0);
    (f64::from(whole) * 1_000.0 + f64::from(rest)) / 1_000.0
}
