//! What is written is read back, and what is damaged is named.

use super::*;
use crate::plan::Limits;
use crate::record::{Kind, Recorder, Said};
use crate::world::Options;

fn trace() -> Trace {
    let plan = Plan::random(5, &Limits::default());
    let recorder = Recorder::default();
    let options = Options { recorder: Some(recorder.clone()), ..Options::default() };
    crate::run(&plan, 5, options);
    let header = Header {
        logothete_lab_trace: VERSION,
        title: "replay".to_owned(),
        seed: 5,
        command: "logothete-lab replay 5".to_owned(),
        traitors: Vec::new(),
        left_out: 0,
        plan,
    };
    Trace::new(header, recorder.recording())
}

#[test]
fn a_trace_that_is_written_is_read_back() {
    let trace = trace();
    let text = trace.to_text().unwrap();

    assert!(trace.events.len() > 500);
    assert_eq!(text.lines().count(), trace.events.len() + 1);
    assert_eq!(Trace::parse(&text).unwrap(), trace);
}

#[test]
fn a_damaged_trace_is_refused_with_line_and_reason() {
    let text = trace().to_text().unwrap();
    let lines: Vec<&str> = text.lines().take(4).collect();
    let with = |place: usize, line: &str| {
        let mut damaged = lines.clone();
        damaged[place] = line;
        damaged.join("\n")
    };
    let newer = lines[0].replace("\"logothete_lab_trace\":1", "\"logothete_lab_trace\":2");
    let more = lines[0].replace("\"seed\":5", "\"seed\":5,\"colour\":\"red\"");
    let early = r#"{"at_us":9999999999,"event":"healed"}"#;
    let stranger = r#"{"at_us":9999999999,"event":{"died":{"replica":99,"how":"killed"}}}"#;
    for (text, says) in [
        (String::new(), "line 1: the file is empty"),
        ("hello\nworld".to_owned(), "line 1: this is no header of a trace of logothete-lab"),
        (r#"{"seed":1}"#.to_owned(), "missing field `logothete_lab_trace`"),
        (with(0, &newer), "line 1: the trace has version 2, and this program reads version 1"),
        (
            with(0, &more),
            "line 1: this is no header of a trace of logothete-lab: unknown field `colour`",
        ),
        (with(2, "{}"), "line 3: this is no event: missing field `at_us`"),
        (with(2, ""), "line 3: this is no event: EOF"),
        (with(2, &lines[2][..20]), "line 3: this is no event: EOF"),
        (
            with(2, r#"{"at_us":1,"event":{"danced":{}}}"#),
            "line 3: this is no event: unknown variant `danced`",
        ),
        (with(2, early), "line 4: the event is at"),
        (with(3, stranger), "line 4: there is no replica 99; the plan in line 1 has"),
    ] {
        let error = Trace::parse(&text).unwrap_err().to_string();
        assert!(error.contains(says), "{error} should say {says}");
    }
}

/// The format is read by others: a change of it is seen here, and is a new version.
#[test]
fn the_format_of_a_line_is_fixed() {
    let said = Said {
        kind: Kind::PrePrepare,
        author: Some(0),
        view: Some(1),
        height: Some(2),
        block: Some("0123abcd".to_owned()),
    };
    let attack = Some("equivocate".to_owned());
    let sent = Happened::Sent { number: 7, from: 0, to: 3, said, attack };
    for (event, line) in [
        (
            sent,
            r#"{"at_us":5,"event":{"sent":{"number":7,"from":0,"to":3,"said":{"kind":"pre-prepare","author":0,"view":1,"height":2,"block":"0123abcd"},"attack":"equivocate"}}}"#,
        ),
        (Happened::Healed, r#"{"at_us":5,"event":"healed"}"#),
    ] {
        let event = Event { at_us: 5, event };
        assert_eq!(serde_json::to_string(&event).unwrap(), line);
        assert_eq!(serde_json::from_str::<Event>(line).unwrap(), event);
    }
}
