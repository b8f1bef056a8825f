use std::collections::BTreeSet;

use super::{Code, Problem};

const ERRORS_PAGE: &str = include_str!("../../../../docs/reference/errors.md");
const HTTP_PAGE: &str = include_str!("../../../../docs/reference/http-api.md");

#[test]
fn codes_are_distinct_kebab_case_and_parse_back() {
    let texts: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();

    assert_eq!(texts.len(), Code::ALL.len());
    for code in Code::ALL {
        let text = code.as_str();
        assert!(text.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase()));
        assert_eq!(text.parse(), Ok(*code));
        assert!((400..600).contains(&code.status()));
    }
    assert!("no-such-code".parse::<Code>().is_err());
}

#[test]
fn the_errors_page_has_a_line_for_every_code_and_no_other() {
    let listed: Vec<(&str, u16)> = ERRORS_PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| {
            let mut cells = line.split('|').map(str::trim);
            let code = cells.next()?.trim_end_matches('`');
            Some((code, cells.next()?.parse().ok()?))
        })
        .collect();

    let expected: BTreeSet<(&str, u16)> =
        Code::ALL.iter().map(|code| (code.as_str(), code.status())).collect();
    assert_eq!(listed.len(), expected.len(), "a code is listed twice");
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn the_http_page_describes_every_endpoint() {
    let value: serde_json::Value = serde_json::from_str(&crate::openapi::document()).unwrap();
    for (path, methods) in value["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let heading = format!("`{} {path}`", method.to_uppercase());
            assert!(HTTP_PAGE.contains(&heading), "{heading} is not described");
        }
    }
}

#[test]
fn a_problem_is_json_with_the_fields_of_the_standard_and_a_code() {
    let problem = Problem::new(Code::Overdraft, "the balance is 1");

    let value = serde_json::to_value(&problem).unwrap();

    assert_eq!(
        value,
        serde_json::json!({
            "type": "urn:logothete:problem:overdraft",
            "title": "the balance is too small",
            "status": 422,
            "code": "overdraft",
            "detail": "the balance is 1",
        })
    );
}
