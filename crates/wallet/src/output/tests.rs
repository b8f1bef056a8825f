use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use serde::Serialize;

use super::{Output, Report};
use crate::exit::{Exit, Failure};

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
struct Channel(Rc<RefCell<Vec<u8>>>);

impl Channel {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A channel that nobody can write to.
struct Closed(io::ErrorKind);

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn results_and_notices_keep_their_channels_with_and_without_json() {
    for (json, result, error) in [
        (false, "the sum is 4\n", "not confirmed"),
        (true, "{\"sum\":4}\n", "\"code\":\"declined\""),
    ] {
        let (results, notices) = (Channel::default(), Channel::default());
        let mut output = Output::new(json, Box::new(results.clone()), Box::new(notices.clone()));

        output.result(&Sum { sum: 4 }).unwrap();
        output.notice("adding");
        output.failure(&Failure::new(Exit::Declined, "declined", "not confirmed"));

        assert_eq!(results.text(), result);
        assert!(notices.text().starts_with("adding\n"), "{}", notices.text());
        assert!(notices.text().contains(error), "{}", notices.text());
    }
}

#[test]
fn a_reader_that_went_away_undoes_nothing_and_a_full_disk_is_a_fault() {
    let closed = |kind| {
        let mut output = Output::new(true, Box::new(Closed(kind)), Box::new(io::sink()));
        output.result(&Sum { sum: 4 })
    };

    assert!(closed(io::ErrorKind::BrokenPipe).is_ok());
    assert_eq!(closed(io::ErrorKind::StorageFull).unwrap_err().exit, Exit::Fault);
}
