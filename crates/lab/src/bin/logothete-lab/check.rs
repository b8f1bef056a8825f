//! Everything that can happen within a small scope.

use lab::explore::{Counterexample, Delivery, Progress, Scope, Search, explore};
use lab::matrix::{Matrix, Story};

use crate::cli::{Check, Crashes, Orders};
use crate::output::to_json;
use crate::{Outcome, output};

mod paper;

pub(crate) fn check(what: &Check) -> Result<Outcome, String> {
    match what {
        Check::Crashes(arguments) => crashes(arguments),
        Check::Orders(arguments) => orders(arguments),
    }
}

fn crashes(arguments: &Crashes) -> Result<Outcome, String> {
    let name = arguments.story.map_or(String::new(), |story| format!("-{}", story.name()));
    let place = arguments.folder.place(&format!("check-crashes{name}-{}", arguments.seed))?;
    let mut matrix = Matrix::default();
    let stories = arguments.story.map_or(Story::ALL.to_vec(), |story| vec![story]);
    for story in stories.iter().copied() {
        output::complain(&format!("{story:?}: {} runs so far", matrix.single + matrix.pairs));
        matrix.run_story(story);
        if arguments.every_pair {
            matrix.run_all_pairs(story);
        } else {
            matrix.run_pairs(story, arguments.pairs, arguments.seed);
        }
    }
    let told = if arguments.json { to_json(&matrix)? } else { describe(&matrix, &stories) };
    output::tell(&told);
    if let Some(place) = place {
        place.write(paper::crashes(&matrix, arguments, &stories))?;
    }
    Ok(if matrix.broken.is_empty() { Outcome::Held } else { Outcome::Violated })
}

fn describe(matrix: &Matrix, stories: &[Story]) -> String {
    let backup = matrix.points - matrix.primary;
    let stories = match stories {
        [one] => format!("the story {}", one.name()),
        all => format!("{} stories", all.len()),
    };
    let mut lines = vec![
        format!(
            "{} points in {}: {} of primaries, {backup} of backups, {} in later views",
            matrix.points, stories, matrix.primary, matrix.later_views
        ),
        format!("by message: {}", output::counts(&matrix.by_message)),
        format!("by what was done just before: {}", output::counts(&matrix.by_moment)),
        format!("{} runs with one crash, {} with two", matrix.single, matrix.pairs),
    ];
    for broken in &matrix.broken {
        lines.push(format!("broken: {:?} with {}", broken.story, broken.crashes.join(" and ")));
        lines.extend(broken.violations.iter().map(|violation| format!("  {violation}")));
    }
    if matrix.broken.is_empty() {
        lines.push("every property held".to_owned());
    }
    lines.join("\n")
}

/// How many states are visited between two lines about the progress.
const STEP: u64 = 250_000;

fn orders(arguments: &Orders) -> Result<Outcome, String> {
    let place = arguments.folder.place("check-orders")?;
    let scope = Scope {
        faulty: arguments.faulty.clone(),
        last_view: arguments.last_view,
        heights: arguments.heights,
        rivals: arguments.rivals,
        states_max: arguments.max,
    };
    let mut told = 0;
    let search = explore(&scope, &mut |progress| {
        let Progress { configurations, waiting, states } = progress;
        if states >= told + STEP {
            told = states;
            output::complain(&format!(
                "{states} states in {configurations} configurations, {waiting} more wait"
            ));
        }
    });
    output::tell(&if arguments.json { to_json(&search)? } else { describe_search(&search) });
    if let Some(place) = place {
        place.write(paper::orders(&search))?;
    }
    Ok(match &search.broken {
        Some(_) => Outcome::Violated,
        None if search.exhaustive => Outcome::Held,
        None => Outcome::Inconclusive,
    })
}

/// Who lies, in words.
fn who_lies(faulty: &[u16]) -> String {
    match faulty {
        [] => "nobody lies".to_owned(),
        [one] => format!("replica {one} lies"),
        some => {
            let some: Vec<String> = some.iter().map(ToString::to_string).collect();
            format!("replicas {} lie", some.join(", "))
        }
    }
}

fn describe_search(search: &Search) -> String {
    let Scope { faulty, last_view, heights, .. } = &search.scope;
    let who = who_lies(faulty);
    let mut lines = vec![
        format!("4 replicas, {who}; heights up to {heights}, views up to {last_view}"),
        format!(
            "{} states of replicas, each with what was said, in {} configurations; they stand for \
             at least {} states of the network",
            search.states, search.configurations, search.represented
        ),
        format!(
            "{} different states of replicas, {} words, {} sets of words said, {} steps of the core",
            search.locals, search.words, search.soups, search.steps
        ),
        format!("configurations with a commit, by view: {}", output::counts(&search.committing)),
    ];
    lines.push(match &search.broken {
        Some(broken) => describe_broken(broken),
        None if search.exhaustive => "every property held, and nothing is left".to_owned(),
        None => "inconclusive: there is more than was to be looked at".to_owned(),
    });
    lines.join("\n")
}

fn describe_broken(broken: &Counterexample) -> String {
    let mut lines = vec![format!("broken: {}", broken.sentence)];
    for Delivery { replica, takes, lie, says, .. } in &broken.schedule {
        let lie = if *lie { " (a lie)" } else { "" };
        lines.push(format!("  replica {replica} takes {takes}{lie}"));
        lines.extend(says.iter().map(|says| format!("    and says {says}")));
    }
    lines.join("\n")
}
