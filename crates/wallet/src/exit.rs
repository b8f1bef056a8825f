//! How a command ends: the documented exit codes and the failure that carries one.
//!
//! The table in `docs/reference/wallet.md` is this enum; a test keeps the numbers where they are.

use std::fmt;

/// The exit code of the process. The numbers are part of the interface and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command did what it was asked to do.
    Done,
    /// A fault of this machine or of the program: disk, terminal, randomness.
    Fault,
    /// The command line, a file given on it, or the directory of the network is not usable.
    Usage,
    /// The ledger refused, or would refuse; the reason is told.
    Refused,
    /// No validator could be reached, and nothing was submitted.
    Unreachable,
    /// What was asked for does not exist.
    NotFound,
    /// The time is over; what was submitted may still commit.
    Pending,
    /// The user was asked and said no.
    Declined,
    /// A key file or a password is missing, wrong or not safe.
    Key,
    /// The answers of the validators contradict one another or do not verify.
    Unverified,
}

impl Exit {
    /// The number the process ends with.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Fault => 1,
            Exit::Usage => 2,
            Exit::Refused => 3,
            Exit::Unreachable => 4,
            Exit::NotFound => 5,
            Exit::Pending => 6,
            Exit::Declined => 7,
            Exit::Key => 8,
            Exit::Unverified => 9,
        }
    }
}

/// Why a command did not do what it was asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// How the process ends.
    pub(crate) exit: Exit,
    /// A stable kebab-case word for scripts.
    pub(crate) code: String,
    /// A lowercase phrase for people, with the values in it.
    pub(crate) text: String,
    /// What to do next, when there is something.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// A failure with a code of its own.
    pub(crate) fn new(exit: Exit, code: impl Into<String>, text: impl Into<String>) -> Self {
        Self { exit, code: code.into(), text: text.into(), hint: None }
    }

    /// A fault of this machine while doing `what`.
    pub(crate) fn fault(what: impl fmt::Display, cause: impl fmt::Display) -> Self {
        Self::new(Exit::Fault, "fault", format!("{what}: {cause}"))
    }

    /// Something on the command line that cannot be used.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", text)
    }

    /// A key or password that cannot be used.
    pub(crate) fn key(text: impl Into<String>) -> Self {
        Self::new(Exit::Key, "key", text)
    }

    /// Something that does not exist.
    pub(crate) fn not_found(text: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, "not-found", text)
    }

    /// The same failure with a word on what to do next.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
