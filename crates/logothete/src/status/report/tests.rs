use anstream::adapter::strip_str;

use crate::output::Report;
use crate::status::report::StatusReport;
use crate::status::{Sight, State};
use crate::testnet::attacks::Attacks;

fn away(name: &str, state: State) -> Sight {
    Sight {
        name: name.to_owned(),
        state,
        pid: Some(17),
        client: None,
        attacks: Attacks::default(),
        status: None,
    }
}

fn text(report: &StatusReport) -> String {
    let mut out = Vec::new();
    report.text(&mut out).unwrap();
    strip_str(std::str::from_utf8(&out).unwrap()).to_string()
}

#[test]
fn validators_that_do_not_answer_have_a_row_all_the_same() {
    let report =
        StatusReport::of(&[away("node0", State::Paused), away("node1", State::Down)], true);

    let text = text(&report);

    assert_eq!(report.agree, None);
    assert!(text.contains("node0  paused   17       -"), "{text}");
    assert!(text.contains("node1  down"), "{text}");
    assert!(text.contains("no validator answers"), "{text}");
}

#[test]
fn the_json_form_names_every_field_even_when_unknown() {
    let report = StatusReport::of(&[away("node0", State::Silent)], false);

    let json = serde_json::to_value(&report).unwrap();

    assert_eq!(json["agree"], serde_json::Value::Null);
    assert_eq!(json["validators"][0]["state"], "silent");
    assert!(json["validators"][0].as_object().unwrap().contains_key("state_root"));
}
