//! The CSV file of a payment: who gets how much. It is checked as a whole before anything is
//! signed, and every error names its line.
//!
//! The first line names the columns: `to,amount` or `to,amount,memo`, in any order. Blank lines are
//! skipped, spaces around a value do not count, a value with a comma or a line break stands in
//! quotes.

use std::fmt;
use std::fs::File;
use std::path::Path;

use csv::{Position, ReaderBuilder, StringRecord, Trim};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use types::{Address, Amount, Denomination, Memo};

use crate::exit::Failure;
use crate::private_file::read_bounded;

/// The most rows that one file may have: all of them are in memory at once.
pub(crate) const ROWS_MAX: usize = 100_000;

/// The longest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How many errors are told at once.
const ERRORS_TOLD_MAX: usize = 20;

/// One payment of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// The line it begins on, counted from 1.
    pub(crate) line: u64,
    /// Who is paid, as written.
    pub(crate) to: String,
    /// Who is paid.
    pub(crate) recipient: Address,
    /// How much.
    pub(crate) amount: Amount,
    /// What for.
    pub(crate) memo: Memo,
}

/// A file that was read as a whole and has no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payments {
    /// SHA-256 of the file, as `sha256sum` prints it.
    pub(crate) sha256: String,
    /// The payments in the order of the file; at least one.
    pub(crate) rows: Vec<Row>,
    /// The sum of all amounts.
    pub(crate) total: Amount,
}

/// Something wrong with the file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowError {
    /// The line, counted from 1.
    line: u64,
    /// A lowercase phrase.
    text: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

impl Payments {
    /// Reads the file at `path`; `resolve` turns names and addresses into addresses.
    ///
    /// # Errors
    /// [`Exit::Usage`](crate::exit::Exit::Usage) with every error of the file, up to a bound.
    pub(crate) fn read(
        path: &Path,
        denomination: &Denomination,
        resolve: impl Fn(&str) -> Result<Address, String>,
    ) -> Result<Self, Failure> {
        let bytes = File::open(path)
            .map_err(|cause| cause.to_string())
            .and_then(|file| {
                read_bounded(file, path, FILE_BYTES_MAX).map_err(|cause| cause.to_string())
            })
            .map_err(|cause| Failure::usage(format!("cannot read {}: {cause}", path.display())))?;
        Self::parse(&bytes, denomination, resolve).map_err(|errors| refusal(path, &errors))
    }

    /// Checks the content of a file.
    ///
    /// # Errors
    /// All errors, in the order of their lines.
    pub(crate) fn parse(
        bytes: &[u8],
        denomination: &Denomination,
        resolve: impl Fn(&str) -> Result<Address, String>,
    ) -> Result<Self, Vec<RowError>> {
        let sha256 = HEXLOWER.encode(Sha256::digest(bytes).as_slice());
        // Spreadsheets put a byte order mark in front; it is no part of the first column's name.
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let mut reader = ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(text);
        let columns = reader
            .headers()
            .map_err(|cause| csv_error(&cause))
            .and_then(Columns::of)
            .map_err(|text| vec![RowError { line: 1, text }])?;
        let (mut rows, mut errors) = (Vec::new(), Vec::new());
        let mut lines = Lines { text, byte: 0, line: 1 };
        for record in reader.records() {
            let line = match &record {
                Ok(record) => lines.of(record.position()),
                Err(cause) => lines.of(cause.position()),
            };
            let error = |text: String| RowError { line, text };
            if rows.len() >= ROWS_MAX {
                errors.push(error(format!("more than {ROWS_MAX} rows")));
                break;
            }
            match record
                .map_err(|cause| csv_error(&cause))
                .and_then(|record| row(&record, line, &columns, denomination, &resolve))
            {
                Ok(row) => rows.push(row),
                Err(text) => errors.push(error(text)),
            }
        }
        let total = Amount::checked_sum(rows.iter().map(|row| row.amount));
        match total {
            _ if !errors.is_empty() => Err(errors),
            Some(_) if rows.is_empty() => {
                Err(vec![RowError { line: 2, text: "there are no rows".to_owned() }])
            }
            Some(total) => Ok(Self { sha256, rows, total }),
            None => Err(vec![RowError {
                line: rows.last().map(|row| row.line).unwrap_or_default(),
                text: "the sum of all amounts is larger than any supply".to_owned(),
            }]),
        }
    }
}

/// Where each value stands in a record.
struct Columns {
    to: usize,
    amount: usize,
    memo: Option<usize>,
    count: usize,
}

impl Columns {
    fn of(header: &StringRecord) -> Result<Self, String> {
        let (mut to, mut amount, mut memo) = (None, None, None);
        for (index, name) in header.iter().enumerate() {
            let column = match name {
                "to" => &mut to,
                "amount" => &mut amount,
                "memo" => &mut memo,
                other => {
                    return Err(format!("{other:?} is no column, there are to, amount and memo"));
                }
            };
            if column.replace(index).is_some() {
                return Err(format!("the column {name} is there twice"));
            }
        }
        let missing = |name: &str| {
            format!(
                "the column {name} is missing: the first line is `to,amount` or `to,amount,memo`"
            )
        };
        Ok(Self {
            to: to.ok_or_else(|| missing("to"))?,
            amount: amount.ok_or_else(|| missing("amount"))?,
            memo,
            count: header.len(),
        })
    }
}

fn row(
    record: &StringRecord,
    line: u64,
    columns: &Columns,
    denomination: &Denomination,
    resolve: impl Fn(&str) -> Result<Address, String>,
) -> Result<Row, String> {
    // A last memo may be left out with its comma.
    let least = columns.count.saturating_sub(usize::from(columns.memo.is_some()));
    if record.len() < least || record.len() > columns.count {
        let (found, expected) = (record.len(), columns.count);
        let values = if found == 1 { "value" } else { "values" };
        return Err(format!("{found} {values}, the first line has {expected} columns"));
    }
    let value = |index: usize| record.get(index).unwrap_or_default();
    let to = value(columns.to);
    let recipient = resolve(to)?;
    let amount = denomination.parse(value(columns.amount)).map_err(|cause| cause.to_string())?;
    if amount.is_zero() {
        return Err("the amount is zero".to_owned());
    }
    let memo = Memo::new(columns.memo.map(value).unwrap_or_default().to_owned());
    if !memo.fits() {
        let max = types::MEMO_BYTES_MAX;
        return Err(format!("the memo has {} bytes, at most {max} are allowed", memo.len()));
    }
    Ok(Row { line, to: to.to_owned(), recipient, amount, memo })
}

/// Counts lines as people do: a record begins where its text does, behind any blank lines.
struct Lines<'a> {
    text: &'a [u8],
    byte: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of a record. Positions come in ascending order.
    fn of(&mut self, position: Option<&Position>) -> u64 {
        let begin = position.and_then(|position| usize::try_from(position.byte()).ok());
        let begin = begin.unwrap_or(self.byte);
        for byte in self.text.get(self.byte..).unwrap_or_default() {
            if self.byte >= begin && !matches!(byte, b'\n' | b'\r') {
                break;
            }
            self.byte = self.byte.saturating_add(1);
            self.line = self.line.saturating_add(u64::from(*byte == b'\n'));
        }
        self.line
    }
}

fn csv_error(cause: &csv::Error) -> String {
    if let csv::ErrorKind::Utf8 { err, .. } = cause.kind() {
        return format!("value {} is not UTF-8 text", err.field().saturating_add(1));
    }
    cause.to_string()
}

fn refusal(path: &Path, errors: &[RowError]) -> Failure {
    let mut text = format!("{} has {} errors, nothing was sent", path.display(), errors.len());
    if errors.len() == 1 {
        text = format!("{} has an error, nothing was sent", path.display());
    }
    for error in errors.iter().take(ERRORS_TOLD_MAX) {
        text.push_str(&format!("\n  {error}"));
    }
    if let Some(more) = errors.len().checked_sub(ERRORS_TOLD_MAX).filter(|more| *more > 0) {
        text.push_str(&format!("\n  and {more} more"));
    }
    Failure::new(crate::exit::Exit::Usage, "csv", text)
}

#[cfg(test)]
mod tests;
