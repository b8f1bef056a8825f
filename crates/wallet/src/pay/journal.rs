//! The journal of a payment, `FILE.csv.pay`: what was signed for every row, kept before anything is
//! submitted, so that running again submits the very same bytes and no row is ever paid twice.
//!
//! Text, one entry a line: 16 hexadecimal digits of checksum (SHA-256), a space, JSON.
//!
//! - `plan`, the first line: what this belongs to (content of the CSV file, chain, sender) and how
//!   many signed entries follow;
//! - `signed`: a row and the wire bytes of its transaction. A row that had to be signed again has
//!   several;
//! - `final`: a row was seen committed. These lines are appended while the payment runs. Losing
//!   some costs a few questions to validators, so they are not flushed.
//!
//! The plan and everything signed are written as one file that appears whole (fsync, rename, fsync
//! of the directory), before the first submission and again whenever rows are signed again. So a
//! bad line among them is damage and refused, and a bad line after them is a torn end and cut off.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use types::{Height, SignedTransaction, TransactionId};

use crate::exit::{Exit, Failure};
use crate::private_file::{self, PrivateFileError};

/// The version of the format.
const FORMAT: u32 = 1;

/// Digits of checksum before each line.
const CHECKSUM_DIGITS: usize = 16;

/// The longest signed transaction, in wire bytes.
const WIRE_BYTES_MAX: usize = types::TRANSACTION_BYTES_MAX + 1;

/// What a journal belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The version of the format.
    format: u32,
    /// SHA-256 of the CSV file.
    pub(crate) csv_sha256: String,
    /// The chain it pays on.
    pub(crate) chain: String,
    /// The address that pays.
    pub(crate) sender: String,
    /// Rows of the CSV file.
    pub(crate) rows: usize,
    /// Signed entries that follow.
    signed: usize,
}

impl Plan {
    /// The plan of a file.
    pub(crate) fn new(csv_sha256: &str, chain: &str, sender: &str, rows: usize) -> Self {
        Self {
            format: FORMAT,
            csv_sha256: csv_sha256.to_owned(),
            chain: chain.to_owned(),
            sender: sender.to_owned(),
            rows,
            signed: 0,
        }
    }
}

/// Where a row's transaction was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Committed {
    /// The row, counted from 0.
    pub(crate) row: usize,
    /// Which of its transactions.
    pub(crate) id: TransactionId,
    /// The height of the block.
    pub(crate) height: Height,
}

/// What is known about a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct RowState {
    /// What was signed for it, oldest first; at most one of them can ever commit.
    pub(crate) signed: Vec<SignedTransaction>,
    /// Where it is committed.
    pub(crate) committed: Option<Committed>,
}

/// One line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
enum Entry {
    Plan(Plan),
    Signed { row: usize, transaction: String },
    Final { row: usize, id: String, height: u64 },
}

/// An open journal; this process is its only user.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    plan: Plan,
    rows: Vec<RowState>,
}

impl Journal {
    /// Opens the journal at `path`, `None` when there is none.
    ///
    /// # Errors
    /// [`Exit::Refused`] when it is damaged or another process uses it, [`Exit::Fault`] from the
    /// disk.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, Failure> {
        let mut file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(fault(path, &cause)),
        };
        lock(path, &file)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|cause| fault(path, &cause))?;
        let Contents { plan, rows, whole_bytes } = read(&bytes).map_err(|text| {
            Failure::new(Exit::Refused, "journal-damaged", format!("{}: {text}", path.display()))
                .with_hint("without it nobody can say which rows were paid: restore it from a copy")
        })?;
        file.set_len(whole_bytes)
            .and_then(|()| file.seek(SeekFrom::Start(whole_bytes)))
            .map_err(|cause| fault(path, &cause))?;
        Ok(Some(Self { path: path.to_owned(), file, plan, rows }))
    }

    /// Writes a new journal; when this returns, it is on disk.
    ///
    /// # Errors
    /// [`Exit::Refused`] when one appeared meanwhile, [`Exit::Fault`] from the disk.
    pub(crate) fn create(path: &Path, plan: Plan, rows: Vec<RowState>) -> Result<Self, Failure> {
        let (plan, bytes) = write(plan, &rows);
        private_file::create(path, &bytes).map_err(|cause| match cause {
            PrivateFileError::Exists(_) => busy(path),
            PrivateFileError::Missing(_)
            | PrivateFileError::Open { .. }
            | PrivateFileError::NotAFile(_)
            | PrivateFileError::TooLong { .. }
            | PrivateFileError::System { .. } => Failure::fault("cannot write the journal", cause),
        })?;
        Self::reopen(path, plan, rows)
    }

    /// Replaces what was signed by `rows`, which holds it all; when this returns, it is on disk.
    ///
    /// # Errors
    /// [`Exit::Fault`] from the disk.
    pub(crate) fn rewrite(self, rows: Vec<RowState>) -> Result<Self, Failure> {
        let (plan, bytes) = write(self.plan.clone(), &rows);
        private_file::replace(&self.path, &bytes)
            .map_err(|cause| Failure::fault("cannot write the journal", cause))?;
        Self::reopen(&self.path, plan, rows)
    }

    fn reopen(path: &Path, plan: Plan, rows: Vec<RowState>) -> Result<Self, Failure> {
        let file = OpenOptions::new()
            .append(true)
            .mode(0o600)
            .open(path)
            .map_err(|cause| fault(path, &cause))?;
        lock(path, &file)?;
        Ok(Self { path: path.to_owned(), file, plan, rows })
    }

    /// What it belongs to.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What is known about every row, in the order of the CSV file.
    pub(crate) fn rows(&self) -> &[RowState] {
        &self.rows
    }

    /// Notes that rows are committed. They need not be on disk when this returns.
    ///
    /// # Errors
    /// [`Exit::Fault`] from the disk.
    pub(crate) fn committed(&mut self, committed: &[Committed]) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        for commit in committed {
            let Some(row) = self.rows.get_mut(commit.row) else {
                continue;
            };
            row.committed = Some(*commit);
            append(
                &mut bytes,
                &Entry::Final {
                    row: commit.row,
                    id: commit.id.to_string(),
                    height: commit.height.get(),
                },
            );
        }
        self.file.write_all(&bytes).map_err(|cause| fault(&self.path, &cause))
    }

    /// Puts everything noted so far on disk.
    ///
    /// # Errors
    /// [`Exit::Fault`] from the disk.
    pub(crate) fn sync(&self) -> Result<(), Failure> {
        self.file.sync_all().map_err(|cause| fault(&self.path, &cause))
    }
}

struct Contents {
    plan: Plan,
    rows: Vec<RowState>,
    whole_bytes: u64,
}

fn write(mut plan: Plan, rows: &[RowState]) -> (Plan, Vec<u8>) {
    plan.signed = rows.iter().map(|row| row.signed.len()).sum();
    let mut bytes = Vec::new();
    append(&mut bytes, &Entry::Plan(plan.clone()));
    for (row, state) in rows.iter().enumerate() {
        for signed in &state.signed {
            let transaction = HEXLOWER.encode(&crypto::encoding::to_wire(signed));
            append(&mut bytes, &Entry::Signed { row, transaction });
        }
    }
    for commit in rows.iter().filter_map(|row| row.committed) {
        let (row, id, height) = (commit.row, commit.id.to_string(), commit.height.get());
        append(&mut bytes, &Entry::Final { row, id, height });
    }
    (plan, bytes)
}

fn append(bytes: &mut Vec<u8>, entry: &Entry) {
    let json = serde_json::to_string(entry)
        .expect("entries hold texts and integers only, which are always JSON");
    bytes.extend_from_slice(checksum(json.as_bytes()).as_bytes());
    bytes.push(b' ');
    bytes.extend_from_slice(json.as_bytes());
    bytes.push(b'\n');
}

fn checksum(json: &[u8]) -> String {
    let mut digits = HEXLOWER.encode(Sha256::digest(json).as_slice());
    digits.truncate(CHECKSUM_DIGITS);
    digits
}

/// Reads a journal; the error is a lowercase phrase.
fn read(bytes: &[u8]) -> Result<Contents, String> {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let mut whole_bytes = 0_usize;
    let mut next = |number: usize| -> Result<Option<Entry>, String> {
        let Some(line) = lines.next() else {
            return Ok(None);
        };
        let entry = parse(line).ok_or_else(|| format!("line {number} is damaged"))?;
        whole_bytes = whole_bytes.saturating_add(line.len());
        Ok(Some(entry))
    };
    let Some(Entry::Plan(plan)) = next(1)? else {
        return Err("this is not the journal of a payment".to_owned());
    };
    if plan.format != FORMAT {
        return Err(format!("format {} is not known, this program writes {FORMAT}", plan.format));
    }
    if plan.rows > super::rows::ROWS_MAX {
        return Err(format!("{} rows are more than any file has", plan.rows));
    }
    let mut rows = vec![RowState::default(); plan.rows];
    for number in 2..plan.signed.saturating_add(2) {
        let Some(Entry::Signed { row, transaction }) = next(number)? else {
            return Err(format!("line {number} is not the signed transaction it should be"));
        };
        let signed = decode(&transaction).ok_or_else(|| format!("line {number} is damaged"))?;
        let state = rows.get_mut(row).ok_or_else(|| format!("line {number}: no row {row}"))?;
        state.signed.push(signed);
    }
    if let Some(row) = rows.iter().position(|row| row.signed.is_empty()) {
        return Err(format!("nothing is signed for row {row}"));
    }
    // What follows was appended without a flush: the first bad line ends it.
    let mut number = plan.signed.saturating_add(2);
    while let Ok(Some(Entry::Final { row, id, height })) = next(number) {
        let (Some(state), Ok(id)) = (rows.get_mut(row), id.parse()) else {
            break;
        };
        state.committed = Some(Committed { row, id, height: Height::new(height) });
        number = number.saturating_add(1);
    }
    let whole_bytes = u64::try_from(whole_bytes).unwrap_or(u64::MAX);
    Ok(Contents { plan, rows, whole_bytes })
}

fn parse(line: &[u8]) -> Option<Entry> {
    let (digits, rest) = line.split_at_checked(CHECKSUM_DIGITS)?;
    let json = rest.strip_prefix(b" ")?.strip_suffix(b"\n")?;
    if checksum(json).as_bytes() != digits {
        return None;
    }
    serde_json::from_slice(json).ok()
}

fn decode(transaction: &str) -> Option<SignedTransaction> {
    let bytes = HEXLOWER.decode(transaction.as_bytes()).ok()?;
    crypto::encoding::from_wire(&bytes, WIRE_BYTES_MAX).ok()
}

/// Takes the journal for this process. The lock goes with the process, however that ends.
fn lock(path: &Path, file: &File) -> Result<(), Failure> {
    file.try_lock().map_err(|cause| match cause {
        std::fs::TryLockError::WouldBlock => busy(path),
        std::fs::TryLockError::Error(cause) => fault(path, &cause),
    })?;
    // Whoever held the lock may have put a new file in place of the one that is locked now.
    let locked = file.metadata().map_err(|cause| fault(path, &cause))?;
    let named = path.metadata().map_err(|cause| fault(path, &cause))?;
    if (locked.dev(), locked.ino()) != (named.dev(), named.ino()) {
        return Err(busy(path));
    }
    Ok(())
}

fn busy(path: &Path) -> Failure {
    let text = format!("another process works on {}", path.display());
    Failure::new(Exit::Refused, "journal-busy", text)
}

fn fault(path: &Path, cause: &io::Error) -> Failure {
    Failure::fault(format!("the journal {}", path.display()), cause)
}

#[cfg(test)]
mod tests;
