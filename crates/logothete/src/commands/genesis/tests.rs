use std::fs;

use anstream::adapter::strip_str;

use super::check;
use crate::output::Report;
use crate::testnet::plan::Plan;

fn checked(text: &str) -> (super::CheckReport, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("genesis.toml");
    fs::write(&path, text).unwrap();
    let report = check(&path).unwrap();
    let mut out = Vec::new();
    report.text(&mut out).unwrap();
    let text = strip_str(std::str::from_utf8(&out).unwrap()).to_string();
    (report, text)
}

#[test]
fn a_document_that_holds_is_described() {
    let plan = Plan::new(7, 0).unwrap();

    let (report, text) = checked(&plan.genesis.to_toml());

    assert!(report.holds);
    assert!(text.contains("n = 7, t = 2 may be faulty, q = 5"), "{text}");
    assert!(text.contains("4000000.00 LGT in 4 accounts"), "{text}");
    assert!(text.contains(&plan.genesis.chain().to_string()));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["q"], &json["validators"][6]["name"]), (&5.into(), &"node6".into()));
}

#[test]
fn every_problem_is_listed_with_its_line() {
    let good = Plan::new(1, 0).unwrap().genesis.to_toml();
    let bad =
        good.replacen("prefix =", "prefiks =", 1).replacen("decimals = 2", "decimals = 99", 1);
    let line_of = |start: &str| bad.lines().position(|line| line.starts_with(start)).unwrap() + 1;

    let (report, text) = checked(&bad);

    assert!(!report.holds && report.network.is_none());
    let lines: Vec<_> = report.problems.iter().filter_map(|problem| problem.line).collect();
    assert!(lines.contains(&line_of("prefiks")), "{text}");
    assert!(lines.contains(&line_of("decimals")), "{text}");
    assert!(text.contains("problems"), "{text}");
}

#[test]
fn a_document_that_does_not_exist_is_a_failure_and_no_finding() {
    let folder = tempfile::tempdir().unwrap();

    assert!(check(&folder.path().join("none.toml")).is_err());
}
