//! Replicas that run twice: every thread takes the next piece of work that nobody has taken.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use indicatif::{ProgressBar, ProgressStyle};
use lab::twins::{Failure, Round, Scope, Setup, Tally, play, sample};
use serde::Serialize;

use crate::cli::Twins;
use crate::output::to_json;
use crate::{Outcome, output};

mod paper;

/// Something that one thread does at a time.
enum Job {
    /// Every schedule of a scope that begins with this round.
    Explore(Scope, Round),
    /// The schedules of these seeds.
    Sample { replicas: u16, views: u16, seeds: std::ops::Range<u64> },
}

/// How many seeds one thread takes at a time.
const SEEDS_A_JOB: u64 = 64;

/// What came of it.
#[derive(Debug, Serialize)]
struct Summary {
    #[serde(flatten)]
    tally: Tally,
    committing: u64,
    repeat: Vec<String>,
    seconds: f64,
}

pub(crate) fn twins(arguments: &Twins) -> Result<Outcome, String> {
    let place = arguments.folder.place(&paper::name(arguments))?;
    #[expect(clippy::disallowed_types, reason = "how long the lab takes is no part of any run")]
    let begin = std::time::Instant::now();
    let tally = match &arguments.schedule {
        Some(text) => play(&setup(arguments, &arguments.twin), &text.parse()?)?,
        None => run_all(&jobs(arguments), arguments)?,
    };
    let repeat = tally.failures.iter().map(repeat).collect();
    let committing = tally.committing();
    let seconds = begin.elapsed().as_secs_f64();
    let summary = Summary { tally, committing, repeat, seconds };
    output::tell(&if arguments.json { to_json(&summary)? } else { describe(&summary) });
    if let Some(place) = place {
        place.write(paper::files(&summary, arguments))?;
    }
    Ok(match &summary.tally {
        Tally { broken: 1.., .. } => Outcome::Violated,
        Tally { unfinished: 1.., .. } => Outcome::Inconclusive,
        Tally { .. } => Outcome::Held,
    })
}

fn setup(arguments: &Twins, twinned: &[u16]) -> Setup {
    let setup = Setup::new(arguments.replicas, twinned.iter().copied());
    Setup { hush: !arguments.hear, ..setup }
}

fn jobs(arguments: &Twins) -> Vec<Job> {
    if let Some(samples) = arguments.samples {
        let end = arguments.seed.saturating_add(samples);
        let count = usize::try_from(SEEDS_A_JOB).unwrap_or(usize::MAX);
        let starts = (arguments.seed..end).step_by(count);
        let job = |start: u64| Job::Sample {
            replicas: arguments.replicas,
            views: arguments.views,
            seeds: start..end.min(start.saturating_add(SEEDS_A_JOB)),
        };
        return starts.map(job).collect();
    }
    let each: Vec<Vec<u16>> = if arguments.twin.is_empty() {
        (0..arguments.replicas).map(|twin| vec![twin]).collect()
    } else {
        vec![arguments.twin.clone()]
    };
    let scope = |twinned: Vec<u16>| {
        let setup = setup(arguments, &twinned);
        let scope = Scope::partitions(setup, arguments.views.into(), arguments.sets);
        if arguments.commits {
            Scope { rounds: Round::with_commits(&scope.rounds), ..scope }
        } else {
            scope
        }
    };
    let begin = |scope: Scope| {
        let rounds = scope.rounds.clone();
        rounds.into_iter().map(move |round| Job::Explore(scope.clone(), round))
    };
    each.into_iter().map(scope).flat_map(begin).collect()
}

fn run(job: &Job) -> Result<Tally, String> {
    match job {
        Job::Explore(scope, round) => scope.explore(std::slice::from_ref(round)),
        Job::Sample { replicas, views, seeds } => {
            let mut tally = Tally::default();
            for seed in seeds.clone() {
                let (setup, schedule) = sample(*replicas, *views, seed);
                tally.add(play(&setup, &schedule)?);
            }
            Ok(tally)
        }
    }
}

fn run_all(jobs: &[Job], arguments: &Twins) -> Result<Tally, String> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = arguments.jobs.map_or(processors, usize::from);
    let next = AtomicUsize::new(0);
    let bar = bar(u64::try_from(jobs.len()).unwrap_or(u64::MAX));
    let mut tallies = BTreeMap::new();
    thread::scope(|scope| {
        let (results, received) = mpsc::channel();
        for _ in 0..threads {
            let (results, next) = (results.clone(), &next);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(number) else {
                        break;
                    };
                    if results.send((number, run(job))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(results);
        for (number, tally) in received {
            tallies.insert(number, tally);
            bar.inc(1);
        }
    });
    bar.finish_and_clear();
    // In the order of the work and not of the threads, so that equal calls say the same.
    let mut sum = Tally::default();
    for tally in tallies.into_values() {
        sum.add(tally?);
    }
    Ok(sum)
}

fn bar(jobs: u64) -> ProgressBar {
    let bar = ProgressBar::new(jobs);
    let template = "{bar:40} {human_pos}/{human_len}  {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// The line that repeats a failure.
fn repeat(failure: &Failure) -> String {
    let twinned: Vec<String> = failure.twinned.iter().map(u16::to_string).collect();
    let hear = if failure.hush { "" } else { " --hear" };
    format!(
        "logothete-lab twins --replicas {} --twin {}{hear} --schedule {}",
        failure.replicas,
        twinned.join(","),
        failure.schedule
    )
}

/// Schedules by a number of something, or that there are none.
fn by_number(counts: &BTreeMap<u64, u64>, unit: &str) -> String {
    let pairs = counts.iter().map(|(number, count)| format!("{number} {unit}: {count}"));
    let pairs: Vec<String> = pairs.collect();
    if pairs.is_empty() { "none".to_owned() } else { pairs.join(", ") }
}

/// How long the healing took, in words.
fn healed(tally: &Tally) -> String {
    if tally.healing.is_empty() {
        return "no schedule came to the end of its healing".to_owned();
    }
    format!("healed after {}", by_number(&tally.healing, "rounds"))
}

fn describe(summary: &Summary) -> String {
    let Summary { tally, committing, repeat, seconds } = summary;
    let mut lines = vec![
        format!(
            "{} schedules, {} rounds, {} messages",
            tally.schedules, tally.rounds, tally.messages
        ),
        format!(
            "while parted: {committing} schedules commit ({}), twins propose two blocks at one \
             height in {}, second proposals and votes refused {} times, a lie proved in {}, \
             somebody retired in {}",
            by_number(&tally.committed, "heights"),
            tally.rivals,
            tally.refused,
            tally.proved,
            tally.retired
        ),
        healed(tally),
        format!("{seconds:.1} seconds"),
    ];
    for (failure, repeat) in tally.failures.iter().zip(repeat) {
        lines.push(String::new());
        if failure.violations.is_empty() {
            lines.push("inconclusive: messages without end".to_owned());
        }
        lines.extend(failure.violations.iter().map(|violation| format!("broken: {violation}")));
        lines.push(format!("  replicas {:?} of {} run twice", failure.twinned, failure.replicas));
        let rounds = failure.rounds.iter().zip(1..);
        lines.extend(rounds.map(|(round, number)| format!("  round {number}: {round}")));
        lines.push(format!("  {repeat}"));
    }
    if tally.broken == 0 && tally.unfinished == 0 {
        lines.push("every property held".to_owned());
    } else {
        lines.push(format!("{} broken, {} unfinished", tally.broken, tally.unfinished));
    }
    lines.join("\n")
}
