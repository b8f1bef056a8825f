//! Everything that can happen within a small scope.

use std::collections::BTreeMap;
use std::fmt::Display;

use lab::matrix::{Matrix, Story};

use crate::cli::{Check, Crashes};
use crate::replay::to_json;
use crate::{Outcome, output};

pub(crate) fn check(what: &Check) -> Result<Outcome, String> {
    match what {
        Check::Crashes(arguments) => crashes(arguments),
    }
}

fn crashes(arguments: &Crashes) -> Result<Outcome, String> {
    let mut matrix = Matrix::default();
    for story in Story::ALL {
        output::complain(&format!("{story:?}: {} runs so far", matrix.single + matrix.pairs));
        matrix.run_story(story);
        if arguments.every_pair {
            matrix.run_all_pairs(story);
        } else {
            matrix.run_pairs(story, arguments.pairs, arguments.seed);
        }
    }
    output::tell(&if arguments.json { to_json(&matrix)? } else { describe(&matrix) });
    Ok(if matrix.broken.is_empty() { Outcome::Held } else { Outcome::Violated })
}

fn describe(matrix: &Matrix) -> String {
    let backup = matrix.points - matrix.primary;
    let mut lines = vec![
        format!(
            "{} points in {} stories: {} of primaries, {backup} of backups, {} in later views",
            matrix.points,
            Story::ALL.len(),
            matrix.primary,
            matrix.later_views
        ),
        format!("by message: {}", list(&matrix.by_message)),
        format!("by what was done just before: {}", list(&matrix.by_moment)),
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

fn list<K: Display>(counts: &BTreeMap<K, u64>) -> String {
    let pairs = counts.iter().map(|(name, count)| format!("{name} {count}"));
    pairs.collect::<Vec<_>>().join(", ")
}
