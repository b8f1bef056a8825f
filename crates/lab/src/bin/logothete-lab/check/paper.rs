//! The reports of everything that can happen within a small scope.

use lab::explore::{Counterexample, Scope, Search};
use lab::matrix::{Matrix, Story};
use lab::render::{File, Mark, Paper, Part, Row, Section};

use super::who_lies;
use crate::cli::Crashes;
use crate::output::{counts, many};

/// The files of the crash matrix.
pub(super) fn crashes(
    matrix: &Matrix,
    arguments: &Crashes,
    stories: &[Story],
) -> Result<Vec<File>, serde_json::Error> {
    let runs = matrix.single.saturating_add(matrix.pairs);
    let (mark, verdict) = match matrix.broken.len() {
        0 => (Mark::Held, format!("Every property held in {}", many(runs, "run"))),
        many => (Mark::Violated, format!("Properties were broken in {many} of {runs} runs")),
    };
    let pairs = if arguments.every_pair {
        " --every-pair".to_owned()
    } else {
        format!(" --pairs {} --seed {}", arguments.pairs, arguments.seed)
    };
    let story = arguments.story.map_or(String::new(), |story| format!(" --story {}", story.name()));
    let paper = Paper {
        title: "check crashes".to_owned(),
        mark,
        verdict,
        details: Vec::new(),
        command: format!("logothete-lab check crashes{story}{pairs}"),
        sections: vec![
            setting(stories),
            Section::new("What came out", vec![Part::Figures(figures(matrix))]),
            broken(matrix),
        ],
    };
    paper.files(matrix, "runs of the crash matrix that broke something", &matrix.broken)
}

fn setting(stories: &[Story]) -> Section {
    let what = "Short runs of four replicas in which nothing is left to chance. Each is run again for every point that a \
                process comes to in it, with the power of that machine failing there, with each of what its disk may \
                have kept, and with two crashes. What must hold: nobody contradicts what he said before, nothing was \
                said that was not durable, and the network commits again.";
    let stories = stories.iter().map(|story| format!("{}: {}", story.name(), story.sentence()));
    let parts = vec![Part::Text(what.to_owned()), Part::List(stories.collect())];
    Section::new("What was run", parts)
}

fn figures(matrix: &Matrix) -> Vec<(String, String)> {
    let figures = [
        ("points of all stories", matrix.points.to_string()),
        ("of them of primaries", matrix.primary.to_string()),
        ("of them in later views", matrix.later_views.to_string()),
        ("points by message", counts(&matrix.by_message)),
        ("points by what was done just before", counts(&matrix.by_moment)),
        ("runs with one crash", matrix.single.to_string()),
        ("runs with two", matrix.pairs.to_string()),
        ("runs that broke something", matrix.broken.len().to_string()),
    ];
    figures.map(|(name, figure)| (name.to_owned(), figure)).to_vec()
}

fn broken(matrix: &Matrix) -> Section {
    let mut parts = Vec::new();
    for (number, broken) in (1_u64..).zip(&matrix.broken) {
        parts.push(Part::Heading(format!("{number}: {}", broken.story.name())));
        parts.push(Part::Text(format!("With {}.", broken.crashes.join(" and "))));
        let violations = broken.violations.iter().map(ToString::to_string);
        let none = "It came to no end.".to_owned();
        let violations: Vec<String> = violations.collect();
        parts.push(Part::List(if violations.is_empty() { vec![none] } else { violations }));
    }
    if parts.is_empty() {
        parts.push(Part::Text("None.".to_owned()));
    }
    Section::new("Runs that broke something", parts)
}

/// The files of the model check.
pub(super) fn orders(search: &Search) -> Result<Vec<File>, serde_json::Error> {
    let (mark, verdict) = match (&search.broken, search.exhaustive) {
        (Some(_), _) => (Mark::Violated, "A property was broken"),
        (None, true) => (Mark::Held, "Every property held, and nothing is left"),
        (None, false) => {
            (Mark::Inconclusive, "No conclusion: there is more than was to be looked at")
        }
    };
    let Scope { faulty, last_view, heights, rivals, states_max } = &search.scope;
    let given: Vec<String> = faulty.iter().map(u16::to_string).collect();
    let command = format!(
        "logothete-lab check orders --faulty {} --last-view {last_view} --heights {heights} --rivals {rivals} \
         --max {states_max}",
        given.join(",")
    );
    let mut sections =
        vec![scope(search), Section::new("What came out", vec![Part::Figures(found(search))])];
    sections.extend(search.broken.as_ref().map(counterexample));
    let paper = Paper {
        title: format!("check orders, {}", who_lies(faulty)),
        mark,
        verdict: verdict.to_owned(),
        details: search.broken.iter().map(|broken| broken.sentence.clone()).collect(),
        command,
        sections,
    };
    let deliveries = search.broken.iter().flat_map(|broken| &broken.schedule);
    paper.files(search, "deliveries of a counterexample", deliveries)
}

fn scope(search: &Search) -> Section {
    let Scope { faulty, last_view, heights, rivals, .. } = &search.scope;
    let expected = if faulty.len() > 1 {
        "Expected: nothing is promised, because four replicas bear one that lies."
    } else {
        "Expected: every property holds, because four replicas bear one that lies."
    };
    let lines = vec![
        format!(
            "4 replicas, {}; heights up to {heights}, views up to {last_view}, {rivals} blocks of a liar on each parent.",
            who_lies(faulty)
        ),
        "Every message is delivered to everybody in every order, again, late and never; who lies says anything that it can \
         sign, to whom and when it likes."
            .to_owned(),
        "What must hold: no two honest replicas commit different blocks at one height, what is committed has a proof, and \
         no honest key contradicts itself."
            .to_owned(),
        expected.to_owned(),
    ];
    Section::new("What was searched", vec![Part::List(lines)])
}

fn found(search: &Search) -> Vec<(String, String)> {
    let committing = search.committing.iter();
    let committing: Vec<String> =
        committing.map(|(view, count)| format!("{count} in view {view}")).collect();
    let figures = [
        ("states of replicas, each with what was said", search.states.to_string()),
        ("configurations", search.configurations.to_string()),
        ("states of the network that they stand for, at least", search.represented.to_string()),
        ("different states of replicas", search.locals.to_string()),
        ("words", search.words.to_string()),
        ("sets of words said", search.soups.to_string()),
        ("steps of the core", search.steps.to_string()),
        ("configurations with a commit", committing.join(", ")),
        ("everything within the scope", if search.exhaustive { "yes" } else { "no" }.to_owned()),
    ];
    figures.map(|(name, figure)| (name.to_owned(), figure)).to_vec()
}

/// How a property was broken, delivery by delivery.
fn counterexample(broken: &Counterexample) -> Section {
    let rows = (1_u64..).zip(&broken.schedule).map(|(number, delivery)| {
        let lie = if delivery.lie { " (a lie)" } else { "" };
        let cells = vec![
            number.to_string(),
            format!("replica {}", delivery.replica),
            format!("{}{lie}", delivery.takes),
            delivery.says.join("; "),
        ];
        Row { cells, lie: delivery.lie }
    });
    let heads = vec!["", "who", "takes", "and says"];
    Section::new("How it was broken", vec![Part::Table { heads, rows: rows.collect() }])
}
