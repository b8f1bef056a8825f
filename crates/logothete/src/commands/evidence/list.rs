//! The list of evidence: who lied, where, and who keeps the proof.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use api::types::EvidenceSummary;
use serde::Serialize;

use super::place::Place;
use crate::failure::Failure;
use crate::output::{BAD, GOOD, Report, styled};
use crate::table::{self, Align};

/// Digits of an id that are shown.
const ID_DIGITS: usize = 16;

/// Every piece of evidence that is kept somewhere.
#[derive(Debug, Serialize)]
pub(super) struct ListReport {
    asked: String,
    evidence: Vec<Row>,
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
/// Fails when a validator stops answering.
pub(super) fn list(place: &Place) -> Result<ListReport, Failure> {
    Ok(ListReport { asked: place.asked(), evidence: rows(place.pieces()?) })
}

/// One row for each piece, by accused, kind and id.
fn rows(pieces: Vec<(EvidenceSummary, String)>) -> Vec<Row> {
    let mut rows = BTreeMap::new();
    for (piece, keeper) in pieces {
        let key = (piece.accused.replica, piece.kind.clone(), piece.id);
        let row = rows.entry(key).or_insert_with(|| Row { piece, kept_by: Vec::new() });
        row.kept_by.push(keeper);
    }
    rows.into_values().collect()
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
