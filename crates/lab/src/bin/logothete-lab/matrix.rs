//! How many traitors a network bears: every thread takes the next cell that nobody has taken.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use anstyle::{AnsiColor, Style};
use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use lab::QuorumRule;
use lab::render::{self, Dossier};
use lab::resilience::{Cell, Found, REPLICAS, Resilience, Strategy, TRAITORS, Trial};

use crate::folder::Folder;
use crate::generals::Rule;
use crate::output::to_json;
use crate::{Outcome, output};

/// See how many traitors a network bears, by its size and by what a quorum is.
///
/// Networks of 3 to 10 replicas, of whom 0 to 3 lie, each with every strategy and on every seed: whether it holds, forks
/// or halts, whether that is what the numbers say, and the command that repeats what broke. It ends with 0 when every
/// network became what it must.
#[derive(Debug, Args)]
pub(crate) struct Matrix {
    /// How many seeds each network is tried on
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// One rule instead of both
    #[arg(long, value_enum)]
    quorum: Option<Rule>,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Run one network again: how many replicas, how many traitors
    #[arg(long, value_name = "N,T", value_parser = numbers, requires = "seed", requires = "strategy")]
    cell: Option<(u16, u16)>,
    /// What its traitors do
    #[arg(long, value_enum, requires = "cell")]
    strategy: Option<Told>,
    /// On which seed
    #[arg(long, requires = "cell")]
    seed: Option<u64>,
    /// Tell everything that happens in it, on stderr
    #[arg(long, requires = "cell")]
    trace: bool,
    /// How many cells are tried at a time; as many as there are processors when not given
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1_024))]
    jobs: Option<u16>,
    #[command(flatten)]
    folder: Folder,
}

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Markdown,
    Svg,
    Json,
}

/// What traitors do, on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Told {
    /// All show each half of the others another network
    Split,
    /// They say nothing
    Silent,
    /// Each proposes two blocks and votes for both
    Equivocate,
    /// Each tells lies drawn from the seed
    Liar,
}

impl From<Told> for Strategy {
    fn from(told: Told) -> Self {
        match told {
            Told::Split => Self::Split,
            Told::Silent => Self::Silent,
            Told::Equivocate => Self::Equivocate,
            Told::Liar => Self::Liar,
        }
    }
}

/// Reads `N,T`.
fn numbers(text: &str) -> Result<(u16, u16), String> {
    let both = text.split_once(',').and_then(|(n, t)| Some((n.parse().ok()?, t.parse().ok()?)));
    let sound = both.filter(|(n, t)| (1..=lab::keys::REPLICAS_MAX).contains(n) && t <= n);
    sound.ok_or_else(|| "two numbers are needed, such as 4,1: replicas and how many lie".to_owned())
}

pub(crate) fn matrix(arguments: &Matrix) -> Result<Outcome, String> {
    if let (Some((n, t)), Some(strategy), Some(seed)) =
        (arguments.cell, arguments.strategy, arguments.seed)
    {
        let quorum = arguments.quorum.unwrap_or(Rule::Kept).into();
        return again(arguments, Trial { n, t, quorum, strategy: strategy.into(), seed });
    }
    let name =
        arguments.quorum.map_or("matrix".to_owned(), |rule| format!("matrix-{}", named(rule)));
    let place = arguments.folder.place(&name)?;
    let resilience = all(arguments);
    match arguments.format {
        Format::Table => table(&resilience),
        Format::Markdown => output::tell(&resilience.to_markdown()),
        Format::Svg => output::tell(&resilience.to_svg()),
        Format::Json => output::tell(&to_json(&resilience)?),
    }
    if let Some(place) = place {
        let quorum =
            arguments.quorum.map_or(String::new(), |rule| format!(" --quorum {}", named(rule)));
        let repeat = format!("logothete-lab matrix --seeds {}{quorum}", arguments.seeds);
        place.write(render::matrix(&resilience, arguments.seeds, &repeat))?;
    }
    Ok(if resilience.is_as_expected() { Outcome::Held } else { Outcome::Violated })
}

/// A rule, as it is named on the command line.
fn named(rule: Rule) -> &'static str {
    QuorumRule::from(rule).name()
}

/// One network again.
fn again(arguments: &Matrix, trial: Trial) -> Result<Outcome, String> {
    let reader: Option<lab::Reader> =
        if arguments.trace { Some(Box::new(output::complain)) } else { None };
    let recorder = arguments.folder.recorder();
    let report = trial.run_recorded(reader, recorder.clone());
    if let Some(recorder) = recorder {
        let how = format!("by the strategy {}", trial.strategy.name());
        let Trial { n, t, quorum, .. } = trial;
        let dossier = Dossier {
            title: format!("matrix {n},{t} {} {}", quorum.name(), trial.strategy.name()),
            command: trial.to_string(),
            plan: trial.plan(),
            quorum,
            report: report.clone(),
            recording: recorder.recording(),
            traitors: trial.traitors().iter().map(|liar| (*liar, vec![how.clone()])).collect(),
            question: None,
            agreement: None,
        };
        arguments.folder.write(&dossier.title, &dossier)?;
    }
    let traitors: Vec<String> = trial.traitors().iter().map(u16::to_string).collect();
    if arguments.format == Format::Json {
        output::tell(&to_json(&report)?);
    } else {
        output::tell(&format!("replicas that lie: {}", traitors.join(", ")));
        output::tell(&output::describe(&report));
    }
    Ok(output::outcome(&report.verdict))
}

/// Tries every cell.
fn all(arguments: &Matrix) -> Resilience {
    let rules = arguments.quorum.map_or(QuorumRule::ALL.to_vec(), |rule| vec![rule.into()]);
    let mut work: Vec<(QuorumRule, u16, u16)> = Vec::new();
    for rule in rules {
        for n in REPLICAS {
            work.extend(TRAITORS.map(|t| (rule, n, t)));
        }
    }
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = arguments.jobs.map_or(processors, usize::from);
    let next = AtomicUsize::new(0);
    let bar = ProgressBar::new(u64::try_from(work.len()).unwrap_or(u64::MAX));
    let mut cells: Vec<(usize, Cell)> = Vec::new();
    thread::scope(|scope| {
        let (results, received) = mpsc::channel();
        for _ in 0..threads {
            let (results, next, work) = (results.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some((rule, n, t)) = work.get(number) else {
                        break;
                    };
                    let cell = Cell::of(*n, *t, *rule, &(0..arguments.seeds));
                    if results.send((number, cell)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(results);
        for cell in received {
            cells.push(cell);
            bar.inc(1);
        }
    });
    bar.finish_and_clear();
    cells.sort_by_key(|(number, _)| *number);
    Resilience { cells: cells.into_iter().map(|(_, cell)| cell).collect() }
}

/// For a terminal, in colour where it has any.
fn table(resilience: &Resilience) {
    let mut lines = Vec::new();
    for rule in resilience.rules() {
        lines.push(format!("{}\n", rule.sentence()));
        let heads: Vec<String> = TRAITORS.map(|t| format!("{:<10}", format!("t = {t}"))).collect();
        lines.push(format!("   n   q  {}", heads.concat().trim_end()));
        for n in REPLICAS {
            let row: Vec<&Cell> = TRAITORS.filter_map(|t| resilience.cell(rule, n, t)).collect();
            let q = row.first().map_or(0, |cell| cell.q);
            let cells: Vec<String> = row.iter().map(|cell| coloured(cell)).collect();
            lines.push(format!("{n:>4}{q:>4}  {}", cells.concat().trim_end()));
        }
        lines.push(String::new());
    }
    for cell in resilience.cells.iter().filter(|cell| cell.broken.is_some()) {
        let Cell { n, t, q, found, sentence, repeat, .. } = cell;
        let sentence = sentence.as_deref().unwrap_or_default();
        lines.push(format!("n = {n}, t = {t}, q = {q} {}: {sentence}", found.name()));
        lines.push(format!("  {}", repeat.as_deref().unwrap_or_default()));
    }
    let runs: u64 = resilience.cells.iter().map(|cell| cell.runs).sum();
    let wrong = resilience.cells.iter().filter(|cell| !cell.is_as_expected()).count();
    lines.push(match wrong {
        0 => format!("{runs} runs; every network became what the numbers say"),
        _ => {
            format!("{runs} runs; {wrong} networks became something else than the numbers say (!)")
        }
    });
    output::tell(&lines.join("\n"));
}

fn coloured(cell: &Cell) -> String {
    let colour = match cell.found {
        Found::Holds => AnsiColor::Green,
        Found::Forks => AnsiColor::Red,
        Found::Halts => AnsiColor::Yellow,
        Found::Breaks => AnsiColor::Magenta,
    };
    let style = Style::new().fg_color(Some(colour.into())).bold();
    let word = cell.in_a_word();
    let gap = " ".repeat(10_usize.saturating_sub(word.len()));
    format!("{style}{word}{style:#}{gap}")
}
