//! What became of every row, as a file beside the CSV and as a summary.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use types::{Address, Genesis, TransactionId};

use super::outcome::RowOutcome;
use super::rows::{Payments, Row};
use crate::exit::{Exit, Failure};
use crate::output::{GOOD, Report, WARN, styled};
use crate::private_file;

/// One row of the report.
#[derive(Debug, Serialize)]
struct RowReport {
    row: usize,
    line: u64,
    to: String,
    address: String,
    amount: String,
    memo: String,
    status: &'static str,
    height: Option<u64>,
    transaction: Option<String>,
    reason: Option<String>,
}

impl RowReport {
    fn of(index: usize, row: &Row, outcome: &RowOutcome, genesis: &Genesis) -> Self {
        let (height, transaction) = match outcome {
            RowOutcome::Final { id, height } => (Some(height.get()), Some(id.to_string())),
            RowOutcome::Pending { id } => (None, Some(id.to_string())),
            RowOutcome::Unsent | RowOutcome::Refused { .. } | RowOutcome::Displaced { .. } => {
                (None, None)
            }
        };
        Self {
            row: index.saturating_add(1),
            line: row.line,
            to: row.to.clone(),
            address: row.recipient.to_text(genesis.prefix()),
            amount: genesis.denomination().format(row.amount),
            memo: row.memo.text().to_owned(),
            status: outcome.word(),
            height,
            transaction,
            reason: outcome.reason(),
        }
    }
}

/// Writes every row's outcome to `path`, as JSON for a name that ends in `.json` and as CSV else.
///
/// # Errors
/// [`Exit::Fault`] from the disk.
pub(crate) fn write_rows(
    path: &Path,
    payments: &Payments,
    outcomes: &[RowOutcome],
    genesis: &Genesis,
) -> Result<(), Failure> {
    let rows = payments.rows.iter().zip(outcomes).enumerate();
    let rows = rows.map(|(index, (row, outcome))| RowReport::of(index, row, outcome, genesis));
    let fault = |cause: String| Failure::fault(format!("cannot write {}", path.display()), cause);
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let bytes = if is_json {
        let rows: Vec<RowReport> = rows.collect();
        let mut bytes =
            serde_json::to_vec_pretty(&rows).map_err(|cause| fault(cause.to_string()))?;
        bytes.push(b'\n');
        bytes
    } else {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in rows {
            writer.serialize(row).map_err(|cause| fault(cause.to_string()))?;
        }
        writer.into_inner().map_err(|cause| fault(cause.to_string()))?
    };
    private_file::replace(path, &bytes).map_err(|cause| fault(cause.to_string()))
}

/// The summary of a payment.
#[derive(Debug, Serialize)]
pub(crate) struct PayReport {
    status: &'static str,
    file: PathBuf,
    sender: String,
    rows: usize,
    #[serde(rename = "final")]
    committed: usize,
    pending: usize,
    unsent: usize,
    refused: usize,
    displaced: usize,
    total: String,
    total_text: String,
    first_height: Option<u64>,
    last_height: Option<u64>,
    /// `None` when it could not be written.
    report: Option<PathBuf>,
    #[serde(skip)]
    first_reason: Option<String>,
    /// The first row that may still commit: its line and its transaction.
    #[serde(skip)]
    first_pending: Option<(u64, TransactionId)>,
}

impl PayReport {
    /// The summary of these outcomes.
    pub(crate) fn of(
        file: &Path,
        report: Option<&Path>,
        sender: &Address,
        payments: &Payments,
        outcomes: &[RowOutcome],
        genesis: &Genesis,
    ) -> Self {
        let count = |word: &str| outcomes.iter().filter(|outcome| outcome.word() == word).count();
        let heights = || {
            outcomes.iter().filter_map(|outcome| match outcome {
                RowOutcome::Final { height, .. } => Some(height.get()),
                RowOutcome::Pending { .. }
                | RowOutcome::Unsent
                | RowOutcome::Refused { .. }
                | RowOutcome::Displaced { .. } => None,
            })
        };
        let committed = count("final");
        let first_reason = payments.rows.iter().zip(outcomes).find_map(|(row, outcome)| {
            let failed = matches!(outcome.word(), "refused" | "displaced");
            failed.then(|| format!("line {}: {}", row.line, outcome.reason().unwrap_or_default()))
        });
        let first_pending = payments.rows.iter().zip(outcomes).find_map(|(row, outcome)| {
            if let RowOutcome::Pending { id } = outcome { Some((row.line, *id)) } else { None }
        });
        Self {
            status: if committed == payments.rows.len() { "final" } else { "incomplete" },
            file: file.to_owned(),
            sender: sender.to_text(genesis.prefix()),
            rows: payments.rows.len(),
            committed,
            pending: count("pending"),
            unsent: count("unsent"),
            refused: count("refused"),
            displaced: count("displaced"),
            total: payments.total.get().to_string(),
            total_text: genesis.denomination().format_with_symbol(payments.total),
            first_height: heights().min(),
            last_height: heights().max(),
            report: report.map(Path::to_owned),
            first_reason,
            first_pending,
        }
    }

    /// How the process ends: done, refused, or not final in time.
    pub(crate) fn end(&self) -> Result<Exit, Failure> {
        let Self { committed, rows, .. } = self;
        if committed == rows {
            return Ok(Exit::Done);
        }
        let failure = match (&self.first_reason, &self.first_pending) {
            (Some(reason), _) => Failure::new(
                Exit::Refused,
                "rows-refused",
                format!("{committed} of {rows} rows are final; {reason}"),
            ),
            (None, Some((line, id))) => Failure::new(
                Exit::Pending,
                "pending",
                format!(
                    "{committed} of {rows} rows are final; line {line} may still commit as {id}, \
                     and so may what follows it"
                ),
            ),
            (None, None) => Failure::new(
                Exit::Pending,
                "pending",
                format!("{committed} of {rows} rows are final, others may still commit"),
            ),
        };
        Err(failure.with_hint("run the same command again: no row is ever paid twice"))
    }
}

impl Report for PayReport {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { committed, rows, total_text, .. } = self;
        let style = if committed == rows { GOOD } else { WARN };
        write!(out, "{} {committed} of {rows} rows", styled(style, "final"))?;
        if let (Some(first), Some(last)) = (self.first_height, self.last_height) {
            write!(out, ", heights {first} to {last}, each block certified by a quorum")?;
        }
        writeln!(out)?;
        writeln!(out, "  total    {total_text}")?;
        for (count, word) in [
            (self.pending, "pending"),
            (self.unsent, "unsent"),
            (self.refused, "refused"),
            (self.displaced, "displaced"),
        ] {
            if count > 0 {
                writeln!(out, "  {word:9}{count}")?;
            }
        }
        match &self.report {
            Some(report) => writeln!(out, "  report   {}", report.display()),
            None => Ok(()),
        }
    }
}
