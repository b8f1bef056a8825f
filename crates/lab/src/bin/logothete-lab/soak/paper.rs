//! The report of a soak: a summary, and a folder within for each of the first seeds that failed.

use lab::render::{Dossier, Mark, Paper, Part, Section};
use lab::{Options, Property, QuorumRule, Recorder};

use super::{FAILURES_MAX, Failure, Plans, RUNS_LISTED, Summary};
use crate::cli::Soak;
use crate::folder::Place;
use crate::output::many;
use crate::{output, replay};

/// How many of the seeds that failed are run again with a recorder.
const RECORDED_MAX: usize = 5;

/// How many broken properties of one seed, and how many seeds without a conclusion, the page tells of.
const BROKEN_LISTED: usize = 5;
const UNFINISHED_LISTED: usize = 20;

/// How many of the seeds that failed stand beside the verdict; all have a place of their own below.
const DETAILS_MAX: usize = 3;

/// What the folder is called.
pub(super) fn name(arguments: &Soak) -> String {
    let kind = match (&arguments.plan, arguments.liars) {
        (Some(_), _) => "-plan",
        (None, true) => "-liars",
        (None, false) => "",
    };
    format!("soak{kind}-{}", arguments.from)
}

/// Writes it.
pub(super) fn write(
    place: Place,
    summary: &Summary,
    arguments: &Soak,
    plans: &Plans,
) -> Result<(), String> {
    let draft = place.draft()?;
    let mut pages = Vec::new();
    for failure in summary.failures.iter().take(RECORDED_MAX) {
        output::complain(&format!("seed {} is run again, and recorded", failure.seed));
        let files = record(failure, arguments, plans).files();
        pages.push(draft.add_failed(failure.seed, files)?);
    }
    let runs = summary.first.values();
    draft.add(paper(summary, arguments, plans, &pages).files(summary, "runs of a soak", runs))?;
    draft.finish()
}

/// Runs a seed that failed again, and keeps what happens.
fn record(failure: &Failure, arguments: &Soak, plans: &Plans) -> Dossier {
    // The command of who saved a smaller plan names that one.
    let saved = failure.plan.clone().filter(|_| arguments.save.is_some());
    let (seed, plan) = (failure.seed, saved.unwrap_or_else(|| plans.of(failure.seed)));
    let recorder = Recorder::default();
    let options = Options { recorder: Some(recorder.clone()), ..Options::default() };
    let traitors = replay::traitors(&plan, &options);
    let report = lab::run(&plan, seed, options);
    Dossier {
        title: "replay".to_owned(),
        command: failure.replay.clone(),
        plan,
        quorum: QuorumRule::Kept,
        report,
        recording: recorder.recording(),
        traitors,
        question: None,
        agreement: None,
    }
}

fn paper(summary: &Summary, arguments: &Soak, plans: &Plans, pages: &[String]) -> Paper {
    let Summary { runs, held, violated, inconclusive, .. } = summary;
    let (mark, verdict) = match (violated, inconclusive) {
        (0, 0) => (Mark::Held, format!("Every property held in {}", many(*runs, "run"))),
        (0, _) => (Mark::Inconclusive, format!("{inconclusive} of {runs} runs came to no end")),
        (_, _) => (Mark::Violated, format!("Properties were broken in {violated} of {runs} runs")),
    };
    let details = summary.failures.iter().take(DETAILS_MAX).filter_map(|failure| {
        Some(format!("seed {}: {}", failure.seed, failure.violations.first()?))
    });
    Paper {
        title: format!("soak of {} from {}", many(arguments.seeds, "seed"), arguments.from),
        mark,
        verdict,
        details: details.collect(),
        command: repeat(arguments),
        sections: vec![
            setting(summary, arguments),
            checked(),
            Section::new("What came out", vec![Part::Figures(figures(summary, *held))]),
            failed(summary, plans, pages),
            unfinished(summary),
        ],
    }
}

/// The command that repeats it.
fn repeat(arguments: &Soak) -> String {
    let mut command =
        format!("logothete-lab soak --seeds {} --from {}", arguments.seeds, arguments.from);
    if let Some(path) = &arguments.plan {
        command += &format!(" --plan {}", path.display());
    }
    command + &replay::networks(&arguments.replicas, arguments.liars)
}

fn setting(summary: &Summary, arguments: &Soak) -> Section {
    let what = match &arguments.plan {
        Some(path) => format!(
            "The plan {} on every seed: the seed decides how long messages take, which are lost, and what a disk forgets.",
            path.display()
        ),
        None => "From each seed a network is drawn, with its rules, links, disks, clients, and what breaks in it and when."
            .to_owned(),
    };
    let liars = if arguments.liars {
        "In every run one to t replicas lie."
    } else {
        "Nobody lies but where a plan says so."
    };
    let listed = summary.first.len();
    let mut lines = vec![
        what,
        liars.to_owned(),
        format!(
            "{} of {}, the first of them {}.",
            many(summary.runs, "run"),
            many(arguments.seeds, "seed"),
            arguments.from
        ),
        "Expected: every property holds in every run, unless a plan does more than the protocol bears.".to_owned(),
        "The same seed gives the same run, byte for byte.".to_owned(),
        format!(
            "trace.jsonl lists what came of the first {listed} seeds, of {RUNS_LISTED} at most."
        ),
    ];
    if summary.runs < arguments.seeds {
        lines.push(format!("After {FAILURES_MAX} seeds that failed the rest was not run."));
    }
    Section::new("What was run", vec![Part::List(lines)])
}

fn checked() -> Section {
    // A soak starves nobody, and the bound of L1 has the timeouts of L2 in it.
    let checked = Property::ALL.iter().filter(|it| !matches!(it, Property::L2 | Property::L5));
    let lines = checked.map(|property| format!("{property}: {}", property.promise())).collect();
    let how = "In every run, by code that shares nothing with what it checks:";
    Section::new("What was checked", vec![Part::Text(how.to_owned()), Part::List(lines)])
}

fn figures(summary: &Summary, held: u64) -> Vec<(String, String)> {
    let figures = [
        ("runs", summary.runs.to_string()),
        ("in which every property held", held.to_string()),
        ("in which one was broken", summary.violated.to_string()),
        ("without a conclusion", summary.inconclusive.to_string()),
        (
            "that signed with Ed25519, the others with a keyed hash",
            summary.ed25519_runs.to_string(),
        ),
        ("heights committed", summary.heights.to_string()),
        ("events", summary.events.to_string()),
        ("messages", summary.messages.to_string()),
        ("processes started", summary.starts.to_string()),
        ("blocks fetched from others", summary.fetched.to_string()),
        ("journals rewritten", summary.pruned.to_string()),
        ("faults, by kind", output::counts(&summary.faults)),
        ("not acted upon, by reason", output::counts(&summary.ignored)),
        ("virtual time", format!("{} s", summary.virtual_seconds)),
        (
            "time",
            format!("{:.1} s, {:.1} seeds a second", summary.seconds, summary.seeds_per_second),
        ),
    ];
    figures.map(|(name, figure)| (name.to_owned(), figure)).to_vec()
}

/// The seeds that broke something.
fn failed(summary: &Summary, plans: &Plans, pages: &[String]) -> Section {
    let mut parts = Vec::new();
    let mut pages = pages.iter();
    for Failure { seed, violations, replay, plan } in &summary.failures {
        parts.push(Part::Heading(format!("Seed {seed}")));
        let listed = violations.iter().take(BROKEN_LISTED);
        parts.push(Part::List(listed.map(ToString::to_string).collect()));
        let more = violations.len().saturating_sub(BROKEN_LISTED);
        if more > 0 {
            parts.push(Part::Text(format!("{more} more are in report.json.")));
        }
        let all = plans.of(*seed).faults.len();
        if let Some(enough) = plan.as_ref().map(|plan| plan.faults.len()).filter(|it| *it < all) {
            parts.push(Part::Text(format!(
                "Of the {all} faults of its plan {enough} are enough: the smaller plan is in report.json."
            )));
        }
        parts.push(Part::Command(replay.clone()));
        parts.extend(pages.next().map(|to| Part::Link {
            to: to.clone(),
            text: format!("The run of seed {seed}, message by message"),
        }));
    }
    if parts.is_empty() {
        parts.push(Part::Text("None.".to_owned()));
    }
    Section::new("Seeds that failed", parts)
}

/// The seeds on which nothing was concluded.
fn unfinished(summary: &Summary) -> Section {
    let seeds: Vec<String> =
        summary.unfinished.iter().take(UNFINISHED_LISTED).map(u64::to_string).collect();
    let more = summary.unfinished.len().saturating_sub(UNFINISHED_LISTED);
    let text = match (seeds.as_slice(), more) {
        ([], _) => "None.".to_owned(),
        (seeds, 0) => format!("{}.", seeds.join(", ")),
        (seeds, more) => format!("{}, and {more} more in report.json.", seeds.join(", ")),
    };
    Section::new("Seeds without a conclusion", vec![Part::Text(text)])
}
