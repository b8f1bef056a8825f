//! The two channels: results on stdout, everything else on stderr, with or without `--json`.
//!
//! A result is a line of JSON (with `--json`) or a text for people. Colour is decided by `anstream`
//! from the terminal and `NO_COLOR`.

use std::fmt;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use serde_json::json;

use crate::failure::Failure;

/// Headings and what a reader looks for first.
pub const BOLD: Style = Style::new().bold();
/// What is well.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// What is not.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// What wants attention.
pub const WARN: Style = AnsiColor::Yellow.on_default().bold();
/// What may be skipped.
pub const DIM: Style = Style::new().dimmed();

/// `text` in `style`, for `write!`.
pub fn styled(style: Style, text: impl fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A result that people can read; scripts read its JSON.
pub trait Report: Serialize {
    /// Writes the text for people.
    ///
    /// # Errors
    ///
    /// Those of the channel.
    fn text(&self, out: &mut dyn Write) -> io::Result<()>;
}

/// Where a command writes.
pub struct Output {
    json: bool,
    results: Box<dyn Write + Send>,
    notices: Box<dyn Write + Send>,
}

impl Output {
    /// The process's own channels.
    pub fn of_process(json: bool) -> Self {
        Self::new(json, Box::new(anstream::stdout()), Box::new(anstream::stderr()))
    }

    /// Any two channels, for tests.
    pub fn new(json: bool, results: Box<dyn Write + Send>, notices: Box<dyn Write + Send>) -> Self {
        Self { json, results, notices }
    }

    /// Whether results are JSON.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Writes a result: one line of JSON, or its text. A reader that has read enough, such as
    /// `head`, takes nothing back of what was done.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be written.
    pub fn result(&mut self, report: &impl Report) -> Result<(), Failure> {
        self.entry(report).map(|_| ())
    }

    /// Writes one of many results; false when nobody reads them any more, and whoever goes on
    /// writing may end.
    ///
    /// # Errors
    ///
    /// As [`Output::result`].
    pub fn entry(&mut self, report: &impl Report) -> Result<bool, Failure> {
        let written = if self.json {
            serde_json::to_writer(&mut self.results, report)
                .map_err(io::Error::from)
                .and_then(|()| writeln!(self.results))
        } else {
            report.text(&mut *self.results)
        };
        match written.and_then(|()| self.results.flush()) {
            Ok(()) => Ok(true),
            Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(cause) => Err(Failure::fault("cannot write the result", &cause)),
        }
    }

    /// Says something that is not the result. Losing it never fails a command.
    pub fn notice(&mut self, text: impl fmt::Display) {
        ignore(writeln!(self.notices, "{text}"));
    }

    /// Says something that the user should look at.
    pub fn warning(&mut self, text: impl fmt::Display) {
        let label = styled(WARN, "warning");
        ignore(writeln!(self.notices, "{label}: {text}"));
    }

    /// Says why the command failed: lines for people, or one line of JSON with `--json`.
    pub fn failure(&mut self, failure: &Failure) {
        if self.json {
            let log = failure.log.as_ref().map(|log| json!({"of": log.name, "lines": log.lines}));
            let document = json!({ "error": {
                "exit": failure.exit.code(),
                "code": failure.exit.name(),
                "detail": failure.text,
                "hint": failure.hint,
                "log": log,
            }});
            ignore(writeln!(self.notices, "{document}"));
            return;
        }
        if let Some(log) = &failure.log {
            let heading = format!("last lines of the log of {}:", log.name);
            ignore(writeln!(self.notices, "{}", styled(BOLD, heading)));
            for line in &log.lines {
                ignore(writeln!(self.notices, "  {line}"));
            }
        }
        ignore(writeln!(self.notices, "{}: {}", styled(BAD, "error"), failure.text));
        if let Some(hint) = &failure.hint {
            ignore(writeln!(self.notices, "{}: {hint}", styled(BOLD, "hint")));
        }
    }
}

/// When stderr is gone there is nobody left to tell.
fn ignore(written: io::Result<()>) {
    drop(written);
}

#[cfg(test)]
mod tests;
