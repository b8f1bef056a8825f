//! The report of replicas that ran twice.

use lab::render::{File, Mark, Paper, Part, Section};
use lab::twins::{Failure, Setup, healing_max};
use serde::Serialize;

use super::{Summary, by_number, healed};
use crate::cli::Twins;
use crate::output::many;

/// A line of `trace.jsonl`.
#[derive(Serialize)]
struct Line<'a> {
    repeat: &'a str,
    #[serde(flatten)]
    failure: &'a Failure,
}

/// How many of the schedules that failed stand beside the verdict; the first ten have a place of their own below.
const DETAILS_MAX: usize = 3;

/// What the folder is called.
pub(super) fn name(arguments: &Twins) -> String {
    let Twins { replicas, seed, .. } = arguments;
    match (&arguments.samples, &arguments.schedule) {
        (Some(_), _) => format!("twins-{replicas}-samples-{seed}"),
        (None, Some(schedule)) => format!("twins-{replicas}-{schedule}"),
        (None, None) => format!("twins-{replicas}"),
    }
}

/// The files.
pub(super) fn files(summary: &Summary, arguments: &Twins) -> Result<Vec<File>, serde_json::Error> {
    let tally = &summary.tally;
    let (mark, verdict) = match (tally.broken, tally.unfinished) {
        (0, 0) => {
            (Mark::Held, format!("Every property held in {}", many(tally.schedules, "schedule")))
        }
        (0, open) => (Mark::Inconclusive, format!("{} came to no end", many(open, "schedule"))),
        (broken, _) => (
            Mark::Violated,
            format!("Properties were broken in {broken} of {}", many(tally.schedules, "schedule")),
        ),
    };
    let details = tally.failures.iter().take(DETAILS_MAX).filter_map(|failure| {
        Some(format!("schedule {}: {}", failure.schedule, failure.violations.first()?))
    });
    let paper = Paper {
        title: format!(
            "twins, {} replicas, {}",
            arguments.replicas,
            many(tally.schedules, "schedule")
        ),
        mark,
        verdict,
        details: details.collect(),
        command: repeat(arguments),
        sections: vec![
            setting(arguments),
            Section::new("What came out", vec![Part::Figures(figures(summary))]),
            failed(summary),
        ],
    };
    let lines = tally.failures.iter().zip(&summary.repeat);
    paper.files(
        summary,
        "schedules that failed",
        lines.map(|(failure, repeat)| Line { repeat, failure }),
    )
}

/// The command that repeats it.
fn repeat(arguments: &Twins) -> String {
    let Twins { replicas, views, sets, seed, .. } = arguments;
    let mut command = format!("logothete-lab twins --replicas {replicas}");
    if !arguments.twin.is_empty() {
        let twins: Vec<String> = arguments.twin.iter().map(u16::to_string).collect();
        command += &format!(" --twin {}", twins.join(","));
    }
    match (&arguments.schedule, arguments.samples) {
        (Some(schedule), _) => command += &format!(" --schedule {schedule}"),
        (None, Some(samples)) => {
            command += &format!(" --views {views} --samples {samples} --seed {seed}");
        }
        (None, None) => command += &format!(" --views {views} --sets {sets}"),
    }
    for (given, flag) in [(arguments.commits, " --commits"), (arguments.hear, " --hear")] {
        if given {
            command += flag;
        }
    }
    command
}

fn setting(arguments: &Twins) -> Section {
    let Twins { replicas, views, sets, .. } = arguments;
    let who = match (arguments.samples, arguments.twin.as_slice()) {
        (Some(_), _) => {
            "Replicas drawn from the seed run twice, as many as may lie at most.".to_owned()
        }
        (None, []) => "Each replica in its turn runs twice.".to_owned(),
        (None, twins) => {
            let twins: Vec<String> = twins.iter().map(u16::to_string).collect();
            format!("These replicas run twice: {}.", twins.join(", "))
        }
    };
    let which = match (&arguments.schedule, arguments.samples) {
        (Some(schedule), _) => format!("One schedule: {schedule}."),
        (None, Some(samples)) => {
            format!("{samples} schedules of up to {views} rounds, each drawn from its own seed.")
        }
        (None, None) => format!(
            "Every schedule of {}, in each of which the processes are parted into up to {sets} sets.",
            many((*views).into(), "round")
        ),
    };
    let borne = Setup::twinned_max(*replicas);
    let expected = if arguments.twin.len() > borne.into() {
        format!(
            "Expected: nothing is promised. {replicas} replicas bear {borne} that lie, and more run twice."
        )
    } else {
        format!(
            "Expected: every property holds. {replicas} replicas bear {borne} that lie, and no more run twice."
        )
    };
    let lines = vec![
        format!(
            "{replicas} replicas. A replica that runs twice is two honest processes with one key: together they do what a \
             liar would."
        ),
        who,
        which,
        format!(
            "Then everybody hears everybody, and within {} rounds all requests must be committed. The checker of all runs \
             watches from the beginning.",
            healing_max(*replicas)
        ),
        expected,
    ];
    Section::new("What was run", vec![Part::List(lines)])
}

fn figures(summary: &Summary) -> Vec<(String, String)> {
    let Summary { tally, committing, seconds, .. } = summary;
    let figures = [
        ("schedules", tally.schedules.to_string()),
        ("rounds, shared ones counted once", tally.rounds.to_string()),
        ("messages", tally.messages.to_string()),
        ("schedules that commit while parted", committing.to_string()),
        ("schedules by the height committed while parted", by_number(&tally.committed, "heights")),
        ("schedules in which twins propose two blocks at one height", tally.rivals.to_string()),
        ("second proposals and votes refused", tally.refused.to_string()),
        ("schedules in which a lie was proved", tally.proved.to_string()),
        ("schedules in which somebody retired", tally.retired.to_string()),
        ("healing", healed(tally)),
        ("schedules that broke something", tally.broken.to_string()),
        ("schedules without a conclusion", tally.unfinished.to_string()),
        ("time", format!("{seconds:.1} s")),
    ];
    figures.map(|(name, figure)| (name.to_owned(), figure)).to_vec()
}

fn failed(summary: &Summary) -> Section {
    let mut parts = Vec::new();
    for (failure, repeat) in summary.tally.failures.iter().zip(&summary.repeat) {
        let Failure { twinned, schedule, rounds, violations, .. } = failure;
        let twins: Vec<String> = twinned.iter().map(u16::to_string).collect();
        parts.push(Part::Heading(format!("Schedule {schedule}, twice: {}", twins.join(", "))));
        let broken = violations.iter().map(ToString::to_string);
        let none = "No conclusion: messages without end.".to_owned();
        let broken: Vec<String> = broken.collect();
        parts.push(Part::List(if broken.is_empty() { vec![none] } else { broken }));
        let rounds =
            (1_u64..).zip(rounds).map(|(number, round)| format!("round {number}: {round}"));
        parts.push(Part::List(rounds.collect()));
        parts.push(Part::Command(repeat.clone()));
    }
    let told = u64::try_from(summary.tally.failures.len()).unwrap_or(u64::MAX);
    let all = summary.tally.broken.saturating_add(summary.tally.unfinished);
    if all == 0 {
        parts.push(Part::Text("None.".to_owned()));
    } else if all > told {
        parts.push(Part::Text(format!("{} more failed.", all.saturating_sub(told))));
    }
    Section::new("Schedules that failed", parts)
}
