//! The report of the whole matrix: how many traitors networks bear.

use super::File;
use super::paper::{Paper, Part, Section};
use super::shell::Mark;
use crate::resilience::{Cell, REPLICAS, Resilience, Strategy, TRAITORS};
use crate::world::QuorumRule;

/// The files of a matrix that was tried on so many seeds, and that this command repeats.
///
/// # Errors
///
/// As of [`Paper::files`].
pub fn matrix(
    resilience: &Resilience,
    seeds: u64,
    command: &str,
) -> Result<Vec<File>, serde_json::Error> {
    let cells = &resilience.cells;
    let wrong: Vec<&Cell> = cells.iter().filter(|cell| !cell.is_as_expected()).collect();
    let verdict = match wrong.len() {
        0 => "Every network became what the numbers say".to_owned(),
        1 => "One network became something else than the numbers say".to_owned(),
        count => format!("{count} networks became something else than the numbers say"),
    };
    let details = wrong.iter().map(|cell| {
        let Cell { n, t, quorum, found, expected, .. } = cell;
        let (found, expected) = (found.name(), expected.name());
        format!(
            "n = {n}, t = {t}, quorum {}: it {found}, and must be what {expected}",
            quorum.name()
        )
    });
    let rules = resilience.rules();
    let tables = rules.iter().map(|rule| table(resilience, *rule));
    let sections = [setting(resilience, seeds)].into_iter().chain(tables).chain([broken(cells)]);
    let paper = Paper {
        title: format!("matrix, {}", on_seeds(seeds)),
        mark: if wrong.is_empty() { Mark::Held } else { Mark::Violated },
        verdict,
        details: details.collect(),
        command: command.to_owned(),
        sections: sections.collect(),
    };
    paper.files(resilience, "networks of a matrix", cells)
}

fn on_seeds(seeds: u64) -> String {
    match seeds {
        1 => "on seed 0".to_owned(),
        _ => format!("on seeds 0 to {}", seeds.saturating_sub(1)),
    }
}

fn setting(resilience: &Resilience, seeds: u64) -> Section {
    let runs: u64 = resilience.cells.iter().map(|cell| cell.runs).sum();
    let (first, last) = (REPLICAS.start(), REPLICAS.end());
    let most = TRAITORS.end();
    let what = vec![
        format!(
            "Networks of {first} to {last} replicas, n, of whom 0 to {most} lie, t: the production core, {runs} runs."
        ),
        format!(
            "Each is tried {} with every strategy of its traitors, until it has forked or is through.",
            on_seeds(seeds)
        ),
    ];
    let how = Strategy::ALL.map(|strategy| format!("{strategy}: {}", strategy.sentence()));
    let means = [
        "holds: every property held in every run.",
        "forks: two honest replicas committed different blocks at one height.",
        "halts: what clients asked for was not done in time.",
        "breaks: another property was broken, or a run came to no end.",
        "(!): this is not what the numbers say.",
    ];
    let expected = "What must come of a network follows from its numbers. Where two halves of the honest ones, each with \
                    the traitors, make a quorum, it forks; where the honest ones alone make none, it halts; else it holds. \
                    With the quorum that is kept those with n > 3t hold, and no other.";
    let parts = vec![
        Part::List(what),
        Part::Heading("What its traitors do".to_owned()),
        Part::List(how.to_vec()),
        Part::Heading("What may become of it".to_owned()),
        Part::List(means.map(str::to_owned).to_vec()),
        Part::Text(expected.to_owned()),
    ];
    Section::new("What was run", parts)
}

/// The table of one rule: drawn in the page, written in Markdown.
fn table(resilience: &Resilience, rule: QuorumRule) -> Section {
    let svg = resilience.to_svg_of(&[rule]);
    let picture = Part::Picture {
        html: format!("<div class=\"wide matrix\">{svg}</div>\n"),
        markdown: resilience.table(rule),
    };
    Section::new(&format!("Quorum {}: {}", rule.name(), rule.sentence()), vec![picture])
}

/// Each network that does not hold: what happened in it, on which seed, and how to see it again.
fn broken(cells: &[Cell]) -> Section {
    let broken = cells.iter().filter_map(|cell| Some((cell, cell.broken.as_ref()?)));
    let parts = broken.flat_map(|(cell, trial)| {
        let Cell { n, t, q, quorum, found, sentence, .. } = cell;
        let (rule, found) = (quorum.name(), found.name());
        let sentence = sentence.as_deref().unwrap_or_default();
        [
            Part::Heading(format!("n = {n}, t = {t}, q = {q}, quorum {rule}: {found}")),
            Part::Text(format!("Strategy {}, seed {}: {sentence}.", trial.strategy, trial.seed)),
            Part::Command(trial.to_string()),
        ]
    });
    Section::new("Networks that do not hold", parts.collect())
}
