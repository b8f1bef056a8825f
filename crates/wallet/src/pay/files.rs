//! The files of a payment: the CSV, its journal beside it, and the report. Whatever is wrong with
//! them is found before anything is signed or sent.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::exit::Failure;
use crate::private_file;

/// Where everything of one payment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Files {
    /// The payments, a regular file.
    pub(crate) csv: PathBuf,
    /// What was signed for them, beside the CSV.
    pub(crate) journal: PathBuf,
    /// Every row's outcome.
    pub(crate) report: PathBuf,
}

impl Files {
    /// The files of a payment of `csv`; `report` is where its outcome goes when it has a place of
    /// its own, `password` another file that is read.
    ///
    /// # Errors
    /// [`Exit::Usage`](crate::exit::Exit::Usage) when the CSV is no regular file, or when the
    /// report cannot be written or would replace one of the others.
    pub(crate) fn of(
        csv: &Path,
        report: Option<&Path>,
        password: Option<&Path>,
    ) -> Result<Self, Failure> {
        let own = fs::symlink_metadata(csv).map_err(|cause| unreadable(csv, &cause))?;
        if !own.is_file() {
            return Err(not_a_file(csv, &own));
        }
        let journal = beside(csv, ".pay");
        let files = Self {
            csv: csv.to_owned(),
            report: report.map_or_else(|| beside(csv, ".result.csv"), Path::to_owned),
            journal,
        };
        files.check_report(password)?;
        if own.nlink() > 1 {
            let text = format!("{} has several names, nothing was sent", csv.display());
            return Err(Failure::usage(text).with_hint(
                "what was signed is kept beside one of them, and under another every row would be \
                 paid again: copy the rows to a file of their own",
            ));
        }
        Ok(files)
    }

    fn check_report(&self, password: Option<&Path>) -> Result<(), Failure> {
        let report = &self.report;
        let hint = "say where every row's outcome is written: --report FILE";
        let refused = |text: String| Failure::usage(text).with_hint(hint);
        let others = [(Some(&*self.csv), "the CSV"), (Some(&*self.journal), "the journal")];
        for (other, what) in others.into_iter().chain([(password, "the password file")]) {
            if other.is_some_and(|other| are_one(report, other)) {
                let text = format!("the report {} is {what}, nothing was sent", report.display());
                return Err(refused(text));
            }
        }
        let there = fs::symlink_metadata(report);
        if there.is_ok_and(|metadata| !metadata.is_file()) {
            let text = format!("the report {} is not a regular file", report.display());
            return Err(refused(format!("{text}, nothing was sent")));
        }
        if !is_report(report) {
            let text = format!("{} is there, and no report of a payment", report.display());
            return Err(refused(format!("{text}, nothing was sent")));
        }
        private_file::can_replace(report)
            .map_err(|cause| refused(format!("cannot write the report, nothing was sent: {cause}")))
    }
}

/// Whether what is there, if anything, is the report of an earlier run, or empty.
fn is_report(path: &Path) -> bool {
    let mut begin = [0; 16];
    let read = match File::open(path) {
        Ok(mut file) => file.read(&mut begin).unwrap_or_default(),
        Err(error) => return error.kind() == io::ErrorKind::NotFound || !path.exists(),
    };
    let begin: String = begin.iter().take(read).map(|byte| char::from(*byte)).collect();
    let begin: String = begin.split_whitespace().collect();
    begin.is_empty() || begin.starts_with("row,line,to,") || begin.starts_with("[{\"row\":")
}

/// `FILE.csv` with something behind it.
fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    PathBuf::from(name)
}

/// Whether two paths lead to one file, whichever way they are written. A file that is not there yet
/// is its name in its directory.
fn are_one(a: &Path, b: &Path) -> bool {
    if let (Ok(a), Ok(b)) = (a.metadata(), b.metadata()) {
        return (a.dev(), a.ino()) == (b.dev(), b.ino());
    }
    let place = |path: &Path| {
        let directory = private_file::directory_of(path).canonicalize().ok()?;
        Some(directory.join(path.file_name()?))
    };
    place(a).is_some_and(|a| Some(a) == place(b))
}

fn unreadable(csv: &Path, cause: &io::Error) -> Failure {
    Failure::usage(format!("cannot read {}: {cause}", csv.display()))
}

/// The journal of a pipe would stand beside the pipe's name and belong to nothing; that of a link
/// would not be found under the file's other names, and the rows would be paid again.
fn not_a_file(csv: &Path, own: &Metadata) -> Failure {
    let what = if own.is_symlink() { "a link" } else { "no regular file" };
    let journal = beside(csv, ".pay");
    if own.is_symlink() && journal.exists() {
        let text = format!("{} is a link, nothing was sent", csv.display());
        return Failure::usage(text).with_hint(format!(
            "a payment was begun through it, and {} says what was signed: move that beside the \
             file, as the file's name with .pay behind it, before the file is paid, or every row is \
             paid again",
            journal.display()
        ));
    }
    Failure::usage(format!("{} is {what}, nothing was sent", csv.display())).with_hint(
        "what was signed is kept beside the CSV as FILE.csv.pay, so that no row is ever paid \
         twice: save the rows as a file, and name that file itself",
    )
}

#[cfg(test)]
mod tests;
