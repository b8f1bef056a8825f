//! How a command ends: its exit code, and for a failure what is wrong and what to do about it.
//!
//! The codes are those of `logothete-wallet` where both have one; they are documented in
//! `docs/reference/logothete.md`. Code 2, wrong usage, is mostly given by the parser of the command
//! line.

use std::path::Path;

/// What a command ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// A file, a socket, a process failed, or what was checked does not hold.
    Fault,
    /// The command line makes no sense.
    Usage,
    /// What was asked for does not fit what is there; nothing was changed.
    Refused,
    /// No validator answers.
    Unreachable,
    /// There is no such network or no such validator.
    NotFound,
    /// What was waited for did not happen in time.
    TimedOut,
    /// Validators contradict one another.
    Contradiction,
    /// Told to end before it was done.
    Interrupted,
}

impl Exit {
    /// The code of the process.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Fault => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Unreachable => 4,
            Self::NotFound => 5,
            Self::TimedOut => 6,
            Self::Contradiction => 9,
            Self::Interrupted => 130,
        }
    }

    /// A stable word for scripts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Fault => "fault",
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::NotFound => "not-found",
            Self::TimedOut => "timed-out",
            Self::Contradiction => "contradiction",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the process ends with.
    pub exit: Exit,
    /// What is wrong, with its causes.
    pub text: String,
    /// What helps.
    pub hint: Option<String>,
    /// The last lines of a validator's log, when that is what explains it.
    pub log: Option<LogLines>,
}

/// Lines of a validator's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLines {
    /// Whose log.
    pub name: String,
    /// The lines, oldest first.
    pub lines: Vec<String>,
}

impl Failure {
    /// A failure with this code.
    pub fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self { exit, text: text.into(), hint: None, log: None }
    }

    /// A request that does not fit what is there.
    pub fn refused(text: impl Into<String>) -> Self {
        Self::new(Exit::Refused, text)
    }

    /// Something that failed, with all its causes.
    pub fn fault(what: impl Into<String>, cause: &dyn std::error::Error) -> Self {
        let mut text = what.into();
        let mut next = Some(cause);
        while let Some(cause) = next {
            let said = cause.to_string();
            // Some libraries repeat their source in their own text.
            if !text.ends_with(&said) {
                text.push_str(": ");
                text.push_str(&said);
            }
            next = cause.source();
        }
        Self::new(Exit::Fault, text)
    }

    /// A file that could not be used.
    pub fn file(verb: &str, path: &Path, cause: &std::io::Error) -> Self {
        Self::fault(format!("cannot {verb} {}", path.display()), cause)
    }

    /// The same with advice.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with the log lines that explain it.
    pub fn with_log(mut self, name: &str, lines: Vec<String>) -> Self {
        self.log = Some(LogLines { name: name.to_owned(), lines });
        self
    }
}

#[cfg(test)]
mod tests;
