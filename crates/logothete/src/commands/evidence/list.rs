//! The list of evidence: who lied, where, and who keeps the proof.

use std::collections::BTreeSet;
use std::io::{self, Write};

use api::types::EvidenceSummary;
use serde::Serialize;

use super::place::{Listed, Place};
use crate::failure::Failure;
use crate::output::{BAD, GOOD, Report, WARN, styled};
use crate::table::{self, Align};

/// Digits of an id that are shown.
const ID_DIGITS: usize = 16;

/// Every piece of evidence that is kept somewhere.
#[derive(Debug, Serialize)]
pub(super) struct ListReport {
    asked: String,
    evidence: Vec<Row>,
    /// Who did not answer, or lists what does not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
}

/// A piece, and who keeps it.
#[derive(Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    piece: EvidenceSummary,
    kept_by: Vec<String>,
}

/// Asks everybody.
///
/// # Errors
///
/// Fails when nobody lists anything.
pub(super) fn list(place: &Place) -> Result<ListReport, Failure> {
    Ok(ListReport::new(place.asked(), place.pieces()?))
}

impl ListReport {
    /// One row for each piece, by accused, kind and id.
    fn new(asked: String, listed: Listed) -> Self {
        let rows = listed.pieces.into_iter().map(|(piece, kept_by)| Row { piece, kept_by });
        let mut evidence: Vec<Row> = rows.collect();
        evidence
            .sort_by_key(|row| (row.piece.accused.replica, row.piece.kind.clone(), row.piece.id));
        Self { asked, evidence, problems: listed.problems }
    }
}

impl Row {
    fn cells(&self) -> Vec<String> {
        let heights: Vec<String> =
            self.piece.heights.iter().map(|height| height.to_string()).collect();
        vec![
            self.piece.id.to_string().chars().take(ID_DIGITS).collect(),
            self.piece.kind.clone(),
            self.piece.accused.name.clone(),
            self.piece.view.to_string(),
            heights.join(", "),
            self.kept_by.join(", "),
        ]
    }
}

impl Report for ListReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        for problem in &self.problems {
            writeln!(out, "  {}: {problem}", styled(WARN, "look at this"))?;
        }
        if self.evidence.is_empty() {
            let verdict = styled(GOOD, "no evidence against anybody");
            return writeln!(out, "  {verdict}: {}", self.asked);
        }
        let columns = [
            ("ID", Align::Left),
            ("KIND", Align::Left),
            ("ACCUSED", Align::Left),
            ("VIEW", Align::Right),
            ("HEIGHTS", Align::Left),
            ("KEPT BY", Align::Left),
        ];
        let rows: Vec<_> = self.evidence.iter().map(Row::cells).collect();
        table::write(out, &columns, &rows)?;
        let accused: BTreeSet<&str> =
            self.evidence.iter().map(|row| row.piece.accused.name.as_str()).collect();
        let accused: Vec<&str> = accused.into_iter().collect();
        let verdict = styled(BAD, format!("evidence against {}", accused.join(", ")));
        writeln!(out, "\n  {verdict}: {}", self.asked)?;
        writeln!(out, "  `logothete evidence show ID` shows a piece in words, and checks it")
    }
}

#[cfg(test)]
mod tests;
