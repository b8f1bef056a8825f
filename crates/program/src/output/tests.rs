use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use anstream::adapter::strip_str;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Output, Report};
use crate::failure::{Exit, Failure};

#[derive(Serialize)]
struct Sum {
    sum: u8,
}

impl Report for Sum {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "the sum is {}", self.sum)
    }
}

/// A channel that a test can read.
#[derive(Clone, Default)]
struct Channel(Arc<Mutex<Vec<u8>>>);

impl Channel {
    /// Everything that was written, without styles.
    fn text(&self) -> String {
        strip_str(std::str::from_utf8(&self.0.lock().unwrap()).unwrap()).to_string()
    }
}

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A channel whose reader went away.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn failure() -> Failure {
    Failure::refused("node0 runs already")
        .with_hint("stop it")
        .with_log("node0", vec!["one".to_owned(), "two".to_owned()])
}

/// What is written to both channels.
fn written(json: bool) -> (String, String) {
    let (results, notices) = (Channel::default(), Channel::default());
    let mut output = Output::new(json, Box::new(results.clone()), Box::new(notices.clone()));
    output.result(&Sum { sum: 4 }).unwrap();
    output.notice("adding");
    output.warning("slowly");
    output.failure(&failure());
    (results.text(), notices.text())
}

#[test]
fn results_stand_on_one_channel_and_everything_else_on_the_other() {
    let (results, notices) = written(false);

    assert_eq!(results, "the sum is 4\n");
    assert_eq!(
        notices,
        "adding\nwarning: slowly\nlast lines of the log of node0:\n  one\n  two\n\
         error: node0 runs already\nhint: stop it\n"
    );
}

#[test]
fn json_changes_the_form_and_not_the_channel() {
    let (results, notices) = written(true);

    assert_eq!(results, "{\"sum\":4}\n");
    let error = notices.strip_prefix("adding\nwarning: slowly\n").unwrap();
    assert_eq!(error.lines().count(), 1);
    let expected = json!({ "error": {
        "exit": 3,
        "code": "refused",
        "detail": "node0 runs already",
        "hint": "stop it",
        "log": { "of": "node0", "lines": ["one", "two"] },
    }});
    assert_eq!(serde_json::from_str::<Value>(error).unwrap(), expected);
}

/// A channel on a full disk.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_went_away_is_no_failure_and_ends_what_would_follow_for_ever() {
    for json in [true, false] {
        let mut output = Output::new(json, Box::new(Closed), Box::new(io::sink()));

        assert_eq!(output.result(&Sum { sum: 4 }), Ok(()));
        assert_eq!(output.entry(&Sum { sum: 4 }), Ok(false));
    }
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let mut output = Output::new(true, Box::new(Full), Box::new(io::sink()));

    assert_eq!(output.result(&Sum { sum: 4 }).unwrap_err().exit, Exit::Fault);
}
