//! A table of text: columns as wide as their widest cell, numbers to the right.

use std::io::{self, Write};

use crate::output::{BOLD, styled};

/// On which side a column's cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// A column: its heading and its side.
pub type Column = (&'static str, Align);

/// Writes headings and rows, indented by two spaces. Cells are plain text without styles.
///
/// # Errors
///
/// Those of the channel.
pub fn write(out: &mut dyn Write, columns: &[Column], rows: &[Vec<String>]) -> io::Result<()> {
    let width = |column: usize, heading: &str| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.max().unwrap_or_default().max(heading.chars().count())
    };
    let widths: Vec<usize> =
        columns.iter().enumerate().map(|(column, (heading, _))| width(column, heading)).collect();
    let line = |cells: &[String]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .zip(columns)
            .map(|((cell, width), (_, align))| match align {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            })
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let headings: Vec<String> = columns.iter().map(|(heading, _)| (*heading).to_owned()).collect();
    writeln!(out, "  {}", styled(BOLD, line(&headings)))?;
    for row in rows {
        writeln!(out, "  {}", line(row))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
