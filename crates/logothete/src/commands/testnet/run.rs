//! `testnet run`: a scenario with real processes.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use scenario::{Judgement, Scenario, Seen, judge, shipped};
use serde::Serialize;

use crate::cli::RunArguments;
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::output::{BAD, BOLD, DIM, GOOD, Output, Report, styled};
use crate::play::{self, Played};
use crate::scratch::Scratch;

/// From here on what a run says about time is doubtful.
const STARVED_MS_MANY: u64 = 500;

/// Plays a scenario and says whether it went as expected; without a name, lists those that come with the program.
///
/// # Errors
///
/// [`Exit::Usage`] when there is no such scenario or the file does not hold; else as [`play::play`]. That something is
/// not as expected is a result, with [`Exit::Fault`].
pub(super) fn run(
    dir: Option<&Path>,
    arguments: &RunArguments,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let wrong = |errors: scenario::ScenarioErrors| Failure::new(Exit::Usage, errors.to_string());
    let Some(name) = &arguments.scenario else {
        output.result(&Shipped::new(&shipped::all().map_err(wrong)?))?;
        return Ok(Exit::Done);
    };
    let scenario = find(name)?;
    play::must_fit(&scenario, arguments.one_more)?;
    let interrupt =
        Interrupt::install().map_err(|cause| Failure::fault("cannot take signals", &cause))?;
    let folder = Folder::new(dir)?;
    output.notice(format_args!("{}: {}", scenario.name, scenario.title));
    let n = scenario.network.validators;
    output.notice(format_args!(
        "playing it with {n} validators, for some {} s",
        scenario.run_ms / 1_000
    ));
    let played = play::play(&scenario, arguments.one_more, folder.path(), &interrupt)?;
    let mut report = RunReport::new(&scenario, arguments.one_more, played);
    let met = report.judgement.as_expected;
    report.directory = folder.end(!met);
    if report.starved_ms >= STARVED_MS_MANY {
        output.warning(format_args!(
            "a validator waited {} ms for a processor: a run on a computer that does less says \
             more about times",
            report.starved_ms
        ));
    }
    output.result(&report)?;
    Ok(if met { Exit::Done } else { Exit::Fault })
}

/// A shipped scenario by its name, another by its file.
fn find(name: &str) -> Result<Scenario, Failure> {
    let wrong = |errors: scenario::ScenarioErrors| {
        Failure::new(Exit::Usage, errors.to_string())
            .with_hint("`logothete testnet run` lists the scenarios that there are")
    };
    if !name.contains(['/', '.']) {
        return shipped::find(name).map_err(wrong);
    }
    let path = Path::new(name);
    let text = fs::read_to_string(path).map_err(|cause| Failure::file("read", path, &cause))?;
    Scenario::parse(name, &text).map_err(wrong)
}

/// Where a scenario is played.
enum Folder {
    /// The directory that was named.
    Named(PathBuf),
    /// One of this run's own.
    Temporary(Scratch),
}

impl Folder {
    /// The directory that was named, else a temporary one.
    fn new(dir: Option<&Path>) -> Result<Self, Failure> {
        let Some(dir) = dir else {
            return Scratch::new(&std::env::temp_dir(), "run").map(Self::Temporary);
        };
        fs::create_dir_all(dir).map_err(|cause| Failure::file("make", dir, &cause))?;
        let path = fs::canonicalize(dir).map_err(|cause| Failure::file("find", dir, &cause))?;
        Ok(Self::Named(path))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Named(path) => path,
            Self::Temporary(scratch) => scratch.path(),
        }
    }

    /// Deletes a temporary one, unless there is something to be looked at. Gives it if it stays.
    fn end(self, keep: bool) -> Option<PathBuf> {
        match self {
            Self::Named(path) => Some(path),
            Self::Temporary(scratch) => keep.then(|| scratch.keep()),
        }
    }
}

/// What came of a run.
#[derive(Debug, Serialize)]
struct RunReport {
    scenario: String,
    one_more: bool,
    #[serde(flatten)]
    judgement: Judgement,
    seen: Seen,
    /// How long a validator waited for a processor: what the computer took from it.
    starved_ms: u64,
    /// Where the testnet is, if it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<PathBuf>,
}

impl RunReport {
    /// Judges a run.
    fn new(scenario: &Scenario, one_more: bool, Played { seen, starved_ms }: Played) -> Self {
        Self {
            scenario: scenario.name.clone(),
            one_more,
            judgement: judge(scenario, one_more, &seen),
            seen,
            starved_ms,
            directory: None,
        }
    }
}

impl Report for RunReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let text = self.judgement.to_string();
        let (head, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let style = if self.judgement.as_expected { GOOD } else { BAD };
        writeln!(out, "{}", styled(style, head))?;
        if !rest.is_empty() {
            writeln!(out, "{rest}")?;
        }
        let (took, starved) = (self.seen.longest_wait_ms, self.starved_ms);
        let times = format!(
            "the slowest transfer took {took} ms; a validator waited {starved} ms for a processor"
        );
        writeln!(out, "  {}", styled(DIM, times))?;
        if let Some(directory) = &self.directory {
            writeln!(
                out,
                "  {}",
                styled(DIM, format!("it was played in {}", directory.display()))
            )?;
        }
        Ok(())
    }
}

/// The scenarios that come with the program.
#[derive(Debug, Serialize)]
struct Shipped {
    scenarios: Vec<Listed>,
}

/// One of them.
#[derive(Debug, Serialize)]
struct Listed {
    name: String,
    class: &'static str,
    title: String,
    /// Why it cannot be played with real processes, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    lab_only: Option<&'static str>,
}

impl Shipped {
    fn new(all: &[Scenario]) -> Self {
        let listed = |scenario: &Scenario| Listed {
            name: scenario.name.clone(),
            class: scenario.class.name(),
            title: scenario.title.clone(),
            lab_only: play::misfit(scenario, true),
        };
        Self { scenarios: all.iter().map(listed).collect() }
    }
}

impl Report for Shipped {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let widest = self.scenarios.iter().map(|one| one.name.len()).max().unwrap_or_default();
        let mut class = "";
        for Listed { name, class: own, title, lab_only } in &self.scenarios {
            if *own != class {
                writeln!(out, "{}", styled(BOLD, own))?;
                class = *own;
            }
            writeln!(out, "  {name:widest$}  {title}")?;
            if let Some(reason) = lab_only {
                writeln!(out, "  {:widest$}  {}", "", styled(DIM, format!("lab only: {reason}")))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
