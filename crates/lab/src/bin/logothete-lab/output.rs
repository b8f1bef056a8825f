//! What is printed, and where.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write;

use lab::{Report, Verdict};

use crate::Outcome;

/// A result.
pub(crate) fn tell(text: &str) {
    // Who closed the other end does not want to read on. Colour goes to terminals alone.
    writeln!(anstream::stdout(), "{text}").ok();
}

/// Anything else.
pub(crate) fn complain(text: &str) {
    writeln!(std::io::stderr(), "{text}").ok();
}

/// A run, for people.
pub(crate) fn describe(report: &Report) -> String {
    let Report { seed, replicas, heights, events, virtual_ms, trace, .. } = report;
    let short: String = trace.chars().take(16).collect();
    let mut lines = vec![format!(
        "seed {seed}: {replicas} replicas, {heights} heights, {events} events, {virtual_ms} ms, \
         trace {short}"
    )];
    match &report.verdict {
        Verdict::Held => lines.push("every property held".to_owned()),
        Verdict::Violated(violations) => {
            lines.extend(violations.iter().map(|violation| format!("broken: {violation}")));
        }
        Verdict::Inconclusive(reason) => lines.push(format!("inconclusive: {reason}")),
    }
    lines.join("\n")
}

/// So many of something, such as `1 seed` or `2 seeds`.
pub(crate) fn many(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Counts, each with its name, or none.
pub(crate) fn counts<K: Display>(counts: &BTreeMap<K, u64>) -> String {
    let pairs: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    if pairs.is_empty() { "none".to_owned() } else { pairs.join(", ") }
}

/// How the process ends after a run.
pub(crate) const fn outcome(verdict: &Verdict) -> Outcome {
    match verdict {
        Verdict::Held => Outcome::Held,
        Verdict::Violated(_) => Outcome::Violated,
        Verdict::Inconclusive(_) => Outcome::Inconclusive,
    }
}

/// A result as JSON, for people as well.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Result<String, String> {
    serde_json::to_string_pretty(value).map_err(|error| format!("cannot write JSON: {error}"))
}
