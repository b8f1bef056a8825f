//! Many runs: every thread takes the next seed that nobody has taken.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use indicatif::{ProgressBar, ProgressStyle};
use lab::render::Mark;
use lab::shrink::shrink;
use lab::{Limits, Options, Plan, Property, Report, Verdict, Violation};
use serde::Serialize;

use crate::cli::Soak;
use crate::output::to_json;
use crate::replay::{limits, read};
use crate::{Outcome, output};

mod paper;

/// After so many failing seeds the rest is not run: there is enough to look at.
const FAILURES_MAX: usize = 10;

/// What came of all runs.
#[derive(Debug, Default, Serialize)]
struct Summary {
    runs: u64,
    held: u64,
    violated: u64,
    inconclusive: u64,
    ed25519_runs: u64,
    heights: u64,
    events: u64,
    messages: u64,
    starts: u64,
    fetched: u64,
    pruned: u64,
    virtual_seconds: u64,
    seconds: f64,
    seeds_per_second: f64,
    faults: BTreeMap<&'static str, u64>,
    ignored: BTreeMap<&'static str, u64>,
    failures: Vec<Failure>,
    unfinished: Vec<u64>,
    /// What came of each of the first seeds.
    #[serde(skip)]
    first: BTreeMap<u64, Run>,
}

/// How many runs are listed one by one, those of the lowest seeds: what a summary keeps does not grow with the seeds.
const RUNS_LISTED: usize = 10_000;

/// What came of one run, as it is listed.
#[derive(Debug, Serialize)]
struct Run {
    seed: u64,
    verdict: Mark,
    replicas: u16,
    heights: u64,
    messages: u64,
    virtual_ms: u64,
    trace: String,
}

/// What the seeds are run on.
enum Plans {
    /// Each on a plan of its own.
    Drawn(Limits),
    /// All on this one.
    One(Box<Plan>),
}

impl Plans {
    fn of(&self, seed: u64) -> Plan {
        match self {
            Self::Drawn(limits) => Plan::random(seed, limits),
            Self::One(plan) => (**plan).clone(),
        }
    }
}

/// A seed that broke something.
#[derive(Debug, Serialize)]
struct Failure {
    seed: u64,
    violations: Vec<Violation>,
    replay: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<Plan>,
}

pub(crate) fn soak(arguments: &Soak) -> Result<Outcome, String> {
    let place = arguments.folder.place(&paper::name(arguments))?;
    let plans = match &arguments.plan {
        Some(path) => Plans::One(Box::new(read(path)?)),
        None => Plans::Drawn(limits(&arguments.replicas, arguments.liars)),
    };
    #[expect(clippy::disallowed_types, reason = "how long the lab takes is no part of any run")]
    let begin = std::time::Instant::now();
    let mut summary = run_all(arguments, &plans)?;
    summary.seconds = begin.elapsed().as_secs_f64();
    let runs = u32::try_from(summary.runs).unwrap_or(u32::MAX);
    summary.seeds_per_second = f64::from(runs) / summary.seconds.max(f64::EPSILON);
    for failure in &mut summary.failures {
        finish(failure, arguments, &plans)?;
    }
    if arguments.json {
        output::tell(&to_json(&summary)?);
    } else {
        output::tell(&describe(&summary));
    }
    if let Some(place) = place {
        paper::write(place, &summary, arguments, &plans)?;
    }
    Ok(match &summary {
        Summary { violated: 1.., .. } => Outcome::Violated,
        Summary { inconclusive: 1.., .. } => Outcome::Inconclusive,
        Summary { .. } => Outcome::Held,
    })
}

fn run_all(arguments: &Soak, plans: &Plans) -> Result<Summary, String> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let jobs = arguments.jobs.map_or(processors, usize::from);
    let next = AtomicU64::new(arguments.from);
    let end = arguments.from.saturating_add(arguments.seeds);
    let bar = bar(arguments.seeds);
    let mut summary = Summary::default();
    thread::scope(|scope| {
        let (reports, received) = mpsc::channel();
        for _ in 0..jobs {
            let (reports, next) = (reports.clone(), &next);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        break;
                    }
                    let plan = plans.of(seed);
                    if reports.send(lab::run(&plan, seed, Options::default())).is_err() {
                        break;
                    }
                }
            });
        }
        drop(reports);
        for report in received {
            summary.add(report);
            bar.set_position(summary.runs);
            bar.set_message(format!("{} broken", summary.violated));
            if summary.failures.len() >= FAILURES_MAX {
                next.store(end, Ordering::Relaxed);
            }
        }
    });
    bar.finish_and_clear();
    summary.failures.sort_by_key(|failure| failure.seed);
    Ok(summary)
}

fn bar(seeds: u64) -> ProgressBar {
    let bar = ProgressBar::new(seeds);
    let template = "{bar:40} {human_pos}/{human_len} seeds  {per_sec}  {eta} left  {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

impl Summary {
    fn add(&mut self, report: Report) {
        self.list(&report);
        self.runs += 1;
        self.heights += report.heights;
        self.events += report.events;
        self.messages += report.messages;
        self.starts += report.starts;
        self.fetched += report.fetched;
        self.pruned += report.pruned;
        self.virtual_seconds += report.virtual_ms / 1_000;
        self.ed25519_runs += u64::from(report.signer == lab::keys::SignerKind::Ed25519);
        for (kind, count) in report.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        for (reason, count) in report.ignored {
            *self.ignored.entry(reason).or_default() += count;
        }
        match report.verdict {
            Verdict::Held => self.held += 1,
            Verdict::Inconclusive(_) => {
                self.inconclusive += 1;
                self.unfinished.push(report.seed);
            }
            Verdict::Violated(violations) => {
                self.violated += 1;
                let replay = format!("logothete-lab replay {}", report.seed);
                let seed = report.seed;
                self.failures.push(Failure { seed, violations, replay, plan: None });
            }
        }
    }
}

impl Summary {
    fn list(&mut self, report: &Report) {
        let Report { seed, replicas, heights, messages, virtual_ms, .. } = *report;
        let (verdict, trace) = ((&report.verdict).into(), report.trace.clone());
        let run = Run { seed, verdict, replicas, heights, messages, virtual_ms, trace };
        self.first.insert(seed, run);
        if self.first.len() > RUNS_LISTED {
            self.first.pop_last();
        }
    }
}

/// Makes the plan of a failing seed smaller, and writes it down.
fn finish(failure: &mut Failure, arguments: &Soak, plans: &Plans) -> Result<(), String> {
    if !arguments.replicas.is_empty() {
        let given: Vec<String> = arguments.replicas.iter().map(u16::to_string).collect();
        failure.replay = format!("{} --replicas {}", failure.replay, given.join(","));
    }
    if arguments.liars {
        failure.replay.push_str(" --liars");
    }
    if let Some(path) = &arguments.plan {
        failure.replay = format!("{} --plan {}", failure.replay, path.display());
    }
    let plan = plans.of(failure.seed);
    let property = failure.violations.first().map(|first| first.property);
    let plan = match property {
        Some(property) if !arguments.no_shrink => smaller(&plan, failure.seed, property),
        Some(_) | None => plan,
    };
    if let Some(folder) = &arguments.save {
        let path = write(folder, failure.seed, &plan)?;
        failure.replay = format!("logothete-lab replay {} --plan {path}", failure.seed);
    }
    failure.plan = Some(plan);
    Ok(())
}

fn smaller(plan: &Plan, seed: u64, property: Property) -> Plan {
    output::complain(&format!("seed {seed} broke {property}; making its plan smaller"));
    shrink(plan, seed, property).plan
}

fn write(folder: &Path, seed: u64, plan: &Plan) -> Result<String, String> {
    let path = folder.join(format!("seed-{seed}.json"));
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&path, to_json(plan).unwrap_or_default()));
    written.map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(path.display().to_string())
}

fn describe(summary: &Summary) -> String {
    let mut lines = vec![
        format!(
            "{} runs ({} with Ed25519): {} held, {} broken, {} without conclusion",
            summary.runs,
            summary.ed25519_runs,
            summary.held,
            summary.violated,
            summary.inconclusive
        ),
        format!(
            "{} heights, {} events, {} messages, {} virtual seconds",
            summary.heights, summary.events, summary.messages, summary.virtual_seconds
        ),
        format!(
            "{} starts, {} blocks fetched, {} journals rewritten",
            summary.starts, summary.fetched, summary.pruned
        ),
        format!("faults: {}", output::counts(&summary.faults)),
        format!("not acted upon: {}", output::counts(&summary.ignored)),
        format!("{:.1} seconds, {:.1} seeds a second", summary.seconds, summary.seeds_per_second),
    ];
    for failure in &summary.failures {
        lines.push(String::new());
        let violations = failure.violations.iter();
        lines.extend(violations.map(|violation| format!("broken: {violation}")));
        let faults = failure.plan.as_ref().map_or(0, |plan| plan.faults.len());
        lines.push(format!("  seed {}, {faults} faults are enough", failure.seed));
        lines.push(format!("  {}", failure.replay));
    }
    lines.join("\n")
}
