//! A piece of evidence as a page: both statements side by side.

use std::io::{self, Write};

use api::types::EvidenceAnswer;
use serde::Serialize;
use types::genesis::Genesis;

use super::words::{self, Said, judge};
use crate::output::{BAD, BOLD, GOOD, Report, styled};

/// Width of a label.
const LABEL_CHARS: usize = 11;

/// Width of a statement.
const STATEMENT_CHARS: usize = 34;

/// A piece, and whether it holds.
#[derive(Debug, Serialize)]
pub(super) struct PieceReport {
    #[serde(flatten)]
    answer: EvidenceAnswer,
    /// Whether every rule and every signature holds.
    pub(super) holds: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    checked_against: String,
    #[serde(skip)]
    statements: [Said; 2],
    #[serde(skip)]
    ancestry: Option<String>,
}

impl PieceReport {
    /// Checks a piece against the genesis; `trust` says which that is.
    pub(super) fn new(genesis: &Genesis, answer: EvidenceAnswer, trust: String) -> Self {
        let problem = judge(&answer.evidence, genesis).err();
        Self {
            holds: problem.is_none(),
            problem,
            checked_against: trust,
            statements: words::statements(&answer.evidence, genesis),
            ancestry: words::ancestry(&answer.evidence),
            answer,
        }
    }
}

impl Report for PieceReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let summary = &self.answer.summary;
        let accused = &summary.accused;
        let key = accused.key.map(|key| format!(", key {key}")).unwrap_or_default();
        writeln!(out, "evidence  {} ({})", summary.id, summary.kind)?;
        writeln!(
            out,
            "accused   {}, replica {}{key}\n",
            styled(BOLD, &accused.name),
            accused.replica
        )?;
        let [first, second] = &self.statements;
        let heading = row("", "FIRST STATEMENT", "SECOND STATEMENT");
        writeln!(out, "{}", styled(BOLD, heading))?;
        for line in side_by_side(first, second) {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "\n{}", self.answer.wrong)?;
        if let Some(ancestry) = &self.ancestry {
            writeln!(out, "{ancestry}")?;
        }
        writeln!(out)?;
        match &self.problem {
            None => {
                let holds = styled(GOOD, "It holds");
                let name = &accused.name;
                writeln!(
                    out,
                    "{holds}: {name} signed both, checked against {}",
                    self.checked_against
                )
            }
            Some(problem) => {
                let fails = styled(BAD, "IT DOES NOT HOLD");
                writeln!(out, "{fails}: {problem}; checked against {}", self.checked_against)
            }
        }
    }
}

/// The labels of both statements in the order of the first, then those that only the second has before the last.
fn labels(first: &Said, second: &Said) -> Vec<&'static str> {
    let mut labels: Vec<&'static str> = first.iter().map(|(label, _)| *label).collect();
    for (label, _) in second {
        if !labels.contains(label) {
            labels.insert(labels.len().saturating_sub(1), label);
        }
    }
    labels
}

fn side_by_side(first: &Said, second: &Said) -> Vec<String> {
    let mut lines = Vec::new();
    for label in labels(first, second) {
        let (left, right) = (lines_of(first, label), lines_of(second, label));
        for index in 0..left.len().max(right.len()) {
            let cell = |lines: &[String]| lines.get(index).cloned().unwrap_or_default();
            let label = if index == 0 { label } else { "" };
            lines.push(row(label, &cell(&left), &cell(&right)));
        }
    }
    lines
}

fn lines_of(said: &Said, wanted: &str) -> Vec<String> {
    let found = said.iter().find(|(label, _)| *label == wanted);
    found.map(|(_, lines)| lines.clone()).unwrap_or_default()
}

fn row(label: &str, first: &str, second: &str) -> String {
    let row = format!("  {label:<LABEL_CHARS$}{first:<STATEMENT_CHARS$}{second}");
    row.trim_end().to_owned()
}
