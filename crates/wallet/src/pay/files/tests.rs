use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::{TempDir, tempdir};

use super::Files;
use crate::exit::Exit;

/// A directory with a CSV.
fn directory() -> (TempDir, PathBuf) {
    let directory = tempdir().unwrap();
    let csv = directory.path().join("w.csv");
    fs::write(&csv, "to,amount\nbob,1\n").unwrap();
    (directory, csv)
}

#[track_caller]
fn refused(csv: &Path, report: Option<&Path>, password: Option<&Path>) -> String {
    let failure = Files::of(csv, report, password).unwrap_err();
    assert_eq!(failure.exit, Exit::Usage);
    assert!(failure.text.contains("nothing was sent"), "{}", failure.text);
    failure.text
}

#[test]
fn journal_and_report_stand_beside_the_csv() {
    let (directory, csv) = directory();

    let files = Files::of(&csv, None, None).unwrap();

    assert_eq!(files.journal, directory.path().join("w.csv.pay"));
    assert_eq!(files.report, directory.path().join("w.csv.result.csv"));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "the trial leaves nothing");
}

#[test]
fn a_report_that_is_the_csv_is_refused_under_every_name() {
    let (directory, csv) = directory();
    let (hard, soft) = (directory.path().join("hard"), directory.path().join("soft"));
    fs::hard_link(&csv, &hard).unwrap();
    symlink(&csv, &soft).unwrap();
    let dotted = directory.path().join(".").join("w.csv");

    for report in [&csv, &hard, &soft, &dotted] {
        let text = refused(&csv, Some(report), None);
        assert!(text.contains("is the CSV"), "{text}");
    }
}

#[test]
fn a_report_that_is_the_journal_is_refused_before_there_is_one_and_after() {
    let (directory, csv) = directory();
    let journal = directory.path().join("w.csv.pay");
    let linked = directory.path().join("linked");
    symlink(directory.path(), &linked).unwrap();

    for report in [journal.clone(), linked.join("w.csv.pay")] {
        let text = refused(&csv, Some(&report), None);
        assert!(text.contains("is the journal"), "{text}");
    }
    fs::write(&journal, "").unwrap();
    fs::hard_link(&journal, directory.path().join("other")).unwrap();
    let text = refused(&csv, Some(&directory.path().join("other")), None);
    assert!(text.contains("is the journal"), "{text}");
}

#[test]
fn a_report_that_is_the_password_file_is_refused() {
    let (directory, csv) = directory();
    let password = directory.path().join("password");
    fs::write(&password, "secret\n").unwrap();

    let text = refused(&csv, Some(&password), Some(&password));

    assert!(text.contains("is the password file"), "{text}");
}

#[test]
fn a_report_that_cannot_be_written_is_refused() {
    let (directory, csv) = directory();
    for report in ["missing/r.csv", "", "w.csv/r.csv"] {
        refused(&csv, Some(&directory.path().join(report)), None);
    }
    refused(&csv, Some(Path::new("/dev/null")), None);
}

#[test]
fn a_report_of_an_earlier_run_may_be_replaced() {
    let (directory, csv) = directory();
    let report = directory.path().join("report.json");
    for old in ["", "row,line,to,address\n1,2,bob", "[\n  {\n    \"row\": 1", "[{\"row\":1,"] {
        fs::write(&report, old).unwrap();

        Files::of(&csv, Some(&report), None).unwrap();

        assert_eq!(fs::read_to_string(&report).unwrap(), old, "not before there is a new one");
    }
}

/// The journal of another payment, a key, another CSV.
#[test]
fn a_report_replaces_nothing_but_a_report() {
    let (directory, csv) = directory();
    let other = directory.path().join("other.csv.pay");
    for content in ["{\"journal\":1}\n", "to,amount\n", "\u{1}"] {
        fs::write(&other, content).unwrap();

        let text = refused(&csv, Some(&other), None);

        assert!(text.contains("no report of a payment"), "{text}");
        assert_eq!(fs::read_to_string(&other).unwrap(), content);
    }
}

/// The journal stands beside one name, and under the other every row would be paid again.
#[test]
fn a_csv_with_several_names_is_refused() {
    let (directory, csv) = directory();
    fs::hard_link(&csv, directory.path().join("b.csv")).unwrap();

    assert!(refused(&csv, None, None).contains("several names"));
}

#[test]
fn whoever_paid_through_a_link_is_told_where_its_journal_is() {
    let (directory, csv) = directory();
    let link = directory.path().join("link.csv");
    symlink(&csv, &link).unwrap();
    fs::write(directory.path().join("link.csv.pay"), "").unwrap();

    let failure = Files::of(&link, None, None).unwrap_err();

    assert!(failure.hint.unwrap().contains("link.csv.pay says what was signed"));
}

#[test]
fn a_csv_that_is_no_regular_file_is_refused() {
    let (directory, csv) = directory();
    let link = directory.path().join("link.csv");
    symlink(&csv, &link).unwrap();

    assert!(refused(&link, None, None).contains("is a link"));
    assert!(refused(Path::new("/dev/null"), None, None).contains("is no regular file"));
    assert!(refused(directory.path(), None, None).contains("is no regular file"));
}
