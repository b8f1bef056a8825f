//! What the generals decided in a run of the production core, beside everything else that is told of the run.

use super::battle::conditions;
use super::paper::{Part, Row, Section};
use crate::generals::Agreement;
use crate::generals::words::{name, names};
use crate::resilience::{Found, expected};

/// What they decided, what was to be expected, and what was said of the order.
pub(super) fn section(agreement: &Agreement) -> Section {
    let Agreement { n, q, traitors, order, decisions, undecided, story, .. } = agreement;
    let setting = vec![
        format!(
            "The generals are the validators: replica 0 is the commander, replica 1 is lieutenant 1, and so on up to {}. \
             The order is {order}. Traitors: {}.",
            n.saturating_sub(1),
            names(traitors)
        ),
        format!(
            "{q} votes make a certificate, and what a general does is what he has a certificate for. The run ends when \
             every loyal one has one, or when none comes."
        ),
        promise(agreement),
    ];
    let decided =
        decisions.iter().map(|(general, order)| Row::from(vec![name(*general), order.to_string()]));
    let none = undecided.iter().map(|general| Row {
        cells: vec![name(*general), "none, he waits for a certificate".to_owned()],
        lie: true,
    });
    let decisions =
        Part::Table { heads: vec!["who", "decides"], rows: decided.chain(none).collect() };
    let parts = vec![
        Part::List(setting),
        decisions,
        Part::Heading("The two conditions, for those who have decided".to_owned()),
    ];
    let conditions = conditions(agreement.judgement).parts;
    let told = [
        Part::Heading("What was said of the order, in words".to_owned()),
        Part::List(story.clone()),
    ];
    let parts = parts.into_iter().chain(conditions).chain(told).collect();
    Section::new("What the generals decided", parts)
}

/// What was to be expected, from the numbers alone.
fn promise(agreement: &Agreement) -> String {
    let Agreement { n, traitors, .. } = agreement;
    let t = u16::try_from(traitors.len()).unwrap_or(u16::MAX);
    let q = u16::try_from(agreement.q).unwrap_or(u16::MAX);
    let loyal = n.saturating_sub(t);
    match expected(*n, t, q) {
        Found::Holds => format!(
            "Expected: every loyal general decides, and both conditions hold. The {loyal} loyal ones are enough for a \
             certificate of {q}, and any two certificates share one of them."
        ),
        Found::Forks => format!(
            "Expected: nothing is promised. Two certificates of {q} among {n} may share nobody but traitors, so each half \
             of the others can come to hold another order."
        ),
        Found::Halts | Found::Breaks => format!(
            "Expected: nothing is promised. The {loyal} loyal generals alone are fewer than the {q} that make a certificate, \
             so silence is enough to halt them."
        ),
    }
}
